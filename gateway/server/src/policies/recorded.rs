//! Operational records of exchanges, as the archive and the admin listener have them, read as
//! decisions on access.

use gateway_core::{AccessRequest, Decision};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::replay::Decided;

#[derive(Deserialize)]
struct Record {
    index: u64,
    exchange: Uuid,
    outcome: String,
    decision: Option<Deciding>,
    details: Details,
}

#[derive(Deserialize)]
struct Deciding {
    policies: Vec<String>,
}

#[derive(Deserialize)]
struct Details {
    access: Option<AccessRequest>,
}

/// Outcomes of requests that access itself refused. Any other was allowed, whatever came later.
const REFUSALS: [&str; 5] = [
    "Forbidden/policy-forbids",
    "Forbidden/no-policy-allows",
    "Forbidden/member-applied",
    "Forbidden/member-suspended",
    "Forbidden/member-ended",
];

/// The decision that a record tells of. Nothing for what was never decided, such as a request that
/// nobody could read or an act of an operator.
///
/// # Errors
/// When it is no record.
pub fn decided(record: &Value) -> Result<Option<Decided>, serde_json::Error> {
    let Record { index, exchange, outcome, decision, details } = Record::deserialize(record)?;
    let Some(request) = details.access else { return Ok(None) };
    let allowed = !REFUSALS.contains(&outcome.as_str());
    let policies = decision.map(|decision| decision.policies).unwrap_or_default();
    Ok(Some(Decided { index, exchange, request, decision: Decision { allowed, policies } }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_says_what_was_decided() {
        let access = json!({
            "member": "mohw", "service": { "sector": "welfare", "code": "history" },
            "operation": "query", "means": "api-key", "assurance": "low",
            "time": "2026-03-02T00:30:00Z",
        });
        let record = |outcome: &str, access: Option<&Value>| {
            json!({
                "index": 7, "exchange": Uuid::nil(), "kind": "exchange", "outcome": outcome,
                "decision": { "policies": ["p"] }, "details": { "requestBytes": 1, "access": access },
            })
        };
        for (outcome, allowed) in [
            ("ok", true),
            ("ConsentMissing/consent-missing", true),
            ("Forbidden/policy-forbids", false),
            ("Forbidden/member-suspended", false),
        ] {
            let found = decided(&record(outcome, Some(&access))).unwrap().unwrap();
            assert_eq!((found.decision.allowed, found.index), (allowed, 7), "{outcome}");
            assert_eq!(found.decision.policies, ["p"]);
        }
        assert!(decided(&record("Malformed/not-utf-8", None)).unwrap().is_none());
        assert!(decided(&json!({ "index": 1 })).is_err());
    }
}
