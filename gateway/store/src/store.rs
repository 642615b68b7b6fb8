//! Opening and closing the store.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gateway_core::Clock;
use sqlx::SqlitePool;
use uuid::Uuid;

use crate::database::{self, migration};
use crate::error::{Broken, StoreError};

/// How long the outcome of a submit is kept when nothing else is said: a request repeated under its
/// idempotency key within seven days gets the stored answer, later it may count as a new one.
pub const DEFAULT_KEEP: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Connections for reading; writing has one of its own, as SQLite has one writer.
const READERS: u32 = 2;

/// The store, in one SQLite file (write-ahead log, `synchronous=FULL`: what was acknowledged
/// survives a power cut). Beside it lies a file of the same name ending in `.lock`.
pub struct Store {
    pub(crate) reading: SqlitePool,
    pub(crate) writing: SqlitePool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keep: Duration,
    /// Names this process in the outbox: what another name holds was left behind by a dead one.
    pub(crate) boot: Uuid,
    _lock: File,
}

impl Store {
    /// Opens the store at `path`, creating it when missing and bringing its tables up to date.
    /// Outcomes of submits are kept at least for `keep`, see [`DEFAULT_KEEP`].
    ///
    /// # Errors
    /// Any [`StoreError`]; each says what to do.
    pub async fn open(
        path: &Path,
        clock: Arc<dyn Clock>,
        keep: Duration,
    ) -> Result<Self, StoreError> {
        let lock = lock(path)?;
        let failed = |source| StoreError::database(path.to_owned(), source);
        let options = database::options(path);
        let writing = database::connect(1, options.clone()).await.map_err(failed)?;
        database::migrate(path, &writing, migrations()).await?;
        let reading = database::connect(READERS, options.read_only(true)).await.map_err(failed)?;
        let store = Self { reading, writing, clock, keep, boot: Uuid::new_v4(), _lock: lock };
        store.sweep(i64::MAX).await.map_err(|broken| match broken {
            Broken::Database(source) => failed(source),
            other => failed(sqlx::Error::Protocol(other.to_string())),
        })?;
        Ok(store)
    }

    /// Finishes what is under way and closes the file. Without it nothing is lost either.
    pub async fn close(&self) {
        self.reading.close().await;
        self.writing.close().await;
    }
}

fn migrations() -> Vec<sqlx::migrate::Migration> {
    vec![
        migration(
            1,
            "consents and outbox",
            include_str!("../migrations/0001_consents_and_outbox.sql"),
        ),
        migration(
            2,
            "outbox names its backend",
            include_str!("../migrations/0002_outbox_names_its_backend.sql"),
        ),
        migration(3, "letters", include_str!("../migrations/0003_letters.sql")),
        migration(10, "consents moved", include_str!("../migrations/0010_consents_moved.sql")),
        migration(20, "acts", include_str!("../migrations/0020_acts.sql")),
        migration(21, "members", include_str!("../migrations/0021_members.sql")),
        migration(30, "quota counts", include_str!("../migrations/0030_quota_counts.sql")),
    ]
}

/// SQLite lets processes share a file, but two gateways would each take the other for dead.
fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let failed = |source| StoreError::Io { path: PathBuf::from(&name), source };
    let file = File::create(&name).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}
