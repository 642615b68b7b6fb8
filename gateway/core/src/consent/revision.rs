//! The chain of a consent: who changed what when, and by which proof. It only grows; the current
//! state is what its revisions say one after another.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Consent, Delegation, Ended, UseLimit};
use crate::proof::hex_digest;
use crate::{Assurance, MemberId, Proof, Pseudonym, Purpose};

/// What a person agrees to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The sector whose registry has the purpose.
    pub sector: String,
    /// The person, in the `consent` domain of the sector.
    pub principal: Pseudonym,
    /// Who may receive the data.
    pub recipient: MemberId,
    /// The registered purpose.
    pub purpose: String,
    /// The items agreed to.
    pub items: BTreeSet<String>,
    /// From when it holds.
    pub valid_from: Timestamp,
    /// Until when it holds, exclusive.
    pub valid_until: Timestamp,
    /// How often it may be used.
    pub limit: Option<UseLimit>,
    /// Who acts for the person.
    pub delegation: Option<Delegation>,
}

/// A change to less. What is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Narrowing {
    /// The items that remain.
    pub items: Option<BTreeSet<String>>,
    /// The earlier end.
    pub valid_until: Option<Timestamp>,
}

/// One link of the chain. Its bytes are its JSON, and SHA-256 of them is what the next one names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The consent.
    pub consent: Uuid,
    /// Which of its revisions, from 1.
    pub number: u32,
    /// When it took effect.
    pub at: Timestamp,
    /// What changed.
    pub change: Change,
    /// By which proof; none for what the gateway does when time is over.
    pub proof: Option<Proof>,
    /// Who acted.
    pub acted_by: ActedBy,
    /// SHA-256 of the revision before; none for the first.
    pub previous: Option<Digest>,
}

/// SHA-256, in hex where it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(#[serde(with = "hex_digest")] pub [u8; 32]);

/// What a revision changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It begins.
    Grant {
        /// By what name the recipient knows it.
        reference: Uuid,
        /// What was agreed to.
        terms: Box<Grant>,
    },
    /// It covers less, or ends earlier.
    Narrow(Narrowing),
    /// The person takes it back.
    Withdraw,
    /// Its time is over.
    Expire,
}

impl Change {
    /// Its name in records.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Grant { .. } => "grant",
            Self::Narrow(_) => "narrow",
            Self::Withdraw => "withdraw",
            Self::Expire => "expire",
        }
    }
}

/// Who made a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActedBy {
    /// The person.
    Principal,
    /// Who acts for them, by the consent's delegation.
    Delegate,
    /// The gateway, when time was over.
    Gateway,
}

/// Why a change is refused. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    /// It covers nothing, or something the purpose does not know.
    #[error("items must name items of this purpose, at least one")]
    Items,
    /// Its end is not after its beginning.
    #[error("valid_until must be later than valid_from and not past")]
    Period,
    /// The purpose names other recipients.
    #[error("the purpose does not name this recipient")]
    Recipient,
    /// It says too little to show that the person did it.
    #[error("this purpose wants a proof of higher assurance")]
    Assurance,
    /// The delegation does not hold now, or not as long as what is granted.
    #[error("who acts for the person may not do so now, or not for so long")]
    Delegation,
    /// A narrower one would cover more, or last longer.
    #[error(
        "a consent can only be narrowed: fewer of its items, an earlier end; grant another one"
    )]
    Wider,
    /// It has ended.
    #[error("the consent has ended; grant another one")]
    Ended,
    /// The chain does not fit together.
    #[error("the consent's revisions do not follow one another")]
    Chain,
}

impl Grant {
    /// Checks it against the registry and its proof.
    ///
    /// # Errors
    /// The first [`ConsentError`] that applies.
    pub fn check(
        &self,
        purpose: &Purpose,
        assurance: Assurance,
        acted_by: ActedBy,
        now: Timestamp,
    ) -> Result<(), ConsentError> {
        let known = |item: &String| purpose.items.contains_key(item);
        if self.items.is_empty() || !self.items.iter().all(known) {
            return Err(ConsentError::Items);
        }
        if self.valid_until <= self.valid_from || self.valid_until <= now {
            return Err(ConsentError::Period);
        }
        if !purpose.recipients.contains(&self.recipient) {
            return Err(ConsentError::Recipient);
        }
        if assurance < purpose.assurance {
            return Err(ConsentError::Assurance);
        }
        let outlasts = |by: &Delegation| by.valid_until < self.valid_until;
        if self.delegation.as_ref().is_some_and(outlasts) {
            return Err(ConsentError::Delegation);
        }
        self.may_act(acted_by, now)
    }

