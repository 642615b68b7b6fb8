//! A backend, as the pipeline sees it.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::outbox::{Submission, SubmissionKey};
use crate::wire::{Encoded, Received};
use crate::{Admitted, Fault, Message, Value};

/// What an exchange does to a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Reads; may be repeated.
    Query,
    /// Changes; happens once per idempotency key.
    Submit,
}

/// A request in a backend's terms.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Reads or changes.
    pub operation: Operation,
    /// The function, e.g. `benefitGrant`.
    pub function: String,
    /// What it is called with.
    pub content: Content,
    /// The key under which a submit happens once; present exactly for [`Operation::Submit`].
    pub key: Option<SubmissionKey>,
    /// Whether the backend itself does a submit once however often it is sent, because the key
    /// goes out with it. A query may always be repeated.
    pub repeatable: bool,
}

impl Call {
    /// Whether sending it a second time does no harm.
    pub fn may_be_repeated(&self) -> bool {
        self.operation == Operation::Query || self.repeatable
    }
}

/// What a call says.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Named values, in order, by the backend's names for them; its adapter makes bytes of them.
    Arguments(Vec<(String, Value)>),
    /// Bytes that the mapping wrote; the adapter carries them as they are.
    Message {
        /// The message.
        message: Encoded,
        /// How to ask later what became of it, where the provider can be asked. It holds nothing
        /// personal: it is kept on disk while the outcome is not known.
        inquiry: Option<Encoded>,
    },
}

/// What came back from a backend.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// An answer that the adapter has read.
    Answer(Answer),
    /// Bytes for the mapping to read: perhaps an answer, perhaps a refusal. Never stored.
    Received(Received),
}

/// A backend's answer, in its own terms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The values, by the backend's names for them.
    pub values: Message,
    /// What shows that the backend said so.
    pub proof: Option<LedgerProof>,
}

/// Where on a ledger an answer stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerProof {
    /// The network, e.g. `eip155:31337` (CAIP-2).
    pub network: String,
    /// The transaction, lower-case hex with `0x`; none for a query.
    pub transaction: Option<String>,
    /// The block number.
    pub block: u64,
    /// The block's hash, lower-case hex with `0x`.
    pub block_hash: String,
}

/// When a submit counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finality {
    /// At once, or never mind: not a ledger.
    Immediate,
    /// This many blocks, its own included.
    Confirmations(u64),
    /// When the chain's `finalized` tag has passed it.
    Finalized,
}

/// What a backend can do. What it cannot is refused when the configuration is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What calls it takes.
    pub takes: Takes,
    /// When a submit counts as done.
    pub finality: Finality,
}

/// The calls that a backend takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Arguments of these functions, with what each does and takes.
    Functions(Vec<Function>),
    /// Encoded messages of these formats.
    Messages(Vec<Format>),
}

/// What an encoded message is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// SOAP over HTTP.
    Soap,
    /// JSON over HTTP.
    Json,
    /// Plain XML over HTTP.
    Xml,
    /// Fixed-length telegrams.
    Telegram,
}

/// One function of a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Whether it reads or changes.
    pub operation: Operation,
    /// The names of its arguments, in order.
    pub arguments: Vec<String>,
}

/// What became of an earlier submit.
#[derive(Clone, Debug)]
pub enum Settlement {
    /// It happened, or was refused for good.
    Settled(Result<Answer, Fault>),
    /// The backend said something about it, for the mapping to read.
    Reported(Received),
    /// It is still under way, or nobody can say.
    Pending,
}

/// Our code for one backend. Retry, time-out and circuit breaking wrap it from outside.
#[async_trait]
pub trait Adapter: Send + Sync {
    /// What it can do.
    fn profile(&self) -> &Profile;

    /// Calls the backend for an exchange that was let through.
    ///
    /// # Errors
    /// `BackendRefused` with the backend's own name for the refusal as code; `BackendUnavailable`
    /// when nothing was done; `OutcomeUnknown` when a submit was sent and its outcome is not known
    /// within `deadline`. What it kept in the outbox for a submit of which it knows that nothing
    /// was sent, it has withdrawn again.
    async fn call(
        &self,
        admitted: &Admitted,
        call: &Call,
        deadline: Duration,
    ) -> Result<Response, Fault>;

    /// What became of a submit that was sent earlier, perhaps by a process that has died. The
    /// submission is what is left of an [`Admitted`] exchange, and can only finish that one.
    ///
    /// # Errors
    /// `BackendUnavailable` when the backend cannot be asked.
    async fn lookup(
        &self,
        submission: &Submission,
        deadline: Duration,
    ) -> Result<Settlement, Fault>;

    /// Whether the backend answers and is the one configured.
    ///
    /// # Errors
    /// `BackendUnavailable`, saying what is missing.
    async fn probe(&self) -> Result<(), Fault>;

    /// Whether it takes calls at the moment, as far as is known without asking the backend.
    ///
    /// # Errors
    /// `BackendUnavailable` with when to come back: a call would not reach the backend.
    fn accepts(&self) -> Result<(), Fault> {
        Ok(())
    }
}
