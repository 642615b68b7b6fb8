//! What can go wrong with the store, and how it reaches the pipeline.

use std::path::PathBuf;

use gateway_core::consent::ConsentError;
use gateway_core::{Fault, Kind};
use uuid::Uuid;

/// Why the store does not open.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it.
    #[error("{} is in use by another process; a store has one gateway, stop the other first", .0.display())]
    InUse(PathBuf),
    /// The operating system refused it.
    #[error("cannot open {}: {source}; check that the directory exists and is writable", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// It is no database, or a damaged one.
    #[error(
        "{} is not an intact SQLite database: {source}; restore it from a backup", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// SQLite cannot use it.
    #[error("cannot use {}: {source}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// Its tables are not those of this version.
    #[error(
        "the tables in {} do not fit this version: {source}; use the version that wrote them, or a \
         later one", path.display()
    )]
    Migration {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: sqlx::migrate::MigrateError,
    },
}

impl StoreError {
    pub(crate) fn database(path: PathBuf, source: sqlx::Error) -> Self {
        // SQLITE_CORRUPT and SQLITE_NOTADB; their extended codes end in the same byte.
        let code = source.as_database_error().and_then(|error| error.code());
        let code = code.and_then(|code| code.parse::<i32>().ok());
        match code.map(|code| code & 0xff) {
            Some(11 | 26) => Self::Damaged { path, source },
            _ => Self::Database { path, source },
        }
    }
}

/// Why the registry of consents refuses.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// There is no such consent.
    #[error("there is no consent {0}")]
    Unknown(Uuid),
    /// A consent of this id exists already.
    #[error("a consent {0} exists already")]
    Exists(Uuid),
    /// What is asked may not be.
    #[error(transparent)]
    Refused(#[from] ConsentError),
    /// The proof is of another act than the one that it came with.
    #[error("the proof is of another act")]
    OtherAct,
    /// The store cannot be used.
    #[error("the store cannot be used: {0}")]
    Store(#[from] Broken),
}

/// An operation on the database that failed.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// SQLite failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A stored value is not what was written.
    #[error("column {0} holds what was never written there")]
    Column(&'static str),
    /// An outcome that cannot be kept or read: personal values cannot be serialized.
    #[error("an outcome is not JSON: {0}")]
    Outcome(#[from] serde_json::Error),
    /// A submit that was not begun here.
    #[error("no submit under this key is being worked on by this process")]
    NotClaimed,
    /// Readers were in the way for too long.
    #[error(
        "the archive is being read without a pause; what was replaced is still in its -wal file"
    )]
    Busy,
    /// A letter that was not taken here, or has ended.
    #[error("this letter is not being worked on by this process")]
    NotTaken,
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Self {
        Self::new(Kind::Internal, "store-unavailable", "the gateway's store failed")
            .context("store")
            .source(broken)
    }
}
