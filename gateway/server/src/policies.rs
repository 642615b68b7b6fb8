//! Access by Cedar policies, default deny.
//!
//! Cedar alone looks at every policy for every request. Here [`index`] finds the few whose scope can
//! match, once for each member, service and operation ([`slot`]); Cedar decides over those, and what
//! it decided is remembered by the facts that their conditions read ([`facts`]). The answer is
//! Cedar's over the whole set: a policy whose scope does not match neither allows nor forbids.

pub mod cases;
pub mod explain;
mod facts;
mod index;
mod load;
pub mod recorded;
pub mod replay;
mod slot;
#[cfg(test)]
mod tests;
mod vocabulary;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use cedar_policy::{Authorizer, Decision as CedarDecision, Policy, PolicySet, Response};
use gateway_core::{AccessRequest, Decision, Fault, Kind, MemberId, Operation, ServiceId};

use crate::config::Problem;
use facts::Facts;
use index::Index;
use slot::Slot;
use vocabulary::Vocabulary;

pub use load::PolicyFile;
pub use vocabulary::SCHEMA;

/// A set of policies, validated against the schema.
pub struct Policies {
    set: PolicySet,
    index: Index,
    vocabulary: Vocabulary,
    slots: RwLock<HashMap<Place, Arc<Slot>>>,
}

/// What the scope of a policy can tell apart: a slot is found by it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Place {
    member: MemberId,
    service: ServiceId,
    submits: bool,
}

/// Slots in memory; with about 3 KB each this is 30 MB. Above it they are made anew.
const SLOTS: usize = 10_000;

/// Why a request could not be decided.
#[derive(Debug, thiserror::Error)]
pub enum Undecided {
    /// The member's registered attributes are none that Cedar takes.
    #[error("the member cannot be said in Cedar's terms: {0}")]
    Entities(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The request is none that Cedar takes.
    #[error("the request cannot be said in Cedar's terms: {0}")]
    Request(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<Undecided> for Fault {
    fn from(error: Undecided) -> Self {
        Self::new(Kind::Internal, "policy-request", "the access decision failed").source(error)
    }
}

impl Policies {
    /// Loads every `*.cedar` file of `folder`, in the order of their names.
    ///
    /// # Errors
    /// Every file that cannot be read, does not parse or does not validate, and every policy
    /// without an `@id` of its own.
    pub fn load(folder: &Path) -> Result<Self, Vec<Problem>> {
        let files = load::read_folder(folder)?;
        Self::parse(&folder.display().to_string(), &files)
    }

    /// The policies of files that were read already; `at` is where they are from.
    ///
    /// # Errors
    /// As [`Policies::load`].
    pub fn parse(at: &str, files: &[PolicyFile]) -> Result<Self, Vec<Problem>> {
        let vocabulary = Vocabulary::new().map_err(|e| vec![Problem::new("(schema)", e)])?;
        let set = load::parse(at, files, &vocabulary.schema)?;
        let index = Index::new(&set);
        Ok(Self { set, index, vocabulary, slots: RwLock::default() })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.set.num_of_policies()
    }

    /// Whether a request is allowed, and the policies that say so.
    ///
    /// # Errors
    /// [`Undecided`]; nothing is allowed then.
    pub fn decide(&self, request: &AccessRequest) -> Result<Decision, Undecided> {
        let place = Place::of(request);
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let known = slots.get(&place).filter(|slot| slot.is_for(request)).cloned();
        drop(slots);
        let slot = match known {
            Some(slot) => slot,
            None => self.open(place, request)?,
        };
        slot.decide(request, &self.vocabulary)
    }

    fn open(&self, place: Place, request: &AccessRequest) -> Result<Arc<Slot>, Undecided> {
        let slot = Arc::new(Slot::new(request, &self.index, &self.vocabulary)?);
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= SLOTS {
            slots.clear();
        }
        slots.insert(place, slot.clone());
        Ok(slot)
    }

    /// The same from Cedar over the whole set, with nothing found beforehand and nothing remembered:
    /// what [`Policies::decide`] is held against.
    ///
    /// # Errors
    /// As [`Policies::decide`].
    pub fn decide_by_all(&self, request: &AccessRequest) -> Result<Decision, Undecided> {
        let entities = self.vocabulary.entities(request)?;
        let asked = self.vocabulary.request(request, Facts::ALL)?;
        Ok(decision(&Authorizer::new().is_authorized(&asked, &self.set, &entities)))
    }

    /// The policies whose scope matches a request: those that may have decided it.
    pub fn candidates(&self, request: &AccessRequest) -> Vec<&Policy> {
        let scope = self.vocabulary.scope(request);
        self.index.candidates(&scope).map(|entry| &entry.policy).collect()
    }
}

impl Place {
    fn of(request: &AccessRequest) -> Self {
        Self {
            member: request.member.clone(),
            service: request.service.clone(),
            submits: request.operation == Operation::Submit,
        }
    }
}

/// What Cedar said, with the ids in order. A policy that fails does not count, as Cedar has it.
fn decision(response: &Response) -> Decision {
    for error in response.diagnostics().errors() {
        tracing::warn!("a policy could not be evaluated and does not count: {error}");
    }
    let mut policies: Vec<String> =
        response.diagnostics().reason().map(ToString::to_string).collect();
    policies.sort();
    Decision { allowed: response.decision() == CedarDecision::Allow, policies }
}
