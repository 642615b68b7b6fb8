//! Providers that take telegrams over TCP, in any framing of the core. The gateway is the client.
//!
//! A message's serial number is given here, because only here is it known which are under way;
//! answers find their request by it. Read [`connection`] for the life of a connection, [`pool`] for
//! how they are kept open. Not here: what a telegram means, retry, circuit breaking.

mod config;
mod connection;
mod pool;
mod serial;
mod test;

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use gateway_core::adapter::Format;
use gateway_core::framing::Framing;
use gateway_core::wire::{Around, Holds, Place};
use gateway_core::{Adapter, Clock, Encoded, Outbox, Profile, Received};
use tokio::time::{Duration, Instant};
use zeroize::Zeroizing;

use crate::message::{self, Carrier, Prepared, SendError, Transport, Trouble};
use crate::tls::TlsError;

pub use config::{ConnectionUse, TelegramConfig, TestTelegram};
use pool::{Pool, Target};
use serial::Serials;

/// A configured provider whose files have been read.
pub struct Telegram {
    pool: Pool,
    profile: Profile,
}

/// Why a provider cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TelegramError {
    /// The framing.
    #[error("framing.{0}")]
    Framing(String),
    /// The address is not `host:port`.
    #[error("address: must be host:port")]
    Address,
    /// `test` on connections that do not stay.
    #[error("test: means nothing where each message has its own connection")]
    TestUnused,
    /// The test telegram.
    #[error("test.telegram: {0}")]
    Test(String),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Telegram {
    /// Checks the configuration and reads its files. Nothing is opened. `key` is the PEM text of
    /// the key of the client certificate.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(
        config: &TelegramConfig,
        key: Option<&Zeroizing<String>>,
    ) -> Result<Self, TelegramError> {
        let framing = framing(config)?;
        let target = Target::new(config, framing, key.map(|key| key.as_bytes()))?;
        Ok(Self {
            pool: Pool::new(target, config)?,
            profile: message::profile(&[Format::Telegram]),
        })
    }

    /// What it can do.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Opens it; `outbox` keeps what is about to be sent.
    pub fn open(self, outbox: Arc<dyn Outbox>, clock: Arc<dyn Clock>) -> Arc<dyn Adapter> {
        let line = Line { pool: self.pool, serials: Serials::new(clock) };
        Arc::new(Carrier::new(line, &[Format::Telegram], outbox))
    }
}

fn framing(config: &TelegramConfig) -> Result<Framing, TelegramError> {
    config.framing.check().map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        TelegramError::Framing(problems.join("; "))
    })
}

struct Line {
    pool: Pool,
    serials: Serials,
}

/// The bytes of a telegram by which its answer is known, and where they stand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Mark {
    offset: usize,
    digits: Vec<u8>,
}

impl Mark {
    fn of(message: &Encoded) -> Option<Self> {
        let Around::Telegram { places } = &message.around else {
            return None;
        };
        let place = places.iter().find(|place| place.holds == Holds::Serial)?;
        let end = place.offset.checked_add(place.length)?;
        let digits = message.body.get(place.offset..end)?.to_vec();
        Some(Self { offset: place.offset, digits })
    }
}

/// Writes digits into a place that holds zeros, in the digits of its encoding.
fn fill(body: &mut [u8], place: &Place, digits: &str) {
    let end = place.offset.saturating_add(place.length);
    let Some(field) = body.get_mut(place.offset..end) else {
        return;
    };
    // The mapping wrote a zero there, as its encoding has it: 0x30, or 0xF0 in EBCDIC.
    let zone = field.last().map_or(0x30, |zero| zero & 0xf0);
    for (byte, digit) in field.iter_mut().rev().zip(digits.bytes().rev()) {
        *byte = zone | (digit & 0x0f);
    }
}

#[async_trait]
impl Transport for Line {
    fn prepare<'m>(&self, message: &'m Encoded, original: Option<&str>) -> Prepared<'m> {
        let Around::Telegram { places } = &message.around else {
            return Prepared { message: Cow::Borrowed(message), serial: None };
        };
        let mut filled = message.clone();
        let mut own = None;
        for place in places {
            match (place.holds, original) {
                (Holds::Serial, _) => {
                    let serial = self.serials.next(place.length);
                    fill(&mut filled.body, place, &serial);
                    own = Some(serial);
                }
                (Holds::Original, Some(original)) => fill(&mut filled.body, place, original),
                (Holds::Original, None) => {}
            }
        }
        Prepared { message: Cow::Owned(filled), serial: own }
    }

    async fn send(&self, message: &Encoded, deadline: Instant) -> Result<Received, SendError> {
        let mark = Mark::of(message);
        let mark = mark.ok_or_else(|| {
            let why = "it is no telegram with a serial number".to_owned();
            SendError::NotSent(Trouble::Unsuitable(why))
        })?;
        let body = self.pool.exchange(&message.body, mark, deadline).await?;
        Ok(Received { status: None, headers: Default::default(), body })
    }

    async fn probe(&self) -> Result<(), SendError> {
        self.pool.probe(Instant::now() + PROBE).await
    }
}

/// How long the probe may take.
const PROBE: Duration = Duration::from_secs(5);
