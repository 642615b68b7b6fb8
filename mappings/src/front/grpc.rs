//! gRPC: the message `naru.v1.ExchangeRequest` in, `ExchangeReply` out, refusals as
//! `google.rpc.Status`. One front for all sectors, derived from the services' own terms: there is no
//! mapping file to keep. The transport is the listener's matter; the body is one message's bytes.

mod status;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::front::{Draft, Exchange, Slot};
use gateway_core::quota::QuotaState;
use gateway_core::{Envelope, Fault, Front, Inbound, Kind, Message, ServiceId};
use prost::Message as _;
use uuid::Uuid;

use super::{http, losses};
use crate::layout::json::{JsonError, JsonKind};
use crate::operations::Operation;

/// The messages of `proto/naru/v1/gateway.proto`.
#[allow(
    clippy::all,
    missing_docs,
    unreachable_pub,
    clippy::allow_attributes_without_reason,
    reason = "generated from the .proto file, which documents them"
)]
pub(crate) mod proto {
    include!(concat!(env!("OUT_DIR"), "/naru.v1.rs"));
}

/// `gateway.proto` and what it imports as an encoded `google.protobuf.FileDescriptorSet`, for server
/// reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// Key byte of `ExchangeReply.receipt`: field 4, wire type 2.
const RECEIPT_KEY: u8 = 4 << 3 | 2;
/// Characters of an idempotency key, as `gateway.proto` says.
const KEY_MAX: usize = 128;

/// Every service of a catalog over gRPC.
pub struct GrpcFront {
    id: Arc<str>,
    operations: BTreeMap<ServiceId, Operation<JsonKind>>,
}

/// One without any service.
impl Default for GrpcFront {
    fn default() -> Self {
        Self::new([])
    }
}

impl GrpcFront {
    pub(crate) fn new(operations: impl IntoIterator<Item = Operation<JsonKind>>) -> Self {
        let operations = operations.into_iter().map(|each| (each.service.id.clone(), each));
        Self { id: "naru/grpc/v1".into(), operations: operations.collect() }
    }

    /// As the id of a mapping, in envelopes and records.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The fields of a reply of this service that a JSON object holds, which need not be all.
    ///
    /// # Errors
    /// `Malformed` and `Unmappable`, naming the field; `Unroutable` for a service that is none.
    pub fn reply_fields(&self, service: &ServiceId, json: &[u8]) -> Result<Message, Fault> {
        let rows = &self.operation(service)?.reply;
        let record = rows.parse(json).map_err(struct_fault)?;
        let mut message = Message::new();
        for (row, wire) in rows.0.iter().zip(&record) {
            if let (Some(field), Some(wire)) = (&row.field, wire) {
                let value = row.read(Some(wire)).map_err(|error| error.in_request())?;
                if let Some(value) = value {
                    message.set_at(field.names(), value);
                }
            }
        }
        Ok(message)
    }

    fn operation(&self, id: &ServiceId) -> Result<&Operation<JsonKind>, Fault> {
        self.operations.get(id).ok_or_else(|| {
            Fault::new(Kind::Unroutable, "unknown-service", "there is no such service here")
        })
    }
}

impl Front for GrpcFront {
    fn name(&self) -> &str {
        "grpc"
    }

    fn decode(&self, inbound: &Inbound) -> Result<Envelope, Fault> {
        let request = proto::ExchangeRequest::decode(inbound.body.clone()).map_err(not_protobuf)?;
        let proto::ExchangeRequest { sector, service, message, idempotency_key } = request;
        let id = ServiceId { sector: sector.into(), code: service.into() };
        let operation = self.operation(&id)?;
        let message = message.unwrap_or_default();
        let record = operation.request.parse_struct(&message).map_err(struct_fault)?;
        let message = operation.request.read(&record).map_err(|error| error.in_request())?;
        Ok(Envelope {
            service: operation.service.clone(),
            message,
            idempotency_key: key(idempotency_key)?,
            credential: None,
            claimed_member: None,
            claimed_subsystem: None,
            endpoint: None,
            mapping: self.id.clone(),
            echo: Message::new(),
        })
    }

