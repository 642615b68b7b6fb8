//! One member, one service, one operation: the policies that can apply, and what they decided.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use cedar_policy::{Authorizer, Entities, PolicySet};
use gateway_core::{AccessRequest, Decision};

use super::facts::{Facts, Seen};
use super::index::Index;
use super::vocabulary::Vocabulary;
use super::{Undecided, decision};

/// Decisions remembered in one slot. Above it they are made anew.
const REMEMBERED: usize = 256;

pub(super) struct Slot {
    class: Option<Arc<str>>,
    attributes: Arc<BTreeMap<String, String>>,
    policies: PolicySet,
    /// What the conditions of any of them read.
    facts: Facts,
    entities: Entities,
    decided: RwLock<HashMap<Seen, Decision>>,
}

impl Slot {
    pub(super) fn new(
        request: &AccessRequest,
        index: &Index,
        vocabulary: &Vocabulary,
    ) -> Result<Self, Undecided> {
        let (mut policies, mut facts) = (PolicySet::new(), Facts::default());
        for entry in index.candidates(&vocabulary.scope(request)) {
            let added = policies.add(entry.policy.clone());
            added.map_err(|error| Undecided::Entities(error.into()))?;
            facts = facts.and(entry.facts);
        }
        Ok(Self {
            class: request.class.clone(),
            attributes: request.attributes.clone(),
            policies,
            facts,
            entities: vocabulary.entities(request)?,
            decided: RwLock::default(),
        })
    }

    /// Whether the member is registered as it was when this was made.
    pub(super) fn is_for(&self, request: &AccessRequest) -> bool {
        let same = Arc::ptr_eq(&self.attributes, &request.attributes);
        self.class == request.class && (same || self.attributes == request.attributes)
    }

    pub(super) fn decide(
        &self,
        request: &AccessRequest,
        vocabulary: &Vocabulary,
    ) -> Result<Decision, Undecided> {
        let seen = Seen::of(request, self.facts);
        if let Some(seen) = &seen {
            let decided = self.decided.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(decision) = decided.get(seen) {
                return Ok(decision.clone());
            }
        }
        let asked = vocabulary.request(request, self.facts)?;
        let response = Authorizer::new().is_authorized(&asked, &self.policies, &self.entities);
        let decision = decision(&response);
        if let Some(seen) = seen {
            let mut decided = self.decided.write().unwrap_or_else(PoisonError::into_inner);
            if decided.len() >= REMEMBERED {
                decided.clear();
            }
            decided.insert(seen, decision.clone());
        }
        Ok(decision)
    }
}
