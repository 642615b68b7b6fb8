//! Batch files, in a watched folder or on an SFTP server. A file is taken whole or not at all; each
//! of its records is an exchange of its own, under an idempotency key of its own.
//!
//! A file is copied into a [`spool`], checked from its first byte to its last, and only then handed
//! in record by record ([`run`]). The result is delivered to the [`place`] that the file came from
//! under its final name only when it is complete; then the file moves to `done/` or `refused/`. A
//! crash at any moment goes on from what the spool holds.

mod folder;
mod names;
mod place;
mod run;
mod sftp;
mod spool;
pub mod ssh;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use mappings::{BatchFront, BatchLimits};
use serde::Deserialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::folder::LocalFolder;
use self::place::{Found, Outcome, Place, PlaceError, Version};
use self::run::{WorkError, Worker, tell};
use self::sftp::SftpFolder;
use self::spool::{Job, Spool};
use self::ssh::Ssh;
use super::Gateway;
use crate::deployment::BatchSource;

/// One folder that is watched.
pub struct BatchSettings {
    /// Which `[[listen.batch]]` it is; the deployment says its front and its member.
    pub index: usize,
    /// Where files appear.
    pub folder: PathBuf,
    /// The server that the folder is on; this machine when none.
    pub server: Option<Ssh>,
    /// Where files that are under way are kept.
    pub spool: PathBuf,
    /// How often to look.
    pub poll: Duration,
    /// How it is known that a file is complete.
    pub complete: Complete,
    /// The largest file, as it is and inflated, and the largest record.
    pub limits: BatchLimits,
    /// Records handed in at once.
    pub concurrency: usize,
}

/// How it is known that a file is complete and may be taken.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Complete {
    /// It is written under another name and renamed.
    Renamed,
    /// It has not changed for so many milliseconds.
    Unchanged(u64),
    /// A second file stands beside it, whose name ends in this besides.
    Marker(String),
}

