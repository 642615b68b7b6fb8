//! What is used of daily and monthly quotas, for the next process.

use gateway_core::Fault;
use sqlx::Row;

use crate::Store;
use crate::error::Broken;

/// What is used of one share of one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaCount {
    /// The name of the policy.
    pub policy: String,
    /// Whose share it is, as JSON.
    pub share: String,
    /// When its day or month began, in seconds since 1970.
    pub begun: i64,
    /// Units used since.
    pub used: u64,
}

/// Counts of a period that began longer ago are nobody's any more: no month is longer.
const KEPT_SECONDS: i64 = 32 * 24 * 60 * 60;

impl Store {
    /// Every count that may still matter. Older ones are removed.
    ///
    /// # Errors
    /// `Internal` when the store cannot be used.
    pub async fn quota_counts(&self) -> Result<Vec<QuotaCount>, Fault> {
        Ok(self.try_quota_counts().await?)
    }

    /// Writes counts, all or none.
    ///
    /// # Errors
    /// `Internal` when the store cannot be used.
    pub async fn keep_quota_counts(&self, counts: &[QuotaCount]) -> Result<(), Fault> {
        Ok(self.try_keep_quota_counts(counts).await?)
    }

    async fn try_quota_counts(&self) -> Result<Vec<QuotaCount>, Broken> {
        let oldest = self.clock.now().as_second().saturating_sub(KEPT_SECONDS);
        sqlx::query("DELETE FROM quota_counts WHERE begun < ?")
            .bind(oldest)
            .execute(&self.writing)
            .await?;
        let rows = sqlx::query("SELECT policy, share, begun, used FROM quota_counts")
            .fetch_all(&self.reading)
            .await?;
        let count = |row: &sqlx::sqlite::SqliteRow| {
            Ok(QuotaCount {
                policy: row.try_get(0)?,
                share: row.try_get(1)?,
                begun: row.try_get(2)?,
                used: u64::try_from(row.try_get::<i64, _>(3)?).unwrap_or_default(),
            })
        };
        rows.iter().map(count).collect()
    }

    async fn try_keep_quota_counts(&self, counts: &[QuotaCount]) -> Result<(), Broken> {
        let mut transaction = self.writing.begin().await?;
        for QuotaCount { policy, share, begun, used } in counts {
            sqlx::query(
                "INSERT INTO quota_counts (policy, share, begun, used) VALUES (?, ?, ?, ?) \
                 ON CONFLICT (policy, share) DO UPDATE SET begun = excluded.begun, \
                 used = excluded.used",
            )
            .bind(policy)
            .bind(share)
            .bind(begun)
            .bind(i64::try_from(*used).unwrap_or(i64::MAX))
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
