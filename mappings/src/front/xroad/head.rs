//! What stands around an X-Road message: the service in the path, and the headers of PR-REST 4.3.

use gateway_core::front::Exchange;
use gateway_core::{Fault, Inbound, Kind, Message, Value};

use super::text;
use crate::xroad::{ClientId, IdentifierError, ServiceId, decode_part, rest_request_hash};

/// What a request says around its message.
pub(super) struct Head<'i> {
    pub(super) service: ServiceId,
    /// The service code and what follows it in the path, as it was sent, with its slash.
    pub(super) path: &'i str,
    pub(super) client: ClientId,
    /// `X-Road-Id`, made up when the consumer sent none.
    pub(super) id: String,
}

/// Characters of `X-Road-Id` at most.
const ID_MAX: usize = 255;

impl<'i> Head<'i> {
    /// # Errors
    /// `Malformed`, naming the header or the path.
    pub(super) fn read(inbound: &'i Inbound) -> Result<Self, Fault> {
        let (service, path) = service(inbound)?;
        let header = |name: &str| inbound.attributes.get(name).map(String::as_str);
        let client = header("x-road-client").ok_or_else(|| {
            Fault::new(Kind::Malformed, "client-missing", "the header X-Road-Client is missing")
        })?;
        let client = client.parse().map_err(|error| invalid("X-Road-Client", &error))?;
        let id = match header("x-road-id") {
            Some(id) if id.is_empty() || id.len() > ID_MAX => {
                let says = format!("X-Road-Id must have 1 to {ID_MAX} characters");
                return Err(Fault::new(Kind::Malformed, "header-invalid", says));
            }
            Some(id) => id.to_owned(),
            None => inbound.id.to_string(),
        };
        // Neither is acted upon, and neither may be what X-Road would not take.
        check_parts(header("x-road-security-server"), "X-Road-Security-Server", 4..=4)?;
        check_parts(header("x-road-represented-party"), "X-Road-Represented-Party", 1..=2)?;
        Ok(Self { service, path, client, id })
    }

    /// What the reply repeats.
    pub(super) fn echo(&self) -> Message {
        Message::from_iter([
            ("client", Value::Text(self.client.to_string())),
            ("service", Value::Text(self.service.to_string())),
            ("id", Value::Text(self.id.clone())),
        ])
    }
}

/// The service that a path names, and the path from its service code on.
pub(super) fn service(inbound: &Inbound) -> Result<(ServiceId, &str), Fault> {
    let path = inbound.attributes.get(":path").map_or("", String::as_str);
    let below = path.strip_prefix("/r1/").unwrap_or_default();
    let (service, _) = ServiceId::from_path(below).map_err(|error| {
        let says = format!("the service in the path {error}");
        Fault::new(Kind::Malformed, "path-invalid", says)
    })?;
    let code = below.match_indices('/').nth(3).and_then(|(at, _)| below.get(at..));
    Ok((service, code.unwrap_or_default()))
}

/// The headers of a reply that is no fault of the gateway's.
pub(super) fn reply(exchange: &Exchange<'_>, echo: &Message) -> [(&'static str, String); 5] {
    [
        ("x-road-client", text(echo, "client").to_owned()),
        ("x-road-service", text(echo, "service").to_owned()),
        ("x-road-id", text(echo, "id").to_owned()),
        ("x-road-request-id", exchange.id.to_string()),
        ("x-road-request-hash", hash(exchange.inbound)),
    ]
}

/// Headers of one connection, or that name the consumer's host, are no part of the message
/// (PR-REST 4.3, "Filtered headers"), nor are those that this side adds.
const FILTERED: [&str; 15] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-road-request-hash",
    "x-road-request-id",
];

/// The hash of the request as X-Road writes it down: method and target, then a line for each header,
/// by name in lower case, and last the request id.
pub(super) fn hash(inbound: &Inbound) -> String {
    let attribute = |name: &str| inbound.attributes.get(name).map_or("", String::as_str);
    let mut head = format!("{}\r\n{}", attribute(":method"), attribute(":path"));
    if let Some(query) = inbound.attributes.get(":query") {
        head.extend(["?", query]);
    }
    head.push_str("\r\n");
    for (name, value) in &inbound.attributes {
        if !name.starts_with(':') && !FILTERED.contains(&name.as_str()) {
            head.extend([name, ":", value, "\r\n"]);
        }
    }
    head.extend(["x-road-request-id:", &inbound.id.to_string(), "\r\n"]);
    rest_request_hash(head.as_bytes(), &inbound.body)
}

fn check_parts(
    field: Option<&str>,
    name: &str,
    wanted: std::ops::RangeInclusive<usize>,
) -> Result<(), Fault> {
    let Some(field) = field else {
        return Ok(());
    };
    let parts = field.split('/').map(decode_part).collect::<Result<Vec<_>, _>>();
    let parts = parts.map_err(|error| invalid(name, &error))?;
    if wanted.contains(&parts.len()) {
        return Ok(());
    }
    let says = match (wanted.start(), wanted.end()) {
        (from, to) if from == to => format!("{name} must have {from} parts"),
        (from, to) => format!("{name} must have {from} to {to} parts"),
    };
    Err(Fault::new(Kind::Malformed, "header-invalid", says))
}

fn invalid(name: &str, error: &IdentifierError) -> Fault {
    Fault::new(Kind::Malformed, "header-invalid", format!("{name} {error}"))
}
