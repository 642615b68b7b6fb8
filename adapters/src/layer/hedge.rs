//! Asks a query a second time when its answer is late, and takes whichever comes first: one slow
//! connection or node does not make a slow caller. Never a submit.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use gateway_core::{Adapter, Admitted, Call, Operation};
use tokio::time::timeout;
use tower::retry::budget::{Budget, TpsBudget};

use super::retry::budget;
use super::{Event, Layer, Observe, Outcome, is_failure};

/// When a query is asked a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HedgePolicy {
    /// When there is no answer after this long; well above what an answer usually takes.
    pub after: Duration,
    /// How many second askings there may be to a hundred calls: a backend that is slow as a whole is
    /// not given twice its load.
    pub budget_percent: u32,
}

/// Asks late queries of an adapter twice.
pub struct Hedge {
    after: Duration,
    budget: TpsBudget,
    observer: Arc<dyn Observe>,
}

impl Hedge {
    /// Asks a second time as `policy` says.
    pub fn new(policy: HedgePolicy, observer: Arc<dyn Observe>) -> Self {
        let budget = budget(policy.budget_percent);
        Self { after: policy.after, budget, observer }
    }
}

#[async_trait]
impl Layer for Hedge {
    async fn call(
        &self,
        inner: &dyn Adapter,
        admitted: &Admitted,
        call: &Call,
        deadline: Duration,
    ) -> Outcome {
        if call.operation == Operation::Submit || self.after >= deadline {
            return inner.call(admitted, call, deadline).await;
        }
        self.budget.deposit();
        let mut first = pin!(inner.call(admitted, call, deadline));
        if let Ok(outcome) = timeout(self.after, &mut first).await {
            return outcome;
        }
        if !self.budget.withdraw() {
            return first.await;
        }
        self.observer.observe(Event::Hedged);
        let left = deadline.saturating_sub(self.after);
        let second = pin!(inner.call(admitted, call, left));
        // The one that is not waited for any more is dropped, and ends there.
        match select(first, second).await {
            Either::Left((outcome, other)) if is_failure(&outcome) => other.await,
            Either::Right((outcome, other)) if is_failure(&outcome) => other.await,
            Either::Left((outcome, _)) | Either::Right((outcome, _)) => outcome,
        }
    }
}
