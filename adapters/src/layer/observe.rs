//! Tells somebody who counts what happens at a backend.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::adapter::Settlement;
use gateway_core::outbox::Submission;
use gateway_core::{Adapter, Admitted, Call, Fault, Kind, Operation, Profile};
use tokio::time::Instant;

use super::{Circuit, Outcome, is_failure};

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

/// An adapter whose every attempt is told.
pub struct Observed {
    inner: Arc<dyn Adapter>,
    observer: Arc<dyn Observe>,
}

impl Observed {
    /// Tells `observer` of every call of `inner`.
    pub fn new(inner: Arc<dyn Adapter>, observer: Arc<dyn Observe>) -> Self {
        Self { inner, observer }
    }
}

#[async_trait]
impl Adapter for Observed {
    fn profile(&self) -> &Profile {
        self.inner.profile()
    }

    async fn call(&self, admitted: &Admitted, call: &Call, deadline: Duration) -> Outcome {
        let begun = Instant::now();
        let outcome = self.inner.call(admitted, call, deadline).await;
        let fault = match &outcome {
            Err(fault) => Some(fault.kind),
            Ok(_) if is_failure(&outcome) => Some(Kind::BackendUnavailable),
            Ok(_) => None,
        };
        let (operation, took) = (call.operation, begun.elapsed());
        self.observer.observe(Event::Called { operation, fault, took });
        outcome
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
