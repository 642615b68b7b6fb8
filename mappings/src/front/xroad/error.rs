//! X-Road's own errors (PR-REST 4.6): a type that says where in X-Road it happened, and a body in
//! the media type that the consumer accepts.

use std::collections::BTreeMap;

use gateway_core::front::{Draft, Exchange, Slot};
use gateway_core::quota::{ABNORMAL_USAGE, REDUCED_CAPACITY};
use gateway_core::{Fault, Kind};
use serde::Serialize;
use uuid::Uuid;

use super::super::http;

/// How a refusal is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ErrorType {
    /// As X-Road's own error of this type.
    Gateway(String),
    /// As the provider's own reply, with this status.
    Provider(u16),
}

impl ErrorType {
    /// # Errors
    /// What it must be instead.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        const ORIGINS: [&str; 3] = ["Client.", "Server.ClientProxy.", "Server.ServerProxy."];
        let is_name = |text: &str| {
            ORIGINS.iter().any(|origin| text.len() > origin.len() && text.starts_with(origin))
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
        };
        match text.parse::<u16>() {
            Ok(status @ 400..=599) => Ok(Self::Provider(status)),
            Err(_) if is_name(text) => Ok(Self::Gateway(text.to_owned())),
            _ => Err(format!("must be a status, or a type that begins {}", ORIGINS.join(" or "))),
        }
    }

    /// What X-Road itself would say.
    fn usual(kind: Kind, code: &str) -> Self {
        let name = match (kind, code) {
            (Kind::BackendRefused, _) => return Self::Provider(409),
            (Kind::Unroutable, "method-not-allowed") => return Self::Provider(405),
            (Kind::Unmappable, "reply-unwritable" | "answer-unreadable")
            | (Kind::Unsupported, _) => "Server.ServerProxy.ServiceFailed",
            (Kind::Malformed | Kind::Unmappable, _) => "Client.BadRequest",
            (Kind::Unauthenticated, _) | (Kind::Forbidden, "member-mismatch") => {
                "Server.ClientProxy.SslAuthenticationFailed"
            }
            (Kind::Forbidden, "unknown-client") | (Kind::Unroutable, "unknown-provider") => {
                "Server.ClientProxy.UnknownMember"
            }
            (Kind::Forbidden | Kind::ConsentMissing | Kind::ConsentExpired, _) => {
                "Server.ServerProxy.AccessDenied"
            }
            (Kind::RateLimited, REDUCED_CAPACITY) => "Server.ServerProxy.TemporaryReducedCapacity",
            (Kind::RateLimited, ABNORMAL_USAGE) => "Server.ServerProxy.AbnormalUsageDetected",
            (Kind::RateLimited, _) => "Server.ServerProxy.QuotaExceeded",
            (Kind::Unroutable, _) => "Server.ServerProxy.UnknownService",
            (Kind::BackendUnavailable | Kind::OutcomeUnknown, _) => {
                "Server.ServerProxy.NetworkError"
            }
            (Kind::Internal, _) => "Server.ServerProxy.InternalError",
        };
        Self::Gateway(name.to_owned())
    }
}

/// The type of each fault: X-Road's own, unless a mapping says another.
#[derive(Debug, Default)]
pub(crate) struct ErrorTypes(pub(crate) BTreeMap<(Kind, Option<String>), ErrorType>);

impl ErrorTypes {
    pub(crate) fn of(&self, fault: &Fault) -> ErrorType {
        let named = self.0.get(&(fault.kind, Some(fault.code.to_string())));
        let own = named.or_else(|| self.0.get(&(fault.kind, None)));
        own.cloned().unwrap_or_else(|| ErrorType::usual(fault.kind, &fault.code))
    }
}

/// An error of X-Road's own: 400 when the consumer can mend it, 500 otherwise, never another.
pub(super) fn write(exchange: &Exchange<'_>, fault: &Fault, name: String) -> Draft {
    let status = if name.starts_with("Client.") { 400 } else { 500 };
    let accept = exchange.inbound.attributes.get("accept").map_or("", String::as_str);
    let (media_type, body) = match Form::accepted(accept) {
        Form::Json => {
            let error = Error { r#type: &name, message: &fault.public, detail: exchange.id.0 };
            ("application/json;charset=utf-8", to_json(&error))
        }
        Form::Problem => {
            let instance = exchange.id.0.urn().to_string();
            let problem =
                Problem { r#type: &name, title: &name, status, detail: &fault.public, instance };
            ("application/problem+json", to_json(&problem))
        }
        Form::Xml => ("text/xml;charset=utf-8", to_xml(&name, fault, exchange).into_bytes()),
    };
    let mut headers = http::headers(exchange, media_type, Some(fault));
    headers.push(("x-road-error", name));
    Draft { status, headers, body, receipt: Slot::Header }
}

/// The members of an error, in the order they are written.
#[derive(Serialize)]
struct Error<'a> {
    r#type: &'a str,
    message: &'a str,
    /// Where to look in logs.
    detail: Uuid,
}

/// The same by RFC 9457.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: String,
}

fn to_json(body: &impl Serialize) -> Vec<u8> {
    // Texts and numbers always serialize.
    serde_json::to_vec(body).unwrap_or_default()
}

fn to_xml(name: &str, fault: &Fault, exchange: &Exchange<'_>) -> String {
    let legal = |character: &char| crate::layout::xml_text::is_legal(*character);
    let says: String = fault.public.chars().filter(legal).collect();
    let (says, detail) = (quick_xml::escape::escape(&says), exchange.id);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><error><type>{name}</type>\
         <message>{says}</message><detail>{detail}</detail></error>"
    )
}

/// How an error is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Problem,
    Xml,
}

impl Form {
    /// The first form that the consumer names; JSON when it names none of them.
    pub(super) fn accepted(accept: &str) -> Self {
        let names = accept.split(',').filter_map(|range| range.split(';').next());
        let form = |name: &str| match name.trim().to_ascii_lowercase().as_str() {
            "application/json" | "application/*" | "*/*" => Some(Self::Json),
            "application/problem+json" => Some(Self::Problem),
            "text/xml" | "application/xml" | "text/*" => Some(Self::Xml),
            _ => None,
        };
        names.filter_map(form).next().unwrap_or(Self::Json)
    }
}
