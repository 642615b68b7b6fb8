//! Bounds how many calls a backend has at once. The others wait for their turn, within their own
//! deadline; one that gets none was not sent.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::adapter::Settlement;
use gateway_core::outbox::Submission;
use gateway_core::{Adapter, Admitted, Call, Fault, Profile};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::{Outcome, unavailable};

/// The code of the fault of a call that got no turn.
pub(super) const BUSY: &str = "busy";

/// An adapter with a bound on its calls.
pub struct Limit {
    inner: Arc<dyn Adapter>,
    permits: Semaphore,
}

impl Limit {
    /// Lets at most `concurrency` calls into `inner` at once.
    pub fn new(inner: Arc<dyn Adapter>, concurrency: NonZeroUsize) -> Self {
        let permits = Semaphore::new(concurrency.get().min(Semaphore::MAX_PERMITS));
        Self { inner, permits }
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
impl Adapter for Limit {
    fn profile(&self) -> &Profile {
        self.inner.profile()
    }

    async fn call(&self, admitted: &Admitted, call: &Call, deadline: Duration) -> Outcome {
        let (_permit, left) = self.turn(deadline).await?;
        self.inner.call(admitted, call, left).await
    }

    async fn lookup(
        &self,
        submission: &Submission,
        deadline: Duration,
    ) -> Result<Settlement, Fault> {
        let (_permit, left) = self.turn(deadline).await?;
        self.inner.lookup(submission, left).await
    }

    async fn probe(&self) -> Result<(), Fault> {
        self.inner.probe().await
    }

    fn accepts(&self) -> Result<(), Fault> {
        self.inner.accepts()
    }
}
