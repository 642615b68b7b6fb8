//! Waiting for a turn at a provider, within the time that an answer is of use.

use std::time::Duration;

use crate::capacity::{Claim, Turn};
use crate::journal::Trail;
use crate::route::Target;
use crate::{Admitted, Fault, Inbound, stage};

use super::Pipeline;

impl Pipeline {
    /// A turn at the provider that `target` names first. Whoever gets none has spent nothing.
    pub(super) async fn turn(
        &self,
        admitted: &Admitted,
        inbound: &Inbound,
        target: &Target,
        patience: Option<Duration>,
        trail: &Trail,
    ) -> Result<Turn, Fault> {
        let Some(provider) = target.providers.first() else {
            return Ok(Turn::default());
        };
        let patience = patience.map_or(provider.deadline, |most| most.min(provider.deadline));
        let yields = inbound.evidence.accepted.is_some() || inbound.evidence.folder.is_some();
        let claim = Claim { admitted, provider: &provider.name, patience, yields };
        let turn = self.capacity.turn(&claim).await;
        if turn.is_err() {
            let (now, bytes) = (self.clock.now(), inbound.body.len() as u64);
            let (envelope, caller) = (admitted.envelope(), admitted.caller());
            let demand = stage::demand(envelope, caller, trail.subject.as_ref(), now, bytes);
            self.quota.give_back(&demand, &trail.quota);
        }
        turn
    }
}
