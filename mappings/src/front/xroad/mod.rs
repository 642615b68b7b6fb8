//! X-Road's message protocol for REST (PR-REST): one provider's services under
//! `/r1/{instance}/{class}/{member}/{subsystem}/{service}`, called by consumers who know nothing of
//! this gateway. [`XRoadRest`] is all providers together.

mod error;
mod head;
mod metadata;
mod providers;

use std::sync::Arc;

use gateway_core::front::{Draft, Exchange, Slot};
use gateway_core::{Envelope, Fault, Front, Inbound, Kind, Message, Value};

pub(crate) use error::{ErrorType, ErrorTypes};
pub use metadata::Metadata;
pub(crate) use metadata::service_code;
pub use providers::XRoadRest;

use super::json_call::{Call, JsonCalls};
use super::rest::unread;
use super::{http, problem};
use crate::xroad::{ClientId, Clients};
use head::Head;

/// Service codes that are X-Road's own (PR-MREST, PR-META).
pub(crate) const METASERVICES: [&str; 4] =
    ["listMethods", "allowedMethods", "getOpenAPI", "getWsdl"];

/// Characters of an `Idempotency-Key` at most; one of X-Road's own consumers sends none.
const KEY_MAX: usize = 255;

/// The services of one provider.
pub struct XRoadFront {
    pub(crate) id: Arc<str>,
    pub(crate) provider: ClientId,
    /// The provider's name for people.
    pub(crate) name: String,
    pub(crate) clients: Clients,
    pub(crate) calls: JsonCalls,
    pub(crate) errors: ErrorTypes,
}

impl XRoadFront {
    fn client(&self, head: &Head<'_>) -> Result<String, Fault> {
        let member = self.clients.member(&head.client).map(str::to_owned);
        member.ok_or_else(|| {
            let says = "the client that X-Road-Client names is not registered with this provider";
            Fault::new(Kind::Forbidden, "unknown-client", says)
        })
    }
}

impl Front for XRoadFront {
    fn name(&self) -> &str {
        "xroad-rest"
    }

    fn decode(&self, inbound: &Inbound) -> Result<Envelope, Fault> {
        let head = Head::read(inbound)?;
        let member = self.client(&head)?;
        let Call { operation, endpoint, message } = self.calls.read(inbound, head.path)?;
        let key = http::idempotency_key(inbound, KEY_MAX)?;
        Ok(Envelope {
            service: operation.service.clone(),
            message,
            idempotency_key: Some(key.unwrap_or_else(|| head.id.clone())),
            credential: None,
            claimed_member: Some(member),
            claimed_subsystem: head.client.subsystem_code.clone(),
            endpoint: Some(endpoint),
            mapping: self.id.clone(),
            echo: head.echo(),
        })
    }

    fn encode(&self, exchange: &Exchange<'_>, answer: &Message) -> Result<Draft, Fault> {
        let envelope = exchange.envelope.ok_or_else(unread)?;
        let mut headers = http::headers(exchange, "application/json;charset=utf-8", None);
        headers.extend(head::reply(exchange, &envelope.echo));
        let body = self.calls.write(exchange, &envelope.service, answer, &mut headers)?;
        Ok(Draft { status: 200, headers, body, receipt: Slot::Header })
    }

    fn refuse(&self, exchange: &Exchange<'_>, fault: &Fault) -> Draft {
        let status = match self.errors.of(fault) {
            ErrorType::Gateway(name) => return error::write(exchange, fault, name),
            ErrorType::Provider(status) => status,
        };
        // The provider's own error, which X-Road passes on as it is.
        let mut headers = http::headers(exchange, problem::MEDIA_TYPE, Some(fault));
        let head = Head::read(exchange.inbound).ok();
        if let Some(head) = &head {
            headers.extend(head::reply(exchange, &head.echo()));
        }
        if status == 405 {
            let path = head.map_or("", |head| head.path);
            headers.push(("allow", self.calls.resources.allow(path)));
        }
        let body = problem::write(exchange, fault, status);
        Draft { status, headers, body, receipt: Slot::Header }
    }
}

/// A text of an echo.
fn text<'m>(echo: &'m Message, name: &str) -> &'m str {
    echo.get(name).and_then(Value::as_text).unwrap_or_default()
}

#[cfg(test)]
mod tests;
