//! The life of a request. Read this first.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;

use crate::adapter::{Answer, Call, Operation, Response, Settlement};
use crate::caller::Authenticate;
use crate::consent::Consents;
use crate::front::Exchange;
use crate::journal::{Record, RecordKind, Submitted, Trail};
use crate::mapping::Occasion;
use crate::outbox::{Begun, Submission};
use crate::policy::{Authorize, Quota};
use crate::route::{Route, Routes};
use crate::stage::{self, Admitted, DIGEST_DOMAIN};
use crate::{
    Clock, Draft, Fault, Inbound, Journal, Kind, Message, Outbox, Pseudonymize, Reply,
    SubmissionKey,
};

/// Everything an exchange passes through.
pub struct Pipeline {
    /// What all of this was made from; every record names it.
    pub configuration: Arc<str>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The sectors' keys.
    pub pseudonyms: Arc<dyn Pseudonymize>,
    /// Who calls.
    pub authenticator: Arc<dyn Authenticate>,
    /// Who may do what.
    pub authorizer: Arc<dyn Authorize>,
    /// What persons agreed to.
    pub consents: Arc<dyn Consents>,
    /// How much each may do.
    pub quota: Arc<dyn Quota>,
    /// Where services are.
    pub routes: Routes,
    /// Submits under way.
    pub outbox: Arc<dyn Outbox>,
    /// The evidence log.
    pub journal: Arc<dyn Journal>,
}

impl Pipeline {
    /// Handles one request. It cannot fail: every error is a reply, and no reply leaves before the
    /// journal holds the exchange, refusals too.
    ///
    /// Run it to its end: a listener whose client hangs up lets it finish.
    pub async fn handle(&self, inbound: Inbound) -> Reply {
        let mut trail = self.trail();
        let outcome = self.exchange_caught(&inbound, &mut trail).await;
        let (draft, fault) = self.encode(&inbound, &trail, outcome);
        let record = Record {
            exchange: inbound.id,
            kind: RecordKind::Exchange,
            received: inbound.received,
            finished: self.clock.now(),
            front: inbound.front.name(),
            trail: &trail,
            request: &inbound.body,
            reply: &draft.body,
            fault: fault.as_ref(),
        };
        match self.journal.append(record).await {
            Ok(receipt) => {
                self.settle(&trail).await;
                draft.seal(Some(&receipt)).retry(fault.as_ref())
            }
            Err(broken) => self.unrecorded(&inbound, &trail, broken).await,
        }
    }

    /// The main path, one line per stage.
    async fn exchange(&self, inbound: &Inbound, trail: &mut Trail) -> Result<Message, Fault> {
        self.journal.writable()?;
        let envelope = Arc::new(inbound.front.decode(inbound)?);
        trail.envelope = Some(envelope.clone());
        let (auth, keys, now) = (&*self.authenticator, &*self.pseudonyms, self.clock.now());

        let identified = stage::authenticate(envelope, &inbound.evidence, auth, trail).await?;
        let authorized = stage::authorize(identified, &*self.authorizer, trail)?;
        let consented = stage::consent(authorized, &*self.consents, keys, now, trail).await?;
        let admitted = stage::admit(consented, &*self.quota, keys, trail)?;

        let route = self.routes.route(&admitted)?;
        trail.route = Some(route.name.clone());
        trail.mapping = Some(route.mapping.id().to_owned());
        let occasion = Occasion { exchange: inbound.id, now };
        let call = route.mapping.map(&admitted, occasion)?;
        trail.call = Some(call.clone());
        let answer = self.deliver(inbound, &admitted, route, &call, trail).await;
        let answer = answer.map_err(|fault| route.mapping.refusal(fault))?;
        trail.proof.clone_from(&answer.proof);
        Ok(admitted.cut(route.mapping.map_back(&admitted, &answer)?))
    }

