//! Uses of consents that have a limit: each is on disk before anything is asked for it.

use gateway_core::consent::{Spent, UseKey};
use uuid::Uuid;

use super::{ConsentStore, state};
use crate::error::Broken;

impl ConsentStore {
    /// Counts a use, in one transaction with the decision that there is one left.
    pub(super) async fn count_use(&self, id: Uuid, key: &UseKey) -> Result<Spent, Broken> {
        let mut transaction = self.begin().await?;
        let now = self.clock.now();
        let consent = state(&mut transaction, id).await?;
        let Some(consent) = consent.filter(|consent| consent.is_live(now)) else {
            return Ok(Spent::Ended);
        };
        let Some(limit) = consent.grant.limit else {
            return Ok(Spent::Counted);
        };
        let again =
            sqlx::query("UPDATE uses SET holders = holders + 1 WHERE consent = ? AND key = ?")
                .bind(&id.as_bytes()[..])
                .bind(&key.0[..])
                .execute(&mut *transaction)
                .await?;
        if again.rows_affected() == 0 {
            let from = limit.period_start(consent.grant.valid_from, now).as_millisecond();
            let spent: i64 =
                sqlx::query_scalar("SELECT count(*) FROM uses WHERE consent = ? AND at >= ?")
                    .bind(&id.as_bytes()[..])
                    .bind(from)
                    .fetch_one(&mut *transaction)
                    .await?;
            if spent >= i64::from(limit.uses()) {
                return Ok(Spent::UsedUp);
            }
            sqlx::query("INSERT INTO uses VALUES (?, ?, ?, 1)")
                .bind(&id.as_bytes()[..])
                .bind(&key.0[..])
                .bind(now.as_millisecond())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(Spent::Counted)
    }

    /// Takes a use back, unless another exchange under its key holds it too.
    pub(super) async fn take_use_back(&self, id: Uuid, key: &UseKey) -> Result<(), Broken> {
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE uses SET holders = holders - 1 WHERE consent = ? AND key = ?")
            .bind(&id.as_bytes()[..])
            .bind(&key.0[..])
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM uses WHERE consent = ? AND key = ? AND holders <= 0")
            .bind(&id.as_bytes()[..])
            .bind(&key.0[..])
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// How many uses of a consent are counted, of all periods.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn uses(&self, id: Uuid) -> Result<u64, Broken> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM uses WHERE consent = ?")
            .bind(&id.as_bytes()[..])
            .fetch_one(&self.reading)
            .await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }
}
