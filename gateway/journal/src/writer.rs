//! The one thread that owns the log's end. Appends that arrive while it waits for the disk become
//! durable together: one frame, one sync, one signature (group commit).

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use gateway_core::archive::Kept;
use tlog_tiles::Hash;
use tokio::sync::oneshot;

use crate::delay::CommitDelay;
use crate::edge::Edge;
use crate::error::LogError;
use crate::key::LogKey;
use crate::publish::Job;
use crate::wal::{self, Segment, Sync};

/// The most that one batch takes in: with more, the first would wait too long.
const BATCH_ENTRIES: usize = 1024;
/// When a segment of the write-ahead log has this many bytes, tiles are made durable and a new one
/// is begun. Start-up replays at most this much.
const SEGMENT_BYTES: u64 = 32 << 20;
/// How many entries the archive is handed at a time under load.
const KEPT_TOGETHER: usize = 256;

/// What the writer is asked.
pub(crate) enum Message {
    /// Append an entry.
    Append(Append),
    /// Publish everything, have it archived, and answer when nothing of it is in the write-ahead log
    /// any more; the answer is dropped when the archive is behind.
    Flush(oneshot::Sender<()>),
    /// Publish everything, then stop.
    Shutdown,
}

/// An entry to append.
pub(crate) struct Append {
    pub(crate) entry: Vec<u8>,
    pub(crate) attachment: Vec<u8>,
    pub(crate) hash: Hash,
    /// Answered once the entry is durable; dropped when it cannot be made so.
    pub(crate) answer: oneshot::Sender<Placed>,
}

/// Where an entry has come to stand.
pub(crate) struct Placed {
    pub(crate) entry: Vec<u8>,
    pub(crate) index: u64,
    pub(crate) proof: Vec<Hash>,
    /// The signed checkpoint of its batch.
    pub(crate) checkpoint: Arc<str>,
}

/// The writer's state.
pub(crate) struct Writer {
    pub(crate) edge: Edge,
    pub(crate) segment: Segment,
    pub(crate) sync: Sync,
    pub(crate) key: LogKey,
    pub(crate) wal: PathBuf,
    pub(crate) publisher: SyncSender<Job>,
    pub(crate) interval: Duration,
    /// When the tree must be published; none when it is.
    pub(crate) due: Option<Instant>,
    pub(crate) delay: CommitDelay,
    /// What the archive is to be handed, where there is one.
    pub(crate) keeping: Option<Vec<Kept>>,
}

enum Next {
    Commit,
    Publish,
    Flush(oneshot::Sender<()>),
    Shutdown,
    HungUp,
}

impl Writer {
    /// Serves until told to shut down, or dropped, or something fails. `batch` belongs to the
    /// caller, so that it can say why before what is in it is dropped, which its senders take for
    /// a refusal.
    pub(crate) fn serve(
        mut self,
        inbox: &Receiver<Message>,
        batch: &mut Vec<Append>,
    ) -> Result<(), LogError> {
        loop {
            let next = self.receive(inbox, batch);
            self.commit(batch)?;
            match next {
                Next::Commit => {}
                Next::Publish => self.publish()?,
                Next::Flush(answer) => {
                    self.seal()?;
                    self.tell(Job::Flush(answer))?;
                }
                Next::Shutdown => return self.seal(),
                Next::HungUp => return Ok(()),
            }
        }
    }

