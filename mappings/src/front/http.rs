//! What replies over HTTP have in common, whatever their bodies are.

use std::time::Duration;

use gateway_core::front::Exchange;
use gateway_core::{Fault, Inbound, Kind, Retry};

/// The headers of a reply: its exchange, and the quota as the `RateLimit` fields say it
/// (draft-ietf-httpapi-ratelimit-headers).
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

/// What a reply says of its exchange and the caller's quota; gRPC has the same as metadata.
pub(crate) fn metadata(exchange: &Exchange<'_>) -> Vec<(&'static str, String)> {
    let mut headers = vec![("naru-exchange", exchange.id.to_string())];
    if let Some(quota) = exchange.quota {
        let name = quoted(&quota.policy);
        let (limit, window) = (quota.limit, quota.window.as_secs());
        headers.push(("ratelimit-policy", format!("{name};q={limit};w={window}")));
        let (remaining, reset) = (quota.remaining, seconds(quota.reset));
        headers.push(("ratelimit", format!("{name};r={remaining};t={reset}")));
    }
    headers
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
fn seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}

/// A string of a structured field (RFC 8941, 3.3.3).
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
