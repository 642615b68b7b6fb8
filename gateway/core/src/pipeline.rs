//! The life of a request. Read this first.

mod accept;
mod deliver;
mod establish;
mod recover;
mod turn;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;

use crate::caller::Authenticate;
use crate::capacity::Capacity;
use crate::consent::Consents;
use crate::front::{Exchange, LOSS_HEADER};
use crate::journal::{Record, RecordKind, Submitted, Trail};
use crate::mapping::Occasion;
use crate::mirror::{Mirror, Mirrored};
use crate::policy::Authorize;
use crate::quota::{Quota, QuotaState, Unit};
use crate::route::{Route, Routes};
use crate::stage::{self, Admitted};
use crate::{Clock, Draft, Fault, Inbound, Journal, Kind, Message, Outbox, Pseudonymize, Reply};

pub use accept::{Accepted, Defer};
use deliver::{Delivered, Delivery};
pub use establish::{Established, Finding};

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
    /// Who has a turn when there is more to do than can be done.
    pub capacity: Arc<dyn Capacity>,
    /// Where services are.
    pub routes: Routes,
    /// Who asks queries elsewhere too and compares; nobody when absent.
    pub mirror: Option<Arc<dyn Mirror>>,
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
        self.give_back(&trail).await;
        let (draft, fault) = self.encode(&inbound, &trail, outcome);
        trail.losses = draft.header(LOSS_HEADER).map(str::to_owned);
        self.count_reply(&trail, draft.body.len());
        let record = self.record(&inbound, &trail, &draft.body, fault.as_ref());
        match self.journal.append(record).await {
            Ok(receipt) => {
                self.settle(&trail).await;
                draft.seal(Some(&receipt)).retry(fault.as_ref())
            }
            Err(broken) => self.unrecorded(&inbound, &trail, broken).await,
        }
    }

    /// A use of a consent counts once a backend has answered; before, the person has lost nothing.
    /// If it cannot be given back it stays counted: nothing is used more often than agreed.
    async fn give_back(&self, trail: &Trail) {
        let counted = trail.consent.as_ref().and_then(|used| Some((used.id, used.counted?)));
        if let Some((consent, key)) = counted.filter(|_| !trail.answered)
            && let Err(fault) = self.consents.give_back(consent, &key).await
        {
            tracing::error!(fault.code = %fault.code, "a use stays counted: {fault}");
        }
    }

    fn record<'a>(
        &self,
        inbound: &'a Inbound,
        trail: &'a Trail,
        reply: &'a [u8],
        fault: Option<&'a Fault>,
    ) -> Record<'a> {
        Record {
            exchange: inbound.id,
            kind: RecordKind::Exchange,
            received: inbound.received,
            finished: self.clock.now(),
            front: inbound.front.name(),
            trail,
            request: &inbound.body,
            reply,
            fault,
        }
    }

    /// The main path, one line per stage.
    async fn exchange(&self, inbound: &Inbound, trail: &mut Trail) -> Result<Message, Fault> {
        self.journal.writable()?;
        let envelope = Arc::new(inbound.front.decode(inbound)?);
        trail.envelope = Some(envelope.clone());
        let (auth, keys, now) = (&*self.authenticator, &*self.pseudonyms, self.clock.now());

        let identified = stage::authenticate(envelope, &inbound.evidence, auth, trail).await?;
        let access = &*self.authorizer;
        let authorized = stage::authorize(identified, &inbound.evidence, access, now, trail)?;
        let consented = stage::consent(authorized, &*self.consents, keys, now, trail).await?;
        let bytes = inbound.body.len() as u64;
        let (quota, occasion) = (&*self.quota, Occasion { exchange: inbound.id, now });
        let admitting =
            stage::admit(consented, quota, &*self.consents, keys, occasion, bytes, trail);
        let admitted = admitting.await?;

        let route = self.routes.route(&admitted)?;
        let target = route.target(|| admitted.spot(keys));
        let waits = inbound.patience(self.clock.now())?;
        let patience = waits.into_iter().chain(inbound.front.patience(admitted.envelope())).min();
        let turn = self.turn(&admitted, inbound, target, patience, trail).await?;
        let bounded = target.after(turn.waited, patience);
        let target = bounded.as_ref().unwrap_or(target);
        let call = target.map(&admitted, occasion, trail)?;
        let delivery = Delivery { admitted: &admitted, occasion, call: &call };
        let Delivered { by, outcome } = self.deliver(&delivery, target, trail).await;
        trail.answered = trail.received.is_some() || outcome.is_ok();
        trail.proof = outcome.as_ref().ok().and_then(|answer| answer.proof.clone());
        let outcome = by.map_back(&admitted, outcome);
        self.cut(route, admitted, occasion, outcome, trail)
    }

    /// Offers a query to be asked elsewhere too, and cuts the answer to what the consent covers.
    fn cut(
        &self,
        route: &Route,
        mut admitted: Admitted,
        occasion: Occasion,
        outcome: Result<Message, Fault>,
        trail: &mut Trail,
    ) -> Result<Message, Fault> {
        let mirror = route.mirror(&admitted, occasion.exchange).zip(self.mirror.as_ref());
        let Some((target, mirror)) = mirror else {
            return Ok(admitted.cut(outcome?));
        };
        let cut = outcome.clone().map(|answer| admitted.cut(answer));
        let by = target.mapping.id().to_owned();
        admitted.release();
        let taken = mirror.offer(Mirrored { admitted, occasion, target: target.clone(), outcome });
        trail.mirror = taken.then_some(by);
        cut
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
        caught.unwrap_or_else(|_| Err(defect()))
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
            quota: &trail.quota,
            now: self.clock.now(),
        }
    }

    /// Bytes of a reply count like those of its request, where somebody counts bytes.
    fn count_reply(&self, trail: &Trail, bytes: usize) {
        let counts = trail.quota.iter().any(|state| state.unit == Unit::ContentBytes);
        let refused = trail.quota.iter().any(QuotaState::refuses);
        if let (true, false, Some(envelope), Some(caller)) =
            (counts, refused, &trail.envelope, &trail.caller)
        {
            let (subject, now) = (trail.subject.as_ref(), self.clock.now());
            self.quota.replied(&stage::demand(envelope, caller, subject, now, bytes as u64));
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
}

fn defect() -> Fault {
    let fault = Fault::new(Kind::Internal, "defect", "the gateway failed; it was recorded");
    fault.context("a stage panicked; the panic message is in the log")
}

fn outcome_unknown() -> Fault {
    Fault::new(
        Kind::OutcomeUnknown,
        "outcome-unknown",
        "it was sent and its outcome is not known yet; ask again under the same key",
    )
}
