//! A fault as a gRPC status: its code, and `google.rpc.Status` with `ErrorInfo`, `RetryInfo` and `QuotaFailure`
//! (google/rpc/status.proto and error_details.proto, of which only these are written).

use std::collections::BTreeMap;

use gateway_core::front::Exchange;
use gateway_core::quota::REDUCED_CAPACITY;
use gateway_core::{Fault, Kind, Retry};
use prost::Message;
use prost_types::{Any, Duration};

use crate::front::problem::violated;

/// `google.rpc.Code`, the ones in use.
pub(super) const OK: u16 = 0;
const INVALID_ARGUMENT: u16 = 3;
const DEADLINE_EXCEEDED: u16 = 4;
const NOT_FOUND: u16 = 5;
const PERMISSION_DENIED: u16 = 7;
const RESOURCE_EXHAUSTED: u16 = 8;
const FAILED_PRECONDITION: u16 = 9;
const ABORTED: u16 = 10;
const UNIMPLEMENTED: u16 = 12;
const INTERNAL: u16 = 13;
const UNAVAILABLE: u16 = 14;
const UNAUTHENTICATED: u16 = 16;

/// Who gives the reasons of `ErrorInfo`.
const DOMAIN: &str = "naru.v1.Gateway";

/// The codes are chosen so that a client that retries by code alone does no harm: `UNAVAILABLE` means
/// that nothing was done, and what was sent with an unknown outcome is `DEADLINE_EXCEEDED`.
pub(super) fn code(fault: &Fault) -> u16 {
    match (fault.kind, &*fault.code) {
        (Kind::Malformed, "too-large") => RESOURCE_EXHAUSTED,
        (Kind::Malformed, "too-slow") => DEADLINE_EXCEEDED,
        (Kind::Malformed, "idempotency-key-reused") => FAILED_PRECONDITION,
        (Kind::Malformed, _) => INVALID_ARGUMENT,
        (Kind::Unauthenticated, _) => UNAUTHENTICATED,
        (Kind::Forbidden | Kind::ConsentMissing | Kind::ConsentExpired, _) => PERMISSION_DENIED,
        (Kind::RateLimited, REDUCED_CAPACITY) => UNAVAILABLE,
        (Kind::RateLimited, _) => RESOURCE_EXHAUSTED,
        (Kind::Unroutable, _) => NOT_FOUND,
        (Kind::Unmappable, "reply-unwritable" | "answer-unreadable") => INTERNAL,
        (Kind::Unmappable, _) => INVALID_ARGUMENT,
        (Kind::Unsupported, _) => UNIMPLEMENTED,
        (Kind::BackendRefused, _) => FAILED_PRECONDITION,
        (Kind::BackendUnavailable, "deadline-passed") => DEADLINE_EXCEEDED,
        (Kind::BackendUnavailable, _) => UNAVAILABLE,
        (Kind::OutcomeUnknown, "in-progress") => ABORTED,
        (Kind::OutcomeUnknown, _) => DEADLINE_EXCEEDED,
        (Kind::Internal, _) => INTERNAL,
    }
}

/// `google.rpc.Status`
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.rpc.ErrorInfo`
#[derive(Clone, PartialEq, Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    domain: String,
    #[prost(btree_map = "string, string", tag = "3")]
    metadata: BTreeMap<String, String>,
}

/// `google.rpc.RetryInfo`
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Duration>,
}

/// `google.rpc.QuotaFailure`
#[derive(Clone, PartialEq, Message)]
struct QuotaFailure {
    #[prost(message, repeated, tag = "1")]
    violations: Vec<Violation>,
}

/// `google.rpc.QuotaFailure.Violation`
#[derive(Clone, PartialEq, Message)]
struct Violation {
    /// The name of the policy.
    #[prost(string, tag = "1")]
    subject: String,
    #[prost(string, tag = "2")]
    description: String,
}

/// The bytes of `grpc-status-details-bin`.
pub(super) fn details(exchange: &Exchange<'_>, fault: &Fault) -> Vec<u8> {
    let info = ErrorInfo {
        // AIP-193 wants UPPER_SNAKE_CASE here; the metadata has the code as everywhere else.
        reason: fault.code.replace('-', "_").to_ascii_uppercase(),
        domain: DOMAIN.to_owned(),
        metadata: BTreeMap::from([
            ("kind".to_owned(), fault.kind.to_string()),
            ("code".to_owned(), fault.code.to_string()),
            ("exchange".to_owned(), exchange.id.to_string()),
        ]),
    };
    let mut details = vec![any("ErrorInfo", &info)];
    if let Retry::After(wait) = fault.retry {
        let retry_delay = Some(super::duration(wait));
        details.push(any("RetryInfo", &RetryInfo { retry_delay }));
    }
    if fault.kind == Kind::RateLimited {
        let violation = |policy: &str| Violation {
            subject: policy.to_owned(),
            description: fault.public.clone(),
        };
        let violations: Vec<_> = violated(exchange.quota).into_iter().map(violation).collect();
        if !violations.is_empty() {
            details.push(any("QuotaFailure", &QuotaFailure { violations }));
        }
    }
    let code = i32::from(code(fault));
    Status { code, message: fault.public.clone(), details }.encode_to_vec()
}

fn any(name: &str, message: &impl Message) -> Any {
    let type_url = format!("type.googleapis.com/google.rpc.{name}");
    Any { type_url, value: message.encode_to_vec() }
}

/// The message within such bytes; empty for any others.
pub(super) fn message(details: &[u8]) -> String {
    Status::decode(details).map(|status| status.message).unwrap_or_default()
}
