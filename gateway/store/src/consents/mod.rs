//! Consents in a SQLite file of their own, which several gateways on one machine may share.
//!
//! [`ConsentStore`] answers the request path from memory where it can ([`lookup`]), keeps the chains
//! of revisions ([`chain`]) and counts uses ([`uses`]). What another process changes is known at once
//! by [`changes`].

mod cache;
mod chain;
mod changes;
mod lookup;
mod retention;
mod uses;

use std::path::Path;
use std::sync::Arc;

use gateway_core::{Clock, Consent};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};
use uuid::Uuid;

use crate::database::{self, migration};
use crate::error::{Broken, StoreError};
use cache::ConsentCache;
use changes::Changes;

pub use chain::{Act, Changed, Kept, act_digest};

/// Connections for reading; writing has one of its own, as SQLite has one writer.
const READERS: u32 = 2;

/// The consents, in one SQLite file (write-ahead log, `synchronous=FULL`).
pub struct ConsentStore {
    pub(crate) reading: SqlitePool,
    pub(crate) writing: SqlitePool,
    clock: Arc<dyn Clock>,
    cache: ConsentCache,
    changes: Changes,
}

impl ConsentStore {
    /// Opens the file at `path`, creating it when missing and bringing its tables up to date.
    ///
    /// # Errors
    /// Any [`StoreError`] but [`StoreError::InUse`]; each says what to do.
    pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let failed = |source| StoreError::database(path.to_owned(), source);
        let options = database::options(path);
        let writing = database::connect(1, options.clone()).await.map_err(failed)?;
        let migrations = vec![migration(
            10,
            "consents",
            include_str!("../../migrations/consents/0010_consents.sql"),
        )];
        database::migrate(path, &writing, migrations).await?;
        let reading = database::connect(READERS, options.read_only(true)).await.map_err(failed)?;
        let changes =
            Changes::of(path).map_err(|source| StoreError::Io { path: path.to_owned(), source })?;
        Ok(Self { reading, writing, clock, cache: ConsentCache::default(), changes })
    }

    /// Finishes what is under way and closes the file. Without it nothing is lost either.
    pub async fn close(&self) {
        self.reading.close().await;
        self.writing.close().await;
    }

    /// A transaction that no other writer, of this process or another, is beside.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, Broken> {
        Ok(self.writing.begin_with("BEGIN IMMEDIATE").await?)
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }
}

async fn state(
    transaction: &mut Transaction<'static, Sqlite>,
    id: Uuid,
) -> Result<Option<Consent>, Broken> {
    let row = sqlx::query("SELECT state FROM consents WHERE id = ?")
        .bind(&id.as_bytes()[..])
        .fetch_optional(&mut **transaction)
        .await?;
    row.as_ref().map(consent).transpose()
}

fn consent(row: &SqliteRow) -> Result<Consent, Broken> {
    let state: &str = row.try_get("state")?;
    serde_json::from_str(state).map_err(|_| Broken::Column("state"))
}

#[cfg(test)]
mod tests;
