//! The connections to one provider: opened when they are wanted, kept or not, and not tried again
//! and again while they fail.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::framing::Framing;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

use super::connection::{Connection, Test};
use super::{ConnectionUse, Mark, TelegramConfig, TelegramError};
use crate::message::{SendError, Trouble};

/// Where the provider is and how it is spoken to.
pub(super) struct Target {
    address: String,
    framing: Framing,
    connect: Duration,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    test: Option<Test>,
}

impl Target {
    pub(super) fn new(
        config: &TelegramConfig,
        framing: Framing,
        key: Option<&[u8]>,
    ) -> Result<Self, TelegramError> {
        let (host, port) = config.address.rsplit_once(':').ok_or(TelegramError::Address)?;
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err(TelegramError::Address);
        }
        let tls = match &config.tls {
            None if key.is_some() => return Err(crate::tls::TlsError::Half.into()),
            None => None,
            Some(tls) => {
                let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                let name = ServerName::try_from(name).map_err(|_| TelegramError::Address)?;
                Some((TlsConnector::from(std::sync::Arc::new(tls.load(key)?)), name))
            }
        };
        let test = config.test.as_ref().map(|test| super::test::compile(test, &framing));
        Ok(Self {
            address: config.address.clone(),
            framing,
            connect: Duration::from_secs(config.connect_seconds.get()),
            tls,
            test: test.transpose()?,
        })
    }

    async fn connect(&self, test: Option<Test>, deadline: Instant) -> Result<Connection, Trouble> {
        let opened = timeout_at(deadline, timeout(self.connect, self.open(test))).await;
        match opened {
            Ok(Ok(Ok(connection))) => Ok(connection),
            Ok(Ok(Err(error))) => Err(Trouble::Connect(error.kind().to_string())),
            Ok(Err(_)) | Err(_) => Err(Trouble::Connect("no connection in time".to_owned())),
        }
    }

    async fn open(&self, test: Option<Test>) -> std::io::Result<Connection> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        Ok(match &self.tls {
            None => Connection::start(stream, self.framing, test),
            Some((connector, name)) => {
                let stream = connector.connect(name.clone(), stream).await?;
                Connection::start(stream, self.framing, test)
            }
        })
    }
}

/// All connections to one provider.
pub(super) struct Pool {
    target: Target,
    per_message: bool,
    slots: Vec<Slot>,
    next: AtomicUsize,
    back_off: [Duration; 2],
}

/// A place for one connection that stays.
struct Slot {
    /// Telegrams that may be under way on it.
    turns: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connection: Option<Connection>,
    /// After a failure: how long the wait is, and until when.
    waiting: Option<(Duration, Instant)>,
}

impl Pool {
    pub(super) fn new(target: Target, config: &TelegramConfig) -> Result<Self, TelegramError> {
        let per_message = config.connection == ConnectionUse::PerMessage;
        if per_message && config.test.is_some() {
            return Err(TelegramError::TestUnused);
        }
        let turns = config.multiplex.get().min(Semaphore::MAX_PERMITS);
        let slot = || Slot { turns: Semaphore::new(turns), state: Mutex::default() };
        Ok(Self {
            target,
            per_message,
            slots: std::iter::repeat_with(slot).take(config.connections.get()).collect(),
            next: AtomicUsize::new(0),
            back_off: config.back_off_ms.map(Duration::from_millis),
        })
    }

    /// Sends a telegram on some connection and waits for its answer.
    pub(super) async fn exchange(
        &self,
        telegram: &[u8],
        mark: Mark,
        deadline: Instant,
    ) -> Result<Bytes, SendError> {
        let wire = self.target.framing.encode(telegram);
        let wire =
            wire.map_err(|error| SendError::NotSent(Trouble::Unsuitable(error.to_string())))?;
        if self.per_message {
            let connection = self.target.connect(None, deadline).await;
            let connection = connection.map_err(SendError::NotSent)?;
            return connection.exchange(wire, mark, deadline).await;
        }
        let slot = self.slot().ok_or(SendError::NotSent(Trouble::Busy))?;
        let turn = timeout_at(deadline, slot.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err(SendError::NotSent(Trouble::Busy));
        };
        let connection = self.connection(slot, deadline).await.map_err(SendError::NotSent)?;
        connection.exchange(wire, mark, deadline).await
    }

    /// The slot with most turns left; among equals each in its turn.
    fn slot(&self) -> Option<&Slot> {
        let start = self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len().max(1);
        let (before, after) = self.slots.split_at_checked(start)?;
        let mut best: Option<&Slot> = None;
        for slot in after.iter().chain(before) {
            let free = slot.turns.available_permits();
            if best.is_none_or(|best| free > best.turns.available_permits()) {
                best = Some(slot);
            }
        }
        best
    }

    async fn connection(&self, slot: &Slot, deadline: Instant) -> Result<Connection, Trouble> {
        let state = timeout_at(deadline, slot.state.lock()).await;
        let mut state = state.map_err(|_| Trouble::Busy)?;
        if let Some(connection) = state.connection.as_ref().filter(|each| each.stands()) {
            return Ok(connection.clone());
        }
        state.connection = None;
        if state.waiting.is_some_and(|(_, until)| Instant::now() < until) {
            return Err(Trouble::BackingOff);
        }
        match self.target.connect(self.target.test.clone(), deadline).await {
            Ok(connection) => {
                *state = State { connection: Some(connection.clone()), waiting: None };
                Ok(connection)
            }
            Err(trouble) => {
                let [first, most] = self.back_off;
                let wait = state.waiting.map_or(first, |(wait, _)| wait.saturating_mul(2));
                let wait = wait.min(most);
                state.waiting = Some((wait, Instant::now() + wait));
                Err(trouble)
            }
        }
    }

    /// Whether a connection stands or can be opened.
    pub(super) async fn probe(&self, deadline: Instant) -> Result<(), SendError> {
        let connected = match self.slot() {
            Some(slot) if !self.per_message => self.connection(slot, deadline).await,
            _ => self.target.connect(None, deadline).await,
        };
        connected.map(drop).map_err(SendError::NotSent)
    }
}
