//! What a person has agreed to, and how one exchange uses it.
//!
//! A consent is a chain of [`Revision`]s; [`Consent`] is where the last of them left it. Nothing here
//! keeps or hashes anything: that is the store's. Read [`Consent`] first, then [`revision`].

mod frequency;
pub mod revision;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Fault, MemberId, Pseudonym};

pub use frequency::{Frequency, FrequencyUnit, UseLimit};
pub use revision::{ActedBy, Change, ConsentError, Grant, Narrowing, Revision};

/// The state of a consent; the names follow ISO/IEC TS 27560.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Identifies the record, to the person and to offices that act for them.
    pub id: Uuid,
    /// Names it to the recipient: random, so it tells nothing and joins nothing.
    pub reference: Uuid,
    /// What was granted, as far as it still holds.
    #[serde(flatten)]
    pub grant: Grant,
    /// How many revisions it has had.
    pub revision: u32,
    /// How it ended, if it did.
    pub ended: Option<Ended>,
}

/// The end of a consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// True when the person withdrew it, false when its time was over.
    pub withdrawn: bool,
}

impl Consent {
    /// True when it holds at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended.is_none() && self.grant.valid_from <= now && now < self.grant.valid_until
    }

    /// When it was withdrawn, if it was.
    pub fn withdrawn(&self) -> Option<Timestamp> {
        self.ended.filter(|ended| ended.withdrawn).map(|ended| ended.at)
    }
}

/// Who acts for the person, by law or by their will.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    /// As what.
    pub role: DelegateRole,
    /// Who, in the same domain as the person.
    pub delegate: Pseudonym,
    /// From when they may act.
    pub valid_from: Timestamp,
    /// Until when, exclusive. What they grant does not outlast it.
    pub valid_until: Timestamp,
    /// Where the deed is kept: a reference.
    pub evidence: String,
}

/// By what right somebody acts for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DelegateRole {
    /// By law, for a child or a ward.
    Guardian,
    /// By the person's own mandate.
    Agent,
}

/// The consent an exchange relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentUse {
    /// The record.
    pub id: Uuid,
    /// The items it covers; the answer is cut down to them.
    pub items: BTreeSet<String>,
    /// When it was known to be in force: the moment of the lookup.
    pub as_of: Timestamp,
    /// Under which key this use is counted, where uses are.
    pub counted: Option<UseKey>,
}

/// What makes two attempts one use: the caller's idempotency key, or else the exchange; a keyed hash.
pub type UseKey = Pseudonym;

/// What a lookup found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The consents, live or not.
    pub consents: Arc<[Consent]>,
    /// When this was so.
    pub as_of: Timestamp,
}

/// What came of counting a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// It is counted, or was under the same key already.
    Counted,
    /// All uses of this time are spent.
    UsedUp,
    /// The consent has ended meanwhile.
    Ended,
}

/// The consent records, as the pipeline reads them.
#[async_trait]
pub trait Consents: Send + Sync {
    /// All consents of `principal` for `recipient` and `purpose`, live or not. A change that was
    /// acknowledged before the call is seen by it.
    ///
    /// # Errors
    /// [`crate::Kind::Internal`] when the store cannot be read: no answer is not a consent.
    async fn find(
        &self,
        principal: &Pseudonym,
        recipient: &MemberId,
        purpose: &str,
    ) -> Result<Found, Fault>;

    /// Counts a use of a limited consent durably, in one step with the decision that there is one
    /// left. Under a key that is counted already nothing more is.
    ///
    /// # Errors
    /// As [`Consents::find`].
    async fn spend(&self, consent: Uuid, key: &UseKey) -> Result<Spent, Fault>;

    /// Takes back what [`Consents::spend`] counted for an exchange that nothing was answered to,
    /// unless another exchange under the same key relies on it.
    ///
    /// # Errors
    /// As [`Consents::find`]; then the use stays counted.
    async fn give_back(&self, consent: Uuid, key: &UseKey) -> Result<(), Fault>;
}
