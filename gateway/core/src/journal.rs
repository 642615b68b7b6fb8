//! What is written about an exchange, and the receipt for it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::adapter::{Answer, Call, LedgerProof};
use crate::keys::Destroyed;
use crate::policy::{AccessRequest, Decision};
use crate::quota::QuotaState;
use crate::wire::Received;
use crate::{Caller, ConsentUse, Envelope, ExchangeId, Fault, Pseudonym, SubmissionKey};

/// What the stages found out about an exchange, as far as it came. A refused exchange has the
/// same trail as an answered one, only shorter.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    /// The configuration that decided it.
    pub configuration: Option<Arc<str>>,
    /// What was decoded.
    pub envelope: Option<Arc<Envelope>>,
    /// Who called.
    pub caller: Option<Caller>,
    /// The certificate by which the caller was authenticated, DER.
    pub certificate: Option<Arc<[u8]>>,
    /// All that the decision on access depended on.
    pub access: Option<AccessRequest>,
    /// The policies that allowed it or forbade it.
    pub decision: Option<Decision>,
    /// The person concerned, in the `consent` domain.
    pub subject: Option<Pseudonym>,
    /// The consent relied on.
    pub consent: Option<ConsentUse>,
    /// Every quota that applied, after it was spent; where one refuses, nothing was spent.
    pub quota: Vec<QuotaState>,
    /// The route taken.
    pub route: Option<Arc<str>>,
    /// The backend's mapping.
    pub mapping: Option<String>,
    /// The mapping by which it was also asked elsewhere, to compare.
    pub mirror: Option<String>,
    /// What was asked of the backend.
    pub call: Option<Call>,
    /// What the backend sent, where the mapping reads its bytes.
    pub received: Option<Received>,
    /// Whether a backend has answered.
    pub answered: bool,
    /// What became of the submit, to be settled once the journal holds it.
    pub submitted: Option<(SubmissionKey, Submitted)>,
    /// Where on the ledger the answer stands.
    pub proof: Option<LedgerProof>,
    /// The exchange that a callback tells of, or the proposal that an act was decided upon.
    pub about: Option<ExchangeId>,
    /// The administrative act that it is a step of.
    pub act: Option<ActNote>,
    /// What an erasure or a sweep has destroyed.
    pub destroyed: Option<Destroyed>,
    /// What was lost between the formats as their mappings declare: `field;kind`, with commas
    /// between. The names of fields, never their content.
    pub losses: Option<String>,
}

/// A step of an administrative act, as its entry names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActNote {
    /// What kind of act it is, e.g. `member.activate`.
    pub name: Cow<'static, str>,
    /// What it is done to; never a person.
    pub target: Option<String>,
    /// How far it has come.
    pub step: ActStep,
    /// The operator who proposed it, where another one decided it.
    pub proposer: Option<String>,
}

/// How far an administrative act has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActStep {
    /// It is done.
    Done,
    /// It waits for another operator.
    Proposed,
    /// Another operator approved it, and it is done.
    Approved,
    /// It is not done: an operator said so.
    Rejected,
}

/// What became of a submit within this exchange.
#[derive(Clone, Debug)]
pub enum Submitted {
    /// It was settled here: happened, or was refused for good.
    Settled(Result<Answer, Fault>),
    /// It was settled by an earlier exchange, whose outcome this one repeats.
    Repeated,
    /// Nothing was sent, or its outcome is unknown.
    Released,
}

/// One entry for the journal.
pub struct Record<'a> {
    /// The exchange.
    pub exchange: ExchangeId,
    /// What it is about.
    pub kind: RecordKind,
    /// When its last byte had arrived.
    pub received: Timestamp,
    /// When its reply was ready.
    pub finished: Timestamp,
    /// The front it came through; `recovery` or `operator` for a settlement, `callback` for a
    /// delivery.
    pub front: &'a str,
    /// What the stages found out.
    pub trail: &'a Trail,
    /// The request as it came. Only a salted commitment to it is written.
    pub request: &'a [u8],
    /// The reply as it leaves, without its receipt. Only a salted commitment to it is written.
    pub reply: &'a [u8],
    /// What went wrong.
    pub fault: Option<&'a Fault>,
}

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// A request and its reply.
    Exchange,
    /// A request that was taken, to be handled later in an exchange of the same id.
    Acceptance,
    /// The outcome of a submit whose own exchange was cut off, as its backend or an operator says.
    Settlement,
    /// An act of an operator, such as recording a consent.
    Administration,
    /// An attempt at a callback to a subscriber.
    Delivery,
}

/// Proof that an entry is in the journal: index, entry, inclusion proof and signed checkpoint, in
/// one printable word. One format on every wire; see `gateway-journal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt(pub String);

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The evidence log.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Appends an entry and answers once it is durable.
    ///
    /// # Errors
    /// `Internal` with code `evidence-unavailable` when it is not durable.
    async fn append(&self, record: Record<'_>) -> Result<Receipt, Fault>;

    /// Whether entries can be written now. Asked before anything is done for a request, so that
    /// nothing happens that could not be recorded.
    ///
    /// # Errors
    /// As [`Journal::append`].
    fn writable(&self) -> Result<(), Fault>;
}
