//! Submits in SQLite. The writing pool has one connection, so operations come one after another.

use async_trait::async_trait;
use gateway_core::outbox::{Begun, Submission};
use gateway_core::{Answer, ExchangeId, Fault, Outbox, ServiceId, SubmissionKey};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::Store;
use crate::database::uuid;
use crate::error::Broken;

/// Expired outcomes removed with each one that is added: the table shrinks faster than it grows,
/// without a timer.
const SWEPT_PER_SETTLE: i64 = 4;

#[async_trait]
impl Outbox for Store {
    async fn begin(&self, submission: &Submission, digest: &[u8; 32]) -> Result<Begun, Fault> {
        Ok(self.try_begin(submission, digest).await?)
    }

    async fn claim(&self, key: &SubmissionKey) -> Result<bool, Fault> {
        let changed = sqlx::query(
            "UPDATE outbox SET owner = ?1 WHERE key = ?2 AND outcome IS NULL \
             AND ticket IS NOT NULL AND owner IS NOT ?1",
        )
        .bind(&self.boot.as_bytes()[..])
        .bind(&key.0[..])
        .execute(&self.writing)
        .await
        .map_err(Broken::from)?;
        Ok(changed.rows_affected() > 0)
    }

    async fn attach(&self, key: &SubmissionKey, ticket: &[u8]) -> Result<(), Fault> {
        let changed = sqlx::query(
            "UPDATE outbox SET ticket = ? WHERE key = ? AND owner = ? AND outcome IS NULL",
        )
        .bind(ticket)
        .bind(&key.0[..])
        .bind(&self.boot.as_bytes()[..])
        .execute(&self.writing)
        .await
        .map_err(Broken::from)?;
        match changed.rows_affected() {
            0 => Err(Broken::NotClaimed.into()),
            _ => Ok(()),
        }
    }

    async fn withdraw(&self, key: &SubmissionKey) -> Result<(), Fault> {
        sqlx::query(
            "UPDATE outbox SET ticket = NULL WHERE key = ? AND owner = ? AND outcome IS NULL",
        )
        .bind(&key.0[..])
        .bind(&self.boot.as_bytes()[..])
        .execute(&self.writing)
        .await
        .map_err(Broken::from)?;
        Ok(())
    }

    async fn settle(
        &self,
        key: &SubmissionKey,
        outcome: &Result<Answer, Fault>,
    ) -> Result<(), Fault> {
        Ok(self.try_settle(key, outcome).await?)
    }

    async fn release(&self, key: &SubmissionKey) -> Result<(), Fault> {
        Ok(self.try_release(key).await?)
    }

    async fn unsettled(&self) -> Result<Vec<Submission>, Fault> {
        let rows = sqlx::query(
            "SELECT * FROM outbox WHERE outcome IS NULL AND ticket IS NOT NULL \
             AND owner IS NOT ? ORDER BY number",
        )
        .bind(&self.boot.as_bytes()[..])
        .fetch_all(&self.reading)
        .await
        .map_err(Broken::from)?;
        Ok(rows.iter().map(submission).collect::<Result<_, _>>()?)
    }
}

impl Store {
    async fn try_begin(&self, submission: &Submission, digest: &[u8; 32]) -> Result<Begun, Broken> {
        let mut transaction = self.writing.begin().await?;
        let found = sqlx::query("SELECT * FROM outbox WHERE key = ?")
            .bind(&submission.key.0[..])
            .fetch_optional(&mut *transaction)
            .await?;
        let begun = match found {
            Some(row) => self.known(&row, digest)?,
            None => Begun::Fresh,
        };
        match &begun {
            Begun::Fresh => self.insert(&mut transaction, submission, digest).await?,
            Begun::Interrupted(earlier) => self.take_up(&mut transaction, &earlier.key).await?,
            Begun::Running | Begun::Settled { .. } | Begun::Reused => return Ok(begun),
        }
        transaction.commit().await?;
        Ok(begun)
    }

