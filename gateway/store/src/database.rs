//! How a SQLite file is opened and its tables are brought up to date.

use std::path::Path;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteRow;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row, SqlSafeStr, SqlitePool};
use uuid::Uuid;

use crate::error::{Broken, StoreError};

/// Write-ahead log, `synchronous=FULL`: what was acknowledged survives a power cut.
pub(crate) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
}

pub(crate) async fn connect(
    connections: u32,
    options: SqliteConnectOptions,
) -> Result<SqlitePool, sqlx::Error> {
    let pool = SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false);
    pool.connect_with(options).await
}

pub(crate) fn migration(number: i64, name: &'static str, text: &'static str) -> Migration {
    Migration::new(number, name.into(), MigrationType::Simple, text.into_sql_str(), false)
}

pub(crate) async fn migrate(
    path: &Path,
    pool: &SqlitePool,
    migrations: Vec<Migration>,
) -> Result<(), StoreError> {
    migrated(path, Migrator::with_migrations(migrations).run(pool).await)
}

pub(crate) fn migrated(path: &Path, result: Result<(), MigrateError>) -> Result<(), StoreError> {
    result.map_err(|error| match error {
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
            StoreError::database(path.to_owned(), source)
        }
        source => StoreError::Migration { path: path.to_owned(), source },
    })
}

pub(crate) fn uuid(row: &SqliteRow, column: &'static str) -> Result<Uuid, Broken> {
    Uuid::from_slice(row.try_get(column)?).map_err(|_| Broken::Column(column))
}
