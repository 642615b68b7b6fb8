//! `[queue]` and `[[subscription]]`: work for later, and who is called back.

use std::path::PathBuf;

use serde::Deserialize;

use crate::later::Body;
use crate::secret::SecretRef;

/// `[queue]`
#[derive(Clone, Debug, Deserialize)]
pub struct Queue {
    /// 32 bytes in hex: seals what waits and what is kept.
    pub key: SecretRef,
    /// How long the reply of an asynchronous exchange is kept.
    #[serde(default = "day")]
    pub keep_hours: u32,
    /// How long dead letters are kept.
    #[serde(default = "month")]
    pub keep_dead_days: u32,
    /// Exchanges, and callbacks, of one member that may wait.
    #[serde(default = "ten_thousand")]
    pub waiting: u32,
    /// How many are worked on at once.
    #[serde(default = "sixteen")]
    pub workers: usize,
    /// How often one is tried before it is a dead letter.
    #[serde(default = "ten")]
    pub attempts: u32,
    /// The first wait between two tries; each further one is twice as long, less up to a half.
    #[serde(default = "five_seconds")]
    pub first_retry_ms: u64,
    /// The longest wait between two tries.
    #[serde(default = "hour")]
    pub longest_retry_seconds: u64,
}

/// `[[subscription]]`
#[derive(Clone, Debug, Deserialize)]
pub struct Subscription {
    /// Its name; callbacks of one subscription keep their order.
    pub name: String,
    /// Whose it is.
    pub member: String,
    /// Where callbacks go: https, unless private addresses are allowed.
    pub url: String,
    /// `whsec_` and base64: signs them (Standard Webhooks).
    pub secret: SecretRef,
    /// Which: `exchange.completed`, `exchange.failed`.
    pub events: Vec<String>,
    /// `notice`, or `reply` for the reply itself in the member's own format.
    #[serde(default)]
    pub body: Body,
    /// Whether the URL may be plain http or lead to an address that is not public.
    #[serde(default)]
    pub private_addresses: bool,
    /// PEM: the authorities of the receiver's certificate, instead of the system's.
    pub authority: Option<PathBuf>,
    /// How long the receiver may take to answer.
    #[serde(default = "fifteen")]
    pub timeout_seconds: u64,
}

fn day() -> u32 {
    24
}
fn month() -> u32 {
    30
}
fn ten_thousand() -> u32 {
    10_000
}
fn sixteen() -> usize {
    16
}
fn ten() -> u32 {
    10
}
fn five_seconds() -> u64 {
    5_000
}
fn hour() -> u64 {
    3_600
}
fn fifteen() -> u64 {
    15
}