    /// Waits for something to do, and takes everything else that is waiting with it.
    fn receive(&mut self, inbox: &Receiver<Message>, batch: &mut Vec<Append>) -> Next {
        let first = match self.due {
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => inbox.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        match first {
            Ok(Message::Append(append)) => batch.push(append),
            Ok(Message::Flush(answer)) => return Next::Flush(answer),
            Ok(Message::Shutdown) => return Next::Shutdown,
            Err(RecvTimeoutError::Timeout) => return Next::Publish,
            Err(RecvTimeoutError::Disconnected) => return Next::HungUp,
        }
        let mut next = Self::drain(inbox, batch);
        if next.is_none()
            && let Some(delay) = self.delay.of(batch.len())
        {
            let before = batch.len();
            thread::sleep(delay);
            next = Self::drain(inbox, batch);
            self.delay.brought(before, batch.len());
        }
        if let Some(next) = next {
            return next;
        }
        match self.due {
            Some(due) if due <= Instant::now() => Next::Publish,
            _ => Next::Commit,
        }
    }

    /// Takes what is waiting, without waiting for more.
    fn drain(inbox: &Receiver<Message>, batch: &mut Vec<Append>) -> Option<Next> {
        while batch.len() < BATCH_ENTRIES {
            match inbox.try_recv() {
                Ok(Message::Append(append)) => batch.push(append),
                Ok(Message::Flush(answer)) => return Some(Next::Flush(answer)),
                Ok(Message::Shutdown) => return Some(Next::Shutdown),
                Err(_) => break,
            }
        }
        None
    }

    /// Makes a batch durable, and only then signs and answers.
    fn commit(&mut self, batch: &mut Vec<Append>) -> Result<(), LogError> {
        if batch.is_empty() {
            return Ok(());
        }
        let first = self.edge.tree.size();
        let mut frame =
            wal::frame(first, batch.iter().map(|append| (&*append.entry, &*append.attachment)));
        for append in batch.iter() {
            self.edge.push(&append.entry, append.hash);
        }
        let root = self.edge.tree.root()?;
        frame.extend_from_slice(&root.0);
        let begun = Instant::now();
        self.segment.append(&frame, &mut self.sync)?;
        self.delay.synced(batch.len(), begun.elapsed());

        let checkpoint: Arc<str> = self.key.checkpoint(self.edge.tree.size(), root).into();
        let proofs = self.edge.tree.proofs(first)?;
        for ((index, proof), append) in (first..).zip(proofs).zip(batch.drain(..)) {
            if let Some(keeping) = &mut self.keeping {
                let (entry, attachment) = (append.entry.clone(), append.attachment);
                keeping.push(Kept { index, entry, attachment });
            }
            let placed =
                Placed { entry: append.entry, index, proof, checkpoint: checkpoint.clone() };
            // A caller that has gone away does not need its receipt.
            let _ = append.answer.send(placed);
        }

        if self.keeping.as_ref().is_some_and(|keeping| keeping.len() >= KEPT_TOGETHER) {
            self.keep()?;
        }
        let full = self.edge.take_full()?;
        if !full.is_empty() {
            self.tell(Job::Full(full))?;
        }
        if self.segment.length >= SEGMENT_BYTES {
            return self.seal();
        }
        self.due.get_or_insert_with(|| Instant::now() + self.interval);
        Ok(())
    }

    /// Hands on what the archive is to keep.
    fn keep(&mut self) -> Result<(), LogError> {
        let keeping = self.keeping.as_mut().map(std::mem::take).unwrap_or_default();
        if keeping.is_empty() { Ok(()) } else { self.tell(Job::Keep(keeping)) }
    }

    /// Publishes the tree as it is.
    fn publish(&mut self) -> Result<(), LogError> {
        let tree = &self.edge.tree;
        let checkpoint = self.key.checkpoint(tree.size(), tree.root()?);
        let partial = self.edge.partial()?;
        self.due = None;
        self.keep()?;
        self.tell(Job::Head { partial, checkpoint })
    }

    /// Publishes the tree as it is and goes on in a new segment; the old one is retired when all
    /// its entries are in tiles on disk.
    fn seal(&mut self) -> Result<(), LogError> {
        let size = self.edge.tree.size();
        if size == self.segment.start {
            return Ok(());
        }
        self.publish()?;
        let root = self.edge.tree.root()?;
        let next = Segment::create(&self.wal, size, root)?;
        let retired = std::mem::replace(&mut self.segment, next);
        self.tell(Job::Retire { segments: vec![retired.path().to_owned()] })
    }

    /// The publisher hangs up only when it has failed, and it says why itself.
    fn tell(&self, job: Job) -> Result<(), LogError> {
        let stopped = || LogError::Stopped("publication failed".to_owned());
        self.publisher.send(job).map_err(|_| stopped())
    }
}
