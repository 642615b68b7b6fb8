//! Watched folders. A file is taken whole or not at all; each of its records is an exchange of its
//! own, under an idempotency key of its own, so that a file read again after a crash answers the
//! same and does nothing twice.
//!
//! The result appears beside the file under its final name only when it is complete and on disk;
//! then the file moves to `done/` or `refused/`. A crash before that starts the file over.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway_core::front::Refusing;
use gateway_core::{Evidence, Fault, MemberId, Reply};
use mappings::{BatchFile, BatchFront};
use tokio_util::sync::CancellationToken;

use super::{Gateway, Received};
use crate::deployment::{BatchSource, Deployment};

/// One watched folder.
pub struct BatchSettings {
    /// Which `[[listen.batch]]` it is; the deployment says its front and its member.
    pub index: usize,
    /// Where files appear.
    pub folder: PathBuf,
    /// How often to look.
    pub poll: Duration,
    /// The largest file.
    pub file_bytes: u64,
}

/// How often a record is tried whose refusal says that it may be: quota used up, backend away.
const ATTEMPTS: u32 = 6;

/// Watches until `stop`; a file under way is left for the next start after its current record.
pub async fn serve(gateway: Gateway, settings: BatchSettings, stop: CancellationToken) {
    let folder = Folder { gateway, settings, stop };
    loop {
        if let Err(error) = folder.look().await {
            tracing::error!("a batch folder cannot be read: {error}");
        }
        let pause = tokio::time::sleep(folder.settings.poll);
        if folder.stop.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}

struct Folder {
    gateway: Gateway,
    settings: BatchSettings,
    stop: CancellationToken,
}

/// What a file is read with. Its format stays to its end; the rest of what is deployed is followed
/// from record to record.
struct Reading {
    deployment: Arc<Deployment>,
    front: Arc<BatchFront>,
    member: MemberId,
}

impl Folder {
    async fn look(&self) -> io::Result<()> {
        let Some(reading) = self.reading() else { return Ok(()) };
        for file in self.waiting(&reading.front)? {
            let Some(reading) = self.reading() else { return Ok(()) };
            if let Err(error) = self.process(&file, &reading).await {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                tracing::error!(file.name = %name, "not processed, will be tried again: {error}");
            }
        }
        Ok(())
    }

    fn reading(&self) -> Option<Reading> {
        let deployment = self.gateway.current();
        let BatchSource { front, member } = deployment.batch.get(self.settings.index)?;
        let (front, member) = (front.clone(), member.clone());
        Some(Reading { deployment, front, member })
    }

    /// The complete files, oldest name first. Links are not followed out of the folder.
    fn waiting(&self, front: &BatchFront) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.settings.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_input = front.takes(&name) && !name.ends_with(".result.csv");
            if is_input && entry.file_type()?.is_file() {
                files.push(entry.path());
            }
        }
        files.sort();
        Ok(files)
    }

    async fn process(&self, file: &Path, reading: &Reading) -> io::Result<()> {
        let (content, read) = match fs::metadata(file)?.len() {
            size if size > self.settings.file_bytes => (Bytes::new(), Err(self.too_large())),
            _ => {
                let content = Bytes::from(fs::read(file)?);
                let read = reading.front.open(&content);
                (content, read)
            }
        };
        match read {
            Ok(batch) => match self.exchange_all(&batch, reading).await {
                Some(result) => finish(file, &result, "done"),
                None => Ok(()),
            },
            Err(fault) => {
                tracing::warn!(fault.code = %fault.code, "a batch file was refused: {fault}");
                match self.refuse(content, fault, reading).await {
                    Some(reply) => finish(file, &reply.body, "refused"),
                    None => Ok(()),
                }
            }
        }
    }

    /// The result file, or `None` when the gateway stops before its end.
    async fn exchange_all(&self, batch: &BatchFile, reading: &Reading) -> Option<Vec<u8>> {
        let mut result = reading.front.result_header(batch);
        let (mut succeeded, mut failed) = (0, 0);
        for record in &batch.records {
            let reply = self.exchange(batch, record, reading).await?;
            result.extend_from_slice(&reply.body);
            match reply.status {
                200 => succeeded += 1,
                _ => failed += 1,
            }
        }
        let count = batch.records.len();
        result.extend_from_slice(&reading.front.result_trailer(count, succeeded, failed));
        Some(result)
    }

    async fn exchange(
        &self,
        batch: &BatchFile,
        record: &Bytes,
        reading: &Reading,
    ) -> Option<Reply> {
        let mut attempt = 1;
        loop {
            if self.stop.is_cancelled() {
                return None;
            }
            let received = reading.received(batch.attributes(), record.clone());
            let deployment = self.gateway.following(&reading.deployment);
            let reply = self.gateway.handle(&deployment, received).await?;
            match reply.retry_after {
                Some(wait) if attempt < ATTEMPTS => {
                    let pause = tokio::time::sleep(wait.max(Duration::from_secs(1 << attempt)));
                    self.stop.run_until_cancelled(pause).await?;
                    attempt += 1;
                }
                _ => return Some(reply),
            }
        }
    }

    async fn refuse(&self, content: Bytes, fault: Fault, reading: &Reading) -> Option<Reply> {
        let attributes = BTreeMap::from([(":whole-file".to_owned(), String::new())]);
        let mut received = reading.received(attributes, content);
        received.front = Arc::new(Refusing::new(reading.front.clone(), fault));
        self.gateway.handle(&reading.deployment, received).await
    }

    fn too_large(&self) -> Fault {
        let limit = self.settings.file_bytes;
        let public = format!("a file may have {limit} bytes at most");
        Fault::new(gateway_core::Kind::Malformed, "too-large", public)
    }
}

impl Reading {
    fn received(&self, attributes: BTreeMap<String, String>, body: Bytes) -> Received {
        let folder = Some(self.member.clone());
        Received {
            front: self.front.clone(),
            evidence: Evidence { folder, ..Evidence::default() },
            attributes,
            body,
        }
    }
}

/// Puts the result beside the file and the file away.
fn finish(file: &Path, result: &[u8], outcome: &str) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let part = file.with_extension("result.part");
    let mut out = fs::File::create(&part)?;
    out.write_all(result)?;
    out.sync_all()?;
    fs::rename(&part, file.with_extension("result.csv"))?;
    let away = folder.join(outcome);
    fs::create_dir_all(&away)?;
    fs::rename(file, free_name(&away, file))?;
    fs::File::open(folder)?.sync_all()
}

/// A name in `folder` that no earlier file has, so that nothing is overwritten.
fn free_name(folder: &Path, file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let candidates =
        std::iter::once(name.to_string()).chain((2_u64..).map(|n| format!("{n}-{name}")));
    let mut paths = candidates.map(|name| folder.join(name));
    paths.find(|path| !path.exists()).unwrap_or_else(|| folder.join(&*name))
}
