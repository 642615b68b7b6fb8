//! Work that is taken now and done later: asynchronous exchanges and callbacks. A request whose caller
//! does not wait is checked, sealed and kept as a letter, then handled by the pipeline as if it came
//! at that moment: a consent that was withdrawn meanwhile refuses it. See [`gateway_core::letter`].

mod events;
mod kept;
mod retry;
mod seal;
mod webhook;
mod worker;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::front::Front;
use gateway_core::letter::{Claim, Envelope, Letter, LetterBox, Letters, Posted, State, Task};
use gateway_core::pipeline::Defer;
use gateway_core::stage::{DIGEST_DOMAIN, Deferral};
use gateway_core::{Clock, Evidence, ExchangeId, Fault, Inbound, Kind, MemberId, Pseudonymize};
use tokio::sync::Notify;
use uuid::Uuid;

pub use events::{Body, EVENTS, Event, Subscription};
pub use kept::KeptReply;
use kept::{KeptRequest, RequestHead};
pub use retry::Backoff;
pub use seal::Seal;
pub use webhook::{Endpoint, EndpointError, Trust};
pub use worker::work;

use crate::authenticate::Members;

/// How the queue is run.
pub struct LaterSettings {
    /// How long the reply of an exchange is kept.
    pub keep: Duration,
    /// How long a dead letter is kept.
    pub keep_dead: Duration,
    /// Letters of one member and task that may wait.
    pub waiting: u32,
    /// When what failed is tried again.
    pub backoff: Backoff,
}

/// The queue.
pub struct Later {
    letters: Arc<dyn Letters>,
    letter_box: Arc<dyn LetterBox>,
    pseudonyms: Arc<dyn Pseudonymize>,
    members: Arc<Members>,
    clock: Arc<dyn Clock>,
    seal: Seal,
    settings: LaterSettings,
    /// By the id of their mapping.
    fronts: HashMap<String, Arc<dyn Front>>,
    subscriptions: Vec<Subscription>,
    /// Told when there may be something to do.
    due: Arc<Notify>,
}

/// What the queue is made of.
pub struct LaterParts {
    /// Where letters are kept.
    pub letters: Arc<dyn Letters>,
    /// The same, to look at.
    pub letter_box: Arc<dyn LetterBox>,
    /// Told when there may be something to do.
    pub due: Arc<Notify>,
    /// The sectors' keys, for digests.
    pub pseudonyms: Arc<dyn Pseudonymize>,
    /// Who asks for a reply.
    pub members: Arc<Members>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The key of the queue.
    pub seal: Seal,
    /// Every front by the id of its mapping.
    pub fronts: HashMap<String, Arc<dyn Front>>,
    /// Who is called back.
    pub subscriptions: Vec<Subscription>,
}

/// What a caller learns of its exchange.
#[derive(Debug, PartialEq, Eq)]
pub enum Collected {
    /// It is not done yet.
    Waiting,
    /// Its reply.
    Reply(KeptReply),
}

impl Later {
    /// A queue of these parts.
    pub fn new(parts: LaterParts, settings: LaterSettings) -> Self {
        let LaterParts {
            letters,
            letter_box,
            due,
            pseudonyms,
            members,
            clock,
            seal,
            fronts,
            subscriptions,
        } = parts;
        Self {
            letters,
            letter_box,
            pseudonyms,
            members,
            clock,
            seal,
            settings,
            fronts,
            subscriptions,
            due,
        }
    }

    /// The reply of an exchange, for the member that asked it and as long as it is kept.
    ///
    /// # Errors
    /// `Unauthenticated`; `Unroutable` when this member has no such exchange; `Internal` when it
    /// cannot be read.
    pub async fn collect(&self, id: ExchangeId, evidence: &Evidence) -> Result<Collected, Fault> {
        let member = self.members.identify(evidence, None)?.member;
        let found = self.letter_box.look(id.0).await?;
        match found.filter(|(envelope, _)| is_exchange_of(envelope, &member)) {
            None => Err(Fault::new(
                Kind::Unroutable,
                "unknown-exchange",
                "there is no such exchange, or its reply is not kept any longer",
            )),
            Some((Envelope { state: State::Waiting, .. }, _)) | Some((_, None)) => {
                Ok(Collected::Waiting)
            }
            Some((_, Some(sealed))) => {
                KeptReply::open(id.0, &sealed, &self.seal).map(Collected::Reply)
            }
        }
    }

    /// Makes a dead letter wait again. False when it is not dead.
    ///
    /// # Errors
    /// `Internal` when the store cannot be used.
    pub async fn replay(&self, id: Uuid) -> Result<bool, Fault> {
        let replayed = self.letter_box.replay(id).await?;
        self.due.notify_one();
        Ok(replayed)
    }

    /// The letters as operators see them.
    pub fn letter_box(&self) -> &Arc<dyn LetterBox> {
        &self.letter_box
    }
}

fn is_exchange_of(envelope: &Envelope, member: &MemberId) -> bool {
    envelope.task == Task::Exchange && envelope.member == *member
}

#[async_trait]
impl Defer for Later {
    async fn defer(&self, inbound: &Inbound, deferral: &Deferral) -> Result<ExchangeId, Fault> {
        let Deferral { envelope, caller, key } = deferral;
        let service = &envelope.service.id;
        let head = RequestHead {
            mapping: envelope.mapping.to_string(),
            attributes: inbound.attributes.clone(),
            caller: caller.clone(),
            address: inbound.evidence.address,
        };
        let request = KeptRequest { head, body: inbound.body.clone() };
        let letter = Letter {
            id: inbound.id.0,
            task: Task::Exchange,
            member: caller.member.clone(),
            subject: service.to_string(),
            lane: None,
            content: request.close(inbound.id.0, &self.seal)?,
            posted: inbound.received,
            attempts: 0,
        };
        let claim = key.map(|key| {
            let message = envelope.message.canonical();
            let digest = self.pseudonyms.pseudonym(&service.sector, DIGEST_DOMAIN, &message);
            Claim { key, digest: digest.0 }
        });
        match self.letters.post(&letter, claim, self.settings.waiting).await? {
            Posted::New => {
                self.due.notify_one();
                Ok(inbound.id)
            }
            Posted::Known(earlier) => Ok(ExchangeId(earlier)),
            Posted::Reused => Err(Fault::new(
                Kind::Malformed,
                "idempotency-key-reused",
                "this idempotency key was used for a different request",
            )),
            Posted::Full => Err(Fault::new(
                Kind::RateLimited,
                "queue-full",
                "too many requests of this member are waiting already",
            )),
        }
    }
}

#[cfg(test)]
mod tests;
