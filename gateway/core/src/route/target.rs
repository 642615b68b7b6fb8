//! Where a route leads: a mapping, and the backends that understand what it says.

use std::sync::Arc;
use std::time::Duration;

use crate::adapter::{Answer, Call, Operation, Response, Settlement};
use crate::journal::Trail;
use crate::mapping::Occasion;
use crate::outbox::Submission;
use crate::{Adapter, Admitted, Fault, Kind, Mapping, Message};

/// A backend as routes name it.
pub struct Provider {
    /// Its configured name, e.g. `welfare-ledger`.
    pub name: Arc<str>,
    /// It, with its layers around it.
    pub adapter: Arc<dyn Adapter>,
    /// How long one attempt at it may take.
    pub deadline: Duration,
}

/// A mapping, and the backends that understand what it says.
#[derive(Clone)]
pub struct Target {
    /// Service's terms ↔ backends' terms.
    pub mapping: Arc<dyn Mapping>,
    /// The preferred one first. Of a query that one does not answer the next is asked; a submit goes
    /// to the first that takes calls, and to no other.
    pub providers: Vec<Arc<Provider>>,
}

impl Target {
    /// Says the request in the backends' terms.
    ///
    /// # Errors
    /// As [`Mapping::map`].
    pub(crate) fn map(
        &self,
        admitted: &Admitted,
        occasion: Occasion,
        trail: &mut Trail,
    ) -> Result<Call, Fault> {
        trail.route = self.providers.first().map(|provider| provider.name.clone());
        trail.mapping = Some(self.mapping.id().to_owned());
        let call = self.mapping.map(admitted, occasion)?;
        trail.call = Some(call.clone());
        Ok(call)
    }

    /// Says the backend's answer or refusal in the service's terms.
    ///
    /// # Errors
    /// As [`Mapping::map_back`], and the refusal.
    pub(crate) fn map_back(
        &self,
        admitted: &Admitted,
        outcome: Result<Answer, Fault>,
    ) -> Result<Message, Fault> {
        let answer = outcome.map_err(|fault| self.mapping.refusal(fault))?;
        self.mapping.map_back(admitted, &answer)
    }

    /// The same with deadlines that are not later than what a caller's side allows, once so much time
    /// has gone by; nothing where they stay as they are.
    pub(crate) fn after(&self, waited: Duration, patience: Option<Duration>) -> Option<Arc<Self>> {
        let deadline = || self.providers.first().map(|provider| provider.deadline);
        let patience = patience.or_else(|| deadline().filter(|_| !waited.is_zero()));
        patience.map(|patience| Arc::new(self.within(patience.saturating_sub(waited))))
    }

    fn within(&self, patience: Duration) -> Self {
        let shortened = |provider: &Arc<Provider>| match provider.deadline <= patience {
            true => provider.clone(),
            false => {
                let Provider { name, adapter, .. } = &**provider;
                let (name, adapter) = (name.clone(), adapter.clone());
                Arc::new(Provider { name, adapter, deadline: patience })
            }
        };
        let providers = self.providers.iter().map(shortened).collect();
        Self { mapping: self.mapping.clone(), providers }
    }

    /// The same, by the provider that a submit goes to: the first that takes calls.
    pub(crate) fn of_a_submit(&self) -> Self {
        let takes_calls = |provider: &&Arc<Provider>| provider.adapter.accepts().is_ok();
        let chosen = self.providers.iter().find(takes_calls).or(self.providers.first());
        Self { mapping: self.mapping.clone(), providers: chosen.cloned().into_iter().collect() }
    }

    /// The name of the provider that is asked first.
    pub(crate) fn provider(&self) -> Arc<str> {
        self.providers.first().map_or_else(|| "".into(), |provider| provider.name.clone())
    }

    /// Calls, and reads what comes back. Only a query goes on to the next provider, and only from
    /// one that did nothing.
    pub(crate) async fn ask(
        &self,
        admitted: &Admitted,
        call: &Call,
        trail: &mut Trail,
    ) -> Result<Answer, Fault> {
        let mut outcome = Err(no_provider());
        for provider in &self.providers {
            trail.route = Some(provider.name.clone());
            outcome = provider.ask(&*self.mapping, admitted, call, trail).await;
            let did_nothing =
                matches!(&outcome, Err(fault) if fault.kind == Kind::BackendUnavailable);
            if call.operation == Operation::Submit || !did_nothing {
                break;
            }
        }
        outcome
    }

    /// What became of an earlier submit, as far as the provider it went to says.
    pub(crate) async fn look_up(&self, submission: &Submission) -> Result<Settlement, Fault> {
        let provider = self.providers.first().ok_or_else(no_provider)?;
        match provider.adapter.lookup(submission, provider.deadline).await? {
            Settlement::Reported(report) => self.mapping.settlement(&submission.service, report),
            settlement => Ok(settlement),
        }
    }
}

impl Provider {
    async fn ask(
        &self,
        mapping: &dyn Mapping,
        admitted: &Admitted,
        call: &Call,
        trail: &mut Trail,
    ) -> Result<Answer, Fault> {
        trail.received = None;
        let response = self.adapter.call(admitted, call, self.deadline).await?;
        if let Response::Received(received) = &response {
            trail.received = Some(received.clone());
        }
        mapping.answer(&admitted.envelope().service.id, response)
    }
}

fn no_provider() -> Fault {
    let public = "this service has no provider here";
    Fault::new(Kind::BackendUnavailable, "no-provider", public)
}
