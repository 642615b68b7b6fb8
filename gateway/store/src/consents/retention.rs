//! What the sweep does: consents end when their time is over, and records when theirs is.

use gateway_core::Consent;
use gateway_core::consent::{ActedBy, Change};
use jiff::Timestamp;
use uuid::Uuid;

use super::chain::{Changed, Kept, kept};
use super::{ConsentStore, consent};
use crate::RegistryError;
use crate::error::Broken;

impl ConsentStore {
    /// Consents at which the sweep should look now, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn due(&self, limit: u32) -> Result<Vec<Consent>, Broken> {
        let rows = sqlx::query("SELECT state FROM consents WHERE due <= ? ORDER BY due LIMIT ?")
            .bind(self.now_ms())
            .bind(limit)
            .fetch_all(&self.reading)
            .await?;
        rows.iter().map(consent).collect()
    }

    /// Ends a consent whose time is over.
    ///
    /// # Errors
    /// [`RegistryError::Refused`] when it is not, or it has ended.
    pub async fn expire(&self, id: Uuid) -> Result<Changed, RegistryError> {
        self.append(id, Change::Expire, None, ActedBy::Gateway).await
    }

    /// Looks at a consent that has ended again at `time`.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn look_again(&self, id: Uuid, time: Timestamp) -> Result<(), Broken> {
        sqlx::query("UPDATE consents SET due = ? WHERE id = ?")
            .bind(time.as_millisecond())
            .bind(&id.as_bytes()[..])
            .execute(&self.writing)
            .await?;
        Ok(())
    }

    /// Removes the record of a consent that has ended: its state, its chain and its uses. False when
    /// it has not ended or is not there.
    ///
    /// # Errors
    /// When the store cannot be written; then nothing is removed.
    pub async fn remove(&self, id: Uuid) -> Result<bool, Broken> {
        let mut transaction = self.begin().await?;
        let ended = super::state(&mut transaction, id).await?.and_then(|consent| consent.ended);
        if ended.is_none() {
            return Ok(false);
        }
        for table in [
            "DELETE FROM consents WHERE id = ?",
            "DELETE FROM revisions WHERE consent = ?",
            "DELETE FROM uses WHERE consent = ?",
        ] {
            sqlx::query(table).bind(&id.as_bytes()[..]).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Revisions older than `before` whose entry in the evidence log is missing: a process died, or
    /// the log could not be written, just after they were made.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn unrecorded(&self, before: Timestamp, limit: u32) -> Result<Vec<Kept>, Broken> {
        let rows = sqlx::query(
            "SELECT * FROM revisions WHERE receipt IS NULL AND at < ? ORDER BY sequence LIMIT ?",
        )
        .bind(before.as_millisecond())
        .bind(limit)
        .fetch_all(&self.reading)
        .await?;
        rows.iter().map(kept).collect()
    }
}
