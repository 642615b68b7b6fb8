//! Takes letters and works on them, as many at once as configured. What is in work when the process
//! dies is due again at the next start: an exchange meets its own outcome under its key, and a
//! receiver knows a callback by its id.

use std::sync::Arc;
use std::time::Duration;

use gateway_core::journal::{RecordKind, Trail};
use gateway_core::letter::{Ending, Letter, State, Task};
use gateway_core::{Evidence, ExchangeId, Fault, Inbound, Kind, Pipeline, Record};
use serde_json::json;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use super::events::{COMPLETED, Callback, Event, FAILED};
use super::kept::{KeptReply, KeptRequest};
use super::retry::random;
use super::webhook::Sent;
use super::{Later, Subscription};
use crate::listen::Gateway;
use crate::telemetry::Metrics;

/// How often it is looked whether something has become due.
const LOOK: Duration = Duration::from_millis(250);

/// Works on `workers` letters at once until `stop`, each on the deployment of its moment; what was begun
/// is finished with the gateway's other exchanges.
pub async fn work(gateway: Gateway, due: Arc<Notify>, workers: usize, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(workers));
    while stop.run_until_cancelled(something_to_do(&due, &places)).await.is_some() {
        let deployment = gateway.current();
        let Some(later) = &deployment.later else { continue };
        let free = u32::try_from(places.available_permits()).unwrap_or(u32::MAX);
        let letters = match later.letters.take(free).await {
            Ok(letters) => letters,
            Err(fault) => {
                tracing::error!("the queue cannot be read: {fault}");
                continue;
            }
        };
        for letter in letters {
            let (later, deployment) = (later.clone(), deployment.clone());
            let (metrics, due) = (gateway.metrics().clone(), due.clone());
            let place = places.clone().acquire_owned().await;
            drop(gateway.spawn(async move {
                later.finish(&letter, &deployment.pipeline, &metrics).await;
                drop(place);
                due.notify_one();
            }));
        }
    }
}

async fn something_to_do(due: &Notify, places: &Semaphore) {
    let _ = tokio::time::timeout(LOOK, due.notified()).await;
    // Only the loop above takes places, so one that is free now stays free for it.
    let _ = places.acquire().await;
}

/// What to do with a letter that was worked on.
enum Next {
    /// It has ended.
    End(Ending, Vec<Letter>),
    /// It is tried again after this long.
    Again(Duration, String),
}

impl Later {
    async fn finish(&self, letter: &Letter, pipeline: &Pipeline, metrics: &Metrics) {
        let worked = match letter.task {
            Task::Exchange => self.exchange(letter, pipeline).await,
            Task::Delivery => self.deliver(letter, pipeline).await,
        };
        let next = worked.unwrap_or_else(|fault| self.given_up(&fault.to_string()));
        let task = letter.task.name();
        let kept = match next {
            Next::End(ending, following) => {
                metrics.letter(task, ending.state.name());
                tracing::info!(
                    letter.id = %letter.id,
                    letter.task = task,
                    letter.subject,
                    state = ending.state.name(),
                    reason = ending.reason,
                    "a letter has ended"
                );
                self.letters.end(letter.id, &ending, &following).await
            }
            Next::Again(wait, reason) => {
                metrics.letter(task, "postponed");
                let now = self.clock.now();
                let due = now.checked_add(wait).unwrap_or(now);
                self.letters.postpone(letter.id, due, &reason).await
            }
        };
        if let Err(fault) = kept {
            tracing::error!(letter.id = %letter.id, "a letter is worked on again: {fault}");
        }
    }

    /// Handles a kept request as if it came now, except that its caller was known when it came.
    async fn exchange(&self, letter: &Letter, pipeline: &Pipeline) -> Result<Next, Fault> {
        let KeptRequest { head, body } = KeptRequest::open(letter.id, &letter.content, &self.seal)?;
        let front = self.fronts.get(&head.mapping).cloned().ok_or_else(|| {
            Fault::new(Kind::Unroutable, "mapping-gone", "its mapping is not here any more")
        })?;
        let inbound = Inbound {
            id: ExchangeId(letter.id),
            front,
            evidence: Evidence {
                accepted: Some(head.caller),
                address: head.address,
                ..Evidence::default()
            },
            attributes: head.attributes,
            body,
            received: self.clock.now(),
            deadline: None,
        };
        let front = inbound.front.name().to_owned();
        let reply = pipeline.handle(inbound).await;
        let attempts = letter.attempts.saturating_add(1);
        let (event, state) = match (reply.fault, reply.retry_after) {
            (Some(Kind::Internal), _) => (FAILED, State::Dead),
            (Some(kind), Some(asked)) => {
                match self.settings.backoff.wait(attempts, Some(asked), random()) {
                    Some(wait) => return Ok(Next::Again(wait, kind.to_string())),
                    None => (FAILED, State::Dead),
                }
            }
            _ => (COMPLETED, State::Done),
        };
        self.ended(letter, &KeptReply::of(&front, &reply), reply.fault, (event, state))
    }

