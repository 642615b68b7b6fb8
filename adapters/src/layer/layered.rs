//! What all layers have in common: each stands around another adapter, and does itself only what it is
//! there for. Everything else is as the inner one has it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::adapter::Settlement;
use gateway_core::outbox::Submission;
use gateway_core::{Adapter, Admitted, Call, Fault, Profile};

use super::Outcome;

/// What one layer does. It is told which adapter it stands around.
#[async_trait]
pub trait Layer: Send + Sync {
    /// As [`Adapter::call`].
    async fn call(
        &self,
        inner: &dyn Adapter,
        admitted: &Admitted,
        call: &Call,
        deadline: Duration,
    ) -> Outcome;

    /// As [`Adapter::lookup`].
    async fn lookup(
        &self,
        inner: &dyn Adapter,
        submission: &Submission,
        deadline: Duration,
    ) -> Result<Settlement, Fault> {
        inner.lookup(submission, deadline).await
    }

    /// As [`Adapter::accepts`], as far as the layer has a say in it.
    fn accepts(&self) -> Result<(), Fault> {
        Ok(())
    }
}

/// An adapter with a layer around it.
pub struct Layered<L> {
    layer: L,
    inner: Arc<dyn Adapter>,
}

impl<L: Layer> Layered<L> {
    /// Puts `layer` around `inner`.
    pub fn new(layer: L, inner: Arc<dyn Adapter>) -> Self {
        Self { layer, inner }
    }
}

#[async_trait]
impl<L: Layer> Adapter for Layered<L> {
    fn profile(&self) -> &Profile {
        self.inner.profile()
    }

    async fn call(&self, admitted: &Admitted, call: &Call, deadline: Duration) -> Outcome {
        self.layer.call(&*self.inner, admitted, call, deadline).await
    }

    async fn lookup(
        &self,
        submission: &Submission,
        deadline: Duration,
    ) -> Result<Settlement, Fault> {
        self.layer.lookup(&*self.inner, submission, deadline).await
    }

    async fn probe(&self) -> Result<(), Fault> {
        self.layer.accepts()?;
        self.inner.probe().await
    }

    fn accepts(&self) -> Result<(), Fault> {
        self.layer.accepts()?;
        self.inner.accepts()
    }
}
