//! `[listen]`: where the gateway is called, and what one peer and one message may be.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::Deserialize;

use super::BatchListener;
use crate::secret::SecretRef;

/// `[listen]`
#[derive(Debug, Default, Deserialize)]
pub struct Listen {
    /// HTTP and HTTPS: REST and SOAP.
    #[serde(default)]
    pub http: Vec<HttpListener>,
    /// Telegrams over TCP.
    #[serde(default)]
    pub telegram: Vec<TelegramListener>,
    /// gRPC: every service.
    #[serde(default)]
    pub grpc: Vec<GrpcListener>,
    /// Switches that the gateway connects to.
    #[serde(default)]
    pub switch: Vec<SwitchListener>,
    /// Watched folders.
    #[serde(default)]
    pub batch: Vec<BatchListener>,
    /// The pages for people.
    pub people: Option<PeopleListener>,
    /// What one peer and one message may be.
    #[serde(default)]
    pub limits: Limits,
}

/// `[listen.people]`
#[derive(Debug, Deserialize)]
pub struct PeopleListener {
    /// Where to listen, in clear: what ends TLS stands before it.
    pub address: SocketAddr,
    /// Under which address browsers reach it: `https://host`, or `http://` on the loopback address.
    pub url: String,
}

impl PeopleListener {
    /// Whether `url` is an origin that browsers reach safely.
    pub fn is_origin(&self) -> bool {
        let (scheme, host) = self.url.split_once("://").unwrap_or_default();
        let is_near = self.address.ip().is_loopback() && scheme == "http";
        let is_host =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
        (scheme == "https" || is_near) && !host.is_empty() && host.chars().all(is_host)
    }
}

/// `[[listen.http]]`
#[derive(Debug, Deserialize)]
pub struct HttpListener {
    /// Where to listen.
    pub address: SocketAddr,
    /// HTTPS, with client certificates where the client has one.
    pub tls: Option<Tls>,
}

/// `[[listen.grpc]]`
#[derive(Debug, Deserialize)]
pub struct GrpcListener {
    /// Where to listen.
    pub address: SocketAddr,
    /// TLS, with client certificates where the client has one.
    pub tls: Option<Tls>,
}

/// `tls` of a listener
#[derive(Debug, Deserialize)]
pub struct Tls {
    /// PEM, the chain of the server.
    pub certificate: PathBuf,
    /// PEM, its private key.
    pub key: SecretRef,
    /// PEM, the authorities of client certificates.
    pub client_authority: PathBuf,
}

/// `[[listen.telegram]]`
#[derive(Debug, Deserialize)]
pub struct TelegramListener {
    /// Where to listen.
    pub address: SocketAddr,
    /// The mapping of the telegrams, e.g. `welfare/city-a/v1`.
    pub front: String,
    /// A connection without a telegram for this long is closed.
    #[serde(default = "sixty")]
    pub idle_seconds: u64,
    /// Requests of one connection at once. More than one only where the mapping says by which field
    /// a reply is known.
    #[serde(default = "one_at_a_time")]
    pub in_flight: NonZeroUsize,
    /// TLS, with client certificates where the client has one.
    pub tls: Option<Tls>,
}

/// `[[listen.switch]]`: a legacy switch that the gateway connects to, and that then sends requests
/// over that connection.
#[derive(Debug, Deserialize)]
pub struct SwitchListener {
    /// `host:port`
    pub connect: String,
    /// The mapping of the telegrams.
    pub front: String,
    /// A connection without a telegram for this long is opened anew.
    #[serde(default = "sixty")]
    pub idle_seconds: u64,
    /// As in [`TelegramListener`].
    #[serde(default = "one_at_a_time")]
    pub in_flight: NonZeroUsize,
    /// How many connections are kept open.
    #[serde(default = "one_at_a_time")]
    pub connections: NonZeroUsize,
    /// The longest wait between attempts to connect.
    #[serde(default = "thirty")]
    pub retry_seconds: u64,
    /// TLS when present.
    pub tls: Option<SwitchTls>,
}

/// `tls` of a switch
#[derive(Debug, Deserialize)]
pub struct SwitchTls {
    /// PEM, the authorities of the switch's certificate.
    pub authority: PathBuf,
    /// The name that the switch's certificate must have.
    pub name: String,
    /// PEM, the chain of our own certificate, where the switch asks for one.
    pub certificate: Option<PathBuf>,
    /// PEM, its private key.
    pub key: Option<SecretRef>,
}

/// `[listen.limits]`
#[derive(Debug, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// The largest message.
    pub body_bytes: usize,
    /// Requests a second of one address, counted before anything is verified.
    pub peer_per_second: u32,
    /// Bytes of the largest batch file, also when it is inflated.
    pub file_bytes: u64,
    /// How long a client may take to send one message, and a client to take a reply.
    pub message_seconds: u64,
    /// Telegram connections of one listener at once.
    pub connections: usize,
    /// Of these, those of one address.
    pub connections_per_address: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            peer_per_second: 2_000,
            file_bytes: 1 << 30,
            message_seconds: 30,
            connections: 1_024,
            connections_per_address: 256,
        }
    }
}

fn sixty() -> u64 {
    60
}
fn thirty() -> u64 {
    30
}
fn one_at_a_time() -> NonZeroUsize {
    NonZeroUsize::MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_served_by_tls_or_nearby() {
        for (address, url, wanted) in [
            ("0.0.0.0:80", "https://consent.example", true),
            ("127.0.0.1:80", "http://127.0.0.1:80", true),
            ("[::1]:80", "http://[::1]:80", true),
            ("0.0.0.0:80", "http://consent.example", false),
            ("127.0.0.1:80", "https://consent.example/pages", false),
            ("127.0.0.1:80", "https://", false),
            ("127.0.0.1:80", "consent.example", false),
            ("127.0.0.1:80", "https://user@consent.example", false),
        ] {
            let listener = PeopleListener { address: address.parse().unwrap(), url: url.into() };
            assert_eq!(listener.is_origin(), wanted, "{url}");
        }
    }
}
