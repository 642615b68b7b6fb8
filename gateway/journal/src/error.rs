//! Why the log cannot be opened or used, each with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use gateway_core::archive::ArchiveError;

use crate::key::CheckpointError;
use crate::tree::MissingHash;

/// A log that does not open, or has stopped. Nothing that was acknowledged is lost by a stop: put
/// the cause right and start again, and everything durable is replayed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The operating system refused a file operation.
    #[error(
        "cannot {doing} {}: {source}; check free space and permissions, then restart", path.display()
    )]
    Io {
        /// What was attempted.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A tile or the checkpoint cannot be read or written.
    #[error("cannot use {}: {source}; check free space and permissions, then restart", path.display())]
    Store {
        /// Which object.
        path: PathBuf,
        /// What the store said.
        source: object_store::Error,
    },
    /// Another process writes this log.
    #[error("{} is held by another process; stop it first, a log has one writer", .0.display())]
    Locked(PathBuf),
    /// The configured origin is not the name of the key.
    #[error(
        "the key is named {key}, the log {origin}; they must be the same: use the key made for this log"
    )]
    KeyName {
        /// Name of the key.
        key: String,
        /// Configured origin.
        origin: String,
    },
    /// The published checkpoint is not this log's.
    #[error(
        "{}: {source}; it was changed, or the key is not the one this log was begun with: restore either",
        path.display()
    )]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: CheckpointError,
    },
    /// The published checkpoint covers entries that are not there.
    #[error(
        "the published checkpoint covers {published} entries and only {found} are on disk; entries \
         were lost: restore `wal` and `tile` from a backup at least as new as the checkpoint"
    )]
    Ahead {
        /// Entries the checkpoint covers.
        published: u64,
        /// Entries found.
        found: u64,
    },
    /// The entries on disk are not those that the published checkpoint signed.
    #[error(
        "the entries on disk do not lead to the published checkpoint of {published} entries; they \
         were changed: restore `wal`, `tile` and `checkpoint` from one backup"
    )]
    Forked {
        /// Entries the checkpoint covers.
        published: u64,
    },
    /// A file that must be there is not.
    #[error("{} is missing; restore it from a backup or a mirror", .0.display())]
    Missing(PathBuf),
    /// A file is not what was written.
    #[error("{}: {what}; restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The archive has been away for too long.
    #[error(
        "{0}, and as much waits for it as may; put its cause right, check free space, then restart"
    )]
    Archive(#[from] ArchiveError),
    /// The archive has been handed entries that the log does not hold.
    #[error(
        "the archive has entries up to {archive} and only {found} are in the log; entries of the log \
         were lost: restore the log from a backup at least as new as the archive, or both from one"
    )]
    ArchiveAhead {
        /// Entries the archive was handed.
        archive: u64,
        /// Entries found.
        found: u64,
    },
    /// A defect of this package.
    #[error("{0}; this is a defect: restart, and report it")]
    Tree(#[from] MissingHash),
    /// It stopped earlier, for the reason given then.
    #[error("the log has stopped: {0}")]
    Stopped(String),
}

impl LogError {
    pub(crate) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source }
    }

    pub(crate) fn store(path: &Path, source: object_store::Error) -> Self {
        Self::Store { path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, what: &'static str) -> Self {
        Self::Damaged { path: path.to_owned(), what }
    }
}
