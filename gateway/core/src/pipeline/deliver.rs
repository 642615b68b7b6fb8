//! To the backend and back: a query is asked, a submit happens once per key, whatever died before.

use crate::adapter::{Answer, Call, Operation, Settlement};
use crate::journal::{Submitted, Trail};
use crate::mapping::Occasion;
use crate::outbox::{Begun, Submission};
use crate::route::Target;
use crate::stage::{Admitted, DIGEST_DOMAIN};
use crate::{Fault, Kind, SubmissionKey};

use super::{Pipeline, outcome_unknown};

/// An outcome in a backend's terms, and who reads it: a submit that was begun earlier is read by the
/// mapping it was said by, whatever its route says today.
pub(super) struct Delivered {
    pub(super) by: Target,
    pub(super) outcome: Result<Answer, Fault>,
}

/// One exchange on its way to a backend.
pub(super) struct Delivery<'a> {
    pub(super) admitted: &'a Admitted,
    pub(super) occasion: Occasion,
    pub(super) call: &'a Call,
}

impl Pipeline {
    /// A query is asked; a submit happens once per key.
    pub(super) async fn deliver(
        &self,
        delivery: &Delivery<'_>,
        target: &Target,
        trail: &mut Trail,
    ) -> Delivered {
        let Delivery { admitted, call, .. } = delivery;
        let (by, outcome) = match (call.operation, admitted.key()) {
            (Operation::Submit, Some(key)) => self.submit(key, delivery, target, trail).await,
            _ => (target.clone(), target.ask(admitted, call, trail).await),
        };
        Delivered { by, outcome }
    }

    async fn submit(
        &self,
        key: SubmissionKey,
        delivery: &Delivery<'_>,
        target: &Target,
        trail: &mut Trail,
    ) -> (Target, Result<Answer, Fault>) {
        let target = target.of_a_submit();
        let begun = match self.begin(key, delivery, &target).await {
            Ok(begun) => begun,
            Err(fault) => return (target, Err(fault)),
        };
        let (by, outcome) = match begun {
            Begun::Settled { mapping, outcome } => {
                trail.submitted = Some((key, Submitted::Repeated));
                return (self.read_by(&mapping, target, trail), outcome);
            }
            Begun::Running => return (target, Err(in_progress())),
            Begun::Reused => return (target, Err(key_reused())),
            Begun::Fresh => {
                // Until an outcome is known, whatever ends this exchange gives the key up.
                trail.submitted = Some((key, Submitted::Released));
                let outcome =
                    self.send(key, delivery.admitted, &target, delivery.call, trail).await;
                (target, outcome)
            }
            Begun::Interrupted(earlier) => {
                trail.submitted = Some((key, Submitted::Released));
                match self.routes.target_of(&earlier) {
                    Some(there) => {
                        let outcome = self.take_up(&earlier, delivery, &there, trail).await;
                        (there, outcome)
                    }
                    None => return (target, Err(gone(&earlier))),
                }
            }
        };
        if is_final(&outcome) {
            trail.submitted = Some((key, Submitted::Settled(outcome.clone())));
        }
        (by, outcome)
    }

    async fn begin(
        &self,
        key: SubmissionKey,
        delivery: &Delivery<'_>,
        target: &Target,
    ) -> Result<Begun, Fault> {
        let envelope = delivery.admitted.envelope();
        let service = envelope.service.id.clone();
        let message = envelope.message.canonical();
        let digest = self.pseudonyms.pseudonym(&service.sector, DIGEST_DOMAIN, &message);
        let submission = Submission {
            key,
            exchange: delivery.occasion.exchange,
            service,
            backend: target.provider(),
            mapping: target.mapping.id().into(),
            ticket: None,
        };
        self.outbox.begin(&submission, &digest.0).await
    }

    /// Finds out what became of an earlier submit. One that is still open is sent again where the
    /// backend knows it by its key.
    async fn take_up(
        &self,
        earlier: &Submission,
        delivery: &Delivery<'_>,
        there: &Target,
        trail: &mut Trail,
    ) -> Result<Answer, Fault> {
        trail.route = Some(there.provider());
        trail.mapping = Some(there.mapping.id().to_owned());
        if let Settlement::Settled(outcome) = there.look_up(earlier).await? {
            return outcome;
        }
        let call = there.map(delivery.admitted, delivery.occasion, trail)?;
        match call.repeatable {
            true => self.send(earlier.key, delivery.admitted, there, &call, trail).await,
            false => Err(outcome_unknown()),
        }
    }

    /// Sends a submit. Where the backend says that nothing was done, nothing is kept to look up.
    async fn send(
        &self,
        key: SubmissionKey,
        admitted: &Admitted,
        target: &Target,
        call: &Call,
        trail: &mut Trail,
    ) -> Result<Answer, Fault> {
        let outcome = target.ask(admitted, call, trail).await;
        let was_not_done =
            |fault: &Fault| !matches!(fault.kind, Kind::BackendRefused | Kind::OutcomeUnknown);
        if trail.received.is_some() && outcome.as_ref().is_err_and(was_not_done) {
            self.outbox.withdraw(&key).await?;
        }
        outcome
    }

    fn read_by(&self, mapping: &str, mut target: Target, trail: &mut Trail) -> Target {
        if let Some(mapping) = self.routes.mapping(mapping) {
            target.mapping = mapping.clone();
            trail.mapping = Some(mapping.id().to_owned());
        }
        target
    }
}

/// Whether the same key may never be tried again: it happened, or the ledger refused it.
fn is_final(outcome: &Result<Answer, Fault>) -> bool {
    outcome.as_ref().map_or_else(|fault| fault.kind == Kind::BackendRefused, |_| true)
}

fn in_progress() -> Fault {
    Fault::new(
        Kind::OutcomeUnknown,
        "in-progress",
        "a request under this idempotency key is being worked on; ask again under the same key",
    )
}

fn key_reused() -> Fault {
    Fault::new(
        Kind::Malformed,
        "idempotency-key-reused",
        "this idempotency key was used for a different request",
    )
}

/// The backend it was sent to is not configured any more, and nobody else knows what became of it.
pub(super) fn gone(submission: &Submission) -> Fault {
    let says = "configure it again until this is settled";
    outcome_unknown().context(format_args!("there is no backend {}; {says}", submission.backend))
}
