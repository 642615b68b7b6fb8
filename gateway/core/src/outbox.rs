//! Submits that must happen once, kept so that a crash cannot repeat or lose one.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::adapter::Answer;
use crate::{ExchangeId, Fault, ServiceId};

/// The caller's idempotency key, bound to the member and the service by a keyed hash: the same
/// 32 bytes name the submit in the store and on the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SubmissionKey(pub [u8; 32]);

impl fmt::Debug for SubmissionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A submit that was begun and is not settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Its key.
    pub key: SubmissionKey,
    /// The exchange that began it.
    pub exchange: ExchangeId,
    /// The service it is of.
    pub service: ServiceId,
    /// The backend it goes to: only that one knows what became of it.
    pub backend: Arc<str>,
    /// The mapping it is said by, and its answer read by.
    pub mapping: Arc<str>,
    /// What the adapter kept before it sent, e.g. a signed transaction. `None`: nothing was sent.
    pub ticket: Option<Vec<u8>>,
}

/// What is known of a key when a submit under it arrives.
#[derive(Clone, Debug)]
pub enum Begun {
    /// Nothing: it is ours to do, and is now recorded as begun.
    Fresh,
    /// Another request under this key is being worked on at this moment.
    Running,
    /// It was begun earlier, and what became of it is not known.
    Interrupted(Submission),
    /// It is done.
    Settled {
        /// The mapping that reads its outcome.
        mapping: Arc<str>,
        /// What it came to, in the backend's terms.
        outcome: Result<Answer, Fault>,
    },
    /// The key was used for a different request.
    Reused,
}

/// The durable record of submits. Every method that changes something returns once it is on disk.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Claims `key` for the request whose keyed digest is `digest`.
    ///
    /// # Errors
    /// `Internal` when the store cannot be used, as for every method here.
    async fn begin(&self, submission: &Submission, digest: &[u8; 32]) -> Result<Begun, Fault>;

    /// Claims a submit that [`Outbox::unsettled`] named, as beginning it again would. False when it
    /// has been settled or taken up by somebody else meanwhile.
    async fn claim(&self, key: &SubmissionKey) -> Result<bool, Fault>;

    /// Keeps what is about to be sent. Called by the adapter before the first byte leaves.
    async fn attach(&self, key: &SubmissionKey, ticket: &[u8]) -> Result<(), Fault>;

    /// Takes back what was attached: nothing was sent, or certainly nothing was done.
    async fn withdraw(&self, key: &SubmissionKey) -> Result<(), Fault>;

    /// Records the outcome. Called after the journal holds the exchange.
    async fn settle(
        &self,
        key: &SubmissionKey,
        outcome: &Result<Answer, Fault>,
    ) -> Result<(), Fault>;

    /// Gives the claim up without an outcome. With a ticket the next request under the key finds
    /// it `Interrupted`; without one nothing was sent, and it is `Fresh` again.
    async fn release(&self, key: &SubmissionKey) -> Result<(), Fault>;

    /// Every submit that has a ticket, is not settled and is not being worked on, oldest first.
    async fn unsettled(&self) -> Result<Vec<Submission>, Fault>;
}