    fn encode(&self, exchange: &Exchange<'_>, answer: &Message) -> Result<Draft, Fault> {
        let service = exchange.envelope.map(|envelope| &envelope.service.id);
        let operation = service.map(|id| self.operation(id));
        let operation = operation.unwrap_or_else(|| Err(no_envelope()))?;
        let record = operation.reply.write(answer).map_err(|error| error.in_reply())?;
        let reply = proto::ExchangeReply {
            exchange: exchange.id.to_string(),
            message: Some(operation.reply.to_struct(&record)),
            quota: exchange.quota.iter().filter(|state| state.is_told()).map(quota).collect(),
            receipt: String::new(),
            pending: false,
        };
        let mut headers = http::metadata(exchange);
        losses::report(&losses::gather(exchange, &operation.reply, answer), &mut headers);
        Ok(Draft {
            status: status::OK,
            headers,
            body: reply.encode_to_vec(),
            receipt: Slot::Appended(RECEIPT_KEY),
        })
    }

    fn refuse(&self, exchange: &Exchange<'_>, fault: &Fault) -> Draft {
        Draft {
            status: status::code(fault),
            headers: http::metadata(exchange),
            body: status::details(exchange, fault),
            receipt: Slot::Header,
        }
    }
}

/// The reply to a request that is handled later; with a receipt when it has just been taken.
pub fn pending_reply(exchange: &str, receipt: &str) -> Vec<u8> {
    let reply = proto::ExchangeReply {
        exchange: exchange.to_owned(),
        receipt: receipt.to_owned(),
        pending: true,
        ..Default::default()
    };
    reply.encode_to_vec()
}

/// The exchange that a `CollectRequest` names; `None` when it is no such message.
pub fn collected_exchange(body: &[u8]) -> Option<Uuid> {
    proto::CollectRequest::decode(body).ok()?.exchange.parse().ok()
}

/// What a gRPC status says besides its code: the message a caller reads of the details in `body`,
/// as [`GrpcFront`] wrote them into a refusal.
pub fn status_message(body: &[u8]) -> String {
    status::message(body)
}

/// No key when absent: which services want one is the pipeline's matter.
fn key(key: String) -> Result<Option<String>, Fault> {
    match key.chars().count() {
        0 => Ok(None),
        1..=KEY_MAX if !key.chars().any(char::is_control) => Ok(Some(key)),
        _ => {
            let says = format!("idempotency_key must have 1 to {KEY_MAX} printable characters");
            Err(Fault::new(Kind::Malformed, "idempotency-key-invalid", says))
        }
    }
}

fn quota(state: &QuotaState) -> proto::Quota {
    proto::Quota {
        policy: state.policy.to_string(),
        unit: state.unit.name().to_owned(),
        limit: state.limit,
        window: state.window.map(duration),
        remaining: state.remaining,
        reset: Some(duration(state.reset)),
    }
}

fn duration(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or_default(),
    }
}

/// The decoder's own words name fields and wire types, never values.
fn not_protobuf(error: prost::DecodeError) -> Fault {
    let says = "the message is not a naru.v1.ExchangeRequest";
    Fault::new(Kind::Malformed, "malformed-protobuf", says).context(error)
}

fn struct_fault(error: JsonError) -> Fault {
    match error {
        JsonError::Field(error) => error.in_request(),
        JsonError::UnknownMember => {
            let says = "`message` has a field that this service does not know";
            Fault::new(Kind::Malformed, "field-unknown", says)
        }
        _ => {
            let says = "an entry of a list in `message` is not a struct";
            Fault::new(Kind::Malformed, "field-invalid", says)
        }
    }
}

fn no_envelope() -> Fault {
    Fault::new(Kind::Internal, "defect", "the gateway failed; it was recorded")
        .context("an answer to what was not decoded")
}

#[cfg(test)]
mod tests;
