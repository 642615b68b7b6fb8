//! The log as the pipeline uses it.
//!
//! An append goes to one thread, which makes everything that
//! is waiting durable with one sync, signs one checkpoint for it and answers with proofs against
//! that checkpoint. Tiles and the public `checkpoint` follow within the publication interval; until
//! they are on disk the write-ahead log holds the entries.
//!
//! When the disk fails or fills up, the log stops: [`Journal::writable`] refuses, waiting appends
//! are refused, nothing more is acknowledged. Whether the last batch reached the disk cannot be
//! known then; a restart finds out. So recovery is always the same: put the cause right, restart.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::archive::Archive;
use gateway_core::{ExchangeId, Fault, Journal, Kind, Receipt, journal::Record};
use tlog_tiles::record_hash;
use tokio::sync::oneshot;

use crate::attach::Attaching;
use crate::commitment::{CommitmentKey, Part};
use crate::delay::CommitDelay;
use crate::error::LogError;
use crate::keeper::{Behind, Keeper};
use crate::key::{LogKey, VerifierKey};
use crate::notary::{Heads, Notary, NotaryConfig, Standing};
use crate::publish::{BACKLOG, Publisher};
use crate::recover::{Recovered, recover};
use crate::tiles::Tiles;
use crate::vault::{Sealing, Vault};
use crate::wal::Sync;
use crate::writer::{Append, Message, Placed, Writer};
use crate::{leaf, receipt};

/// The longest entry that a bundle can hold (tlog-tiles, "Log entries").
const LONGEST_ENTRY: usize = u16::MAX as usize;
/// The longest attachment: with it, a frame's length fits its field many times over.
const LONGEST_ATTACHMENT: usize = 256 << 20;

/// Where the log is and what it is called.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// Its directory, made when missing. One file system, for nothing else.
    pub directory: PathBuf,
    /// Its name in every checkpoint; must be the name of the key.
    pub origin: String,
    /// How long an entry may be durable before it is in the public tiles. One second is usual.
    pub publish_interval: Duration,
    /// Who is asked about checkpoints: witnesses, an authority for the time. Nobody when absent.
    pub notary: Option<NotaryConfig>,
}

/// The evidence log.
pub struct Log {
    attaching: Option<Attaching>,
    vault: OnceLock<Arc<Vault>>,
    behind: Behind,
    inbox: Sender<Message>,
    writer: Mutex<Option<JoinHandle<()>>>,
    stopped: Arc<OnceLock<String>>,
    standing: Option<Arc<Mutex<Standing>>>,
    commitments: CommitmentKey,
    verifier: VerifierKey,
    directory: PathBuf,
}

impl Log {
    /// Opens or begins the log, replaying what a crash has left.
    ///
    /// # Errors
    /// Any [`LogError`]; each says what to do. A log that is not exactly what was signed does not
    /// open.
    pub async fn open(
        config: LogConfig,
        key: LogKey,
        commitments: CommitmentKey,
    ) -> Result<Self, LogError> {
        Self::open_with(config, key, commitments, None).await
    }

    /// As [`Log::open`], with an archive for what is kept beside the entries. It must have been the
    /// archive of this log from the time when it was made.
    ///
    /// # Errors
    /// As [`Log::open`]; [`LogError::ArchiveAhead`] when the archive knows entries that the log has
    /// lost.
    pub async fn open_with(
        config: LogConfig,
        key: LogKey,
        commitments: CommitmentKey,
        archive: Option<Arc<dyn Archive>>,
    ) -> Result<Self, LogError> {
        let sync = Box::new(|file: &File| file.sync_data());
        Self::open_on(config, key, commitments, archive, sync).await
    }

    pub(crate) async fn open_on(
        config: LogConfig,
        key: LogKey,
        commitments: CommitmentKey,
        archive: Option<Arc<dyn Archive>>,
        sync: Sync,
    ) -> Result<Self, LogError> {
        if key.verifier().name() != config.origin {
            return Err(LogError::KeyName {
                key: key.verifier().name().to_owned(),
                origin: config.origin,
            });
        }
        let verifier = key.verifier().clone();
        let directory = config.directory.clone();
        let lock = lock(&config.directory)?;
        let (inbox, messages) = mpsc::channel();
        let (ready, opened) = oneshot::channel();
        let stopped = Arc::new(OnceLock::new());
        let status = stopped.clone();
        let attaching = archive.is_some().then(Attaching::default);
        let keeps = archive.is_some();
        let behind = Behind::default();
        let keeper = Keeper::new(archive, behind.clone());
        let standing = config.notary.as_ref().map(|_| Arc::<Mutex<Standing>>::default());
        let told = standing.clone();
        let writer = spawn("journal-write", &config.directory.clone(), move || {
            // Held to the end of the thread: until then it may still write.
            let held = lock;
            let heads = told.as_ref().map(|_| Arc::<Heads>::default());
            let opened = recover(&config.directory, &key, keeper, heads.clone());
            let opened = opened.and_then(|recovered| {
                let notary = heads.zip(told).zip(config.notary.clone());
                let notary = notary.map(|((heads, standing), asked)| {
                    notarize(&config.directory, &key, asked, heads, standing, status.clone())
                });
                Ok((recovered, notary.transpose()?))
            });
            let result = match opened {
                Ok((recovered, notary)) => {
                    let _ = ready.send(Ok(()));
                    let result = write(recovered, config, key, keeps, sync, &messages, &status);
                    if let Some(notary) = notary {
                        notary.finish();
                    }
                    result
                }
                Err(error) => {
                    drop(held);
                    return drop(ready.send(Err(error)));
                }
            };
            stop(&status, result);
        })?;
        let died = |_| Err(LogError::Stopped("its thread died".to_owned()));
        opened.await.unwrap_or_else(died)?;
        Ok(Self {
            attaching,
            vault: OnceLock::new(),
            behind,
            inbox,
            writer: Mutex::new(Some(writer)),
            stopped,
            standing,
            commitments,
            verifier,
            directory,
        })
    }

