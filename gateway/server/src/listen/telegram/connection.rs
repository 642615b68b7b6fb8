//! One connection: telegrams are taken off it, each is an exchange of its own, and replies go back
//! as they are finished, one at a time. No more is read while as many are in flight as may be, so a
//! client that does not take its replies is not read from either. What cannot be read as a telegram
//! is refused, journaled, answered where it still can be, and ends the connection, for what follows
//! cannot be told apart.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway_core::framing::{Deframer, Framing, FramingError};
use gateway_core::front::Refusing;
use gateway_core::{Evidence, Fault, Front, Kind};
use mappings::TelegramFront;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Stream, TelegramSettings};
use crate::deployment::Deployment;
use crate::listen::{Gateway, Received};

/// The other side of a connection.
#[derive(Clone)]
pub(super) struct Peer {
    pub(super) address: IpAddr,
    /// DER, verified.
    pub(super) certificate: Option<Arc<[u8]>>,
}

/// One connection before it has bytes.
#[derive(Clone)]
pub(super) struct Connection {
    gateway: Gateway,
    peer: Peer,
    settings: TelegramSettings,
}

/// What one telegram is read and answered with.
struct Format {
    deployment: Arc<Deployment>,
    front: Arc<TelegramFront>,
}

/// Where replies go.
#[derive(Clone)]
struct Replies {
    stream: Arc<Mutex<WriteHalf<Box<dyn Stream>>>>,
    /// Cancelled when the peer takes no more of them.
    refused: CancellationToken,
}

/// Where telegrams come from.
struct Requests {
    stream: ReadHalf<Box<dyn Stream>>,
    deframer: Deframer,
    /// Whether a whole telegram has come.
    heard: bool,
}

/// Why nothing more is read.
enum Ended {
    /// The peer is done, or we are.
    Over,
    /// Something came that is no telegram.
    Broken,
}

impl Connection {
    pub(super) fn new(gateway: Gateway, peer: Peer, settings: TelegramSettings) -> Self {
        Self { gateway, peer, settings }
    }

    /// Serves the connection to its end. True when at least one telegram came over it.
    pub(super) async fn serve(self, stream: Box<dyn Stream>, stop: CancellationToken) -> bool {
        let (requests, replies) = tokio::io::split(stream);
        let refused = CancellationToken::new();
        let replies = Replies { stream: Arc::new(Mutex::new(replies)), refused };
        let Some(on) = self.format() else { return false };
        let deframer = Deframer::new(self.framing(&on.front));
        let mut requests = Requests { stream: requests, deframer, heard: false };
        let places = Arc::new(Semaphore::new(self.settings.in_flight));

        let ended = tokio::select! {
            () = stop.cancelled() => Ended::Over,
            () = replies.refused.cancelled() => return requests.heard,
            ended = self.read_all(&mut requests, &replies, &places) => ended,
        };
        // A client that has sent its last request still waits for the replies.
        let all = u32::try_from(self.settings.in_flight).unwrap_or(u32::MAX);
        let _ = places.acquire_many(all).await;
        self.close(&mut requests, &replies, ended).await;
        requests.heard
    }

    /// The format of the next telegram.
    fn format(&self) -> Option<Format> {
        let deployment = self.gateway.current();
        let front = self.settings.source.of(&deployment)?.clone();
        Some(Format { deployment, front })
    }

    /// How it is framed, and no larger than the gateway takes any.
    fn framing(&self, front: &TelegramFront) -> Framing {
        let framing = front.framing();
        Framing { max: framing.max.min(self.settings.body_bytes), ..framing }
    }

