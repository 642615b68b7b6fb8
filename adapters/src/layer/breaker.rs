//! Leaves a backend alone that keeps failing, so that callers are told at once and the backend can
//! recover; after a while one call is let through to see, and the rest follow when it is answered.
//! Lookups are not guarded: what became of a submit is asked after from time to time, not under load.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::{Adapter, Admitted, Call, Fault};
use tokio::time::Instant;

use super::limit::BUSY;
use super::{Event, Layer, Observe, Outcome, is_failure, unavailable};

/// The code of the fault of a call that was not let through.
pub(super) const OPEN: &str = "circuit-open";

/// When a backend is left alone, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// After this many failures in a row.
    pub failures: u32,
    /// For this long; then one call is let through.
    pub open: Duration,
}

/// The state of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circuit {
    /// Calls pass.
    Closed,
    /// One call may pass, to see.
    HalfOpen,
    /// None passes.
    Open,
}

/// Leaves an adapter alone that keeps failing.
pub struct Breaker {
    policy: BreakerPolicy,
    state: Mutex<State>,
    observer: Arc<dyn Observe>,
}

#[derive(Clone, Copy)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant },
    HalfOpen { probing: bool },
}

impl State {
    fn circuit(self) -> Circuit {
        match self {
            Self::Closed { .. } => Circuit::Closed,
            Self::Open { .. } => Circuit::Open,
            Self::HalfOpen { .. } => Circuit::HalfOpen,
        }
    }
}

/// What a call that was let through has shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Answers,
    Fails,
    /// It was ended before it showed anything, or it never reached the backend.
    Nothing,
}

/// A call that was let through. Dropped without a word it has shown nothing.
struct Passage<'a> {
    breaker: &'a Breaker,
    shown: Shown,
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        self.breaker.learn(self.shown);
    }
}

impl Breaker {
    /// Guards an adapter.
    pub fn new(policy: BreakerPolicy, observer: Arc<dyn Observe>) -> Self {
        observer.observe(Event::Circuit(Circuit::Closed));
        Self { policy, state: Mutex::new(State::Closed { failures: 0 }), observer }
    }

    fn change(&self, next: impl FnOnce(State) -> State) -> State {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *state;
        *state = next(before);
        let now = *state;
        drop(state);
        if now.circuit() != before.circuit() {
            self.observer.observe(Event::Circuit(now.circuit()));
        }
        before
    }

    /// Lets a call through, or says when to come back.
    fn pass(&self) -> Result<Passage<'_>, Fault> {
        let now = Instant::now();
        let before = self.change(|state| match state {
            State::Open { until } if until <= now => State::HalfOpen { probing: true },
            State::HalfOpen { probing: false } => State::HalfOpen { probing: true },
            state => state,
        });
        match before {
            State::Open { until } if until > now => Err(open(until - now)),
            State::HalfOpen { probing: true } => Err(open(self.policy.open)),
            _ => Ok(Passage { breaker: self, shown: Shown::Nothing }),
        }
    }

    fn learn(&self, shown: Shown) {
        let open = State::Open { until: Instant::now() + self.policy.open };
        self.change(|state| match (state, shown) {
            (_, Shown::Answers) => State::Closed { failures: 0 },
            (State::Closed { failures }, Shown::Fails) => {
                let failures = failures.saturating_add(1);
                if failures >= self.policy.failures { open } else { State::Closed { failures } }
            }
            (State::HalfOpen { .. }, Shown::Fails) => open,
            (State::HalfOpen { .. }, Shown::Nothing) => State::HalfOpen { probing: false },
            // One that was let through before it opened.
            (State::Open { .. }, Shown::Fails) | (_, Shown::Nothing) => state,
        });
    }
}

#[async_trait]
impl Layer for Breaker {
    async fn call(
        &self,
        inner: &dyn Adapter,
        admitted: &Admitted,
        call: &Call,
        deadline: Duration,
    ) -> Outcome {
        let mut passage = self.pass()?;
        let outcome = inner.call(admitted, call, deadline).await;
        passage.shown = match &outcome {
            Err(fault) if fault.code == BUSY => Shown::Nothing,
            outcome if is_failure(outcome) => Shown::Fails,
            _ => Shown::Answers,
        };
        outcome
    }

    fn accepts(&self) -> Result<(), Fault> {
        let now = Instant::now();
        match *self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Open { until } if until > now => Err(open(until - now)),
            State::HalfOpen { probing: true } => Err(open(self.policy.open)),
            _ => Ok(()),
        }
    }
}

fn open(wait: Duration) -> Fault {
    unavailable(OPEN, "it failed several times in a row and is left alone").retry_after(wait)
}
