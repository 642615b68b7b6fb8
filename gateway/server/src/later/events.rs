//! Events and who is told of them: each subscription is a member's, in the configuration. The body of
//! a callback is a notice that names the exchange, or the reply itself in the member's own format.

use bytes::Bytes;
use gateway_core::letter::{Letter, Task};
use gateway_core::{ExchangeId, Fault, MemberId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::kept::{self, KeptReply};
use super::seal::Part;
use super::webhook::Endpoint;
use super::{Later, Seal};

/// What a callback holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Body {
    /// JSON with type, time and data; no personal data.
    #[default]
    Notice,
    /// The reply as it would have left.
    Reply,
}

/// Who is told of which events, and where.
pub struct Subscription {
    /// Its name, which is also the lane of its callbacks.
    pub name: String,
    /// Whose it is; only its own events go there.
    pub member: MemberId,
    /// The types it wants.
    pub events: Vec<String>,
    /// What a callback holds.
    pub body: Body,
    /// The receiver.
    pub endpoint: Endpoint,
}

/// Something a member may want to hear of.
pub struct Event<'a> {
    /// E.g. `exchange.completed`.
    pub kind: &'a str,
    /// The member it concerns.
    pub member: &'a MemberId,
    /// The exchange it tells of.
    pub exchange: ExchangeId,
    /// Without personal data.
    pub data: serde_json::Value,
    /// The reply, for those who want it as it is; they get the notice where there is none.
    pub reply: Option<&'a KeptReply>,
}

/// Types that subscriptions may name.
pub const EVENTS: [&str; 2] = [COMPLETED, FAILED];
/// An exchange has its reply.
pub(super) const COMPLETED: &str = "exchange.completed";
/// An exchange was given up; its last reply says why.
pub(super) const FAILED: &str = "exchange.failed";

/// A callback as it is kept; where it goes is read from the configuration when it is sent.
pub(super) struct Callback {
    pub(super) exchange: ExchangeId,
    pub(super) content_type: String,
    pub(super) body: Bytes,
}

#[derive(Serialize, Deserialize)]
struct CallbackHead {
    exchange: ExchangeId,
    content_type: String,
}

/// The payload that the Standard Webhooks specification recommends.
#[derive(Serialize)]
struct Notice<'a> {
    r#type: &'a str,
    timestamp: Timestamp,
    data: &'a serde_json::Value,
}

impl Callback {
    fn of(event: &Event<'_>, body: Body, now: Timestamp) -> Self {
        if let (Body::Reply, Some(reply)) = (body, event.reply) {
            let content_type = reply.headers.iter().find(|(name, _)| name == "content-type");
            let content_type = content_type.map_or(BYTES, |(_, value)| value);
            let content_type = content_type.to_owned();
            return Self { exchange: event.exchange, content_type, body: reply.body.clone() };
        }
        let notice = Notice { r#type: event.kind, timestamp: now, data: &event.data };
        // Texts and numbers always serialize.
        let body = serde_json::to_vec(&notice).unwrap_or_default().into();
        Self { exchange: event.exchange, content_type: "application/json".to_owned(), body }
    }

    fn close(&self, id: Uuid, seal: &Seal) -> Result<Vec<u8>, Fault> {
        let (exchange, content_type) = (self.exchange, self.content_type.clone());
        let head = CallbackHead { exchange, content_type };
        kept::close(id, Part::Content, &head, &self.body, seal)
    }

    pub(super) fn open(id: Uuid, sealed: &[u8], seal: &Seal) -> Result<Self, Fault> {
        let (head, body) = kept::open(id, Part::Content, sealed, seal)?;
        let CallbackHead { exchange, content_type } = head;
        Ok(Self { exchange, content_type, body })
    }
}

/// The type of a body whose format says none.
const BYTES: &str = "application/octet-stream";

impl Later {
    /// The callbacks that an event makes, to be posted together with what caused it.
    pub(super) fn callbacks(&self, event: &Event<'_>) -> Result<Vec<Letter>, Fault> {
        let now = self.clock.now();
        let wanted = |one: &&Subscription| {
            one.member == *event.member && one.events.iter().any(|kind| kind == event.kind)
        };
        let letter = |subscription: &Subscription| {
            let id = Uuid::now_v7();
            let callback = Callback::of(event, subscription.body, now);
            Ok(Letter {
                id,
                task: Task::Delivery,
                member: subscription.member.clone(),
                subject: event.kind.to_owned(),
                lane: Some(subscription.name.clone()),
                content: callback.close(id, &self.seal)?,
                posted: now,
                attempts: 0,
            })
        };
        self.subscriptions.iter().filter(wanted).map(letter).collect()
    }
}
