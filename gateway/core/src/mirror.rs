//! The same query, also asked elsewhere: a new version of a mapping or another provider, whose
//! answer is compared with the one the caller got and then forgotten.
//!
//! The caller never waits for it and never sees anything of it. What is kept of a difference is
//! where it is, never what stands there.

use std::sync::Arc;

use crate::journal::Trail;
use crate::mapping::Occasion;
use crate::route::Target;
use crate::{Admitted, Fault, Kind, Message, Value};

/// A query that was answered, to be asked again elsewhere.
pub struct Mirrored {
    /// What was let through, and by whom.
    pub admitted: Admitted,
    /// The exchange it was.
    pub occasion: Occasion,
    /// Where to ask.
    pub target: Arc<Target>,
    /// What the caller's own way came to, before it was cut to the consent.
    pub outcome: Result<Message, Fault>,
}

/// What came of asking elsewhere.
#[derive(Clone, Debug)]
pub enum Comparison {
    /// The same answer, or the same refusal.
    Same,
    /// Another one: the paths of the fields that differ, in the service's terms.
    Different(Vec<String>),
    /// None, where the caller had one.
    Failed(Fault),
}

/// Somebody who asks elsewhere.
pub trait Mirror: Send + Sync {
    /// Takes it on without waiting; false when too much is under way and it is let go.
    fn offer(&self, mirrored: Mirrored) -> bool;
}

/// The path that stands for the outcome as a whole: answered or refused, and how.
const OUTCOME: &str = "(outcome)";

impl Mirrored {
    /// Asks, and compares.
    pub async fn compare(&self) -> Comparison {
        match (&self.outcome, self.ask().await) {
            (Ok(ours), Ok(theirs)) => match differences(ours, &theirs) {
                paths if paths.is_empty() => Comparison::Same,
                paths => Comparison::Different(paths),
            },
            (Err(ours), Err(theirs)) if (ours.kind, &ours.code) == (theirs.kind, &theirs.code) => {
                Comparison::Same
            }
            (Ok(_), Err(fault)) if fault.kind != Kind::BackendRefused => Comparison::Failed(fault),
            _ => Comparison::Different(vec![OUTCOME.to_owned()]),
        }
    }

    async fn ask(&self) -> Result<Message, Fault> {
        let trail = &mut Trail::default();
        let call = self.target.map(&self.admitted, self.occasion, trail)?;
        let outcome = self.target.ask(&self.admitted, &call, trail).await;
        self.target.map_back(&self.admitted, outcome)
    }
}

/// The paths of the fields that are not the same: `benefit`, `benefits[].from`; of a list with more
/// or fewer records, `benefits[]`.
pub fn differences(ours: &Message, theirs: &Message) -> Vec<String> {
    let mut paths = Vec::new();
    compare(ours, theirs, "", &mut paths);
    paths.sort();
    paths.dedup();
    paths
}

fn compare(ours: &Message, theirs: &Message, at: &str, paths: &mut Vec<String>) {
    let names = ours.iter().chain(theirs.iter()).map(|(name, _)| name);
    for name in names {
        let path = format!("{at}{name}");
        match (ours.get(name), theirs.get(name)) {
            (Some(Value::List(ours)), Some(Value::List(theirs))) => {
                if ours.len() != theirs.len() {
                    paths.push(format!("{path}[]"));
                }
                for (ours, theirs) in ours.iter().zip(theirs) {
                    compare(ours, theirs, &format!("{path}[]."), paths);
                }
            }
            (ours, theirs) if ours != theirs => paths.push(path),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(fields: &[(&str, Value)]) -> Message {
        fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn a_difference_says_where_and_not_what() {
        let row = |from: i128| message(&[("from", Value::Integer(from))]);
        let list = |rows: &[i128]| Value::List(rows.iter().map(|from| row(*from)).collect());
        let ours = message(&[("count", Value::Integer(2)), ("rows", list(&[1, 2]))]);
        assert!(differences(&ours, &ours).is_empty());
        for (theirs, paths) in [
            (message(&[("count", Value::Integer(3)), ("rows", list(&[1, 2]))]), vec!["count"]),
            (message(&[("rows", list(&[1, 2]))]), vec!["count"]),
            (
                message(&[("count", Value::Integer(2)), ("rows", list(&[3, 4]))]),
                vec!["rows[].from"],
            ),
            (message(&[("count", Value::Integer(2)), ("rows", list(&[1]))]), vec!["rows[]"]),
        ] {
            assert_eq!(differences(&ours, &theirs), paths);
            assert_eq!(differences(&theirs, &ours), paths);
        }
    }
}
