//! What all adapters that carry encoded messages have in common: a submit is noted in the outbox
//! before its first byte leaves, its ticket tells a later process how to ask after it, and what
//! certainly was not sent is told apart from what may have been done.
//!
//! A [`Transport`] only moves bytes. Nothing here reads a message; that is the mapping's.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::adapter::{Format, Settlement};
use gateway_core::outbox::Submission;
use gateway_core::wire::Around;
use gateway_core::{
    Adapter, Admitted, Call, Content, Encoded, Fault, Finality, Kind, Operation, Outbox, Profile,
    Received, Response, Takes,
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use zeroize::Zeroizing;

/// Moves messages to one provider and back.
#[async_trait]
pub(crate) trait Transport: Send + Sync {
    /// The message with everything in it that only the transport knows. `original` is the serial
    /// number of the submit that an inquiry asks after.
    fn prepare<'m>(&self, message: &'m Encoded, original: Option<&str>) -> Prepared<'m>;

    /// Sends a message and waits for what comes back.
    async fn send(&self, message: &Encoded, deadline: Instant) -> Result<Received, SendError>;

    /// Whether the provider can be reached.
    async fn probe(&self) -> Result<(), SendError>;
}

/// A message that is ready to be sent.
pub(crate) struct Prepared<'m> {
    pub(crate) message: Cow<'m, Encoded>,
    /// Its serial number, where the transport gave it one.
    pub(crate) serial: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// The provider has not seen the message.
    #[error("nothing was sent: {0}")]
    NotSent(#[source] Trouble),
    /// It may have.
    #[error("it was sent and not answered: {0}")]
    Lost(#[source] Trouble),
}

/// What went wrong on the way. It holds nothing of the message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("no connection: {0}")]
    Connect(String),
    #[error("a connection is not tried again yet")]
    BackingOff,
    #[error("no connection was free in time")]
    Busy,
    #[error("the deadline passed")]
    Deadline,
    #[error("the connection broke: {0}")]
    Broken(String),
    #[error("the answer has more than {max} bytes")]
    TooLarge { max: usize },
    #[error("the answer is no message: {0}")]
    Garbage(String),
    #[error("the message is not one that this transport carries: {0}")]
    Unsuitable(String),
    #[error("the provider answered with status {0}")]
    Status(u16),
}

impl Trouble {
    fn code(&self) -> &'static str {
        match self {
            Self::Connect(_) | Self::BackingOff => "unreachable",
            Self::Busy => "busy",
            Self::Deadline => "timeout",
            Self::Broken(_) => "connection-lost",
            Self::TooLarge { .. } => "answer-too-large",
            Self::Garbage(_) => "answer-garbled",
            Self::Unsuitable(_) => "unsuitable",
            Self::Status(_) => "not-ready",
        }
    }
}

impl SendError {
    fn into_unavailable(self) -> Fault {
        let (Self::NotSent(trouble) | Self::Lost(trouble)) = &self;
        let says = "the provider cannot be reached, or did not answer";
        Fault::new(Kind::BackendUnavailable, trouble.code(), says).source(self)
    }
}

/// An adapter over a transport.
pub(crate) struct Carrier<T> {
    transport: T,
    profile: Profile,
    outbox: Arc<dyn Outbox>,
}

impl<T: Transport> Carrier<T> {
    /// `outbox` keeps what is about to be sent.
    pub(crate) fn new(transport: T, formats: &[Format], outbox: Arc<dyn Outbox>) -> Self {
        Self { transport, profile: profile(formats), outbox }
    }

    async fn submit(
        &self,
        call: &Call,
        message: Prepared<'_>,
        inquiry: Option<&Encoded>,
        deadline: Instant,
    ) -> Result<Received, Fault> {
        let key = call.key.ok_or_else(keyless)?;
        let ticket = Ticket::new(message.serial, inquiry).encode()?;
        self.outbox.attach(&key, &ticket).await?;
        match self.transport.send(&message.message, deadline).await {
            Ok(received) => Ok(received),
            Err(error @ SendError::NotSent(_)) => {
                self.outbox.withdraw(&key).await?;
                Err(error.into_unavailable())
            }
            Err(error @ SendError::Lost(_)) => Err(outcome_unknown().source(error)),
        }
    }
}

/// What a carrier of these formats can do. A submit counts as done when the provider says so.
pub(crate) fn profile(formats: &[Format]) -> Profile {
    Profile { takes: Takes::Messages(formats.to_vec()), finality: Finality::Immediate }
}

