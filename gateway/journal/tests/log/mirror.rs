//! A reader of the published log that shares nothing with the writer, and the log's test setting.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_STANDARD, Engine};
use gateway_core::journal::{Record, RecordKind, Trail};
use gateway_core::{ExchangeId, Fault, Journal, Receipt};
use gateway_journal::{CommitmentKey, Log, LogConfig, LogError, LogKey, Verified, verify};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) const ORIGIN: &str = "naru.example.go.kr/log";

/// A log's directory and its key.
pub(crate) struct Setting {
    directory: TempDir,
    secret: String,
}

impl Setting {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            secret: LogKey::generate(ORIGIN).unwrap().secret().to_string(),
        }
    }

    /// The same log as it is on disk now, elsewhere.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self { directory: tempfile::tempdir().unwrap(), secret: self.secret.clone() };
        copy_all(self.path(), copy.path());
        copy
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn key(&self) -> LogKey {
        self.secret.parse().unwrap()
    }

    pub(crate) async fn try_open(&self) -> Result<Log, LogError> {
        self.open_every(Duration::from_secs(3600)).await
    }

    pub(crate) async fn open_every(&self, publish_interval: Duration) -> Result<Log, LogError> {
        let config = LogConfig {
            directory: self.path().to_owned(),
            origin: ORIGIN.into(),
            publish_interval,
            notary: None,
        };
        Log::open(config, self.key(), CommitmentKey::new(&[3; 32])).await
    }

    pub(crate) async fn open(&self) -> Log {
        self.try_open().await.unwrap()
    }

    pub(crate) fn verify(&self, receipt: &Receipt) -> Verified {
        verify(&receipt.0, self.key().verifier()).unwrap()
    }

    /// The only segment of the write-ahead log.
    pub(crate) fn segment(&self) -> PathBuf {
        let mut files = fs::read_dir(self.path().join("wal")).unwrap();
        let only = files.next().unwrap().unwrap().path();
        assert!(files.next().is_none(), "more than one segment");
        only
    }

    /// Size and root of the published checkpoint. Its signature is verified with receipts.
    pub(crate) fn checkpoint(&self) -> (usize, [u8; 32]) {
        let text = fs::read_to_string(self.path().join("checkpoint")).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some(ORIGIN));
        let size = lines.next().unwrap().parse().unwrap();
        let root = BASE64_STANDARD.decode(lines.next().unwrap()).unwrap();
        (size, root.try_into().unwrap())
    }

    /// The first `size` entries, from the bundles that a tree of that size has.
    pub(crate) fn entries(&self, size: usize) -> Vec<Vec<u8>> {
        let mut entries = Vec::new();
        for bundle in 0..size.div_ceil(256) {
            let width = (size - bundle * 256).min(256);
            let bytes = self.tile("entries", bundle, width);
            let mut rest = &bytes[..];
            while let Some((length, more)) = rest.split_first_chunk() {
                let (entry, more) = more.split_at(usize::from(u16::from_be_bytes(*length)));
                entries.push(entry.to_vec());
                rest = more;
            }
        }
        assert_eq!(entries.len(), size);
        entries
    }

    /// The tile as tlog-tiles lays it out; `level` may be `entries`.
    pub(crate) fn tile(&self, level: &str, index: usize, width: usize) -> Vec<u8> {
        assert!(index < 1_000_000, "enough for these tests");
        let number = match index / 1000 {
            0 => format!("{index:03}"),
            thousands => format!("x{thousands:03}/{:03}", index % 1000),
        };
        let mut path = self.path().join(format!("tile/{level}/{number}"));
        if width < 256 {
            path = self.path().join(format!("tile/{level}/{number}.p/{width}"));
        }
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Checks everything that is published: entries against level 0, every tile against the one
    /// below it, and the root against the checkpoint. Answers the entries.
    pub(crate) fn check_published(&self) -> Vec<Vec<u8>> {
        let (size, root) = self.checkpoint();
        let entries = self.entries(size);
        assert_eq!(merkle_tree_hash(&entries), root);
        for level in 0.. {
            let span = 256_usize.pow(level);
            let hashes = size / span;
            if hashes == 0 {
                break;
            }
            for index in 0..hashes.div_ceil(256) {
                let first = index * 256;
                let width = (hashes - first).min(256);
                let expected: Vec<u8> = (first..first + width)
                    .flat_map(|n| merkle_tree_hash(&entries[n * span..(n + 1) * span]))
                    .collect();
                assert_eq!(self.tile(&level.to_string(), index, width), expected);
            }
        }
        entries
    }
}

/// RFC 6962, section 2.1.
pub(crate) fn merkle_tree_hash(entries: &[Vec<u8>]) -> [u8; 32] {
    match entries {
        [] => sha256(&[]),
        [entry] => sha256(&[&[0], entry]),
        _ => {
            let (left, right) = entries.split_at(entries.len().next_power_of_two() / 2);
            sha256(&[&[1], &merkle_tree_hash(left), &merkle_tree_hash(right)])
        }
    }
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    digest(&SHA256, &parts.concat()).as_ref().try_into().unwrap()
}

pub(crate) async fn append(log: &Log, n: usize) -> Result<Receipt, Fault> {
    append_as(log, Uuid::from_u128(n as u128), jiff::Timestamp::UNIX_EPOCH).await
}

pub(crate) async fn append_at(log: &Log, finished: jiff::Timestamp) {
    append_as(log, Uuid::now_v7(), finished).await.unwrap();
}

async fn append_as(log: &Log, id: Uuid, finished: jiff::Timestamp) -> Result<Receipt, Fault> {
    let record = Record {
        exchange: ExchangeId(id),
        kind: RecordKind::Exchange,
        received: jiff::Timestamp::UNIX_EPOCH,
        finished,
        front: "rest",
        trail: &Trail::default(),
        request: b"in",
        reply: b"out",
        fault: None,
    };
    log.append(record).await
}

pub(crate) async fn append_all(log: &Log, numbers: std::ops::Range<usize>) -> Vec<Receipt> {
    let appends = numbers.map(|n| append(log, n));
    let receipts = futures_util::future::join_all(appends).await;
    receipts.into_iter().map(Result::unwrap).collect()
}

fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy_all(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
