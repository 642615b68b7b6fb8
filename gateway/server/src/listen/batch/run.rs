//! The work on one file: check all of it, hand its records in side by side, write their results in
//! order. What is done is kept as it goes, so that it goes on from there after a crash.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use gateway_core::front::Refusing;
use gateway_core::{Evidence, Fault, Kind, MemberId, Reply};
use mappings::{BatchError, BatchFile, BatchFront, BatchLimits, BatchRecord};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::place::{Found, Outcome};
use super::spool::{Job, Progress, ResultFile};
use crate::deployment::Deployment;
use crate::listen::{Gateway, Received};

/// Whose files these are, and what reads them.
pub(super) struct Worker {
    pub(super) gateway: Gateway,
    pub(super) front: Arc<BatchFront>,
    pub(super) member: MemberId,
    /// What serves when the file is begun.
    pub(super) deployment: Arc<Deployment>,
    pub(super) limits: BatchLimits,
    /// Records handed in at once.
    pub(super) concurrency: usize,
    pub(super) stop: CancellationToken,
}

/// Why the work on a file stopped. It goes on from where it was.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkError {
    /// The spool cannot be used: the disk is full, or worse.
    #[error("the spool: {0}")]
    Spool(#[from] io::Error),
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Stopping,
}

/// How often a record is tried whose refusal says that it may be: quota used up, backend away.
const ATTEMPTS: u32 = 6;
/// Longer than this no record waits: a daily share that is used up is its refusal.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// How many results are written between two times that they are put on disk.
const SAVE_EVERY: u64 = 512;
/// How long results may wait for that.
const SAVE_AFTER: Duration = Duration::from_secs(1);
/// How often the log tells how far a file has come.
const TELL_AFTER: Duration = Duration::from_secs(10);

/// A record's place in the queue of those that must be done in order.
struct Turn {
    record: BatchRecord,
    before: Option<CancellationToken>,
    done: CancellationToken,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.done.cancel();
    }
}

impl Worker {
    /// Works on a file until its result is complete.
    pub(super) async fn work(&self, job: &Job) -> Result<Outcome, WorkError> {
        let progress = job.progress()?;
        if let Some(outcome) = progress.outcome {
            return Ok(outcome);
        }
        let checked = match self.unacceptable(&job.found) {
            Some(fault) => Err(BatchError::Refused(Box::new(fault))),
            None => self.check(job).await,
        };
        match checked {
            Ok(file) => self.execute(job, file, progress).await,
            Err(BatchError::Refused(fault)) => self.refuse(job, *fault, progress).await,
            Err(BatchError::Read(error)) => Err(error.into()),
        }
    }

    /// Why a file is refused before it is even read.
    pub(super) fn unacceptable(&self, found: &Found) -> Option<Fault> {
        let (code, public) = if !found.is_file {
            ("not-a-file", "what stands there is a link or a device and not a file".to_owned())
        } else if !found.is_plain() {
            ("file-name", "the file's name is too long or holds characters it may not".to_owned())
        } else if found.version.size > self.limits.content_bytes {
            let limit = self.limits.content_bytes;
            ("too-large", format!("a file may have {limit} bytes at most"))
        } else {
            return None;
        };
        Some(Fault::new(Kind::Malformed, code, public))
    }

    async fn check(&self, job: &Job) -> Result<BatchFile, BatchError> {
        let (front, input, limits) = (self.front.clone(), job.input(), self.limits);
        let name = job.found.name.clone();
        let check = move || front.check(&name, &limits, || File::open(&input));
        let checked = tokio::task::spawn_blocking(check).await;
        checked.unwrap_or_else(|error| Err(BatchError::Read(io::Error::other(error))))
    }

    async fn refuse(
        &self,
        job: &Job,
        fault: Fault,
        progress: Progress,
    ) -> Result<Outcome, WorkError> {
        let name = &job.found.name;
        tracing::warn!(file.name = %name, fault.code = %fault.code, "a batch file was refused: {fault}");
        let attributes = BTreeMap::from([(":whole-file".to_owned(), String::new())]);
        let mut received = self.received(attributes, Bytes::copy_from_slice(name.as_bytes()));
        received.front = Arc::new(Refusing::new(self.front.clone(), fault));
        let reply = self.gateway.handle(&self.deployment, received).await;
        let reply = reply.ok_or(WorkError::Stopping)?;
        let mut result = job.write_result(Progress { result_bytes: 0, ..progress })?;
        result.write(&reply.body)?;
        self.complete(result, Outcome::Refused).await
    }

    async fn execute(
        &self,
        job: &Job,
        file: BatchFile,
        progress: Progress,
    ) -> Result<Outcome, WorkError> {
        let mut result = job.write_result(progress)?;
        if result.progress.of.is_none() {
            result.progress.of = Some(file.count);
            result.write(&self.front.result_header(&file))?;
            result.save().await?;
        }
        let file = Arc::new(file);
        let reading = self.read(job, &file, result.progress.records);
        let turns = futures_util::stream::unfold(reading, |mut reading| async {
            Some((reading.recv().await?, reading))
        });
        let exchanges = turns.map(|turn| self.take_turn(&file, turn)).buffered(self.concurrency);
        let written = self.write_all(job, &mut result, exchanges).await;
        // Whatever ended it, what was done until then is kept.
        result.save().await?;
        written?;
        let Progress { records, succeeded, failed, .. } = result.progress;
        if records != file.count {
            return Err(io::Error::other("the spool lost records").into());
        }
        result.write(&self.front.result_trailer(records, succeeded, failed))?;
        self.complete(result, Outcome::Done).await
    }

