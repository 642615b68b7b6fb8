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

/// One watched folder.
pub struct BatchSettings {
    /// Where files appear.
    pub folder: PathBuf,
    /// Whom the folder belongs to.
    pub member: MemberId,
    /// How often to look.
    pub poll: Duration,
    /// The largest file.
    pub file_bytes: u64,
}

/// How often a record is tried whose refusal says that it may be: quota used up, backend away.
const ATTEMPTS: u32 = 6;

/// Watches until `stop`; a file under way is left for the next start after its current record.
pub async fn serve(
    gateway: Gateway,
    front: Arc<BatchFront>,
    settings: BatchSettings,
    stop: CancellationToken,
) {
    let folder = Folder { gateway, front, settings, stop };
    loop {
        match folder.waiting() {
            Ok(files) => {
                for file in files {
                    if let Err(error) = folder.process(&file).await {
                        let name = file.file_name().unwrap_or_default().to_string_lossy();
                        tracing::error!(file.name = %name, "not processed, will be tried again: {error}");
                    }
                }
            }
            Err(error) => tracing::error!("a batch folder cannot be read: {error}"),
        }
        let pause = tokio::time::sleep(folder.settings.poll);
        if folder.stop.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}

struct Folder {
    gateway: Gateway,
    front: Arc<BatchFront>,
    settings: BatchSettings,
    stop: CancellationToken,
}

impl Folder {
    /// The complete files, oldest name first. Links are not followed out of the folder.
    fn waiting(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.settings.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_input = self.front.takes(&name) && !name.ends_with(".result.csv");
            if is_input && entry.file_type()?.is_file() {
                files.push(entry.path());
            }
        }
        files.sort();
        Ok(files)
    }

    async fn process(&self, file: &Path) -> io::Result<()> {
        let (content, read) = match fs::metadata(file)?.len() {
            size if size > self.settings.file_bytes => (Bytes::new(), Err(self.too_large())),
            _ => {
                let content = Bytes::from(fs::read(file)?);
                let read = self.front.open(&content);
                (content, read)
            }
        };
        match read {
            Ok(batch) => match self.exchange_all(&batch).await {
                Some(result) => finish(file, &result, "done"),
                None => Ok(()),
            },
            Err(fault) => {
                tracing::warn!(fault.code = %fault.code, "a batch file was refused: {fault}");
                match self.refuse(content, fault).await {
                    Some(reply) => finish(file, &reply.body, "refused"),
                    None => Ok(()),
                }
            }
        }
    }

    /// The result file, or `None` when the gateway stops before its end.
    async fn exchange_all(&self, batch: &BatchFile) -> Option<Vec<u8>> {
        let mut result = self.front.result_header(batch);
        let (mut succeeded, mut failed) = (0, 0);
        for record in &batch.records {
            let reply = self.exchange(batch, record).await?;
            result.extend_from_slice(&reply.body);
            match reply.status {
                200 => succeeded += 1,
                _ => failed += 1,
            }
        }
        let count = batch.records.len();
        result.extend_from_slice(&self.front.result_trailer(count, succeeded, failed));
        Some(result)
    }

    async fn exchange(&self, batch: &BatchFile, record: &Bytes) -> Option<Reply> {
        let mut attempt = 1;
        loop {
            if self.stop.is_cancelled() {
                return None;
            }
            let received = self.received(batch.attributes(), record.clone());
            let reply = self.gateway.handle(received).await?;
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

    async fn refuse(&self, content: Bytes, fault: Fault) -> Option<Reply> {
        let attributes = BTreeMap::from([(":whole-file".to_owned(), String::new())]);
        let mut received = self.received(attributes, content);
        received.front = Arc::new(Refusing::new(self.front.clone(), fault));
        self.gateway.handle(received).await
    }

    fn received(&self, attributes: BTreeMap<String, String>, body: Bytes) -> Received {
        let folder = Some(self.settings.member.clone());
        Received {
            front: self.front.clone(),
            evidence: Evidence { folder, ..Evidence::default() },
            attributes,
            body,
        }
    }

    fn too_large(&self) -> Fault {
        let limit = self.settings.file_bytes;
        let public = format!("a file may have {limit} bytes at most");
        Fault::new(gateway_core::Kind::Malformed, "too-large", public)
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
