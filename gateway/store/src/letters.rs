//! Letters in SQLite: taking and ending them. Looking at them is in [`crate::letter_box`].

use async_trait::async_trait;
use gateway_core::letter::{Claim, Ending, Letter, Letters, Posted, State, Task};
use gateway_core::{Fault, MemberId};
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use crate::Store;
use crate::database::uuid;
use crate::error::Broken;

/// Expired letters removed with each one that ends, as in the outbox.
const SWEPT_PER_END: i64 = 4;

#[async_trait]
impl Letters for Store {
    async fn post(
        &self,
        letter: &Letter,
        claim: Option<Claim>,
        limit: u32,
    ) -> Result<Posted, Fault> {
        Ok(self.try_post(letter, claim, limit).await?)
    }

    async fn take(&self, count: u32) -> Result<Vec<Letter>, Fault> {
        Ok(self.try_take(count).await?)
    }

    async fn end(&self, id: Uuid, ending: &Ending, following: &[Letter]) -> Result<(), Fault> {
        Ok(self.try_end(id, ending, following).await?)
    }

    async fn postpone(&self, id: Uuid, due: Timestamp, reason: &str) -> Result<(), Fault> {
        let changed = sqlx::query(
            "UPDATE letters SET owner = NULL, attempts = attempts + 1, due = ?, reason = ? \
             WHERE id = ? AND owner = ?",
        )
        .bind(due.as_millisecond())
        .bind(reason)
        .bind(&id.as_bytes()[..])
        .bind(&self.boot.as_bytes()[..])
        .execute(&self.writing)
        .await
        .map_err(Broken::from)?;
        match changed.rows_affected() {
            0 => Err(Broken::NotTaken.into()),
            _ => Ok(()),
        }
    }
}

