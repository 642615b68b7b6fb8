//! Recorded requests, decided again by other policies: what would change, and for whom.

use std::collections::BTreeMap;
use std::fmt;

use gateway_core::{AccessRequest, Decision};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{Policies, Undecided};

/// A request that was decided, as it was recorded.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The entry's index in the log.
    pub index: u64,
    /// The exchange.
    pub exchange: Uuid,
    /// All that the decision depended on.
    pub request: AccessRequest,
    /// What was decided.
    pub decision: Decision,
}

/// A request that would be answered otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The entry's index in the log.
    pub index: u64,
    /// The exchange.
    pub exchange: Uuid,
    /// When it was.
    pub time: Timestamp,
    /// Whose request.
    pub member: String,
    /// Of which service.
    pub service: String,
    /// What was decided.
    pub was: Decision,
    /// What would be.
    pub would_be: Decision,
}

/// How many would be refused that were allowed, and the other way round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Allowed then, refused now.
    pub newly_refused: u64,
    /// Refused then, allowed now.
    pub newly_allowed: u64,
}

/// What a replay found.
#[derive(Debug, Default, Serialize)]
pub struct Replay {
    /// Requests that were decided again.
    pub replayed: u64,
    /// Of these, those with the same answer from other policies.
    pub by_other_policies: u64,
    /// Those whose answer would be another, in the order of the log.
    pub changed: Vec<Change>,
    /// The changes by member.
    pub members: BTreeMap<String, Count>,
    /// The changes by service.
    pub services: BTreeMap<String, Count>,
}

impl Replay {
    /// Decides one more request by `policies`.
    ///
    /// # Errors
    /// [`Undecided`].
    pub fn add(&mut self, policies: &Policies, decided: Decided) -> Result<(), Undecided> {
        let Decided { index, exchange, request, decision: was } = decided;
        let would_be = policies.admit(&request)?;
        self.replayed += 1;
        if was.allowed == would_be.allowed {
            self.by_other_policies += u64::from(was.policies != would_be.policies);
            return Ok(());
        }
        let (member, service) = (request.member.to_string(), request.service.to_string());
        for count in [
            self.members.entry(member.clone()).or_default(),
            self.services.entry(service.clone()).or_default(),
        ] {
            match would_be.allowed {
                true => count.newly_allowed += 1,
                false => count.newly_refused += 1,
            }
        }
        let time = request.time;
        self.changed.push(Change { index, exchange, time, member, service, was, would_be });
        Ok(())
    }
}

impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changed {
            let Change { index, exchange, time, member, service, was, would_be } = change;
            let (what, rules) = match would_be.allowed {
                true => ("would be allowed", &would_be.policies),
                false => ("would be refused", &would_be.policies),
            };
            let (rules, earlier) = (named(rules), named(&was.policies));
            writeln!(
                f,
                "{index} {exchange} {time} {member} {service}: {what}{rules}; was{earlier}"
            )?;
        }
        for (of, counts) in [("member", &self.members), ("service", &self.services)] {
            for (name, Count { newly_refused, newly_allowed }) in counts {
                writeln!(
                    f,
                    "{of} {name}: {newly_refused} newly refused, {newly_allowed} newly allowed"
                )?;
            }
        }
        let Self { replayed, by_other_policies, changed, .. } = self;
        let changed = changed.len();
        write!(f, "{changed} of {replayed} decisions would change; ")?;
        write!(f, "{by_other_policies} more would be the same by other policies")
    }
}

fn named(policies: &[String]) -> String {
    match policies {
        [] => " by no policy".to_owned(),
        some => format!(" by {}", some.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policies::PolicyFile;
    use crate::policies::cases::WrittenRequest;

    fn policies(text: &str) -> Policies {
        Policies::parse("test", &[PolicyFile { name: "a".into(), text: text.into() }]).unwrap()
    }

    const NOW: &str = r#"
        @id("all") permit(principal, action, resource in Naru::Sector::"s");
        @id("not-c") forbid(principal == Naru::Member::"c", action, resource);"#;

    fn traffic(policies: &Policies) -> Vec<Decided> {
        let requests = ["a s/x", "b s/x", "a s/y", "c s/x", "a t/x"].map(|asked| {
            let (member, service) = asked.split_once(' ').unwrap();
            let text = format!("{{ member: {member}, service: {service}, operation: query }}");
            WrittenRequest::parse(&text).unwrap()
        });
        let decided = requests.into_iter().zip(0..).map(|(request, index)| Decided {
            index,
            exchange: Uuid::from_u128(index.into()),
            decision: policies.admit(&request).unwrap(),
            request,
        });
        decided.collect()
    }

    fn replay(text: &str) -> Replay {
        let (traffic, policies, mut replay) =
            (traffic(&policies(NOW)), policies(text), Replay::default());
        for decided in traffic {
            replay.add(&policies, decided).unwrap();
        }
        replay
    }

    #[test]
    fn the_same_policies_change_nothing() {
        let replay = replay(NOW);
        assert_eq!((replay.replayed, replay.by_other_policies), (5, 0));
        assert!(replay.changed.is_empty() && replay.members.is_empty());
    }

    #[test]
    fn what_would_change_is_listed_and_counted() {
        let proposed = r#"
            @id("x") permit(principal, action, resource == Naru::Service::"s/x");
            @id("t") permit(principal, action, resource in Naru::Sector::"t");"#;
        let replay = replay(proposed);
        let changed: Vec<_> =
            replay.changed.iter().map(|change| (change.index, change.would_be.allowed)).collect();
        assert_eq!(changed, [(2, false), (3, true), (4, true)]);
        assert_eq!(replay.by_other_policies, 2);
        assert_eq!(replay.members["a"], Count { newly_refused: 1, newly_allowed: 1 });
        assert_eq!(replay.members["c"], Count { newly_refused: 0, newly_allowed: 1 });
        assert_eq!(replay.services["s/x"], Count { newly_refused: 0, newly_allowed: 1 });
        assert!(replay.to_string().contains("3 of 5 decisions would change"));
    }
}
