//! What a person has agreed to, and how one exchange uses it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Fault, MemberId, Pseudonym};

/// A consent record; the names follow ISO/IEC TS 27560.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Identifies the record.
    pub id: Uuid,
    /// The person, in the `consent` domain of the sector.
    pub principal: Pseudonym,
    /// Who may receive the data.
    pub recipient: MemberId,
    /// The registered purpose.
    pub purpose: String,
    /// The items the person agreed to.
    pub items: BTreeSet<String>,
    /// From when it holds.
    pub valid_from: Timestamp,
    /// Until when it holds, exclusive.
    pub valid_until: Timestamp,
    /// When it was withdrawn.
    pub withdrawn: Option<Timestamp>,
}

impl Consent {
    /// True when it holds at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.withdrawn.is_none() && self.valid_from <= now && now < self.valid_until
    }
}

/// The consent an exchange relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentUse {
    /// The record.
    pub id: Uuid,
    /// The items it covers; the answer is cut down to them.
    pub items: BTreeSet<String>,
}

/// The consent records, as the pipeline reads them.
#[async_trait]
pub trait Consents: Send + Sync {
    /// All consents of `principal` for `recipient` and `purpose`, live or not.
    ///
    /// # Errors
    /// [`crate::Kind::Internal`] when the store cannot be read: no answer is not a consent.
    async fn find(
        &self,
        principal: &Pseudonym,
        recipient: &MemberId,
        purpose: &str,
    ) -> Result<Vec<Consent>, Fault>;
}
