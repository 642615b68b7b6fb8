//! `[log]`, the evidence log, and `[log_output]`, what the gateway says of itself.

use std::num::NonZeroU64;
use std::path::PathBuf;

use serde::Deserialize;

use crate::secret::SecretRef;

/// `[log]`
#[derive(Debug, Deserialize)]
pub struct Log {
    /// The folder of the tiles.
    pub directory: PathBuf,
    /// The log's origin, the first line of its checkpoints.
    pub origin: String,
    /// The note signer key.
    pub key: SecretRef,
    /// How often tiles and checkpoint are published.
    #[serde(default = "one_second")]
    pub publish_seconds: u64,
    /// True to show the log to everyone under `/log/` of the HTTP listeners.
    #[serde(default)]
    pub serve: bool,
    /// Who cosigns checkpoints.
    #[serde(default)]
    pub witness: Vec<LogWitness>,
    /// How many witnesses must have cosigned a checkpoint before it is published.
    #[serde(default)]
    pub quorum: usize,
    /// Who stamps checkpoints with the time.
    pub timestamps: Option<LogTimestamps>,
    /// How long a quorum or a time stamp may be missing before nothing is done any more; for ever
    /// when absent.
    pub stop_after_seconds: Option<u64>,
}

/// `[[log.witness]]`
#[derive(Debug, Deserialize)]
pub struct LogWitness {
    /// Its verifier key, of signature type 4.
    pub key: String,
    /// The prefix under which it has `add-checkpoint`.
    pub url: String,
}

/// `[log.timestamps]`
#[derive(Debug, Deserialize)]
pub struct LogTimestamps {
    /// Where RFC 3161 requests are sent.
    pub url: String,
    /// The certificates, PEM, at which the chain of its signer may end.
    pub authority: PathBuf,
    /// At most one stamp in this time.
    #[serde(default = "an_hour")]
    pub every_seconds: NonZeroU64,
}

/// `[log_output]`
#[derive(Debug, Deserialize)]
#[serde(default)]
pub struct LogOutput {
    /// `json` or `text`.
    pub format: LogFormat,
    /// A `tracing` filter, e.g. `info` or `info,naru=debug`.
    pub filter: String,
}

/// `log_output.format`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl Default for LogOutput {
    fn default() -> Self {
        Self { format: LogFormat::Json, filter: "info".to_owned() }
    }
}

fn an_hour() -> NonZeroU64 {
    const HOUR: NonZeroU64 = NonZeroU64::MIN.saturating_add(3599);
    HOUR
}
fn one_second() -> u64 {
    1
}
