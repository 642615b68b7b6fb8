//! Telegrams over TCP: an ASCII length, then that many bytes; answered in order on the same
//! connection. A length that lies or a connection that breaks off is refused, journaled, answered
//! where it still can be, and ends the connection, for what follows cannot be told apart.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway_core::front::Refusing;
use gateway_core::{Evidence, Fault, Front, Kind};
use mappings::{Framing, TelegramFront};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{Gateway, Received};
use crate::deployment::Deployment;

/// One telegram listener's settings.
#[derive(Clone)]
pub struct TelegramSettings {
    /// Which `[[listen.telegram]]` it is; the deployment says its front.
    pub index: usize,
    /// A connection without a telegram for this long is closed.
    pub idle: Duration,
    /// How long one telegram may take to arrive, or a reply to be taken.
    pub message_timeout: Duration,
    /// The largest telegram.
    pub body_bytes: usize,
    /// Connections at once; further ones wait in the operating system's queue.
    pub connections: usize,
}

/// Accepts connections until `stop`.
pub async fn serve(
    gateway: Gateway,
    listener: TcpListener,
    settings: TelegramSettings,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(settings.connections));
    let settings = Arc::new(settings);
    while let Some(place) = until(&stop, places.clone().acquire_owned()).await {
        let Some(accepted) = until(&stop, listener.accept()).await else { return };
        match accepted {
            Ok((stream, peer)) => {
                let connection = Connection {
                    gateway: gateway.clone(),
                    settings: settings.clone(),
                    stream,
                    peer,
                };
                let stop = stop.clone();
                tokio::spawn(async move {
                    let _place = place;
                    connection.serve(stop).await;
                });
            }
            Err(error) => {
                tracing::warn!("a telegram connection was not accepted: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn until<F: Future>(stop: &CancellationToken, future: F) -> Option<F::Output> {
    stop.run_until_cancelled(future).await
}

struct Connection {
    gateway: Gateway,
    settings: Arc<TelegramSettings>,
    stream: TcpStream,
    peer: SocketAddr,
}

/// What was read of a connection.
enum Frame {
    /// One telegram.
    Whole(Bytes),
    /// What cannot be read as one, and why.
    Broken(Bytes, Fault),
    /// The peer is done, or idle for too long.
    End,
}

impl Connection {
    async fn serve(mut self, stop: CancellationToken) {
        let _ = self.stream.set_nodelay(true);
        loop {
            // Only when a telegram begins is it known under which deployment it is read.
            let begins = tokio::time::timeout(self.settings.idle, self.stream.readable());
            let Some(Ok(Ok(()))) = until(&stop, begins).await else { return };
            let deployment = self.gateway.current();
            let Some(front) = deployment.telegram.get(self.settings.index) else { return };
            let Some(frame) = until(&stop, self.read(front.framing())).await else { return };
            let (body, fault) = match frame {
                Frame::Whole(body) => (body, None),
                Frame::Broken(body, fault) => (body, Some(fault)),
                Frame::End => return,
            };
            let broken = fault.is_some();
            if self.answer(&deployment, front, body, fault).await.is_none() {
                return;
            }
            if broken {
                return self.linger().await;
            }
        }
    }

    /// Closes our side and reads what the peer still sends: a socket that is closed with unread
    /// bytes is reset, and the peer would lose the reply that tells it what was wrong.
    async fn linger(self) {
        let mut rest = self.stream.take(self.settings.body_bytes as u64);
        let drained = async {
            rest.get_mut().shutdown().await?;
            tokio::io::copy(&mut rest, &mut tokio::io::sink()).await
        };
        let _ = tokio::time::timeout(self.settings.message_timeout, drained).await;
    }

    async fn read(&mut self, framing: Framing) -> Frame {
        let mut length = vec![0; framing.length_digits];
        let idle = tokio::time::timeout(self.settings.idle, self.stream.read(&mut length)).await;
        let begun = match idle {
            Ok(Ok(begun)) if begun > 0 => begun,
            _ => return Frame::End,
        };
        let patience = self.settings.message_timeout;
        match tokio::time::timeout(patience, self.read_rest(&framing, length, begun)).await {
            Ok(frame) => frame,
            Err(_) => Frame::Broken(
                Bytes::new(),
                broken("too-slow", "the telegram did not arrive in time"),
            ),
        }
    }

    async fn read_rest(&mut self, framing: &Framing, mut length: Vec<u8>, begun: usize) -> Frame {
        let unread = length.get_mut(begun..).unwrap_or_default();
        if self.stream.read_exact(unread).await.is_err() {
            return Frame::Broken(length.into(), truncated());
        }
        let max = self.settings.body_bytes.min(framing.max);
        let size = match framing.length(&length) {
            Some(size) if size <= max => size,
            Some(_) => return Frame::Broken(Bytes::new(), too_large(max)),
            None => {
                let fault =
                    broken("length-not-a-number", "the telegram does not begin with its length");
                return Frame::Broken(length.into(), fault);
            }
        };
        let mut body = vec![0; size];
        let mut filled = 0;
        while let Some(space) = body.get_mut(filled..).filter(|space| !space.is_empty()) {
            match self.stream.read(space).await {
                Ok(read) if read > 0 => filled += read,
                _ => {
                    body.truncate(filled);
                    return Frame::Broken(body.into(), truncated());
                }
            }
        }
        Frame::Whole(body.into())
    }

    /// `None` when the connection is of no more use.
    async fn answer(
        &mut self,
        deployment: &Arc<Deployment>,
        front: &Arc<TelegramFront>,
        body: Bytes,
        fault: Option<Fault>,
    ) -> Option<()> {
        if !self.gateway.admits(self.peer.ip()) {
            return None;
        }
        let framing = front.framing();
        let front: Arc<dyn Front> = match fault {
            Some(fault) => Arc::new(Refusing::new(front.clone(), fault)),
            None => front.clone(),
        };
        let evidence = Evidence { address: Some(self.peer.ip()), ..Evidence::default() };
        let received =
            Received { front, evidence, attributes: BTreeMap::new(), body, patience: None };
        let reply = self.gateway.handle(deployment, received).await?;
        let mut wire = framing.prefix(reply.body.len())?;
        wire.extend_from_slice(&reply.body);
        let written =
            tokio::time::timeout(self.settings.message_timeout, self.stream.write_all(&wire));
        written.await.ok()?.ok()
    }
}

fn broken(code: &'static str, public: &str) -> Fault {
    Fault::new(Kind::Malformed, code, public)
}

fn truncated() -> Fault {
    broken("truncated", "the connection ended before the telegram did")
}

fn too_large(limit: usize) -> Fault {
    broken("too-large", &format!("a telegram may have {limit} bytes at most"))
}
