//! Refusals as problem+json (RFC 9457).

use gateway_core::front::Exchange;
use gateway_core::quota::{
    ABNORMAL_USAGE, CONCURRENCY_EXCEEDED, QUOTA_EXCEEDED, QuotaState, RATE_EXCEEDED,
    REDUCED_CAPACITY,
};
use gateway_core::{Fault, Kind};
use serde::Serialize;

/// The media type of a problem.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// Where the types of refusals for want of quota are registered
/// (draft-ietf-httpapi-ratelimit-headers-11, section 10.2).
const REGISTRY: &str = "https://iana.org/assignments/http-problem-types#";

/// The registered type of a refusal; all others are `urn:naru:fault:<code>`.
pub(crate) fn registered_type(fault: &Fault) -> Option<&str> {
    match (fault.kind, &*fault.code) {
        (Kind::RateLimited, QUOTA_EXCEEDED | RATE_EXCEEDED | CONCURRENCY_EXCEEDED) => {
            Some(QUOTA_EXCEEDED)
        }
        (Kind::RateLimited, code @ (REDUCED_CAPACITY | ABNORMAL_USAGE)) => Some(code),
        _ => None,
    }
}

/// The names of the policies that refuse.
pub(crate) fn violated(quota: &[QuotaState]) -> Vec<&str> {
    quota.iter().filter(|state| state.refuses()).map(|state| &*state.policy).collect()
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
    violated_policies: Option<Vec<&'a str>>,
}

/// The body of a refusal.
pub(crate) fn write(exchange: &Exchange<'_>, fault: &Fault, status: u16) -> Vec<u8> {
    let registered = registered_type(fault);
    let problem = Problem {
        r#type: match registered {
            Some(name) => format!("{REGISTRY}{name}"),
            None => format!("urn:naru:fault:{}", fault.code),
        },
        title: title(registered.unwrap_or(&fault.code)),
        status,
        detail: &fault.public,
        kind: fault.kind,
        code: &fault.code,
        exchange: exchange.id.to_string(),
        violated_policies: registered.map(|_| violated(exchange.quota)),
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
