//! REST/JSON: an object of the service's fields in, one out, refusals as problem+json (RFC 9457).

use std::sync::Arc;

use gateway_core::front::{Draft, Exchange, Slot};
use gateway_core::{Envelope, Fault, Front, Inbound, Kind, Message};

use super::json_call::{Call, JsonCalls};
use super::{http, problem};
use crate::faults::FaultTable;

/// A sector's services over REST.
pub struct RestFront {
    pub(crate) id: Arc<str>,
    pub(crate) sector: Arc<str>,
    pub(crate) key_max: usize,
    pub(crate) calls: JsonCalls,
    pub(crate) faults: FaultTable<u16>,
}

impl RestFront {
    /// The sector of `/v1/{sector}/…`.
    pub fn sector(&self) -> &str {
        &self.sector
    }

    /// OpenAPI 3.1 of the services as served at the URL `server`, for instance
    /// `https://example.org/v1/welfare`. The outcome of a submit is kept for `keep_days`.
    pub fn open_api(&self, server: &str, keep_days: u32) -> String {
        crate::openapi::of_rest(self, server, keep_days).to_string()
    }

    /// What follows `/v1/{sector}` in the path that was sent.
    fn path<'i>(&self, inbound: &'i Inbound) -> &'i str {
        let path = inbound.attributes.get(":path").map_or("", String::as_str);
        let below = path.strip_prefix("/v1/").and_then(|path| path.strip_prefix(&*self.sector));
        below.unwrap_or_default()
    }
}

impl Front for RestFront {
    fn name(&self) -> &str {
        "rest"
    }

    fn mapping(&self) -> &str {
        &self.id
    }

    fn decode(&self, inbound: &Inbound) -> Result<Envelope, Fault> {
        let Call { operation, endpoint, message } = self.calls.read(inbound, self.path(inbound))?;
        Ok(Envelope {
            service: operation.service.clone(),
            message,
            idempotency_key: http::idempotency_key(inbound, self.key_max)?,
            credential: None,
            claimed_member: None,
            claimed_subsystem: None,
            endpoint: Some(endpoint),
            mapping: self.id.clone(),
            echo: Message::new(),
        })
    }

    fn encode(&self, exchange: &Exchange<'_>, answer: &Message) -> Result<Draft, Fault> {
        let envelope = exchange.envelope.ok_or_else(unread)?;
        let mut headers = http::headers(exchange, "application/json", None);
        let body = self.calls.write(exchange, &envelope.service, answer, &mut headers)?;
        Ok(Draft { status: 200, headers, body, receipt: Slot::Header })
    }

    fn refuse(&self, exchange: &Exchange<'_>, fault: &Fault) -> Draft {
        let status = *self.faults.code(fault);
        let mut headers = http::headers(exchange, problem::MEDIA_TYPE, Some(fault));
        match status {
            401 => headers.push(("www-authenticate", "ApiKey realm=\"naru\"".to_owned())),
            405 => {
                headers.push(("allow", self.calls.resources.allow(self.path(exchange.inbound))));
            }
            _ => {}
        }
        let body = problem::write(exchange, fault, status);
        Draft { status, headers, body, receipt: Slot::Header }
    }
}

/// An answer to a request that was not read is a defect of the pipeline.
pub(crate) fn unread() -> Fault {
    Fault::new(Kind::Internal, "defect", "the gateway failed; it was recorded")
        .context("an answer without a request")
}
