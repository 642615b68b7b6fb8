//! Wrapped keys and erasures in the archive. What is changed here is on disk when it counts as done, and
//! what is removed is overwritten (`secure_delete`) and gone from the write-ahead file.

use async_trait::async_trait;
use gateway_core::archive::{ArchiveError, NewKey};
use gateway_core::keys::{Destroyed, Erasure, Hold, KeyStore, Rekeyed, Shards, StoredKey};
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, SqliteConnection, Transaction};
use uuid::Uuid;

use super::{ArchiveStore, unavailable};
use crate::error::Broken;

#[async_trait]
impl KeyStore for ArchiveStore {
    async fn shards(&self) -> Result<Option<Shards>, ArchiveError> {
        self.try_shards().await.map_err(unavailable)
    }

    async fn begin(&self, shards: &Shards) -> Result<(), ArchiveError> {
        self.try_begin(shards).await.map_err(unavailable)
    }

    async fn newest(
        &self,
        holder: &[u8; 32],
        purpose: &str,
    ) -> Result<Option<StoredKey>, ArchiveError> {
        let text =
            "SELECT * FROM keys WHERE holder = ? AND purpose = ? ORDER BY number DESC LIMIT 1";
        let query = sqlx::query(text).bind(&holder[..]).bind(purpose);
        one(query.fetch_optional(&self.reading).await).map_err(unavailable)
    }

    async fn key(&self, id: &[u8; 16]) -> Result<Option<StoredKey>, ArchiveError> {
        let query = sqlx::query("SELECT * FROM keys WHERE id = ?").bind(&id[..]);
        one(query.fetch_optional(&self.reading).await).map_err(unavailable)
    }

    async fn keys_of_shard(&self, shard: u32) -> Result<Vec<StoredKey>, ArchiveError> {
        let query = sqlx::query("SELECT * FROM keys WHERE shard = ?").bind(shard);
        let rows = query.fetch_all(&self.reading).await.map_err(|e| unavailable(e.into()))?;
        rows.iter().map(stored).collect::<Result<_, _>>().map_err(unavailable)
    }

    async fn plan(&self, erasure: &Erasure) -> Result<(), ArchiveError> {
        self.try_plan(erasure).await.map_err(unavailable)
    }

    async fn planned(&self) -> Result<Option<Erasure>, ArchiveError> {
        self.try_planned().await.map_err(unavailable)
    }

    async fn rekey(&self, erasure: &Erasure, rekeyed: &Rekeyed) -> Result<Destroyed, ArchiveError> {
        self.try_rekey(erasure, rekeyed).await.map_err(unavailable)
    }

    async fn finish(&self, erasure: &Erasure) -> Result<(), ArchiveError> {
        self.try_finish(erasure).await.map_err(unavailable)
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<Destroyed, ArchiveError> {
        self.try_sweep(now, limit).await.map_err(unavailable)
    }

    async fn hold(&self, hold: &Hold) -> Result<(), ArchiveError> {
        self.try_hold(hold).await.map_err(unavailable)
    }

    async fn lift(&self, id: Uuid) -> Result<bool, ArchiveError> {
        self.try_lift(id).await.map_err(unavailable)
    }

    async fn holds(&self) -> Result<Vec<Hold>, ArchiveError> {
        self.try_holds().await.map_err(unavailable)
    }

    async fn held(&self, holders: &[[u8; 32]]) -> Result<bool, ArchiveError> {
        self.try_held(holders).await.map_err(unavailable)
    }
}

impl ArchiveStore {
    /// Begins a change that is on disk once [`ArchiveStore::settle`] has returned.
    pub(super) async fn change(&self) -> Result<Transaction<'static, Sqlite>, Broken> {
        Ok(self.durable.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Commits, and empties the write-ahead file of what was replaced.
    pub(super) async fn settle(&self, change: Transaction<'static, Sqlite>) -> Result<(), Broken> {
        change.commit().await?;
        let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&self.durable).await?;
        match row.try_get::<i64, _>(0)? {
            0 => Ok(()),
            _ => Err(Broken::Busy),
        }
    }