impl Store {
    async fn try_post(
        &self,
        letter: &Letter,
        claim: Option<Claim>,
        limit: u32,
    ) -> Result<Posted, Broken> {
        let mut transaction = self.writing.begin().await?;
        if let Some(claim) = claim
            && let Some(earlier) = self.claimed(&mut transaction, claim).await?
        {
            return Ok(earlier);
        }
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM letters WHERE state = 'waiting' AND member = ? AND task = ?",
        )
        .bind(&*letter.member.0)
        .bind(letter.task.name())
        .fetch_one(&mut *transaction)
        .await?;
        if waiting >= i64::from(limit) {
            return Ok(Posted::Full);
        }
        insert(&mut transaction, letter, claim).await?;
        transaction.commit().await?;
        Ok(Posted::New)
    }

    async fn try_take(&self, count: u32) -> Result<Vec<Letter>, Broken> {
        let mut transaction = self.writing.begin().await?;
        let rows = sqlx::query(
            "SELECT * FROM letters AS one WHERE state = 'waiting' AND due <= ? \
             AND owner IS NOT ? AND (lane IS NULL OR NOT EXISTS (SELECT 1 FROM letters AS earlier \
             WHERE earlier.lane = one.lane AND earlier.state = 'waiting' \
             AND earlier.number < one.number)) ORDER BY due, number LIMIT ?",
        )
        .bind(self.clock.now().as_millisecond())
        .bind(&self.boot.as_bytes()[..])
        .bind(count)
        .fetch_all(&mut *transaction)
        .await?;
        let letters = rows.iter().map(letter).collect::<Result<Vec<_>, _>>()?;
        for letter in &letters {
            sqlx::query("UPDATE letters SET owner = ? WHERE id = ?")
                .bind(&self.boot.as_bytes()[..])
                .bind(&letter.id.as_bytes()[..])
                .execute(&mut *transaction)
                .await?;
        }
        if !letters.is_empty() {
            transaction.commit().await?;
        }
        Ok(letters)
    }

    async fn try_end(&self, id: Uuid, ending: &Ending, following: &[Letter]) -> Result<(), Broken> {
        let mut transaction = self.writing.begin().await?;
        let done = ending.state == State::Done;
        let changed = match (done, ending.keep_until) {
            (true, None) => {
                sqlx::query("DELETE FROM letters WHERE id = ? AND owner = ?")
                    .bind(&id.as_bytes()[..])
                    .bind(&self.boot.as_bytes()[..])
                    .execute(&mut *transaction)
                    .await?
            }
            _ => {
                sqlx::query(
                    "UPDATE letters SET state = ?, owner = NULL, attempts = attempts + 1, \
                     content = CASE WHEN ? THEN NULL ELSE content END, outcome = ?, reason = ?, \
                     keep_until = ? WHERE id = ? AND owner = ?",
                )
                .bind(ending.state.name())
                .bind(done)
                .bind(ending.outcome.as_deref())
                .bind(ending.reason.as_deref())
                .bind(ending.keep_until.map(Timestamp::as_millisecond))
                .bind(&id.as_bytes()[..])
                .bind(&self.boot.as_bytes()[..])
                .execute(&mut *transaction)
                .await?
            }
        };
        if changed.rows_affected() == 0 {
            return Err(Broken::NotTaken);
        }
        for letter in following {
            insert(&mut transaction, letter, None).await?;
        }
        self.sweep_letters_on(&mut transaction, SWEPT_PER_END).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The letter that has claimed a key already; one that has outlived its time gives it up.
    async fn claimed(
        &self,
        connection: &mut SqliteConnection,
        claim: Claim,
    ) -> Result<Option<Posted>, Broken> {
        sqlx::query("DELETE FROM letters WHERE key = ? AND keep_until <= ?")
            .bind(&claim.key.0[..])
            .bind(self.clock.now().as_millisecond())
            .execute(&mut *connection)
            .await?;
        let row = sqlx::query("SELECT id, digest FROM letters WHERE key = ?")
            .bind(&claim.key.0[..])
            .fetch_optional(connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let same = row.try_get::<&[u8], _>("digest")? == claim.digest;
        Ok(Some(if same { Posted::Known(uuid(&row, "id")?) } else { Posted::Reused }))
    }

    /// Removes at most `limit` letters that are not to be kept any longer.
    pub(crate) async fn sweep_letters_on(
        &self,
        connection: &mut SqliteConnection,
        limit: i64,
    ) -> Result<(), Broken> {
        sqlx::query(
            "DELETE FROM letters WHERE number IN (SELECT number FROM letters \
             WHERE keep_until <= ? ORDER BY keep_until LIMIT ?)",
        )
        .bind(self.clock.now().as_millisecond())
        .bind(limit)
        .execute(connection)
        .await?;
        Ok(())
    }
}

async fn insert(
    connection: &mut SqliteConnection,
    letter: &Letter,
    claim: Option<Claim>,
) -> Result<(), Broken> {
    let posted = letter.posted.as_millisecond();
    sqlx::query(
        "INSERT INTO letters (id, task, member, subject, lane, key, digest, content, state, \
         attempts, posted, due) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?)",
    )
    .bind(&letter.id.as_bytes()[..])
    .bind(letter.task.name())
    .bind(&*letter.member.0)
    .bind(&letter.subject)
    .bind(letter.lane.as_deref())
    .bind(claim.as_ref().map(|claim| &claim.key.0[..]))
    .bind(claim.as_ref().map(|claim| &claim.digest[..]))
    .bind(&letter.content)
    .bind(letter.attempts)
    .bind(posted)
    .bind(posted)
    .execute(connection)
    .await?;
    Ok(())
}

fn letter(row: &SqliteRow) -> Result<Letter, Broken> {
    Ok(Letter {
        id: uuid(row, "id")?,
        task: task(row)?,
        member: MemberId(row.try_get::<&str, _>("member")?.into()),
        subject: row.try_get("subject")?,
        lane: row.try_get("lane")?,
        content: row.try_get("content")?,
        posted: time(row, "posted")?.ok_or(Broken::Column("posted"))?,
        attempts: row.try_get("attempts")?,
    })
}

pub(crate) fn task(row: &SqliteRow) -> Result<Task, Broken> {
    match row.try_get("task")? {
        "exchange" => Ok(Task::Exchange),
        "delivery" => Ok(Task::Delivery),
        _ => Err(Broken::Column("task")),
    }
}

pub(crate) fn time(row: &SqliteRow, column: &'static str) -> Result<Option<Timestamp>, Broken> {
    let read = row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_millisecond);
    read.transpose().map_err(|_| Broken::Column(column))
}