    /// Reads the records after the first `skip` ones, on a thread that waits when they are not
    /// taken as fast.
    fn read(
        &self,
        job: &Job,
        file: &Arc<BatchFile>,
        skip: u64,
    ) -> mpsc::Receiver<io::Result<Turn>> {
        let (sender, receiver) = mpsc::channel(self.concurrency);
        let (front, input, limits) = (self.front.clone(), job.input(), self.limits);
        let file = file.clone();
        tokio::task::spawn_blocking(move || {
            let mut lanes = Lanes::default();
            let send = |item| sender.blocking_send(item);
            let mut read = || -> Result<(), BatchError> {
                let source = File::open(&input).map_err(BatchError::Read)?;
                let mut records = front.records(&file, &limits, source)?;
                for _ in 0..skip {
                    records.next_record()?;
                }
                while let Some(record) = records.next_record()? {
                    if send(Ok(lanes.turn(record))).is_err() {
                        break;
                    }
                }
                Ok(())
            };
            if let Err(error) = read() {
                // Nobody listens any more when the gateway stops.
                let _ = sender.blocking_send(Err(io::Error::other(error)));
            }
        });
        receiver
    }

    async fn take_turn(
        &self,
        file: &BatchFile,
        turn: io::Result<Turn>,
    ) -> Result<Reply, WorkError> {
        let turn = turn?;
        if let Some(before) = &turn.before {
            before.cancelled().await;
        }
        self.exchange(file, &turn.record).await.ok_or(WorkError::Stopping)
    }

    async fn exchange(&self, file: &BatchFile, record: &BatchRecord) -> Option<Reply> {
        let mut attempt = 1;
        loop {
            if self.stop.is_cancelled() {
                return None;
            }
            let received = self.received(file.attributes().clone(), record.bytes.clone());
            let deployment = self.gateway.following(&self.deployment);
            let reply = self.gateway.handle(&deployment, received).await?;
            match reply.retry_after {
                Some(wait) if attempt < ATTEMPTS && wait <= LONGEST_WAIT => {
                    let pause = tokio::time::sleep(wait.max(Duration::from_secs(1 << attempt)));
                    self.stop.run_until_cancelled(pause).await?;
                    attempt += 1;
                }
                _ => return Some(reply),
            }
        }
    }

    async fn write_all(
        &self,
        job: &Job,
        result: &mut ResultFile,
        exchanges: impl futures_util::Stream<Item = Result<Reply, WorkError>>,
    ) -> Result<(), WorkError> {
        let mut exchanges = std::pin::pin!(exchanges);
        let (mut saved, mut told) = (Instant::now(), Instant::now());
        while let Some(reply) = exchanges.next().await {
            let reply = reply?;
            result.write(&reply.body)?;
            result.progress.records += 1;
            let answered = reply.status == 200;
            *(if answered {
                &mut result.progress.succeeded
            } else {
                &mut result.progress.failed
            }) += 1;
            self.gateway.metrics().batch_record(&self.member.0, answered);
            if result.progress.records.is_multiple_of(SAVE_EVERY) || saved.elapsed() > SAVE_AFTER {
                result.save().await?;
                saved = Instant::now();
            }
            if told.elapsed() > TELL_AFTER {
                tell("a batch file is under way", job, &result.progress);
                told = Instant::now();
            }
        }
        Ok(())
    }

    async fn complete(
        &self,
        mut result: ResultFile,
        outcome: Outcome,
    ) -> Result<Outcome, WorkError> {
        result.progress.outcome = Some(outcome);
        result.save().await?;
        Ok(outcome)
    }

    fn received(&self, attributes: BTreeMap<String, String>, body: Bytes) -> Received {
        let folder = Some(self.member.clone());
        Received {
            front: self.front.clone(),
            evidence: Evidence { folder, ..Evidence::default() },
            attributes,
            body,
            patience: None,
        }
    }
}

/// Tells the log how far a file has come.
pub(super) fn tell(message: &str, job: &Job, progress: &Progress) {
    let Progress { of, records, succeeded, failed, .. } = progress;
    let name = &job.found.name;
    tracing::info!(file.name = %name, file.records = of, records, succeeded, failed, "{message}");
}

/// Who was last to be done in each sequence.
#[derive(Default)]
struct Lanes(HashMap<u64, CancellationToken>);

/// How many sequences are remembered before those that have ended are forgotten.
const LANES: usize = 1 << 12;

impl Lanes {
    fn turn(&mut self, record: BatchRecord) -> Turn {
        let done = CancellationToken::new();
        if self.0.len() >= LANES {
            self.0.retain(|_, last| !last.is_cancelled());
        }
        let before = record.sequence.and_then(|lane| self.0.insert(lane, done.clone()));
        Turn { record, before, done }
    }
}
