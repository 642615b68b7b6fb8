//! The reversed connection: the gateway connects to a legacy switch, and requests arrive over that
//! connection. When it breaks or cannot be made, it is tried again, ever more slowly.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Peer};
use super::{Stream, TelegramSettings, leaf};
use crate::listen::Gateway;

/// Where to connect to.
#[derive(Clone)]
pub struct Switch {
    /// `host:port`, looked up at each attempt.
    pub address: String,
    /// TLS when present, and the name that the switch's certificate must have.
    pub tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// The longest wait between attempts.
    pub longest_wait: Duration,
}

/// The wait after a first failure.
const SHORTEST_WAIT: Duration = Duration::from_millis(200);

/// Keeps one connection to the switch until `stop`, and serves what comes over it.
pub async fn serve(
    gateway: Gateway,
    switch: Switch,
    settings: TelegramSettings,
    stop: CancellationToken,
) {
    let mut failures = 0;
    loop {
        let patience = settings.message_timeout;
        let connecting = timeout(patience, switch.connect());
        let Some(connected) = stop.run_until_cancelled(connecting).await else { return };
        let heard = match connected {
            Ok(Ok((stream, peer))) => {
                tracing::info!(switch.address = %switch.address, "connected to the switch");
                let connection = Connection::new(gateway.clone(), peer, settings.clone());
                connection.serve(stream, stop.clone()).await
            }
            Ok(Err(error)) => {
                tracing::warn!(switch.address = %switch.address, "no connection: {error}");
                false
            }
            Err(_) => {
                tracing::warn!(switch.address = %switch.address, "no connection in time");
                false
            }
        };
        failures = if heard { 0 } else { failures + 1 };
        let wait = back_off(failures, switch.longest_wait, uuid::Uuid::new_v4().as_fields().0);
        let waited = stop.run_until_cancelled(tokio::time::sleep(wait)).await;
        if waited.is_none() {
            return;
        }
    }
}

/// Twice as long after each failure, up to `longest`; between half and all of that, as `random`
/// says, so that gateways that lost the switch together do not return together.
fn back_off(failures: u32, longest: Duration, random: u32) -> Duration {
    let doubled = SHORTEST_WAIT.saturating_mul(1 << failures.min(16));
    let half = doubled.min(longest) / 2;
    half + half.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

impl Switch {
    async fn connect(&self) -> std::io::Result<(Box<dyn Stream>, Peer)> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let address = stream.peer_addr().as_ref().map(SocketAddr::ip).map_err(copy)?;
        let Some((config, name)) = &self.tls else {
            return Ok((Box::new(stream), Peer { address, certificate: None }));
        };
        let connector = TlsConnector::from(config.clone());
        let stream = connector.connect(name.clone(), stream).await?;
        let certificate = leaf(stream.get_ref().1.peer_certificates());
        Ok((Box::new(stream), Peer { address, certificate }))
    }
}

fn copy(error: &std::io::Error) -> std::io::Error {
    error.kind().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_wait_up_to_the_longest() {
        let longest = Duration::from_secs(30);
        let wait = |failures, random| back_off(failures, longest, random);
        assert_eq!(wait(0, u32::MAX), Duration::from_millis(200));
        assert_eq!(wait(0, 0), Duration::from_millis(100));
        assert_eq!(wait(3, u32::MAX), Duration::from_millis(1_600));
        assert_eq!(wait(30, u32::MAX), longest);
        assert_eq!(wait(u32::MAX, 0), longest / 2);
    }
}
