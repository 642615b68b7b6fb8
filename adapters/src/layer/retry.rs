//! Asks a query again that the backend did not answer. Never a submit: whether it may be sent again
//! is for its lookup to say.
//!
//! Attempts are bounded three times: in number, by the deadline, and by a budget over all calls, so
//! that a backend in trouble is not given several times its load. Budget and back-off are those of
//! `tower`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::{Adapter, Admitted, Call, Operation};
use tokio::time::{Instant, timeout_at};
use tower::retry::backoff::{
    Backoff, ExponentialBackoff, ExponentialBackoffMaker, InvalidBackoff, MakeBackoff,
};
use tower::retry::budget::{Budget, TpsBudget};
use tower::util::rng::HasherRng;

use super::breaker::OPEN;
use super::{Event, Layer, Observe, Outcome, is_failure};

/// For how long a call counts in the budget.
const WINDOW: Duration = Duration::from_secs(10);
/// How many second attempts a second the budget always has, so that a quiet backend has some.
pub(super) const RESERVE: u32 = 1;
/// No pause is longer than this many times the first one.
const GROWTH: u32 = 32;
/// How much of a pause is up to chance.
const JITTER: f64 = 0.5;

/// How often a query is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// At most, the first time included.
    pub attempts: u32,
    /// The pause before the second attempt; each further one is twice as long.
    pub backoff: Duration,
    /// How many further attempts there may be to a hundred calls.
    pub budget_percent: u32,
}

/// Asks an adapter's queries again.
pub struct Retry {
    attempts: u32,
    backoff: Option<ExponentialBackoffMaker>,
    budget: TpsBudget,
    observer: Arc<dyn Observe>,
}

/// A budget of further attempts: so many to a hundred calls.
pub(super) fn budget(percent: u32) -> TpsBudget {
    // From 0 to 1,000, as the library wants it.
    let percent = f32::from(u16::try_from(percent.min(100)).unwrap_or(100));
    TpsBudget::new(WINDOW, RESERVE, percent / 100.0)
}

fn backoff(first: Duration) -> Result<ExponentialBackoffMaker, InvalidBackoff> {
    ExponentialBackoffMaker::new(first, first * GROWTH, JITTER, HasherRng::new())
}

impl Retry {
    /// Asks as often as `policy` allows. A pause of zero is none.
    pub fn new(policy: RetryPolicy, observer: Arc<dyn Observe>) -> Self {
        let backoff = backoff(policy.backoff).ok();
        let budget = budget(policy.budget_percent);
        Self { attempts: policy.attempts, backoff, budget, observer }
    }

    /// Waits before the next attempt; false when there is no time left for one.
    async fn pause(&self, backoff: &mut Option<ExponentialBackoff>, until: Instant) -> bool {
        match backoff {
            Some(backoff) => timeout_at(until, backoff.next_backoff()).await.is_ok(),
            None => Instant::now() < until,
        }
    }
}

#[async_trait]
impl Layer for Retry {
    async fn call(
        &self,
        inner: &dyn Adapter,
        admitted: &Admitted,
        call: &Call,
        deadline: Duration,
    ) -> Outcome {
        if call.operation == Operation::Submit {
            return inner.call(admitted, call, deadline).await;
        }
        let until = Instant::now() + deadline;
        self.budget.deposit();
        let mut backoff = self.backoff.clone().map(|mut maker| maker.make_backoff());
        let mut outcome = inner.call(admitted, call, deadline).await;
        for _ in 1..self.attempts {
            let again = is_failure(&outcome) && !is_open(&outcome) && self.budget.withdraw();
            if !again || !self.pause(&mut backoff, until).await {
                break;
            }
            self.observer.observe(Event::Retried);
            let left = until.saturating_duration_since(Instant::now());
            outcome = inner.call(admitted, call, left).await;
        }
        outcome
    }
}

/// The breaker says no; it will say the same in a moment.
fn is_open(outcome: &Outcome) -> bool {
    matches!(outcome, Err(fault) if fault.code == OPEN)
}