    async fn read_all(
        &self,
        requests: &mut Requests,
        replies: &Replies,
        places: &Arc<Semaphore>,
    ) -> Ended {
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return Ended::Over };
            if !requests.begin(&self.settings).await || !self.gateway.admits(self.peer.address) {
                return Ended::Over;
            }
            // Only when a telegram begins is it known under which deployment it is read.
            let Some(on) = self.format() else { return Ended::Over };
            requests.deframer.set_framing(self.framing(&on.front));
            match requests.read(&self.settings).await {
                Ok(telegram) => self.answer(on, telegram, None, replies, place),
                Err(fault) => {
                    let rest = requests.deframer.buffer().split().freeze();
                    self.answer(on, rest, Some(fault), replies, place);
                    return Ended::Broken;
                }
            }
        }
    }

    /// Answers in a task of its own. A shutdown waits until the reply is written.
    fn answer(
        &self,
        on: Format,
        body: Bytes,
        fault: Option<Fault>,
        replies: &Replies,
        place: OwnedSemaphorePermit,
    ) {
        let (connection, replies) = (self.clone(), replies.clone());
        let held = self.gateway.hold();
        tokio::spawn(async move {
            let sent = match connection.reply(&on, body, fault).await {
                Some(wire) => replies.send(&wire, connection.settings.message_timeout).await,
                None => None,
            };
            if sent.is_none() {
                replies.refused.cancel();
            }
            drop((place, held));
        });
    }

    /// The bytes of a reply. `None` when there is no way to write one.
    async fn reply(&self, on: &Format, body: Bytes, fault: Option<Fault>) -> Option<Vec<u8>> {
        let now = on.deployment.pipeline.clock.now();
        let kept_alive = fault.is_none().then(|| on.front.keep_alive(&body, now)).flatten();
        let reply = match kept_alive {
            Some(reply) => reply.into(),
            None => self.exchange(on, body, fault).await?,
        };
        on.front.framing().encode(&reply).ok()
    }

    async fn exchange(&self, on: &Format, body: Bytes, fault: Option<Fault>) -> Option<Bytes> {
        let front: Arc<dyn Front> = match fault {
            Some(fault) => Arc::new(Refusing::new(on.front.clone(), fault)),
            None => on.front.clone(),
        };
        let evidence = Evidence {
            address: Some(self.peer.address),
            certificate: self.peer.certificate.clone(),
            ..Evidence::default()
        };
        let received = Received { front, evidence, attributes: BTreeMap::new(), body };
        Some(self.gateway.handle(&on.deployment, received).await?.body)
    }

    /// Closes our side. Where something unread may remain it is read first: a socket that is closed
    /// with unread bytes is reset, and the peer would lose the reply that tells it what was wrong.
    async fn close(&self, requests: &mut Requests, replies: &Replies, ended: Ended) {
        let most = self.settings.body_bytes as u64;
        let closing = async {
            replies.stream.lock().await.shutdown().await?;
            if let Ended::Broken = ended {
                let mut rest = (&mut requests.stream).take(most);
                tokio::io::copy(&mut rest, &mut tokio::io::sink()).await?;
            }
            std::io::Result::Ok(())
        };
        let _ = timeout(self.settings.message_timeout, closing).await;
    }
}

impl Replies {
    /// Writes one reply. `None` when the peer does not take it.
    async fn send(&self, wire: &[u8], patience: Duration) -> Option<()> {
        let mut stream = self.stream.lock().await;
        let written = async {
            stream.write_all(wire).await?;
            stream.flush().await
        };
        timeout(patience, written).await.ok()?.ok()
    }
}

impl Requests {
    /// Waits for the first byte of a telegram. False when none comes any more.
    async fn begin(&mut self, settings: &TelegramSettings) -> bool {
        if self.deframer.has_begun() {
            return true;
        }
        let arrived = self.stream.read_buf(self.deframer.buffer());
        matches!(timeout(settings.idle, arrived).await, Ok(Ok(read)) if read > 0)
    }

    /// The telegram that has begun.
    async fn read(&mut self, settings: &TelegramSettings) -> Result<Bytes, Fault> {
        let read = timeout(settings.message_timeout, self.read_rest()).await;
        let telegram = read.unwrap_or_else(|_| Err(too_slow()))?;
        self.heard = true;
        Ok(telegram)
    }

    async fn read_rest(&mut self) -> Result<Bytes, Fault> {
        loop {
            if let Some(telegram) = self.deframer.take().map_err(|error| broken(&error))? {
                return Ok(telegram);
            }
            match self.stream.read_buf(self.deframer.buffer()).await {
                Ok(read) if read > 0 => {}
                _ => return Err(broken(&FramingError::Truncated)),
            }
        }
    }
}

fn broken(error: &FramingError) -> Fault {
    Fault::new(Kind::Malformed, error.code(), error.to_string())
}

fn too_slow() -> Fault {
    Fault::new(Kind::Malformed, "too-slow", "the telegram did not arrive in time")
}