    async fn try_shards(&self) -> Result<Option<Shards>, Broken> {
        let query = sqlx::query("SELECT * FROM shards ORDER BY shard");
        let rows = query.fetch_all(&self.reading).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let generation = first.try_get::<i64, _>("generation")?.cast_unsigned();
        let wrapped = rows.iter().map(|row| row.try_get("wrapped"));
        Ok(Some(Shards { generation, wrapped: wrapped.collect::<Result<_, _>>()? }))
    }

    async fn try_begin(&self, shards: &Shards) -> Result<(), Broken> {
        let mut change = self.change().await?;
        put_shards(&mut change, shards).await?;
        self.settle(change).await
    }

    async fn try_plan(&self, erasure: &Erasure) -> Result<(), Broken> {
        let mut change = self.change().await?;
        sqlx::query("INSERT INTO erasures VALUES (1, ?)")
            .bind(serde_json::to_string(erasure)?)
            .execute(&mut *change)
            .await?;
        self.settle(change).await
    }

    async fn try_planned(&self) -> Result<Option<Erasure>, Broken> {
        let query = sqlx::query_scalar("SELECT erasure FROM erasures");
        let text: Option<String> = query.fetch_optional(&self.reading).await?;
        Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
    }

    async fn try_rekey(&self, erasure: &Erasure, rekeyed: &Rekeyed) -> Result<Destroyed, Broken> {
        let mut change = self.change().await?;
        let mut destroyed = Destroyed::default();
        for holder in &erasure.holders {
            let text = "DELETE FROM bodies WHERE key IN (SELECT id FROM keys WHERE holder = ?)";
            let bodies = sqlx::query(text).bind(&holder[..]).execute(&mut *change).await?;
            let text = "DELETE FROM keys WHERE holder = ?";
            let keys = sqlx::query(text).bind(&holder[..]).execute(&mut *change).await?;
            destroyed.bodies += bodies.rows_affected();
            destroyed.keys += keys.rows_affected();
        }
        for StoredKey { id, key } in &rekeyed.keys {
            sqlx::query("UPDATE keys SET wrapped = ? WHERE id = ?")
                .bind(&key.wrapped)
                .bind(&id[..])
                .execute(&mut *change)
                .await?;
        }
        put_shards(&mut change, &rekeyed.shards).await?;
        let noted = Erasure { destroyed: Some(destroyed), ..erasure.clone() };
        sqlx::query("UPDATE erasures SET erasure = ?")
            .bind(serde_json::to_string(&noted)?)
            .execute(&mut *change)
            .await?;
        self.settle(change).await?;
        Ok(destroyed)
    }

    async fn try_finish(&self, erasure: &Erasure) -> Result<(), Broken> {
        let mut change = self.change().await?;
        sqlx::query("DELETE FROM erasures WHERE erasure ->> 'id' = ?")
            .bind(erasure.id.to_string())
            .execute(&mut *change)
            .await?;
        self.settle(change).await
    }
}

async fn put_shards(change: &mut SqliteConnection, shards: &Shards) -> Result<(), Broken> {
    for (shard, wrapped) in (0_i64..).zip(&shards.wrapped) {
        sqlx::query("INSERT OR REPLACE INTO shards VALUES (?, ?, ?)")
            .bind(shard)
            .bind(shards.generation.cast_signed())
            .bind(wrapped)
            .execute(&mut *change)
            .await?;
    }
    Ok(())
}

fn one(row: Result<Option<SqliteRow>, sqlx::Error>) -> Result<Option<StoredKey>, Broken> {
    row?.as_ref().map(stored).transpose()
}

fn stored(row: &SqliteRow) -> Result<StoredKey, Broken> {
    let bytes = |column| row.try_get::<&[u8], _>(column);
    Ok(StoredKey {
        id: bytes("id")?.try_into().map_err(|_| Broken::Column("id"))?,
        key: NewKey {
            holder: bytes("holder")?.try_into().map_err(|_| Broken::Column("holder"))?,
            purpose: row.try_get("purpose")?,
            shard: row.try_get("shard")?,
            wrapped: row.try_get("wrapped")?,
        },
    })
}
