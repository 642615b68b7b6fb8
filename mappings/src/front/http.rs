//! What replies over HTTP have in common, whatever their bodies are.

use std::time::Duration;

use gateway_core::front::Exchange;
use gateway_core::quota::{QuotaState, Unit};
use gateway_core::{Fault, Inbound, Kind, Retry};

/// The largest integer of a structured field (RFC 9651, 3.3.1).
const INTEGER_MAX: u64 = 999_999_999_999_999;

/// The headers of a reply: its exchange, and the quotas as the `RateLimit` fields say them
/// (draft-ietf-httpapi-ratelimit-headers-11).
pub(crate) fn headers(
    exchange: &Exchange<'_>,
    content_type: &str,
    fault: Option<&Fault>,
) -> Vec<(&'static str, String)> {
    let mut headers = vec![("content-type", content_type.to_owned())];
    headers.extend(metadata(exchange));
    if let Some(Retry::After(wait)) = fault.map(|fault| fault.retry) {
        headers.push(("retry-after", seconds(wait).max(1).to_string()));
    }
    headers
}

/// What a reply says of its exchange and the caller's quotas; gRPC has the same as metadata.
pub(crate) fn metadata(exchange: &Exchange<'_>) -> Vec<(&'static str, String)> {
    let mut headers = vec![("naru-exchange", exchange.id.to_string())];
    let told: Vec<&QuotaState> = exchange.quota.iter().filter(|state| state.is_told()).collect();
    if !told.is_empty() {
        let list = |item: fn(&QuotaState) -> String| {
            told.iter().map(|state| item(state)).collect::<Vec<_>>().join(", ")
        };
        headers.push(("ratelimit-policy", list(policy)));
        headers.push(("ratelimit", list(service_limit)));
    }
    headers
}

/// An item of `RateLimit-Policy` (section 3.1).
fn policy(state: &QuotaState) -> String {
    let mut item = format!("{};q={}", quoted(&state.policy), state.limit.min(INTEGER_MAX));
    if state.unit != Unit::Requests {
        item.push_str(&format!(";qu={}", quoted(state.unit.name())));
    }
    if let Some(window) = state.window {
        item.push_str(&format!(";w={}", seconds(window).clamp(1, INTEGER_MAX)));
    }
    item
}

/// An item of `RateLimit` (section 4.1). What comes back when a request ends has no time.
fn service_limit(state: &QuotaState) -> String {
    let mut item = format!("{};r={}", quoted(&state.policy), state.remaining.min(INTEGER_MAX));
    if state.window.is_some() {
        item.push_str(&format!(";t={}", seconds(state.reset).min(INTEGER_MAX)));
    }
    item
}

/// The header `Idempotency-Key`: a quoted string (draft-ietf-httpapi-idempotency-key-header) of at
/// most `max` characters.
///
/// # Errors
/// `Malformed` when it is something else.
pub(crate) fn idempotency_key(inbound: &Inbound, max: usize) -> Result<Option<String>, Fault> {
    let Some(field) = inbound.attributes.get("idempotency-key") else {
        return Ok(None);
    };
    let key = unquoted(field).filter(|key| (1..=max).contains(&key.len()));
    key.map(Some).ok_or_else(|| {
        let says = format!("Idempotency-Key must be a quoted string of 1 to {max} characters");
        Fault::new(Kind::Malformed, "idempotency-key-invalid", says)
    })
}

/// Whole seconds, never too few.
pub(crate) fn seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}

/// A string of a structured field (RFC 9651, 3.3.3).
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars().filter(|character| (' '..='~').contains(character)) {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

/// Reads a string of a structured field.
pub(crate) fn unquoted(field: &str) -> Option<String> {
    let inner = field.trim_matches(' ').strip_prefix('"')?.strip_suffix('"')?;
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.push(characters.next().filter(|next| matches!(next, '"' | '\\'))?),
            ' '..='~' if character != '"' => text.push(character),
            _ => return None,
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_structured_string_is_quoted_and_nothing_else() {
        assert_eq!(unquoted("\"a b\"").as_deref(), Some("a b"));
        assert_eq!(unquoted(r#""a\"\\""#).as_deref(), Some(r#"a"\"#));
        for bad in
            ["", "a", "\"", "\"a", "a\"", "\"a\"b\"", "\"a\\\"", "\"\\n\"", "\"é\"", "\"a\";b=1"]
        {
            assert_eq!(unquoted(bad), None, "{bad}");
        }
        assert_eq!(unquoted(&quoted(r#"a"\b"#)).as_deref(), Some(r#"a"\b"#));
    }
}