    fn ended(
        &self,
        letter: &Letter,
        reply: &KeptReply,
        fault: Option<Kind>,
        (event, state): (&str, State),
    ) -> Result<Next, Fault> {
        let event = Event {
            kind: event,
            member: &letter.member,
            exchange: ExchangeId(letter.id),
            data: json!({
                "exchange": letter.id,
                "service": letter.subject,
                "status": reply.status,
                "fault": fault,
            }),
            reply: Some(reply),
        };
        let keep = if state == State::Dead { self.settings.keep_dead } else { self.settings.keep };
        let ending = Ending {
            state,
            outcome: Some(reply.close(letter.id, &self.seal)?),
            reason: fault.map(|kind| kind.to_string()),
            keep_until: self.clock.now().checked_add(keep).ok(),
        };
        Ok(Next::End(ending, self.callbacks(&event)?))
    }

    async fn deliver(&self, letter: &Letter, pipeline: &Pipeline) -> Result<Next, Fault> {
        let callback = Callback::open(letter.id, &letter.content, &self.seal)?;
        if let Err(fault) = pipeline.journal.writable() {
            // What could not be put on record is not done.
            let wait = self.settings.backoff.longest;
            return Ok(Next::Again(wait, fault.to_string()));
        }
        let next = self.send(letter, &callback).await;
        let recorded = record(letter, &callback, &next, pipeline).await;
        if let Err(fault) = recorded {
            tracing::error!(letter.id = %letter.id, "a delivery is not on record: {fault}");
        }
        Ok(next)
    }

    async fn send(&self, letter: &Letter, callback: &Callback) -> Next {
        let is_its_own = |one: &&Subscription| Some(&one.name) == letter.lane.as_ref();
        let Some(subscription) = self.subscriptions.iter().find(is_its_own) else {
            return self.given_up("there is no such subscription any more");
        };
        let (now, body) = (self.clock.now(), callback.body.clone());
        match subscription.endpoint.send(letter.id, now, &callback.content_type, body).await {
            Sent::Received => {
                let done =
                    Ending { state: State::Done, outcome: None, reason: None, keep_until: None };
                Next::End(done, vec![])
            }
            Sent::Gone => self.given_up("it answered 410: nothing more is wanted there"),
            Sent::Later { reason, after } => {
                let attempts = letter.attempts.saturating_add(1);
                match self.settings.backoff.wait(attempts, after, random()) {
                    Some(wait) => Next::Again(wait, reason),
                    None => self.given_up(&reason),
                }
            }
        }
    }

    /// A dead letter.
    fn given_up(&self, reason: &str) -> Next {
        let keep_until = self.clock.now().checked_add(self.settings.keep_dead).ok();
        let reason = Some(reason.to_owned());
        Next::End(Ending { state: State::Dead, outcome: None, reason, keep_until }, vec![])
    }
}

/// Puts an attempt at a callback on record, under the letter's own id: what it came to, to whom, of
/// which exchange, and a commitment to its bytes.
async fn record(
    letter: &Letter,
    callback: &Callback,
    next: &Next,
    pipeline: &Pipeline,
) -> Result<(), Fault> {
    let fault = match next {
        Next::End(Ending { state: State::Done, .. }, _) => None,
        Next::End(..) => Some("callback-given-up"),
        Next::Again(..) => Some("callback-failed"),
    };
    let says = "the subscriber has not taken the callback";
    let fault = fault.map(|code| Fault::new(Kind::BackendUnavailable, code, says));
    let trail = Trail {
        configuration: Some(pipeline.configuration.clone()),
        route: letter.lane.as_deref().map(Arc::from),
        about: Some(callback.exchange),
        ..Trail::default()
    };
    let now = pipeline.clock.now();
    let record = Record {
        exchange: ExchangeId(letter.id),
        kind: RecordKind::Delivery,
        received: now,
        finished: now,
        front: "callback",
        trail: &trail,
        request: &callback.body,
        reply: &[],
        fault: fault.as_ref(),
    };
    pipeline.journal.append(record).await.map(drop)
}
