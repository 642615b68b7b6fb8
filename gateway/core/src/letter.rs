//! Work that is taken now and done later: exchanges that a caller does not wait for, and callbacks to
//! subscribers. A letter is kept until it is done, and what cannot be done lies in one list, the dead
//! letters, until an operator replays or drops it.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Fault, MemberId, SubmissionKey};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// A request is to be handled by the pipeline; its reply is kept for the caller.
    Exchange,
    /// An event is to be delivered to a subscriber.
    Delivery,
}

impl Task {
    /// As it is written in stores, metrics and commands.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exchange => "exchange",
            Self::Delivery => "delivery",
        }
    }
}

/// One piece of work. Its content is personal: who makes it seals it, and nobody else can read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Names it; the id of the exchange, or of the event for its receiver.
    pub id: Uuid,
    /// What is to be done.
    pub task: Task,
    /// Whose it is: the member that asked, or that subscribed.
    pub member: MemberId,
    /// What it is about: the service, or the event's type.
    pub subject: String,
    /// Letters of one lane are worked on one after the other, in the order they were posted.
    pub lane: Option<String>,
    /// Sealed.
    pub content: Vec<u8>,
    /// When it was posted.
    pub posted: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
}

/// A claim of a key for a letter: the same key and request are the same letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The key.
    pub key: SubmissionKey,
    /// A keyed digest of the request.
    pub digest: [u8; 32],
}

/// What became of posting a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It is kept.
    New,
    /// Its key was claimed by this earlier letter, for the same request.
    Known(Uuid),
    /// Its key was claimed for a different request.
    Reused,
    /// Its member has as many letters of this task waiting as one may have.
    Full,
}

/// Where a letter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// To be worked on, now or later.
    Waiting,
    /// Done; its outcome is kept for a while.
    Done,
    /// Given up; an operator may replay it.
    Dead,
}

impl State {
    /// As it is written in stores, metrics and commands.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }
}

/// How a letter ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// `Done` or `Dead`.
    pub state: State,
    /// The outcome for whoever asks, sealed.
    pub outcome: Option<Vec<u8>>,
    /// Why it was given up; names no person.
    pub reason: Option<String>,
    /// Until when it is kept. Done without one is removed at once.
    pub keep_until: Option<Timestamp>,
}

/// The durable letters, as the one who works on them sees them. Every method that changes something
/// returns once it is on disk.
#[async_trait]
pub trait Letters: Send + Sync {
    /// Keeps a letter, unless its member has `limit` of its task waiting.
    ///
    /// # Errors
    /// `Internal` when the store cannot be used, as for every method here.
    async fn post(
        &self,
        letter: &Letter,
        claim: Option<Claim>,
        limit: u32,
    ) -> Result<Posted, Fault>;

    /// At most `count` letters that are due, each taken by nobody else, oldest first. One that a
    /// process took and died with is due again.
    async fn take(&self, count: u32) -> Result<Vec<Letter>, Fault>;

    /// Ends a letter that was taken, and posts what follows from it, both or neither. What follows
    /// is not limited.
    async fn end(&self, id: Uuid, ending: &Ending, following: &[Letter]) -> Result<(), Fault>;

    /// Gives a letter back that was taken, to be tried again from `due` on.
    async fn postpone(&self, id: Uuid, due: Timestamp, reason: &str) -> Result<(), Fault>;
}

/// What is known of a letter besides its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Names it.
    pub id: Uuid,
    /// What is to be done.
    pub task: Task,
    /// Whose it is.
    pub member: MemberId,
    /// What it is about.
    pub subject: String,
    /// Its lane.
    pub lane: Option<String>,
    /// Where it stands.
    pub state: State,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was posted.
    pub posted: Timestamp,
    /// When it is tried again, while it waits.
    pub due: Option<Timestamp>,
    /// Until when it is kept, once it has ended.
    pub keep_until: Option<Timestamp>,
    /// Why it was not done the last time.
    pub reason: Option<String>,
}

/// The letters as callers and operators see them.
#[async_trait]
pub trait LetterBox: Send + Sync {
    /// What is known of one, with its sealed outcome when it has ended.
    ///
    /// # Errors
    /// `Internal` when the store cannot be used, as for every method here.
    async fn look(&self, id: Uuid) -> Result<Option<(Envelope, Option<Vec<u8>>)>, Fault>;

    /// Letters in a state by id, at most `limit` from the first after `after` on.
    async fn list(
        &self,
        state: State,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Envelope>, Fault>;

    /// Makes a dead letter wait again, as if it had never been tried. False when it is not dead.
    async fn replay(&self, id: Uuid) -> Result<bool, Fault>;

    /// Removes a letter that is dead or waits and is not being worked on. False when there is none.
    async fn discard(&self, id: Uuid) -> Result<bool, Fault>;
}
