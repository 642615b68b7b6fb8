//! What stands around a backend. What is not written is not there.

use std::num::NonZeroU32;
use std::time::Duration;

use adapters::layer::{BreakerPolicy, HedgePolicy, Layers, RetryPolicy};
use serde::Deserialize;

use super::{BackendCommon, Problem};

/// `retry` of a backend: queries that it does not answer are asked again.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default)]
pub struct Retry {
    /// How often at most, the first time included.
    pub attempts: NonZeroU32,
    /// The pause before the second attempt; each further one is twice as long, and up to half of it
    /// longer by chance.
    pub backoff_ms: NonZeroU32,
    /// Further attempts to a hundred calls, at most.
    pub budget_percent: u32,
}

/// `circuit_breaker` of a backend: it is left alone when it keeps failing.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default)]
pub struct CircuitBreaker {
    /// After this many failures in a row.
    pub failures: NonZeroU32,
    /// For this long; then one call is let through to see.
    pub open_seconds: NonZeroU32,
}

/// `hedge` of a backend: a query whose answer is late is asked a second time.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Hedge {
    /// How late.
    pub after_ms: NonZeroU32,
    /// Second askings to a hundred calls, at most.
    #[serde(default = "ten")]
    pub budget_percent: u32,
}

const fn count(number: u32) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(number - 1)
}

fn ten() -> u32 {
    10
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: count(3), backoff_ms: count(50), budget_percent: 20 }
    }
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self { failures: count(5), open_seconds: count(10) }
    }
}

impl BackendCommon {
    /// The layers it asks for.
    pub fn layers(&self) -> Layers {
        Layers {
            concurrency: self.concurrency,
            retry: self.retry.map(|retry| RetryPolicy {
                attempts: retry.attempts.get(),
                backoff: Duration::from_millis(retry.backoff_ms.get().into()),
                budget_percent: retry.budget_percent,
            }),
            breaker: self.circuit_breaker.map(|breaker| BreakerPolicy {
                failures: breaker.failures.get(),
                open: Duration::from_secs(breaker.open_seconds.get().into()),
            }),
            hedge: self.hedge.map(|hedge| HedgePolicy {
                after: Duration::from_millis(hedge.after_ms.get().into()),
                budget_percent: hedge.budget_percent,
            }),
        }
    }

    /// What of them makes no sense together, for a backend at this key path.
    pub fn layer_problems(&self, at: &str) -> Vec<Problem> {
        let budgets = [
            ("retry", self.retry.map(|retry| retry.budget_percent)),
            ("hedge", self.hedge.map(|hedge| hedge.budget_percent)),
        ];
        let too_much = budgets.into_iter().filter(|(_, budget)| budget.is_some_and(|b| b > 100));
        let mut problems: Vec<Problem> = too_much
            .map(|(layer, _)| Problem::new(format!("{at}.{layer}.budget_percent"), "100 at most"))
            .collect();
        let late = self.hedge.is_some_and(|hedge| {
            Duration::from_millis(hedge.after_ms.get().into())
                >= Duration::from_secs(self.deadline_seconds)
        });
        if late {
            let message = "must be shorter than the deadline, or no query is ever asked twice";
            problems.push(Problem::new(format!("{at}.hedge.after_ms"), message));
        }
        problems
    }
}