#[async_trait]
impl<T: Transport> Adapter for Carrier<T> {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    async fn call(
        &self,
        _admitted: &Admitted,
        call: &Call,
        deadline: Duration,
    ) -> Result<Response, Fault> {
        let deadline = Instant::now() + deadline;
        let Content::Message { message, inquiry } = &call.content else {
            let says = "the provider cannot do this";
            return Err(Fault::new(Kind::Unsupported, "no-message", says));
        };
        let message = self.transport.prepare(message, None);
        let received = match call.operation {
            Operation::Query => {
                let sent = self.transport.send(&message.message, deadline).await;
                sent.map_err(SendError::into_unavailable)
            }
            Operation::Submit => self.submit(call, message, inquiry.as_ref(), deadline).await,
        };
        received.map(Response::Received)
    }

    /// Asks the provider, where its mapping says how. Otherwise nobody here can know.
    async fn lookup(
        &self,
        submission: &Submission,
        deadline: Duration,
    ) -> Result<Settlement, Fault> {
        let deadline = Instant::now() + deadline;
        let ticket = Ticket::decode(submission.ticket.as_deref().unwrap_or_default())?;
        let Some((inquiry, original)) = ticket.into_inquiry() else {
            return Ok(Settlement::Pending);
        };
        let inquiry = self.transport.prepare(&inquiry, original.as_deref());
        let received = self.transport.send(&inquiry.message, deadline).await;
        received.map(Settlement::Reported).map_err(SendError::into_unavailable)
    }

    async fn probe(&self) -> Result<(), Fault> {
        self.transport.probe().await.map_err(SendError::into_unavailable)
    }
}

/// What is kept of a submit that may have been sent: how to ask after it, and nothing personal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ticket {
    v: u8,
    serial: Option<String>,
    inquiry: Option<KeptInquiry>,
}

#[derive(Serialize, Deserialize)]
struct KeptInquiry {
    around: Around,
    body: Vec<u8>,
}

impl std::fmt::Debug for KeptInquiry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeptInquiry({} bytes)", self.body.len())
    }
}

impl Ticket {
    fn new(serial: Option<String>, inquiry: Option<&Encoded>) -> Self {
        let inquiry = inquiry.map(|inquiry| KeptInquiry {
            around: inquiry.around.clone(),
            body: inquiry.body.to_vec(),
        });
        Self { v: 1, serial, inquiry }
    }

    fn encode(&self) -> Result<Vec<u8>, Fault> {
        serde_json::to_vec(self).map_err(|error| ticket_unusable().source(error))
    }

    fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        let ticket: Self =
            serde_json::from_slice(bytes).map_err(|error| ticket_unusable().source(error))?;
        match ticket.v {
            1 => Ok(ticket),
            version => Err(ticket_unusable().context(format_args!("version {version}"))),
        }
    }

    fn into_inquiry(self) -> Option<(Encoded, Option<String>)> {
        let KeptInquiry { around, body } = self.inquiry?;
        Some((Encoded { around, body: Zeroizing::new(body) }, self.serial))
    }
}

fn outcome_unknown() -> Fault {
    let says = "it was sent and its outcome is not known yet; ask again under the same key";
    Fault::new(Kind::OutcomeUnknown, "outcome-unknown", says)
}

fn keyless() -> Fault {
    internal("key-missing").context("a submit without a key")
}

fn ticket_unusable() -> Fault {
    internal("ticket-unreadable")
}

fn internal(code: &'static str) -> Fault {
    Fault::new(Kind::Internal, code, "the gateway failed; it was recorded")
}

#[cfg(test)]
mod tests {
    use gateway_core::wire::Method;

    use super::*;

    #[test]
    fn a_ticket_is_read_as_it_was_written_and_another_is_refused() {
        let around = Around::Http { method: Method::Post, path: "/status".into(), headers: vec![] };
        let inquiry = Encoded { around, body: Zeroizing::new(b"<key/>".to_vec()) };
        let ticket = Ticket::new(Some("00000042".into()), Some(&inquiry)).encode().unwrap();
        let (found, original) = Ticket::decode(&ticket).unwrap().into_inquiry().unwrap();
        assert!(found == inquiry);
        assert_eq!(original.as_deref(), Some("00000042"));

        let silent = Ticket::new(None, None).encode().unwrap();
        assert!(Ticket::decode(&silent).unwrap().into_inquiry().is_none());
        for bad in [&b""[..], b"{}", br#"{"v":2,"serial":null,"inquiry":null}"#] {
            assert_eq!(Ticket::decode(bad).unwrap_err().kind, Kind::Internal);
        }
    }
}
