//! What stands around every adapter: how many calls it may have at once, and how long each may
//! take. An adapter keeps to its deadline by itself; this holds when it does not.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::adapter::Settlement;
use gateway_core::outbox::Submission;
use gateway_core::{Adapter, Admitted, Call, Fault, Kind, Operation, Profile, Response};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};

/// How much longer than its deadline a submit may take. Only the adapter knows whether it was sent,
/// so it gets the time to say so before the layer says that nobody knows.
const GRACE: Duration = Duration::from_secs(2);

/// An adapter with a bound on its calls and on their time.
pub struct Bounded {
    inner: Arc<dyn Adapter>,
    permits: Semaphore,
}

impl Bounded {
    /// Lets at most `concurrency` calls into `inner` at once. Others wait for their turn within
    /// their own deadline.
    pub fn new(inner: Arc<dyn Adapter>, concurrency: NonZeroUsize) -> Self {
        let permits = Semaphore::new(concurrency.get().min(Semaphore::MAX_PERMITS));
        Self { inner, permits }
    }

    async fn permit(&self, until: Instant) -> Result<SemaphorePermit<'_>, Fault> {
        match timeout_at(until, self.permits.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(unavailable("busy", "too many calls are under way")),
        }
    }
}

#[async_trait]
impl Adapter for Bounded {
    fn profile(&self) -> &Profile {
        self.inner.profile()
    }

    async fn call(
        &self,
        admitted: &Admitted,
        call: &Call,
        deadline: Duration,
    ) -> Result<Response, Fault> {
        let until = Instant::now() + deadline;
        let _permit = self.permit(until).await?;
        let left = until.saturating_duration_since(Instant::now());
        let called = self.inner.call(admitted, call, left);
        match call.operation {
            Operation::Query => timeout(left, called)
                .await
                .unwrap_or_else(|_| Err(unavailable("timeout", "no answer within the deadline"))),
            Operation::Submit => {
                timeout(left + GRACE, called).await.unwrap_or_else(|_| Err(outcome_unknown()))
            }
        }
    }

    async fn lookup(
        &self,
        submission: &Submission,
        deadline: Duration,
    ) -> Result<Settlement, Fault> {
        let until = Instant::now() + deadline;
        let _permit = self.permit(until).await?;
        let left = until.saturating_duration_since(Instant::now());
        let found = timeout(left + GRACE, self.inner.lookup(submission, left)).await;
        found.unwrap_or(Ok(Settlement::Pending))
    }

    async fn probe(&self) -> Result<(), Fault> {
        self.inner.probe().await
    }
}

fn unavailable(code: &'static str, context: &str) -> Fault {
    let fault = Fault::new(Kind::BackendUnavailable, code, "the backend did not answer in time");
    fault.context(context)
}

fn outcome_unknown() -> Fault {
    let public = "it was sent and its outcome is not known yet; ask again under the same key";
    Fault::new(Kind::OutcomeUnknown, "outcome-unknown", public)
        .context("the adapter overran its deadline")
}
