//! Tells somebody who counts what happens at a backend.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::{Adapter, Admitted, Call, Kind, Operation};
use tokio::time::Instant;

use super::{Circuit, Layer, Outcome, is_failure};

/// Something that happened at a backend. Nothing in it is personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An attempt ended.
    Called {
        /// What it was.
        operation: Operation,
        /// What kind of fault it ended in; none when it was answered, whatever the answer says.
        fault: Option<Kind>,
        /// How long it took.
        took: Duration,
    },
    /// A query is asked again after a failure.
    Retried,
    /// A query is asked a second time while the first is under way.
    Hedged,
    /// The circuit changed.
    Circuit(Circuit),
}

/// Somebody who is told what happens at one backend.
pub trait Observe: Send + Sync {
    /// Takes note of it, without waiting.
    fn observe(&self, event: Event);
}

/// Tells of every attempt at an adapter.
pub struct Observed {
    observer: Arc<dyn Observe>,
}

impl Observed {
    /// Tells `observer`.
    pub fn new(observer: Arc<dyn Observe>) -> Self {
        Self { observer }
    }
}

#[async_trait]
impl Layer for Observed {
    async fn call(
        &self,
        inner: &dyn Adapter,
        admitted: &Admitted,
        call: &Call,
        deadline: Duration,
    ) -> Outcome {
        let begun = Instant::now();
        let outcome = inner.call(admitted, call, deadline).await;
        let fault = match &outcome {
            Err(fault) => Some(fault.kind),
            Ok(_) if is_failure(&outcome) => Some(Kind::BackendUnavailable),
            Ok(_) => None,
        };
        let (operation, took) = (call.operation, begun.elapsed());
        self.observer.observe(Event::Called { operation, fault, took });
        outcome
    }
}
