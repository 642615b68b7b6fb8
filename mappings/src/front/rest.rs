//! REST/JSON: an object of the service's fields in, one out, refusals as problem+json (RFC 9457).

use std::sync::Arc;

use gateway_core::front::{Draft, Exchange, Slot};
use gateway_core::{Envelope, Fault, Front, Inbound, Kind, Message};
use serde::Serialize;

use super::http;
use crate::faults::FaultTable;
use crate::layout::json::{JsonError, JsonKind};
use crate::operations::Operations;

/// A sector's services over REST.
pub struct RestFront {
    pub(crate) id: Arc<str>,
    pub(crate) sector: Arc<str>,
    pub(crate) key_max: usize,
    pub(crate) operations: Operations<JsonKind>,
    pub(crate) faults: FaultTable<u16>,
}

/// The members of a refusal, in the order they are written.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Problem<'a> {
    r#type: String,
    title: String,
    status: u16,
    detail: &'a str,
    kind: Kind,
    code: &'a str,
    exchange: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    violated_policies: Option<[&'a str; 1]>,
}

impl RestFront {
    /// The sector of `POST /v1/{sector}/{service}`.
    pub fn sector(&self) -> &str {
        &self.sector
    }

    fn key(&self, inbound: &Inbound) -> Result<Option<String>, Fault> {
        let Some(field) = inbound.attributes.get("idempotency-key") else {
            return Ok(None);
        };
        let key = http::unquoted(field).filter(|key| (1..=self.key_max).contains(&key.len()));
        key.map(Some).ok_or_else(|| {
            let says = format!(
                "Idempotency-Key must be a quoted string of 1 to {} characters",
                self.key_max
            );
            Fault::new(Kind::Malformed, "idempotency-key-invalid", says)
        })
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
        let service = inbound.attributes.get(":service").map_or("", String::as_str);
        let operation = self.operations.find(service)?;
        check_media_type(inbound)?;
        let idempotency_key = self.key(inbound)?;
        let record = operation.request.parse(&inbound.body).map_err(json_fault)?;
        let message = operation.request.read(&record).map_err(|error| error.in_request())?;
        Ok(Envelope {
            service: operation.service.clone(),
            message,
            idempotency_key,
            credential: None,
            claimed_member: None,
            mapping: self.id.clone(),
            echo: Message::new(),
        })
    }

    fn encode(&self, exchange: &Exchange<'_>, answer: &Message) -> Result<Draft, Fault> {
        let service = exchange.envelope.map(|envelope| &*envelope.service);
        let operation = service.map(|service| self.operations.of(service));
        let operation = operation.unwrap_or_else(|| self.operations.find(""))?;
        let record = operation.reply.write(answer).map_err(|error| error.in_reply())?;
        let mut body = Vec::with_capacity(256);
        operation.reply.print(&record, &mut body);
        Ok(Draft {
            status: 200,
            headers: http::headers(exchange, "application/json", None),
            body,
            receipt: Slot::Header,
        })
    }

    fn refuse(&self, exchange: &Exchange<'_>, fault: &Fault) -> Draft {
        let status = *self.faults.code(fault);
        let mut headers = http::headers(exchange, "application/problem+json", Some(fault));
        match status {
            401 => headers.push(("www-authenticate", "ApiKey realm=\"naru\"".to_owned())),
            405 => headers.push(("allow", "POST".to_owned())),
            _ => {}
        }
        let quota = exchange.quota.filter(|_| fault.kind == Kind::RateLimited);
        let problem = Problem {
            r#type: match quota {
                Some(_) => QUOTA_EXCEEDED.to_owned(),
                None => format!("urn:naru:fault:{}", fault.code),
            },
            title: title(&fault.code),
            status,
            detail: &fault.public,
            kind: fault.kind,
            code: &fault.code,
            exchange: exchange.id.to_string(),
            violated_policies: quota.map(|quota| [quota.policy.as_str()]),
        };
        Draft {
            status,
            headers,
            // Texts and numbers always serialize.
            body: serde_json::to_vec(&problem).unwrap_or_default(),
            receipt: Slot::Header,
        }
    }
}

const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/// The code as words: the same for every problem of its type, as RFC 9457 wants.
fn title(code: &str) -> String {
    let words = code.replace('-', " ");
    let mut characters = words.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

fn check_media_type(inbound: &Inbound) -> Result<(), Fault> {
    let given = inbound.attributes.get("content-type").map_or("", String::as_str);
    let media_type = given.split(';').next().unwrap_or_default().trim();
    match media_type.eq_ignore_ascii_case("application/json") {
        true => Ok(()),
        false => {
            let says = "the body must be application/json";
            Err(Fault::new(Kind::Malformed, "unsupported-media-type", says))
        }
    }
}

fn json_fault(error: JsonError) -> Fault {
    let code = match error {
        JsonError::Field(error) => return error.in_request(),
        JsonError::Syntax { .. } | JsonError::NotAnObject => "malformed-json",
        JsonError::UnknownMember => "field-unknown",
    };
    Fault::new(Kind::Malformed, code, error.to_string())
}
