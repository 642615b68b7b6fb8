//! Telegrams over TCP, plain or over TLS: on connections that callers open here ([`serve`]), and on
//! connections that the gateway opens to a legacy switch which then sends requests over them
//! ([`dial`]). What happens on one connection is in [`connection`], whoever opened it.

mod connection;
pub mod dial;
mod places;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mappings::TelegramFront;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use self::connection::{Connection, Peer};
use self::places::Places;
use super::Gateway;
use crate::deployment::Deployment;

/// Where a deployment has the format of a connection's telegrams.
#[derive(Clone, Copy, Debug)]
pub enum FrontSource {
    /// At this `[[listen.telegram]]`.
    Listener(usize),
    /// At this `[[listen.switch]]`.
    Switch(usize),
}

impl FrontSource {
    fn of(self, deployment: &Deployment) -> Option<&Arc<TelegramFront>> {
        match self {
            Self::Listener(index) => deployment.telegram.get(index),
            Self::Switch(index) => deployment.switch.get(index),
        }
    }
}

/// What holds for each connection.
#[derive(Clone, Debug)]
pub struct TelegramSettings {
    /// Where the format of its telegrams is.
    pub source: FrontSource,
    /// A connection without a telegram for this long is closed.
    pub idle: Duration,
    /// How long one telegram may take to arrive, or a reply to be taken, or TLS to be agreed on.
    pub message_timeout: Duration,
    /// The largest telegram.
    pub body_bytes: usize,
    /// Requests of one connection at once. With one, replies come in order.
    pub in_flight: usize,
}

/// How many connections a listener serves.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// At once; further ones wait in the operating system's queue.
    pub all: usize,
    /// Of one address at once; further ones are closed.
    pub of_address: usize,
}

/// Any stream of bytes that telegrams pass over.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Accepts connections until `stop`.
pub async fn serve(
    gateway: Gateway,
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    settings: TelegramSettings,
    limits: ConnectionLimits,
    stop: CancellationToken,
) {
    let places = Places::new(limits);
    let tls = tls.map(TlsAcceptor::from);
    while let Some(place) = stop.run_until_cancelled(places.any()).await {
        let Some(accepted) = stop.run_until_cancelled(listener.accept()).await else { return };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("a telegram connection was not accepted: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(place) = places.of(address.ip(), place) else {
            gateway.metrics().turned_away("connection-limit");
            continue;
        };
        let (gateway, settings) = (gateway.clone(), settings.clone());
        let (tls, stop) = (tls.clone(), stop.clone());
        tokio::spawn(async move {
            let _place = place;
            let patience = settings.message_timeout;
            let Some((stream, peer)) = accept(stream, address, tls, patience).await else { return };
            Connection::new(gateway, peer, settings).serve(stream, stop).await;
        });
    }
}

/// A stream to read telegrams from, after TLS where there is TLS.
async fn accept(
    stream: TcpStream,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    patience: Duration,
) -> Option<(Box<dyn Stream>, Peer)> {
    let _ = stream.set_nodelay(true);
    let address = address.ip();
    let Some(acceptor) = tls else {
        return Some((Box::new(stream), Peer { address, certificate: None }));
    };
    match timeout(patience, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let certificate = leaf(stream.get_ref().1.peer_certificates());
            Some((Box::new(stream), Peer { address, certificate }))
        }
        Ok(Err(error)) => {
            tracing::info!(peer.address = %address, "no TLS with a telegram client: {error}");
            None
        }
        Err(_) => None,
    }
}

/// The certificate that the other side showed, DER.
fn leaf(chain: Option<&[CertificateDer<'_>]>) -> Option<Arc<[u8]>> {
    chain.and_then(|chain| chain.first()).map(|leaf| leaf.as_ref().into())
}
