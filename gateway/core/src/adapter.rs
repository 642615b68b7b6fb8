//! A backend, as the pipeline sees it.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::outbox::{Submission, SubmissionKey};
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
    /// Its arguments, in order, by the backend's names for them.
    pub arguments: Vec<(String, Value)>,
    /// The key under which a submit happens once; present exactly for [`Operation::Submit`].
    pub key: Option<SubmissionKey>,
}

/// A backend's answer, in its own terms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The values, by the backend's names for them.
    pub values: Message,
    /// What shows that the backend said so.
    pub proof: Option<Proof>,
}

/// Where on a ledger an answer stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
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
    /// The functions it has, with what each does and takes.
    pub functions: Vec<Function>,
    /// When a submit counts as done.
    pub finality: Finality,
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
    /// It is still under way.
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
    /// within `deadline`.
    async fn call(
        &self,
        admitted: &Admitted,
        call: &Call,
        deadline: Duration,
    ) -> Result<Answer, Fault>;

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
}
