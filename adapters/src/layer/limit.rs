//! Bounds how many calls a backend has at once. The others wait for their turn, within their own
//! deadline; one that gets none was not sent.

use std::num::NonZeroUsize;
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::adapter::Settlement;
use gateway_core::outbox::Submission;
use gateway_core::{Adapter, Admitted, Call, Fault};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::{Layer, Outcome, unavailable};

/// The code of the fault of a call that got no turn.
pub(super) const BUSY: &str = "busy";

/// Bounds an adapter's calls.
pub struct Limit {
    permits: Semaphore,
}

impl Limit {
    /// Lets at most `concurrency` calls in at once.
    pub fn new(concurrency: NonZeroUsize) -> Self {
        let permits = Semaphore::new(concurrency.get().min(Semaphore::MAX_PERMITS));
        Self { permits }
    }

    /// A turn, and the time that is left with it.
    async fn turn(&self, deadline: Duration) -> Result<(SemaphorePermit<'_>, Duration), Fault> {
        let until = Instant::now() + deadline;
        match timeout_at(until, self.permits.acquire()).await {
            Ok(Ok(permit)) => Ok((permit, until.saturating_duration_since(Instant::now()))),
            Ok(Err(_)) | Err(_) => Err(unavailable(BUSY, "too many calls are under way")),
        }
    }
}

#[async_trait]
impl Layer for Limit {
    async fn call(
        &self,
        inner: &dyn Adapter,
        admitted: &Admitted,
        call: &Call,
        deadline: Duration,
    ) -> Outcome {
        let (_permit, left) = self.turn(deadline).await?;
        inner.call(admitted, call, left).await
    }

    async fn lookup(
        &self,
        inner: &dyn Adapter,
        submission: &Submission,
        deadline: Duration,
    ) -> Result<Settlement, Fault> {
        let (_permit, left) = self.turn(deadline).await?;
        inner.lookup(submission, left).await
    }
}
