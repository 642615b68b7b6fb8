//! What others say of the log's checkpoints: witnesses cosign each before it is published, an
//! authority stamps one now and then with the time. A thread of its own talks to them, so that none
//! of them can make an entry wait.
//!
//! Nobody being there is never silent: [`Standing`] says who is missing and since when, and where it
//! is configured the log takes no more entries once it has lasted too long.

mod witness;

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tlog_tiles::Checkpoint;

use crate::cosignature::{Cosignature, CosignerKey, Witnesses};
use crate::error::LogError;
use crate::key::VerifierKey;
use crate::stamps;
use crate::tiles::Tiles;
use crate::timestamp::{Authority, Request, Stamp};
use witness::Witness;

/// How the notary reaches others. The answer's status and body; an error when there is none.
pub trait Post: Send + Sync {
    /// Sends `body` by HTTP POST and waits for the answer, not for long.
    ///
    /// # Errors
    /// A sentence for the operator.
    fn post(&self, url: &str, media_type: &str, body: &[u8]) -> Result<(u16, Vec<u8>), String>;
}

/// Who is asked about checkpoints.
#[derive(Clone)]
pub struct NotaryConfig {
    /// The witnesses: their keys, and the prefix under which `add-checkpoint` is.
    pub witnesses: Vec<(CosignerKey, String)>,
    /// How many of them must cosign a checkpoint before it is published; none when 0, and then it
    /// is published at once, with the cosignatures that come.
    pub quorum: usize,
    /// Who stamps with the time.
    pub timestamps: Option<TimestampConfig>,
    /// The log takes no more entries when witnesses or a time stamp have been missing for so long.
    pub stop_after: Option<Duration>,
    /// How they are reached.
    pub post: Arc<dyn Post>,
}

impl fmt::Debug for NotaryConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotaryConfig")
            .field("witnesses", &self.witnesses)
            .field("quorum", &self.quorum)
            .field("stop_after", &self.stop_after)
            .finish_non_exhaustive()
    }
}

/// Who stamps with the time, and how often.
#[derive(Clone, Debug)]
pub struct TimestampConfig {
    /// Where requests are sent.
    pub url: String,
    /// Whose stamps count.
    pub authority: Authority,
    /// At most one stamp in this time, and none while nothing is new.
    pub every: Duration,
}

/// How the log stands with those it asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Entries that the published checkpoint covers.
    pub published: u64,
    /// Entries covered, and when, by the last checkpoint that a quorum has cosigned.
    pub cosigned: Option<(u64, Timestamp)>,
    /// Entries covered by the last time stamp, and its time.
    pub stamped: Option<(u64, Timestamp)>,
    /// What is missing now: who, and why.
    pub missing: Vec<String>,
    /// True when it has lasted so long that the log takes no more entries.
    pub overdue: bool,
}

/// Where the log's newest checkpoint waits for the notary; a newer one takes its place.
#[derive(Default)]
pub(crate) struct Heads {
    waiting: Mutex<(Option<String>, bool)>,
    told: Condvar,
}

impl Heads {
    pub(crate) fn offer(&self, checkpoint: String) {
        self.lock().0 = Some(checkpoint);
        self.told.notify_one();
    }

    pub(crate) fn close(&self) {
        self.lock().1 = true;
        self.told.notify_one();
    }

    /// The newest checkpoint if there is one by then, and whether it was the last.
    fn next(&self, patience: Duration) -> (Option<String>, bool) {
        let idle = |waiting: &mut (Option<String>, bool)| waiting.0.is_none() && !waiting.1;
        let (mut waiting, _) = self
            .told
            .wait_timeout_while(self.lock(), patience, idle)
            .unwrap_or_else(PoisonError::into_inner);
        (waiting.0.take(), waiting.1)
    }

    fn lock(&self) -> MutexGuard<'_, (Option<String>, bool)> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often what failed is tried again, and how long the notary sleeps at most.
const AGAIN: Duration = Duration::from_secs(2);

/// The notary at work.
pub(crate) struct Notary {
    tiles: Tiles,
    key: VerifierKey,
    witnesses: Vec<Witness>,
    config: NotaryConfig,
    heads: Arc<Heads>,
    standing: Arc<Mutex<Standing>>,
    /// The newest checkpoint, until a quorum has cosigned it.
    unsettled: Option<String>,
    /// Since when something has been missing.
    missing_since: Option<Instant>,
    stamp_due: Instant,
}

impl Notary {
    pub(crate) fn new(
        tiles: Tiles,
        key: VerifierKey,
        config: NotaryConfig,
        heads: Arc<Heads>,
        standing: Arc<Mutex<Standing>>,
    ) -> Self {
        let witnesses = config.witnesses.iter().cloned().map(Witness::new).collect();
        if let Some(timestamps) = &config.timestamps {
            let last = stamps::last(&tiles, &timestamps.authority);
            standing.lock().unwrap_or_else(PoisonError::into_inner).stamped = last;
        }
        Self {
            tiles,
            key,
            witnesses,
            config,
            heads,
            standing,
            unsettled: None,
            missing_since: None,
            stamp_due: Instant::now(),
        }
    }

