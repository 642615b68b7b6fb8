//! Legal holds, and the sweep that they stop.

use gateway_core::keys::{Covers, Destroyed, Hold};
use jiff::Timestamp;
use uuid::Uuid;

use super::ArchiveStore;
use crate::error::Broken;

/// A row of `held`: exchange, or holder and perhaps a purpose.
type Covered<'a> = (Option<&'a [u8]>, Option<&'a [u8]>, Option<&'a str>);

impl ArchiveStore {
    pub(super) async fn try_hold(&self, hold: &Hold) -> Result<(), Broken> {
        let id = &hold.id.as_bytes()[..];
        let mut change = self.change().await?;
        sqlx::query("INSERT INTO holds VALUES (?, ?)")
            .bind(id)
            .bind(serde_json::to_string(hold)?)
            .execute(&mut *change)
            .await?;
        let covered: Vec<Covered<'_>> = match &hold.covers {
            Covers::Exchange(exchange) => vec![(Some(exchange.as_bytes()), None, None)],
            Covers::Person { holders, purpose } => {
                holders.iter().map(|holder| (None, Some(&holder[..]), purpose.as_deref())).collect()
            }
        };
        for (exchange, holder, purpose) in covered {
            sqlx::query("INSERT INTO held VALUES (?, ?, ?, ?)")
                .bind(id)
                .bind(exchange)
                .bind(holder)
                .bind(purpose)
                .execute(&mut *change)
                .await?;
        }
        self.settle(change).await
    }

    pub(super) async fn try_lift(&self, id: Uuid) -> Result<bool, Broken> {
        let id = &id.as_bytes()[..];
        let mut change = self.change().await?;
        sqlx::query("DELETE FROM held WHERE hold = ?").bind(id).execute(&mut *change).await?;
        let lifted = sqlx::query("DELETE FROM holds WHERE id = ?").bind(id);
        let lifted = lifted.execute(&mut *change).await?.rows_affected() > 0;
        self.settle(change).await?;
        Ok(lifted)
    }

    pub(super) async fn try_holds(&self) -> Result<Vec<Hold>, Broken> {
        let query = sqlx::query_scalar("SELECT hold FROM holds ORDER BY id");
        let texts: Vec<String> = query.fetch_all(&self.reading).await?;
        Ok(texts.iter().map(|text| serde_json::from_str(text)).collect::<Result<_, _>>()?)
    }

    pub(super) async fn try_held(&self, holders: &[[u8; 32]]) -> Result<bool, Broken> {
        for holder in holders {
            let held: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM held WHERE holder = ?1) OR EXISTS (SELECT 1 FROM held \
                 JOIN bodies ON bodies.exchange = held.exchange JOIN keys ON keys.id = bodies.key \
                 WHERE keys.holder = ?1)",
            )
            .bind(&holder[..])
            .fetch_one(&self.reading)
            .await?;
            if held {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) async fn try_sweep(&self, now: Timestamp, limit: u32) -> Result<Destroyed, Broken> {
        let now = now.as_millisecond();
        let query = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM bodies WHERE keep_until < ?)");
        let due: bool = query.bind(now).fetch_one(&self.reading).await?;
        if !due {
            return Ok(Destroyed::default());
        }
        let mut change = self.change().await?;
        let bodies = sqlx::query(
            "DELETE FROM bodies WHERE rowid IN (SELECT bodies.rowid FROM bodies \
             WHERE keep_until < ? AND NOT EXISTS (SELECT 1 FROM held \
             WHERE held.exchange = bodies.exchange OR EXISTS (SELECT 1 FROM keys \
             WHERE keys.id = bodies.key AND keys.holder = held.holder \
             AND (held.purpose IS NULL OR held.purpose = keys.purpose))) \
             ORDER BY keep_until LIMIT ?)",
        )
        .bind(now)
        .bind(limit)
        .execute(&mut *change)
        .await?
        .rows_affected();
        let mut keys = 0;
        if bodies > 0 {
            let text = "DELETE FROM keys WHERE NOT EXISTS \
                        (SELECT 1 FROM bodies WHERE bodies.key = keys.id)";
            keys = sqlx::query(text).execute(&mut *change).await?.rows_affected();
        }
        self.settle(change).await?;
        Ok(Destroyed { keys, bodies })
    }
}