    /// A query is asked; a submit happens once per key, whatever died before.
    async fn deliver(
        &self,
        inbound: &Inbound,
        admitted: &Admitted,
        route: &Route,
        call: &Call,
        trail: &mut Trail,
    ) -> Result<Answer, Fault> {
        let key = match (call.operation, admitted.key()) {
            (Operation::Submit, Some(key)) => key,
            _ => return ask(admitted, route, call, trail).await,
        };
        let envelope = admitted.envelope();
        let service = envelope.service.id.clone();
        let message = envelope.message.canonical();
        let digest = self.pseudonyms.pseudonym(&service.sector, DIGEST_DOMAIN, &message);
        let submission = Submission { key, exchange: inbound.id, service, ticket: None };

        let outcome = match self.outbox.begin(&submission, &digest.0).await? {
            Begun::Settled(outcome) => {
                trail.submitted = Some((key, Submitted::Repeated));
                return outcome;
            }
            Begun::Running => return Err(in_progress()),
            Begun::Reused => return Err(key_reused()),
            Begun::Fresh => {
                // Until an outcome is known, whatever ends this exchange gives the key up.
                trail.submitted = Some((key, Submitted::Released));
                self.send(key, admitted, route, call, trail).await
            }
            Begun::Interrupted(earlier) => {
                trail.submitted = Some((key, Submitted::Released));
                match look_up(route, &earlier).await? {
                    Settlement::Settled(outcome) => outcome,
                    // The same request came again, and the backend knows it by its key.
                    _ if call.repeatable => self.send(key, admitted, route, call, trail).await,
                    _ => Err(outcome_unknown()),
                }
            }
        };
        if is_final(&outcome) {
            trail.submitted = Some((key, Submitted::Settled(outcome.clone())));
        }
        outcome
    }

    /// Sends a submit. Where the backend says that nothing was done, nothing is kept to look up.
    async fn send(
        &self,
        key: SubmissionKey,
        admitted: &Admitted,
        route: &Route,
        call: &Call,
        trail: &mut Trail,
    ) -> Result<Answer, Fault> {
        let outcome = ask(admitted, route, call, trail).await;
        if trail.received.is_some()
            && matches!(&outcome, Err(fault) if fault.kind == Kind::BackendUnavailable)
        {
            self.outbox.withdraw(&key).await?;
        }
        outcome
    }

    fn trail(&self) -> Trail {
        Trail { configuration: Some(self.configuration.clone()), ..Trail::default() }
    }

    /// A panic in a stage is a defect of ours and becomes a fault like any other.
    async fn exchange_caught(
        &self,
        inbound: &Inbound,
        trail: &mut Trail,
    ) -> Result<Message, Fault> {
        let caught = AssertUnwindSafe(self.exchange(inbound, trail)).catch_unwind().await;
        caught.unwrap_or_else(|_| {
            let fault = Fault::new(Kind::Internal, "defect", "the gateway failed; it was recorded");
            Err(fault.context("a stage panicked; the panic message is in the log"))
        })
    }

    /// The one place where an outcome becomes bytes.
    fn encode(
        &self,
        inbound: &Inbound,
        trail: &Trail,
        outcome: Result<Message, Fault>,
    ) -> (Draft, Option<Fault>) {
        let exchange = self.reply_to(inbound, trail);
        let encoded = outcome.and_then(|answer| inbound.front.encode(&exchange, &answer));
        match encoded {
            Ok(draft) => (draft, None),
            Err(fault) => (inbound.front.refuse(&exchange, &fault), Some(fault)),
        }
    }

    fn reply_to<'a>(&self, inbound: &'a Inbound, trail: &'a Trail) -> Exchange<'a> {
        Exchange {
            id: inbound.id,
            inbound,
            envelope: trail.envelope.as_ref(),
            quota: trail.quota.as_ref(),
            now: self.clock.now(),
        }
    }

