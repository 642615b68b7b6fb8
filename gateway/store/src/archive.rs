//! The archive of the evidence log in a SQLite file of its own: operational records of exchanges, and
//! the committed parts that are not personal, byte for byte.
//!
//! The log's thread hands entries on in order and keeps its own copy until [`Archive::sync`] returns, so
//! a commit in between need not reach the disk: after a power cut the log hands the same entries on
//! again. Reading has connections of its own and does not wait for it.

mod exchanges;
mod holds;
mod keys;
mod openings;
mod row;

use std::collections::HashSet;
use std::path::Path;

use gateway_core::archive::{Archive, ArchiveError, Kept};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{QueryBuilder, SqlSafeStr, Sqlite, SqliteConnection, SqlitePool};
use tokio::runtime::Handle;

use crate::database::{connect, migrated};
use crate::error::{Broken, StoreError};
use row::Row;

pub use exchanges::{ExchangeFilter, ExchangeRecord, OUTCOME_REFUSED};
pub use openings::ArchivedEntry;

/// Rows of one statement. Statements of two sizes are prepared once and used again.
const TOGETHER: usize = 32;
/// Connections for reading.
const READERS: u32 = 2;

/// The archive.
pub struct ArchiveStore {
    pub(crate) reading: SqlitePool,
    pub(crate) writing: SqlitePool,
    /// For what must be on disk at once.
    durable: SqlitePool,
    runtime: Handle,
}

impl ArchiveStore {
    /// Opens the archive at `path`, creating it when missing and bringing its tables up to date. It
    /// is used from within the runtime it was opened in, and by the log's own thread.
    ///
    /// # Errors
    /// Any [`StoreError`]; each says what to do.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let database = |source| StoreError::database(path.to_owned(), source);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .pragma("secure_delete", "ON");
        let writing = connect(1, options.clone()).await.map_err(database)?;
        let migration = |number, name: &'static str, text: &'static str| {
            Migration::new(number, name.into(), MigrationType::Simple, text.into_sql_str(), false)
        };
        let migrations = vec![
            migration(40, "exchanges", include_str!("../migrations/archive/0040_exchanges.sql")),
            migration(41, "bodies", include_str!("../migrations/archive/0041_bodies.sql")),
        ];
        migrated(path, Migrator::with_migrations(migrations).run(&writing).await)?;
        let full = options.clone().synchronous(SqliteSynchronous::Full);
        let durable = connect(1, full).await.map_err(database)?;
        let reading = connect(READERS, options.read_only(true)).await.map_err(database)?;
        Ok(Self { reading, writing, durable, runtime: Handle::current() })
    }

    async fn try_next(&self) -> Result<u64, Broken> {
        let mut connection = self.writing.acquire().await?;
        next(&mut connection).await
    }

    async fn try_keep(&self, rows: Vec<Row>) -> Result<(), Broken> {
        let mut transaction = self.writing.begin_with("BEGIN IMMEDIATE").await?;
        let next = next(&mut transaction).await?;
        let fresh: Vec<Row> = rows.into_iter().filter(|row| row.index >= next).collect();
        let Some(last) = fresh.last() else { return Ok(()) };
        let after = i64::try_from(last.index).map_err(|_| Broken::Column("number"))? + 1;
        for (hash, der) in fresh.iter().filter_map(Row::certificate) {
            sqlx::query("INSERT OR IGNORE INTO certificates VALUES (?, ?)")
                .bind(hash)
                .bind(der)
                .execute(&mut *transaction)
                .await?;
        }
        keep_sealed(&mut transaction, &fresh).await?;
        let (whole, rest) = fresh.as_chunks::<TOGETHER>();
        for rows in whole {
            insert(&mut transaction, rows).await?;
        }
        for row in rest {
            insert(&mut transaction, std::slice::from_ref(row)).await?;
        }
        sqlx::query("UPDATE progress SET next = ?").bind(after).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A commit with `synchronous=FULL` syncs the write-ahead file, and with it every commit before.
    async fn try_sync(&self) -> Result<(), Broken> {
        let mut connection = self.writing.acquire().await?;
        sqlx::query("PRAGMA synchronous = FULL").execute(&mut *connection).await?;
        let written =
            sqlx::query("UPDATE progress SET next = next").execute(&mut *connection).await;
        sqlx::query("PRAGMA synchronous = NORMAL").execute(&mut *connection).await?;
        written?;
        Ok(())
    }

    /// Finishes what is under way and closes the file.
    pub async fn close(&self) {
        self.reading.close().await;
        self.writing.close().await;
        self.durable.close().await;
    }
}

/// Keys first: a body without its key could never be opened.
async fn keep_sealed(connection: &mut SqliteConnection, rows: &[Row]) -> Result<(), Broken> {
    let mut known = HashSet::new();
    for (row, sealed) in rows.iter().filter_map(|row| Some((row, row.sealed()?))) {
        if let Some(new) = sealed.new_key.as_ref().filter(|_| known.insert(sealed.key)) {
            sqlx::query(
                "INSERT OR IGNORE INTO keys (id, holder, purpose, shard, wrapped) \
                 VALUES (?, ?, ?, ?, ?)",
            )
            .bind(&sealed.key[..])
            .bind(&new.holder[..])
            .bind(&new.purpose)
            .bind(new.shard)
            .bind(&new.wrapped)
            .execute(&mut *connection)
            .await?;
        }
        for (part, body) in &sealed.bodies {
            sqlx::query("INSERT INTO bodies VALUES (?, ?, ?, ?, ?, ?)")
                .bind(row.index.cast_signed())
                .bind(part)
                .bind(row.exchange())
                .bind(&sealed.key[..])
                .bind(sealed.keep_until)
                .bind(body)
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

async fn next(connection: &mut SqliteConnection) -> Result<u64, Broken> {
    let next: i64 = sqlx::query_scalar("SELECT next FROM progress").fetch_one(connection).await?;
    u64::try_from(next).map_err(|_| Broken::Column("next"))
}

async fn insert(connection: &mut SqliteConnection, rows: &[Row]) -> Result<(), Broken> {
    let mut query = QueryBuilder::<Sqlite>::new(row::INSERT);
    query.push_values(rows, |mut to, row| row.bind(&mut to));
    query.build().execute(connection).await?;
    Ok(())
}

impl Archive for ArchiveStore {
    fn next(&self) -> Result<u64, ArchiveError> {
        self.runtime.block_on(self.try_next()).map_err(unavailable)
    }

    fn keep(&self, entries: &[Kept]) -> Result<(), ArchiveError> {
        let read = |kept| Row::read(kept).ok_or(ArchiveError::Unreadable(kept.index));
        let rows = entries.iter().map(read).collect::<Result<_, _>>()?;
        self.runtime.block_on(self.try_keep(rows)).map_err(unavailable)
    }

    fn sync(&self) -> Result<(), ArchiveError> {
        self.runtime.block_on(self.try_sync()).map_err(unavailable)
    }
}

fn unavailable(broken: Broken) -> ArchiveError {
    ArchiveError::Unavailable(broken.into())
}
