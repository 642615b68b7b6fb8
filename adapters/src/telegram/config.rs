//! What a provider of telegrams is configured with.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::Path;

use gateway_core::framing::format::FramingFormat;
use serde::Deserialize;

use crate::tls::TlsConfig;

/// One provider.
#[derive(Clone, Debug, Deserialize)]
pub struct TelegramConfig {
    /// `host:port`.
    pub address: String,
    /// How telegrams follow one another.
    pub framing: FramingFormat,
    /// Whether connections stay open.
    #[serde(default)]
    pub connection: ConnectionUse,
    /// How many connections at most, where they stay open.
    #[serde(default = "one")]
    pub connections: NonZeroUsize,
    /// Telegrams under way on one connection at once, told apart by their serial number.
    #[serde(default = "one")]
    pub multiplex: NonZeroUsize,
    /// How long a connection may take to stand, TLS included.
    #[serde(default = "three")]
    pub connect_seconds: NonZeroU64,
    /// After a connection failed: how long until the next is tried, doubling with each failure up
    /// to the second value.
    #[serde(default = "back_off")]
    pub back_off_ms: [u64; 2],
    /// A telegram that shows whether a silent connection still stands.
    pub test: Option<TestTelegram>,
    /// TLS; telegrams go in the clear without it.
    pub tls: Option<TlsConfig>,
}

/// `connection` of a backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectionUse {
    /// Connections stay open and are used again.
    #[default]
    Persistent,
    /// Each message has a connection of its own.
    PerMessage,
}

/// `test` of a backend.
#[derive(Clone, Debug, Deserialize)]
pub struct TestTelegram {
    /// The telegram in ASCII; a run of `#` is its serial number, which the answer repeats in the
    /// same place.
    pub telegram: String,
    /// After how much silence it is sent. A connection whose last one is not answered by the time
    /// of the next is given up.
    pub idle_seconds: NonZeroU64,
}

fn one() -> NonZeroUsize {
    NonZeroUsize::MIN
}

fn three() -> NonZeroU64 {
    NonZeroU64::MIN.saturating_add(2)
}

fn back_off() -> [u64; 2] {
    [100, 30_000]
}

impl TelegramConfig {
    /// The same with its relative paths taken from `base`.
    #[must_use]
    pub fn based(mut self, base: &Path) -> Self {
        self.tls = self.tls.map(|tls| tls.based(base));
        self
    }
}