    /// What a row says of the next request under its key.
    fn known(&self, row: &SqliteRow, digest: &[u8; 32]) -> Result<Begun, Broken> {
        let ticket: Option<&[u8]> = row.try_get("ticket")?;
        let outcome: Option<&str> = row.try_get("outcome")?;
        let owner: Option<&[u8]> = row.try_get("owner")?;
        let ours = owner == Some(&self.boot.as_bytes()[..]);
        if ticket.is_none() && outcome.is_none() && !ours {
            // Its process died before anything was sent: as if it had never been.
            return Ok(Begun::Fresh);
        }
        if row.try_get::<&[u8], _>("digest")? != digest {
            return Ok(Begun::Reused);
        }
        Ok(match outcome {
            Some(outcome) => Begun::Settled {
                mapping: row.try_get::<&str, _>("mapping")?.into(),
                outcome: serde_json::from_str(outcome)?,
            },
            None if ours => Begun::Running,
            None => Begun::Interrupted(submission(row)?),
        })
    }

    async fn insert(
        &self,
        connection: &mut SqliteConnection,
        submission: &Submission,
        digest: &[u8; 32],
    ) -> Result<(), Broken> {
        sqlx::query(
            "INSERT OR REPLACE INTO outbox \
             (key, digest, exchange, sector, code, backend, mapping, owner) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&submission.key.0[..])
        .bind(&digest[..])
        .bind(&submission.exchange.0.as_bytes()[..])
        .bind(&*submission.service.sector)
        .bind(&*submission.service.code)
        .bind(&*submission.backend)
        .bind(&*submission.mapping)
        .bind(&self.boot.as_bytes()[..])
        .execute(connection)
        .await?;
        Ok(())
    }

    async fn take_up(
        &self,
        connection: &mut SqliteConnection,
        key: &SubmissionKey,
    ) -> Result<(), Broken> {
        sqlx::query("UPDATE outbox SET owner = ? WHERE key = ?")
            .bind(&self.boot.as_bytes()[..])
            .bind(&key.0[..])
            .execute(connection)
            .await?;
        Ok(())
    }

    /// The first outcome stands: a second one, from a recovery that ran beside a request, says the
    /// same of the same transaction.
    async fn try_settle(
        &self,
        key: &SubmissionKey,
        outcome: &Result<Answer, Fault>,
    ) -> Result<(), Broken> {
        let outcome = serde_json::to_string(outcome)?;
        let mut transaction = self.writing.begin().await?;
        sqlx::query(
            "UPDATE outbox SET outcome = ?, settled_at = ?, ticket = NULL, owner = NULL \
             WHERE key = ? AND outcome IS NULL",
        )
        .bind(outcome)
        .bind(self.clock.now().as_second())
        .bind(&key.0[..])
        .execute(&mut *transaction)
        .await?;
        self.sweep_on(&mut transaction, SWEPT_PER_SETTLE).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn try_release(&self, key: &SubmissionKey) -> Result<(), Broken> {
        let mut transaction = self.writing.begin().await?;
        for statement in [
            "DELETE FROM outbox \
             WHERE key = ? AND owner = ? AND outcome IS NULL AND ticket IS NULL",
            "UPDATE outbox SET owner = NULL WHERE key = ? AND owner = ? AND outcome IS NULL",
        ] {
            sqlx::query(statement)
                .bind(&key.0[..])
                .bind(&self.boot.as_bytes()[..])
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Removes at most `limit` outcomes that are older than they are kept, oldest first.
    pub(crate) async fn sweep(&self, limit: i64) -> Result<(), Broken> {
        let mut connection = self.writing.acquire().await?;
        self.sweep_on(&mut connection, limit).await
    }

    async fn sweep_on(&self, connection: &mut SqliteConnection, limit: i64) -> Result<(), Broken> {
        let keep = i64::try_from(self.keep.as_secs()).unwrap_or(i64::MAX);
        let oldest = self.clock.now().as_second().saturating_sub(keep);
        sqlx::query(
            "DELETE FROM outbox WHERE number IN (SELECT number FROM outbox \
             WHERE settled_at < ? ORDER BY settled_at LIMIT ?)",
        )
        .bind(oldest)
        .bind(limit)
        .execute(connection)
        .await?;
        Ok(())
    }
}

fn submission(row: &SqliteRow) -> Result<Submission, Broken> {
    let key: &[u8] = row.try_get("key")?;
    Ok(Submission {
        key: SubmissionKey(key.try_into().map_err(|_| Broken::Column("key"))?),
        exchange: ExchangeId(uuid(row, "exchange")?),
        service: ServiceId {
            sector: row.try_get::<&str, _>("sector")?.into(),
            code: row.try_get::<&str, _>("code")?.into(),
        },
        backend: row.try_get::<&str, _>("backend")?.into(),
        mapping: row.try_get::<&str, _>("mapping")?.into(),
        ticket: row.try_get("ticket")?,
    })
}
