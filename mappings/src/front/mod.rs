//! The fronts: callers' wire formats in both directions, driven by their compiled mappings. None
//! of them knows a service by name.

mod batch;
mod grpc;
mod http;
mod json_call;
mod losses;
pub(crate) mod problem;
mod rest;
pub(crate) mod soap;
mod telegram;
pub(crate) mod xml;
mod xml_fault;
mod xml_schema;
mod xroad;

pub use batch::{BatchError, BatchFile, BatchFront, BatchLimits, BatchReader, BatchRecord};
pub use grpc::{DESCRIPTORS, GrpcFront, collected_exchange, pending_reply, status_message};
pub use rest::RestFront;
pub use soap::{SoapFront, SoapMetadata};
pub use telegram::TelegramFront;
pub use xml::XmlFront;
pub use xroad::{Metadata, XRoadFront, XRoadRest};

pub(crate) use batch::{BadRecords, Column, Encoding, Fields, Form, FormKind, Place};
pub(crate) use json_call::JsonCalls;
pub(crate) use telegram::{KeepAlive, KeepAliveAnswer};
pub(crate) use xroad::{ErrorType, ErrorTypes, METASERVICES, service_code};

use gateway_core::{Fault, Loss};

use crate::faults::{FaultTable, Outcome};

/// The codes of a front that says in its messages what became of a request.
pub(crate) struct Replies {
    pub(crate) success: String,
    /// Instead of `success` where the reply tells of a loss.
    pub(crate) lossy: Option<String>,
    pub(crate) message: String,
    pub(crate) faults: FaultTable<String>,
}

impl Replies {
    pub(crate) fn success(&self, losses: &[Loss]) -> Outcome<'_> {
        let lossy = self.lossy.as_ref().filter(|_| !losses.is_empty());
        Outcome { code: lossy.unwrap_or(&self.success), name: "", message: &self.message }
    }

    pub(crate) fn refusal<'a>(&'a self, fault: &'a Fault) -> Outcome<'a> {
        Outcome { code: self.faults.code(fault), name: "", message: &fault.public }
    }

    /// Every code a reply may hold.
    pub(crate) fn codes(&self) -> impl Iterator<Item = &str> {
        let special = self.faults.codes.values().flat_map(|codes| codes.values());
        let all = self.faults.kinds.values().chain(special);
        all.chain([&self.success]).chain(&self.lossy).map(String::as_str)
    }
}

#[cfg(test)]
mod tests;