    /// Makes durable what is waiting, publishes everything and stops. Later appends are refused.
    ///
    /// # Errors
    /// When something could not be published. Nothing acknowledged is lost; the next start
    /// publishes it.
    pub async fn shutdown(&self) -> Result<(), LogError> {
        // When the thread is gone already, joining it below tells why.
        let _ = self.inbox.send(Message::Shutdown);
        if let Some(writer) = self.take_writer() {
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
        match self.stopped.get() {
            Some(reason) if reason != CLOSED => Err(LogError::Stopped(reason.clone())),
            _ => Ok(()),
        }
    }

    /// From now on seals bodies with `vault`, whose keys are in the archive of this log. The first one
    /// stands.
    pub fn keep_bodies(&self, vault: Arc<Vault>) {
        let _ = self.vault.set(vault);
    }

    /// Where it is published on this machine.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The public key of this log.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The salt of one part of an entry that has none of a person's keys.
    pub fn salt(&self, exchange: &ExchangeId, kind: &str, part: Part) -> [u8; 32] {
        self.commitments.salt(exchange, kind, part)
    }

    /// Why the archive does not keep up, while it does not; what waits for it is in the write-ahead
    /// log.
    pub fn archive_behind(&self) -> Option<String> {
        self.behind.reason()
    }

    /// Returns once all entries acknowledged so far are published and, with their attachments, in the
    /// archive and nowhere else.
    ///
    /// # Errors
    /// [`LogError::Stopped`] when the log has stopped, or the archive is behind.
    pub async fn flush(&self) -> Result<(), LogError> {
        let (answer, flushed) = oneshot::channel();
        let refused = || {
            let behind = self.behind.reason();
            LogError::Stopped(behind.unwrap_or_else(|| self.unavailable().context))
        };
        self.inbox.send(Message::Flush(answer)).map_err(|_| refused())?;
        flushed.await.map_err(|_| refused())
    }

    /// How the log stands with its witnesses and time stamps; none where nobody is asked.
    pub fn standing(&self) -> Option<Standing> {
        let standing = self.standing.as_ref()?;
        Some(standing.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn take_writer(&self) -> Option<JoinHandle<()>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn unavailable(&self) -> Fault {
        let reason = self.stopped.get().map_or("its thread died", String::as_str);
        unavailable(reason)
    }
}

/// Why a log that was shut down refuses.
const CLOSED: &str = "it was shut down";

/// Dropped without [`Log::shutdown`], the log is left as a crash leaves it, except that batches
/// under way are finished; the next start publishes them.
impl Drop for Log {
    fn drop(&mut self) {
        self.inbox = mpsc::channel().0;
        if let Some(writer) = self.take_writer() {
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("stopped", &self.stopped.get()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Journal for Log {
    async fn append(&self, record: Record<'_>) -> Result<Receipt, Fault> {
        let placed = self.submit(&record).await?.await.map_err(|_| self.unavailable())?;
        Ok(Receipt(receipt::encode(&placed)))
    }

    fn writable(&self) -> Result<(), Fault> {
        if self.stopped.get().is_some() {
            return Err(self.unavailable());
        }
        match self.standing() {
            Some(Standing { overdue: true, missing, .. }) => {
                Err(unavailable(format_args!("too long without {}", missing.join(", "))))
            }
            _ => Ok(()),
        }
    }
}

impl Log {
    /// Hands an entry to the log's thread. What is sealed goes there before an erasure can begin.
    async fn submit(&self, record: &Record<'_>) -> Result<oneshot::Receiver<Placed>, Fault> {
        let sealing = match (&self.attaching, self.vault.get()) {
            (Some(_), Some(vault)) => vault.sealing(record).await.map_err(unavailable)?,
            _ => None,
        };
        let salts = sealing.as_ref().map_or(&self.commitments, Sealing::salts);
        let entry = leaf::encode(record, salts).map_err(unavailable)?;
        if entry.len() > LONGEST_ENTRY {
            return Err(unavailable("the entry is longer than 65,535 bytes"));
        }
        let attachment = match &self.attaching {
            Some(attaching) => {
                let mut attachment = attaching.attach(record).map_err(unavailable)?;
                let sealed = sealing.as_ref().map(|sealing| sealing.seal(record)).transpose();
                attachment.sealed = sealed.map_err(unavailable)?;
                attachment.encode()
            }
            None => Vec::new(),
        };
        if attachment.len() > LONGEST_ATTACHMENT {
            return Err(unavailable("what is kept beside the entry is too long"));
        }
        let (answer, placed) = oneshot::channel();
        let append = Append { hash: record_hash(&entry), entry, attachment, answer };
        self.inbox.send(Message::Append(append)).map_err(|_| self.unavailable())?;
        Ok(placed)
    }
}

fn unavailable(reason: impl fmt::Display) -> Fault {
    Fault::new(
        Kind::Internal,
        "evidence-unavailable",
        "the gateway cannot record evidence at the moment, so nothing was done",
    )
    .context(format_args!("evidence log: {reason}"))
}

fn lock(directory: &Path) -> Result<File, LogError> {
    let path = directory.join("lock");
    let file = fs::create_dir_all(directory)
        .and_then(|()| File::create(&path))
        .map_err(|source| LogError::io("create", &path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogError::Locked(path)),
        Err(TryLockError::Error(source)) => Err(LogError::io("lock", &path, source)),
    }
}

fn spawn(
    name: &str,
    directory: &Path,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, LogError> {
    let spawned = Builder::new().name(name.to_owned()).spawn(work);
    spawned.map_err(|source| LogError::io("start a thread for", directory, source))
}

/// Runs the writer with its publisher beside it, to the end of both.
fn write(
    recovered: Recovered,
    config: LogConfig,
    key: LogKey,
    keeps: bool,
    sync: Sync,
    messages: &Receiver<Message>,
    status: &Arc<OnceLock<String>>,
) -> Result<(), LogError> {
    let Recovered { edge, segment, publisher, torn } = recovered;
    if torn > 0 {
        tracing::warn!(
            journal.torn_bytes = torn,
            "dropped a batch that a crash cut off; it was never acknowledged"
        );
    }
    let (jobs, publishing) = publish_beside(publisher, &config.directory, status.clone())?;
    let writer = Writer {
        edge,
        segment,
        sync,
        key,
        wal: config.directory.join("wal"),
        publisher: jobs,
        interval: config.publish_interval,
        due: None,
        delay: CommitDelay::default(),
        keeping: keeps.then(Vec::new),
    };
    let mut waiting = Vec::new();
    let result = writer.serve(messages, &mut waiting);
    if result.is_err() {
        stop(status, result);
    }
    // The publisher has said itself why it failed, if it did.
    let _ = publishing.join();
    Ok(())
}

fn publish_beside(
    publisher: Publisher,
    directory: &Path,
    status: Arc<OnceLock<String>>,
) -> Result<(mpsc::SyncSender<crate::publish::Job>, JoinHandle<()>), LogError> {
    let (jobs, work) = mpsc::sync_channel(BACKLOG);
    let thread = spawn("journal-publish", directory, move || {
        if let Err(error) = publisher.run(&work) {
            stop(&status, Err(error));
        }
    })?;
    Ok((jobs, thread))
}

/// The notary's thread, which ends once it has seen to the last checkpoint.
struct Notarizing {
    heads: Arc<Heads>,
    thread: JoinHandle<()>,
}

impl Notarizing {
    fn finish(self) {
        self.heads.close();
        // It has said itself why it failed, if it did.
        let _ = self.thread.join();
    }
}

fn notarize(
    directory: &Path,
    key: &LogKey,
    asked: NotaryConfig,
    heads: Arc<Heads>,
    standing: Arc<Mutex<Standing>>,
    status: Arc<OnceLock<String>>,
) -> Result<Notarizing, LogError> {
    let tiles = Tiles::open(directory)?;
    let notary = Notary::new(tiles, key.verifier().clone(), asked, heads.clone(), standing);
    let thread = spawn("journal-notary", directory, move || {
        if let Err(error) = notary.run() {
            stop(&status, Err(error));
        }
    })?;
    Ok(Notarizing { heads, thread })
}

/// Says why the log has stopped; the first reason stands.
fn stop(status: &OnceLock<String>, result: Result<(), LogError>) {
    match result {
        Ok(()) => drop(status.set(CLOSED.to_owned())),
        Err(error) => {
            let reason = error.to_string();
            if status.set(reason).is_ok() {
                tracing::error!("the evidence log has stopped: {error}");
            }
        }
    }
}

#[cfg(test)]
mod tests;
