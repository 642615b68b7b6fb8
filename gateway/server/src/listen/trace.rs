//! The caller's trace (W3C Trace Context), which every log line of an exchange repeats. A context
//! that is not one is dropped, as the recommendation has it: it is no reason to refuse.

use gateway_core::Inbound;
use tracing::Span;

/// A span with the caller's trace, or none where it sent none.
pub(super) fn span(inbound: &Inbound) -> Span {
    let attribute = |name: &str| inbound.attributes.get(name).map(String::as_str);
    let Some(parent) = attribute("traceparent").and_then(TraceParent::parse) else {
        return Span::none();
    };
    let TraceParent { trace, span } = parent;
    match attribute("tracestate").filter(|state| is_trace_state(state)) {
        Some(state) => {
            tracing::info_span!(
                "exchange",
                trace.id = trace,
                trace.parent = span,
                trace.state = state
            )
        }
        None => tracing::info_span!("exchange", trace.id = trace, trace.parent = span),
    }
}

/// `traceparent` (section 3.2): version, trace id, parent id, flags.
#[derive(Debug, PartialEq, Eq)]
struct TraceParent<'a> {
    trace: &'a str,
    span: &'a str,
}

impl<'a> TraceParent<'a> {
    fn parse(field: &'a str) -> Option<Self> {
        let mut parts = field.split('-');
        let (version, trace) = (parts.next()?, parts.next()?);
        let (span, flags) = (parts.next()?, parts.next()?);
        // A later version may say more; this one may not.
        let ends = version != "00" || parts.next().is_none();
        let is_one = is_hex(version, 2) && version != "ff" && ends && is_hex(flags, 2);
        let names = is_hex(trace, 32) && is_hex(span, 16);
        let is_set = |id: &str| id.bytes().any(|byte| byte != b'0');
        (is_one && names && is_set(trace) && is_set(span)).then_some(Self { trace, span })
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == length && text.bytes().all(is_digit)
}

/// `tracestate` (section 3.3): at most 32 `key=value`, here at most 512 bytes.
fn is_trace_state(field: &str) -> bool {
    let is_key = |key: &str| {
        (1..=256).contains(&key.len())
            && key.bytes().all(
                |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@'),
            )
    };
    let is_value = |value: &str| {
        (1..=256).contains(&value.len())
            && value.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b',' | b'='))
    };
    let is_member = |member: &str| {
        member.is_empty()
            || member.split_once('=').is_some_and(|(key, value)| is_key(key) && is_value(value))
    };
    field.len() <= 512
        && field.split(',').count() <= 32
        && field.split(',').map(str::trim).all(is_member)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_parent_is_read_and_nothing_like_one() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let parent = TraceParent::parse(good).unwrap();
        assert_eq!(parent.trace, "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(parent.span, "00f067aa0ba902b7");
        assert!(TraceParent::parse(&good.replacen("00", "cc", 1)).is_some());
        assert!(TraceParent::parse(&format!("{}-more", good.replacen("00", "cc", 1))).is_some());
        for bad in [
            "",
            "00",
            &format!("{good}-more"),
            &good.replacen("00", "ff", 1),
            &good.to_uppercase(),
            &good.replace("00f067aa0ba902b7", "0000000000000000"),
            &good.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &good.replace("-01", "-1"),
            &good.replace('-', "_"),
            &format!("{good}, {good}"),
        ] {
            assert_eq!(TraceParent::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_trace_state_is_a_list_of_pairs() {
        for good in ["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "a@b=1 2", "a=1,,b=2"] {
            assert!(is_trace_state(good), "{good}");
        }
        let many = vec!["a=1"; 33].join(",");
        let long = format!("a={}", "x".repeat(300));
        for bad in ["a", "=1", "A=1", "a=", "a=b=c", "a=1;b\n=2", "a=\u{1}", &many, &long] {
            assert!(!is_trace_state(bad), "{bad}");
        }
    }
}