    /// Works until the publisher closes, and then once more on what came last.
    pub(crate) fn run(mut self) -> Result<(), LogError> {
        loop {
            let (head, closed) = self.heads.next(AGAIN);
            if head.is_some() {
                self.unsettled = head;
            }
            let mut missing = self.publish()?;
            missing.extend(self.stamp()?);
            self.tell(missing);
            if closed {
                return Ok(());
            }
        }
    }

    /// Publishes the newest checkpoint with its cosignatures. What is missing is returned.
    fn publish(&mut self) -> Result<Vec<String>, LogError> {
        let Some(note) = self.unsettled.clone() else {
            return Ok(Vec::new());
        };
        let opened = self.key.open_cosigned(note.as_bytes());
        let checkpoint = opened.map_err(|error| LogError::Stopped(error.to_string()))?;
        if self.config.quorum == 0 {
            self.put(&note, checkpoint.size())?;
        }
        let (cosignatures, missing) = self.cosign(&note, &checkpoint);
        let lines: String = cosignatures.iter().map(|cosignature| &*cosignature.line).collect();
        if cosignatures.len() >= self.config.quorum
            && !(lines.is_empty() && self.config.quorum == 0)
        {
            self.put(&format!("{note}{lines}"), checkpoint.size())?;
            if let Some(last) = cosignatures.iter().map(|cosignature| cosignature.time).max() {
                self.standing().cosigned = Some((checkpoint.size(), last));
            }
        }
        // Witnesses beyond the quorum are asked about the next checkpoint, not again about this one.
        if missing.is_empty()
            || (self.config.quorum > 0 && cosignatures.len() >= self.config.quorum)
        {
            self.unsettled = None;
        }
        Ok(missing)
    }

    fn cosign(&mut self, note: &str, checkpoint: &Checkpoint) -> (Vec<Cosignature>, Vec<String>) {
        let (mut cosignatures, mut missing) = (Vec::new(), Vec::new());
        for witness in &mut self.witnesses {
            match witness.ask(&*self.config.post, &self.tiles, note, checkpoint) {
                Ok(cosignature) => cosignatures.push(cosignature),
                Err(error) => missing.push(format!("witness {}: {error}", witness.name())),
            }
        }
        (cosignatures, missing)
    }

    fn put(&self, note: &str, size: u64) -> Result<(), LogError> {
        self.tiles.put_checkpoint(note.to_owned())?;
        self.standing().published = size;
        Ok(())
    }

    /// Has the published checkpoint stamped when it is time and there is something new in it.
    fn stamp(&mut self) -> Result<Option<String>, LogError> {
        let Some(config) = &self.config.timestamps else {
            return Ok(None);
        };
        let (published, stamped) = {
            let standing = self.standing();
            (standing.published, standing.stamped.map_or(0, |(size, _)| size))
        };
        if published == stamped || Instant::now() < self.stamp_due {
            return Ok(None);
        }
        match stamped_by(config, &*self.config.post, &self.tiles)? {
            Ok((size, stamp)) => {
                self.stamp_due = Instant::now() + config.every;
                self.standing().stamped = Some((size, stamp.time));
                Ok(None)
            }
            Err(error) => Ok(Some(format!("time stamps of {}: {error}", config.url))),
        }
    }

    /// Says what is missing: once when that changes, and always in the standing.
    fn tell(&mut self, missing: Vec<String>) {
        if missing.is_empty() {
            self.missing_since = None;
        }
        let since = match missing.as_slice() {
            [] => None,
            _ => Some(*self.missing_since.get_or_insert_with(Instant::now)),
        };
        let overdue =
            since.zip(self.config.stop_after).is_some_and(|(since, bound)| since.elapsed() > bound);
        let mut standing = self.standing();
        if standing.missing != missing {
            for line in missing.iter().filter(|line| !standing.missing.contains(line)) {
                tracing::error!("the evidence log goes without: {line}");
            }
            if missing.is_empty() {
                tracing::info!("the evidence log has its witnesses and time stamps again");
            }
        }
        if overdue && !standing.overdue {
            tracing::error!("the evidence log takes no more entries until they are back");
        }
        standing.missing = missing;
        standing.overdue = overdue;
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Requests a stamp for the published checkpoint and keeps it. The outer error is the disk's.
fn stamped_by(
    config: &TimestampConfig,
    post: &dyn Post,
    tiles: &Tiles,
) -> Result<Result<(u64, Stamp), String>, LogError> {
    let Some(note) = tiles.get(crate::tiles::CHECKPOINT)? else {
        return Ok(Err("nothing is published yet".to_owned()));
    };
    let stamp = || {
        let request = Request::new(&note).map_err(|error| error.to_string())?;
        let (status, reply) =
            post.post(&config.url, "application/timestamp-query", request.der())?;
        if status != 200 {
            return Err(format!("it answers {status}"));
        }
        let stamp = config.authority.accept(&request, &reply, &note);
        Ok((stamp.map_err(|error| error.to_string())?, reply))
    };
    match stamp() {
        Ok((stamp, reply)) => Ok(Ok((stamps::keep(tiles, &note, reply)?, stamp))),
        Err(error) => Ok(Err(error)),
    }
}

/// The witnesses that count, as a reader of the log wants them.
impl NotaryConfig {
    /// For the verification of what is published.
    pub fn policy(&self) -> Witnesses {
        let keys = self.witnesses.iter().map(|(key, _)| key.clone()).collect();
        Witnesses { keys, quorum: self.quorum }
    }
}
