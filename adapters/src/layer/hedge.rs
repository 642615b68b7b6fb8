//! Asks a query a second time when its answer is late, and takes whichever comes first: one slow
//! connection or node does not make a slow caller. Never a submit.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use gateway_core::adapter::Settlement;
use gateway_core::outbox::Submission;
use gateway_core::{Adapter, Admitted, Call, Fault, Operation, Profile};
use tokio::time::timeout;
use tower::retry::budget::{Budget, TpsBudget};

use super::retry::budget;
use super::{Event, Observe, Outcome, is_failure};

/// When a query is asked a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HedgePolicy {
    /// When there is no answer after this long; well above what an answer usually takes.
    pub after: Duration,
    /// How many second askings there may be to a hundred calls: a backend that is slow as a whole is
    /// not given twice its load.
    pub budget_percent: u32,
}

/// An adapter whose late queries are asked twice.
pub struct Hedge {
    inner: Arc<dyn Adapter>,
    after: Duration,
    budget: TpsBudget,
    observer: Arc<dyn Observe>,
}

impl Hedge {
    /// Asks queries of `inner` a second time as `policy` says.
    pub fn new(inner: Arc<dyn Adapter>, policy: HedgePolicy, observer: Arc<dyn Observe>) -> Self {
        let budget = budget(policy.budget_percent);
        Self { inner, after: policy.after, budget, observer }
    }
}

#[async_trait]
impl Adapter for Hedge {
    fn profile(&self) -> &Profile {
        self.inner.profile()
    }

    async fn call(&self, admitted: &Admitted, call: &Call, deadline: Duration) -> Outcome {
        if call.operation == Operation::Submit || self.after >= deadline {
            return self.inner.call(admitted, call, deadline).await;
        }
        self.budget.deposit();
        let mut first = pin!(self.inner.call(admitted, call, deadline));
        if let Ok(outcome) = timeout(self.after, &mut first).await {
            return outcome;
        }
        if !self.budget.withdraw() {
            return first.await;
        }
        self.observer.observe(Event::Hedged);
        let left = deadline.saturating_sub(self.after);
        let second = pin!(self.inner.call(admitted, call, left));
        // The one that is not waited for any more is dropped, and ends there.
        match select(first, second).await {
            Either::Left((outcome, other)) if is_failure(&outcome) => other.await,
            Either::Right((outcome, other)) if is_failure(&outcome) => other.await,
            Either::Left((outcome, _)) | Either::Right((outcome, _)) => outcome,
        }
    }

    async fn lookup(
        &self,
        submission: &Submission,
        deadline: Duration,
    ) -> Result<Settlement, Fault> {
        self.inner.lookup(submission, deadline).await
    }

    async fn probe(&self) -> Result<(), Fault> {
        self.inner.probe().await
    }

    fn accepts(&self) -> Result<(), Fault> {
        self.inner.accepts()
    }
}
