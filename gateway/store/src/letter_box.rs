//! Letters in SQLite as callers and operators see them.

use async_trait::async_trait;
use gateway_core::letter::{Envelope, LetterBox, State};
use gateway_core::{Fault, MemberId};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::Store;
use crate::database::uuid;
use crate::error::Broken;
use crate::letters::{task, time};

#[async_trait]
impl LetterBox for Store {
    async fn look(&self, id: Uuid) -> Result<Option<(Envelope, Option<Vec<u8>>)>, Fault> {
        Ok(self.try_look(id).await?)
    }

    async fn list(
        &self,
        state: State,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Envelope>, Fault> {
        Ok(self.try_list(state, after, limit).await?)
    }

    async fn replay(&self, id: Uuid) -> Result<bool, Fault> {
        let changed = sqlx::query(
            "UPDATE letters SET state = 'waiting', attempts = 0, due = ?, outcome = NULL, \
             keep_until = NULL WHERE id = ? AND state = 'dead'",
        )
        .bind(self.clock.now().as_millisecond())
        .bind(&id.as_bytes()[..])
        .execute(&self.writing)
        .await
        .map_err(Broken::from)?;
        Ok(changed.rows_affected() > 0)
    }

    async fn discard(&self, id: Uuid) -> Result<bool, Fault> {
        let removed =
            sqlx::query("DELETE FROM letters WHERE id = ? AND state <> 'done' AND owner IS NOT ?")
                .bind(&id.as_bytes()[..])
                .bind(&self.boot.as_bytes()[..])
                .execute(&self.writing)
                .await
                .map_err(Broken::from)?;
        Ok(removed.rows_affected() > 0)
    }
}

impl Store {
    /// What has outlived its time is not there, also before it is removed.
    async fn try_look(&self, id: Uuid) -> Result<Option<(Envelope, Option<Vec<u8>>)>, Broken> {
        let row = sqlx::query(
            "SELECT * FROM letters WHERE id = ? AND (keep_until IS NULL OR keep_until > ?)",
        )
        .bind(&id.as_bytes()[..])
        .bind(self.clock.now().as_millisecond())
        .fetch_optional(&self.reading)
        .await?;
        row.map(|row| Ok((envelope(&row)?, row.try_get("outcome")?))).transpose()
    }

    async fn try_list(
        &self,
        state: State,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Envelope>, Broken> {
        let rows = sqlx::query(
            "SELECT * FROM letters WHERE state = ? AND id > ? \
             AND (keep_until IS NULL OR keep_until > ?) ORDER BY id LIMIT ?",
        )
        .bind(state.name())
        .bind(after.as_ref().map_or(&[][..], |after| &after.as_bytes()[..]))
        .bind(self.clock.now().as_millisecond())
        .bind(limit)
        .fetch_all(&self.reading)
        .await?;
        rows.iter().map(envelope).collect()
    }
}

fn envelope(row: &SqliteRow) -> Result<Envelope, Broken> {
    let state = match row.try_get("state")? {
        "waiting" => State::Waiting,
        "done" => State::Done,
        "dead" => State::Dead,
        _ => return Err(Broken::Column("state")),
    };
    Ok(Envelope {
        id: uuid(row, "id")?,
        task: task(row)?,
        member: MemberId(row.try_get::<&str, _>("member")?.into()),
        subject: row.try_get("subject")?,
        lane: row.try_get("lane")?,
        state,
        attempts: row.try_get("attempts")?,
        posted: time(row, "posted")?.ok_or(Broken::Column("posted"))?,
        due: time(row, "due")?.filter(|_| state == State::Waiting),
        keep_until: time(row, "keep_until")?,
        reason: row.try_get("reason")?,
    })
}