    /// Whether who acted may do so now: the person always, a delegate while the delegation holds.
    fn may_act(&self, acted_by: ActedBy, now: Timestamp) -> Result<(), ConsentError> {
        let holds = |by: &Delegation| by.valid_from <= now && now < by.valid_until;
        match acted_by {
            ActedBy::Delegate if !self.delegation.as_ref().is_some_and(holds) => {
                Err(ConsentError::Delegation)
            }
            _ => Ok(()),
        }
    }
}

impl Consent {
    /// Checks a change at `now`. A withdrawal wants no certain assurance: it is never harder to take
    /// a consent back than to give it (Personal Information Protection Act, Art. 38).
    ///
    /// # Errors
    /// The first [`ConsentError`] that applies.
    pub fn check(
        &self,
        change: &Change,
        acted_by: ActedBy,
        now: Timestamp,
    ) -> Result<(), ConsentError> {
        let over = now >= self.grant.valid_until;
        match change {
            _ if self.ended.is_some() => return Err(ConsentError::Ended),
            Change::Expire if over => {}
            Change::Grant { .. } | Change::Expire => return Err(ConsentError::Chain),
            Change::Narrow(_) | Change::Withdraw if over => return Err(ConsentError::Ended),
            Change::Withdraw => {}
            Change::Narrow(narrowing) => self.check_narrowing(narrowing, now)?,
        }
        self.grant.may_act(acted_by, now)
    }

    fn check_narrowing(&self, narrowing: &Narrowing, now: Timestamp) -> Result<(), ConsentError> {
        let grant = &self.grant;
        if narrowing.items.as_ref().is_some_and(BTreeSet::is_empty) {
            return Err(ConsentError::Items);
        }
        let fewer = narrowing.items.as_ref().is_none_or(|items| items.is_subset(&grant.items));
        let earlier = narrowing.valid_until.is_none_or(|until| until <= grant.valid_until);
        if !fewer || !earlier {
            return Err(ConsentError::Wider);
        }
        let passed = |until| until <= now || until <= grant.valid_from;
        if narrowing.valid_until.is_some_and(passed) {
            return Err(ConsentError::Period);
        }
        Ok(())
    }

    /// Where a chain has left a consent.
    ///
    /// # Errors
    /// [`ConsentError::Chain`] when its numbers or consents do not follow one another.
    pub fn replay<'a>(
        revisions: impl IntoIterator<Item = &'a Revision>,
    ) -> Result<Self, ConsentError> {
        let mut revisions = revisions.into_iter();
        let mut consent = revisions.next().and_then(Self::begun).ok_or(ConsentError::Chain)?;
        for revision in revisions {
            consent = consent.followed_by(revision)?;
        }
        Ok(consent)
    }

    /// The consent that a first revision makes.
    fn begun(revision: &Revision) -> Option<Self> {
        match &revision.change {
            Change::Grant { reference, terms } if revision.number == 1 => Some(Self {
                id: revision.consent,
                reference: *reference,
                grant: (**terms).clone(),
                revision: 1,
                ended: None,
            }),
            _ => None,
        }
    }

    /// What it is after one more revision.
    ///
    /// # Errors
    /// [`ConsentError::Chain`] when the revision does not follow.
    pub fn followed_by(mut self, revision: &Revision) -> Result<Self, ConsentError> {
        if revision.consent != self.id || revision.number != self.revision.saturating_add(1) {
            return Err(ConsentError::Chain);
        }
        self.revision = revision.number;
        let ended = |withdrawn| Some(Ended { at: revision.at, withdrawn });
        match &revision.change {
            Change::Grant { .. } => return Err(ConsentError::Chain),
            Change::Withdraw => self.ended = ended(true),
            Change::Expire => self.ended = ended(false),
            Change::Narrow(narrowing) => {
                if let Some(items) = &narrowing.items {
                    self.grant.items.clone_from(items);
                }
                self.grant.valid_until = narrowing.valid_until.unwrap_or(self.grant.valid_until);
            }
        }
        Ok(self)
    }
}
