//! What a route asks of an exchange besides its service.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::{Admitted, Value};

/// Every condition must hold; one without values is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions(BTreeMap<Condition, BTreeSet<String>>);

/// What of an exchange is looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Condition {
    /// Who calls.
    Member,
    /// The mapping of the caller's format, e.g. `welfare/rest/v2`.
    Front,
    /// A field of the request, in the service's terms.
    Field(Arc<str>),
}

impl Conditions {
    /// Only these members.
    #[must_use]
    pub fn members(self, members: impl IntoIterator<Item = String>) -> Self {
        self.with(Condition::Member, members)
    }

    /// Only what came in these formats.
    #[must_use]
    pub fn fronts(self, fronts: impl IntoIterator<Item = String>) -> Self {
        self.with(Condition::Front, fronts)
    }

    /// Only requests whose field has one of these values, written as text.
    #[must_use]
    pub fn field(self, name: &str, values: impl IntoIterator<Item = String>) -> Self {
        self.with(Condition::Field(name.into()), values)
    }

    fn with(mut self, condition: Condition, values: impl IntoIterator<Item = String>) -> Self {
        let values: BTreeSet<String> = values.into_iter().collect();
        if !values.is_empty() {
            self.0.insert(condition, values);
        }
        self
    }

    /// Whether all of them hold.
    pub fn hold(&self, admitted: &Admitted) -> bool {
        let envelope = admitted.envelope();
        self.0.iter().all(|(condition, values)| match condition {
            Condition::Member => values.contains(&*admitted.caller().member.0),
            Condition::Front => values.contains(&*envelope.mapping),
            Condition::Field(name) => {
                envelope.message.get(name).and_then(text).is_some_and(|text| values.contains(&text))
            }
        })
    }

    /// Whether one exchange may meet both, and neither asks for more than the other.
    pub fn is_ambiguous_with(&self, other: &Self) -> bool {
        self.may_meet(other) && self.is_within(other) == other.is_within(self)
    }

    /// Whether whatever meets these also meets `other`.
    fn is_within(&self, other: &Self) -> bool {
        other.0.iter().all(|(condition, values)| {
            self.0.get(condition).is_some_and(|ours| ours.is_subset(values))
        })
    }

    fn may_meet(&self, other: &Self) -> bool {
        let mut shared = self
            .0
            .iter()
            .filter_map(|(condition, ours)| other.0.get(condition).map(|theirs| (ours, theirs)));
        shared.all(|(ours, theirs)| !ours.is_disjoint(theirs))
    }

    /// Orders conditions so that what is within another comes before it: one that is has all of its
    /// conditions and perhaps more, and where it has the same ones, fewer values.
    pub(super) fn rank(&self) -> (std::cmp::Reverse<usize>, usize) {
        let values = self.0.values().map(BTreeSet::len).sum();
        (std::cmp::Reverse(self.0.len()), values)
    }
}

/// A value as a route names it. Persons are no reason to take another way.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Flag(flag) => Some(flag.to_string()),
        Value::Date(date) => Some(date.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any() -> Conditions {
        Conditions::default()
    }

    fn strings(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    fn members(members: &[&str]) -> Conditions {
        any().members(strings(members))
    }

    fn region(conditions: Conditions, values: &[&str]) -> Conditions {
        conditions.field("region", strings(values))
    }

    #[test]
    fn of_two_that_may_meet_one_must_ask_for_more() {
        let ambiguous = |one: &Conditions, other: &Conditions| {
            assert_eq!(one.is_ambiguous_with(other), other.is_ambiguous_with(one));
            one.is_ambiguous_with(other)
        };
        assert!(ambiguous(&any(), &any()), "the same twice");
        assert!(!ambiguous(&any(), &members(&["a"])), "a member is more than everybody");
        assert!(!ambiguous(&members(&["a"]), &members(&["b"])), "they never meet");
        assert!(!ambiguous(&members(&["a"]), &members(&["a", "b"])), "a is within a and b");
        assert!(ambiguous(&members(&["a", "c"]), &members(&["a", "b"])), "which one for a?");
        let seoul = region(any(), &["11"]);
        assert!(ambiguous(&members(&["a"]), &seoul), "which one for a from Seoul?");
        assert!(!ambiguous(&members(&["a"]), &region(members(&["a"]), &["11"])));
        assert!(!ambiguous(&region(members(&["a"]), &["11"]), &region(any(), &["26"])));
        assert!(ambiguous(&region(members(&["a"]), &["11", "26"]), &region(any(), &["11"])));
    }

    #[test]
    fn what_asks_for_more_comes_first() {
        let one_of_two = members(&["a"]);
        let two = members(&["a", "b"]);
        let both = region(members(&["a"]), &["11"]);
        for (more, less) in [(&one_of_two, &two), (&both, &one_of_two), (&two, &any())] {
            assert!(more.is_within(less) && !less.is_within(more));
            assert!(more.rank() < less.rank());
        }
    }

    #[test]
    fn a_condition_without_values_is_not_asked() {
        assert_eq!(region(members(&[]), &[]), any());
    }
}
