//! Holds an adapter to its deadline. An adapter keeps to it by itself; this is for when it does not.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::adapter::Settlement;
use gateway_core::outbox::Submission;
use gateway_core::{Adapter, Admitted, Call, Fault, Kind, Operation, Profile};
use tokio::time::timeout;

use super::{Outcome, unavailable};

/// How much longer than its deadline a submit may take. Only the adapter knows whether it was sent,
/// so it gets the time to say so before the layer says that nobody knows.
const GRACE: Duration = Duration::from_secs(2);

/// An adapter that ends in time.
pub struct Timeout {
    inner: Arc<dyn Adapter>,
}

impl Timeout {
    /// Ends what `inner` does not.
    pub fn new(inner: Arc<dyn Adapter>) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl Adapter for Timeout {
    fn profile(&self) -> &Profile {
        self.inner.profile()
    }

    async fn call(&self, admitted: &Admitted, call: &Call, deadline: Duration) -> Outcome {
        let called = self.inner.call(admitted, call, deadline);
        match call.operation {
            Operation::Query => timeout(deadline, called)
                .await
                .unwrap_or_else(|_| Err(unavailable("timeout", "no answer within the deadline"))),
            Operation::Submit => {
                timeout(deadline + GRACE, called).await.unwrap_or_else(|_| Err(outcome_unknown()))
            }
        }
    }

    async fn lookup(
        &self,
        submission: &Submission,
        deadline: Duration,
    ) -> Result<Settlement, Fault> {
        let found = timeout(deadline + GRACE, self.inner.lookup(submission, deadline)).await;
        found.unwrap_or(Ok(Settlement::Pending))
    }

    async fn probe(&self) -> Result<(), Fault> {
        self.inner.probe().await
    }

    fn accepts(&self) -> Result<(), Fault> {
        self.inner.accepts()
    }
}

fn outcome_unknown() -> Fault {
    let public = "it was sent and its outcome is not known yet; ask again under the same key";
    Fault::new(Kind::OutcomeUnknown, "outcome-unknown", public)
        .context("the adapter overran its deadline")
}
