//! The request path: which consents does this person have for this recipient and purpose?

use std::sync::Arc;

use async_trait::async_trait;
use gateway_core::consent::{Consents, Found, Spent, UseKey};
use gateway_core::{Consent, Fault, MemberId, Pseudonym};
use sqlx::Row;
use uuid::Uuid;

use super::cache::{Generation, Key};
use super::{ConsentStore, consent};
use crate::error::Broken;

/// More changes than this at once, and all is forgotten instead of one by one.
const MOST: i64 = 1_000;

#[async_trait]
impl Consents for ConsentStore {
    async fn find(
        &self,
        principal: &Pseudonym,
        recipient: &MemberId,
        purpose: &str,
    ) -> Result<Found, Fault> {
        // Taken before the header is read, so what was acknowledged until then is seen.
        let as_of = self.clock.now();
        let generation = match self.cache.generation(self.changes.header()) {
            Some(generation) => generation,
            None => self.catch_up().await?,
        };
        let key = Key {
            principal: *principal,
            recipient: recipient.clone(),
            purpose: purpose.to_owned(),
        };
        if let Some(consents) = self.cache.get(&key) {
            return Ok(Found { consents, as_of });
        }
        let consents: Arc<[Consent]> = self.read(&key).await?.into();
        self.cache.keep(generation, key, consents.clone());
        Ok(Found { consents, as_of })
    }

    async fn spend(&self, consent: Uuid, key: &UseKey) -> Result<Spent, Fault> {
        Ok(self.count_use(consent, key).await?)
    }

    async fn give_back(&self, consent: Uuid, key: &UseKey) -> Result<(), Fault> {
        Ok(self.take_use_back(consent, key).await?)
    }
}

impl ConsentStore {
    /// What the database holds now.
    pub(super) async fn read(&self, key: &Key) -> Result<Vec<Consent>, Broken> {
        let rows = sqlx::query(
            "SELECT state FROM consents WHERE principal = ? AND recipient = ? AND purpose = ?",
        )
        .bind(&key.principal.0[..])
        .bind(&*key.recipient.0)
        .bind(&*key.purpose)
        .fetch_all(&self.reading)
        .await?;
        rows.iter().map(consent).collect()
    }

    /// Forgets what has changed since it was last looked, here or in another process.
    pub(super) async fn catch_up(&self) -> Result<Generation, Broken> {
        let _alone = self.cache.catching_up.lock().await;
        let header = self.changes.header();
        if let Some(generation) = self.cache.generation(header) {
            return Ok(generation);
        }
        let known = self.cache.sequence();
        let last: i64 = sqlx::query_scalar("SELECT coalesce(max(sequence), 0) FROM revisions")
            .fetch_one(&self.reading)
            .await?;
        if last < known || last - known > MOST {
            return Ok(self.cache.forget(header, last, None));
        }
        let rows = sqlx::query(
            "SELECT principal, recipient, purpose FROM revisions JOIN consents \
             ON consents.id = revisions.consent WHERE sequence > ? AND sequence <= ?",
        )
        .bind(known)
        .bind(last)
        .fetch_all(&self.reading)
        .await?;
        let key = |row: &sqlx::sqlite::SqliteRow| -> Result<Key, Broken> {
            let principal: &[u8] = row.try_get("principal")?;
            Ok(Key {
                principal: Pseudonym(
                    principal.try_into().map_err(|_| Broken::Column("principal"))?,
                ),
                recipient: MemberId(row.try_get::<&str, _>("recipient")?.into()),
                purpose: row.try_get("purpose")?,
            })
        };
        let changed = rows.iter().map(key).collect::<Result<Vec<_>, _>>()?;
        Ok(self.cache.forget(header, last, Some(&changed)))
    }
}