/// The longest pause after a folder could not be used.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Watches until `stop`; a file under way is left for the next start after its current records.
pub async fn serve(gateway: Gateway, settings: BatchSettings, stop: CancellationToken) {
    let place: Box<dyn Place> = match settings.server {
        Some(server) => {
            Box::new(SftpFolder::new(server, settings.folder.to_string_lossy().into_owned()))
        }
        None => Box::new(LocalFolder::new(settings.folder)),
    };
    let spool = match Spool::open(settings.spool.clone()) {
        Ok(spool) => spool,
        Err(error) => {
            let folder = settings.spool.display();
            return tracing::error!("batch files are not taken, {folder} cannot be used: {error}");
        }
    };
    let mut watch = Watch {
        gateway,
        index: settings.index,
        limits: settings.limits,
        concurrency: settings.concurrency,
        stop: stop.clone(),
        place,
        spool,
        complete: settings.complete,
        seen: HashMap::new(),
    };
    let mut pause = settings.poll;
    loop {
        match watch.look().await {
            Ok(()) => pause = settings.poll,
            Err(LookError::Work(WorkError::Stopping)) => return,
            Err(error) => {
                tracing::error!(listener.index = settings.index, "batch files wait: {error}");
                pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
            }
        }
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Work(#[from] WorkError),
}

impl From<std::io::Error> for LookError {
    fn from(error: std::io::Error) -> Self {
        Self::Work(error.into())
    }
}

struct Watch {
    gateway: Gateway,
    /// Which listener of the deployment it is.
    index: usize,
    limits: BatchLimits,
    concurrency: usize,
    stop: CancellationToken,
    place: Box<dyn Place>,
    spool: Spool,
    complete: Complete,
    /// Since when each file has been as it is.
    seen: HashMap<String, (Version, Instant)>,
}

impl Watch {
    /// What the next file is read with. Its format stays to its end; the rest of what is deployed is
    /// followed from record to record.
    fn worker(&self) -> Option<Worker> {
        let deployment = self.gateway.current();
        let BatchSource { front, member } = deployment.batch.get(self.index)?;
        Some(Worker {
            gateway: self.gateway.clone(),
            front: front.clone(),
            member: member.clone(),
            deployment,
            limits: self.limits,
            concurrency: self.concurrency,
            stop: self.stop.clone(),
        })
    }

    /// Finishes what was begun, then takes every file that is complete, the first name first.
    async fn look(&mut self) -> Result<(), LookError> {
        for job in self.spool.unfinished()? {
            let Some(worker) = self.worker() else { return Ok(()) };
            self.finish(&worker, job).await?;
        }
        let mut found = self.place.list().await?;
        self.spool.forget_all_but(&found)?;
        found.sort_by(|one, other| one.name.cmp(&other.name));
        let Some(worker) = self.worker() else { return Ok(()) };
        for file in self.ready(&worker.front, found) {
            let Some(worker) = self.worker() else { return Ok(()) };
            match self.take(&worker, &file).await {
                Err(LookError::Place(PlaceError::Changing(name))) => {
                    tracing::info!(file.name = %name, "a batch file is still being written");
                }
                taken => taken?,
            }
        }
        Ok(())
    }

    /// Those that are for this front and complete.
    fn ready(&mut self, front: &BatchFront, found: Vec<Found>) -> Vec<Found> {
        let names: HashSet<String> = found.iter().map(|found| found.name.clone()).collect();
        let takes = |found: &Found| front.takes(&found.original.to_string_lossy());
        let mut files: Vec<Found> = found.into_iter().filter(takes).collect();
        match &self.complete {
            Complete::Renamed => {}
            Complete::Marker(end) => {
                files.retain(|found| names.contains(&format!("{}{end}", found.name)));
            }
            Complete::Unchanged(milliseconds) => {
                let long = Duration::from_millis(*milliseconds);
                self.seen.retain(|name, _| names.contains(name));
                files.retain(|found| {
                    let now = (found.version, Instant::now());
                    let seen = self.seen.entry(found.name.clone()).or_insert(now);
                    if seen.0 != found.version {
                        *seen = now;
                    }
                    seen.1.elapsed() >= long
                });
            }
        }
        files
    }

    async fn take(&self, worker: &Worker, found: &Found) -> Result<(), LookError> {
        if self.stop.is_cancelled() {
            return Err(WorkError::Stopping.into());
        }
        let job = match worker.unacceptable(found) {
            Some(_) => self.spool.refuse(found)?,
            None => {
                let intake = self.place.fetch(found, self.spool.begin(found)?).await?;
                let (job, earlier) = self.spool.take(found, intake)?;
                if let Some(earlier) = earlier {
                    let name = &found.name;
                    tracing::warn!(file.name = %name, "the same content was taken before as {earlier}");
                }
                job
            }
        };
        self.finish(worker, job).await
    }

    /// Works on a file, delivers its result and puts it away.
    async fn finish(&self, worker: &Worker, job: Job) -> Result<(), LookError> {
        let outcome = worker.work(&job).await?;
        self.deliver(worker, &job).await?;
        self.place.put_away(&job.found, outcome).await?;
        if let Complete::Marker(end) = &self.complete {
            self.place.remove(&format!("{}{end}", job.found.name)).await?;
        }
        self.gateway.metrics().batch_file(&worker.member.0, outcome == Outcome::Done);
        tell("a batch file is finished", &job, &job.progress()?);
        Ok(job.finish()?)
    }

    /// Delivers the result under a name that no earlier result has. The name is kept first, so that
    /// a repeat after a crash replaces its own.
    async fn deliver(&self, worker: &Worker, job: &Job) -> Result<(), LookError> {
        let mut progress = job.progress()?;
        if progress.delivered {
            return Ok(());
        }
        let name = match progress.result_name.take() {
            Some(name) => name,
            None => self.free_result_name(worker, job).await?,
        };
        progress.result_name = Some(name.clone());
        job.keep(&progress)?;
        self.place.deliver(&job.result(), &name).await?;
        progress.delivered = true;
        Ok(job.keep(&progress)?)
    }

    async fn free_result_name(&self, worker: &Worker, job: &Job) -> Result<String, PlaceError> {
        let mut number = 1;
        loop {
            let name = worker.front.result_name(&job.found.name, number);
            if !self.place.has(&name).await? {
                return Ok(name);
            }
            number += 1;
        }
    }
}
