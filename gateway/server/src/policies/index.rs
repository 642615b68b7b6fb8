//! Which policies can apply to a request, found by what their scopes fix.
//!
//! What is found may be too much, never too little: Cedar looks at the scope again.

use std::collections::HashMap;

use cedar_policy::{
    ActionConstraint, EntityUid, Policy, PolicySet, PrincipalConstraint, ResourceConstraint,
};

use super::facts::Facts;
use super::vocabulary::Scope;

/// A policy and what is known of it.
pub(super) struct Entry {
    pub(super) policy: Policy,
    /// What its conditions read.
    pub(super) facts: Facts,
    /// The actions that its scope names; any when none.
    actions: Option<Vec<EntityUid>>,
}

/// The principal and the resource that a scope names; any where none.
type Key = (Option<EntityUid>, Option<EntityUid>);

/// Every policy, by what its scope fixes.
pub(super) struct Index(HashMap<Key, Vec<Entry>>);

impl Index {
    pub(super) fn new(set: &PolicySet) -> Self {
        let mut buckets: HashMap<Key, Vec<Entry>> = HashMap::new();
        for policy in set.policies() {
            let entry = Entry {
                policy: policy.clone(),
                facts: Facts::read_by(policy),
                actions: actions(policy),
            };
            buckets.entry((principal(policy), resource(policy))).or_default().push(entry);
        }
        Self(buckets)
    }

    /// The policies whose scope names what a request is about, or does not care.
    pub(super) fn candidates<'i>(&'i self, scope: &Scope) -> impl Iterator<Item = &'i Entry> {
        let members = [None, Some(&scope.member)];
        let resources = [None, Some(&scope.sector), Some(&scope.service)];
        let keys = members
            .into_iter()
            .flat_map(move |member| resources.map(|resource| (member.cloned(), resource.cloned())));
        let found: Vec<&Entry> = keys.filter_map(|key| self.0.get(&key)).flatten().collect();
        let action = scope.action.clone();
        found.into_iter().filter(move |entry| {
            entry.actions.as_ref().is_none_or(|actions| actions.contains(&action))
        })
    }
}

/// The one part of a scope that does not match.
pub(super) enum Miss {
    Principal,
    Action,
    Resource,
}

impl Miss {
    /// Nothing where all parts match, or more than one does not.
    pub(super) fn of(policy: &Policy, scope: &Scope) -> Option<Self> {
        let member = principal(policy).is_none_or(|member| member == scope.member);
        let action = actions(policy).is_none_or(|actions| actions.contains(&scope.action));
        let resource = resource(policy)
            .is_none_or(|resource| resource == scope.service || resource == scope.sector);
        match (member, action, resource) {
            (false, true, true) => Some(Self::Principal),
            (true, false, true) => Some(Self::Action),
            (true, true, false) => Some(Self::Resource),
            _ => None,
        }
    }
}

/// No member is in another, so `in` says the same as `==`.
fn principal(policy: &Policy) -> Option<EntityUid> {
    match policy.principal_constraint() {
        PrincipalConstraint::Eq(member)
        | PrincipalConstraint::In(member)
        | PrincipalConstraint::IsIn(_, member) => Some(member),
        PrincipalConstraint::Any | PrincipalConstraint::Is(_) => None,
    }
}

/// A service is in itself and in its sector.
fn resource(policy: &Policy) -> Option<EntityUid> {
    match policy.resource_constraint() {
        ResourceConstraint::Eq(resource)
        | ResourceConstraint::In(resource)
        | ResourceConstraint::IsIn(_, resource) => Some(resource),
        ResourceConstraint::Any | ResourceConstraint::Is(_) => None,
    }
}

/// The schema knows no groups of actions.
fn actions(policy: &Policy) -> Option<Vec<EntityUid>> {
    match policy.action_constraint() {
        ActionConstraint::Any => None,
        ActionConstraint::Eq(action) => Some(vec![action]),
        ActionConstraint::In(actions) => Some(actions),
    }
}
