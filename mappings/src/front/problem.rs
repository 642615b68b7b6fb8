//! Refusals as problem+json (RFC 9457).

use gateway_core::front::Exchange;
use gateway_core::{Fault, Kind};
use serde::Serialize;

/// The media type of a problem.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// The type of a refusal for want of quota; all others are `urn:naru:fault:<code>`.
pub(crate) const QUOTA_EXCEEDED: &str =
    "https://iana.org/assignments/http-problem-types#quota-exceeded";

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

/// The body of a refusal.
pub(crate) fn write(exchange: &Exchange<'_>, fault: &Fault, status: u16) -> Vec<u8> {
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
    // Texts and numbers always serialize.
    serde_json::to_vec(&problem).unwrap_or_default()
}

/// The code as words: the same for every problem of its type, as RFC 9457 wants.
fn title(code: &str) -> String {
    let words = code.replace('-', " ");
    let mut characters = words.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}