    /// Closes the outbox entry of a journaled exchange. If this fails the entry stays open, and
    /// the next request under the key, or the next start, looks it up: nothing is lost.
    async fn settle(&self, trail: &Trail) {
        let closed = match &trail.submitted {
            Some((key, Submitted::Settled(outcome))) => self.outbox.settle(key, outcome).await,
            Some((key, Submitted::Released)) => self.outbox.release(key).await,
            Some((_, Submitted::Repeated)) | None => Ok(()),
        };
        if let Err(fault) = closed {
            tracing::error!(fault.code = %fault.code, "outbox entry stays open: {fault}");
        }
    }

    /// The journal broke under a request: without evidence there is no answer.
    async fn unrecorded(&self, inbound: &Inbound, trail: &Trail, broken: Fault) -> Reply {
        tracing::error!(exchange.id = %inbound.id, "not recorded, so not answered: {broken}");
        let fault = match &trail.submitted {
            Some((key, _)) => {
                if let Err(fault) = self.outbox.release(key).await {
                    tracing::error!("outbox entry stays claimed until restart: {fault}");
                }
                outcome_unknown()
            }
            None => broken,
        };
        inbound.front.refuse(&self.reply_to(inbound, trail), &fault).seal(None)
    }

    /// Settles what a dead process left open: looks each up, journals the outcome, closes it.
    /// Returns how many were settled and how many are still pending.
    ///
    /// # Errors
    /// When the store or the journal cannot be used; a backend that is away leaves its own pending.
    pub async fn recover(&self) -> Result<(usize, usize), Fault> {
        let (mut settled, mut pending) = (0, 0);
        for submission in self.outbox.unsettled().await? {
            let looked_up = match self.routes.get(&submission.service) {
                Ok(route) => look_up(route, &submission).await,
                Err(fault) => Err(fault),
            };
            match looked_up {
                Ok(Settlement::Settled(outcome)) => {
                    self.record_settlement(&submission, &outcome).await?;
                    self.outbox.settle(&submission.key, &outcome).await?;
                    settled += 1;
                }
                Ok(Settlement::Pending | Settlement::Reported(_)) => pending += 1,
                Err(fault) => {
                    tracing::warn!(exchange.id = %submission.exchange, "still open: {fault}");
                    pending += 1;
                }
            }
        }
        Ok((settled, pending))
    }

    async fn record_settlement(
        &self,
        submission: &Submission,
        outcome: &Result<Answer, Fault>,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let trail = Trail {
            submitted: Some((submission.key, Submitted::Settled(outcome.clone()))),
            proof: outcome.as_ref().ok().and_then(|answer| answer.proof.clone()),
            ..self.trail()
        };
        let record = Record {
            exchange: submission.exchange,
            kind: RecordKind::Settlement,
            received: now,
            finished: now,
            front: "recovery",
            trail: &trail,
            request: &[],
            reply: &[],
            fault: outcome.as_ref().err(),
        };
        self.journal.append(record).await.map(drop)
    }
}

/// Calls the backend and reads what it says.
async fn ask(
    admitted: &Admitted,
    route: &Route,
    call: &Call,
    trail: &mut Trail,
) -> Result<Answer, Fault> {
    let response = route.adapter.call(admitted, call, route.deadline).await?;
    if let Response::Received(received) = &response {
        trail.received = Some(received.clone());
    }
    route.mapping.answer(&admitted.envelope().service.id, response)
}

/// What became of an earlier submit, as far as the backend says.
async fn look_up(route: &Route, submission: &Submission) -> Result<Settlement, Fault> {
    match route.adapter.lookup(submission, route.deadline).await? {
        Settlement::Reported(report) => route.mapping.settlement(&submission.service, report),
        settlement => Ok(settlement),
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

fn outcome_unknown() -> Fault {
    Fault::new(
        Kind::OutcomeUnknown,
        "outcome-unknown",
        "it was sent and its outcome is not known yet; ask again under the same key",
    )
}
