//! Holds an adapter to its deadline. An adapter keeps to it by itself; this is for when it does not.

use std::time::Duration;

use async_trait::async_trait;
use gateway_core::adapter::Settlement;
use gateway_core::outbox::Submission;
use gateway_core::{Adapter, Admitted, Call, Fault, Kind, Operation};
use tokio::time::timeout;

use super::{Layer, Outcome, unavailable};

/// How much longer than its deadline a submit may take. Only the adapter knows whether it was sent,
/// so it gets the time to say so before the layer says that nobody knows.
const GRACE: Duration = Duration::from_secs(2);

/// Ends an adapter in time.
pub struct Timeout;

#[async_trait]
impl Layer for Timeout {
    async fn call(
        &self,
        inner: &dyn Adapter,
        admitted: &Admitted,
        call: &Call,
        deadline: Duration,
    ) -> Outcome {
        let called = inner.call(admitted, call, deadline);
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
        inner: &dyn Adapter,
        submission: &Submission,
        deadline: Duration,
    ) -> Result<Settlement, Fault> {
        let found = timeout(deadline + GRACE, inner.lookup(submission, deadline)).await;
        found.unwrap_or(Ok(Settlement::Pending))
    }
}

fn outcome_unknown() -> Fault {
    let public = "it was sent and its outcome is not known yet; ask again under the same key";
    Fault::new(Kind::OutcomeUnknown, "outcome-unknown", public)
        .context("the adapter overran its deadline")
}
