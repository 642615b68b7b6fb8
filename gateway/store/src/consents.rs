//! Consents in SQLite, with the cache in front.

use std::sync::Arc;

use async_trait::async_trait;
use gateway_core::consent::Consents;
use gateway_core::{Consent, Fault, MemberId, Pseudonym};
use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::cache::Key;
use crate::error::Broken;
use crate::{ConsentRegistry, RegistryError, Store};

#[async_trait]
impl Consents for Store {
    async fn find(
        &self,
        principal: &Pseudonym,
        recipient: &MemberId,
        purpose: &str,
    ) -> Result<Vec<Consent>, Fault> {
        let key = Key {
            principal: *principal,
            recipient: recipient.clone(),
            purpose: purpose.to_owned(),
        };
        if let Some(consents) = self.cache.get(&key) {
            return Ok(consents.to_vec());
        }
        let read = self.cache.generation();
        let consents: Arc<[Consent]> = self.read(&key).await?.into();
        self.cache.keep(read, key, consents.clone());
        Ok(consents.to_vec())
    }
}

impl Store {
    /// What the database holds now.
    async fn read(&self, key: &Key) -> Result<Vec<Consent>, Broken> {
        let rows = sqlx::query(
            "SELECT * FROM consents WHERE principal = ? AND recipient = ? AND purpose = ?",
        )
        .bind(&key.principal.0[..])
        .bind(&*key.recipient.0)
        .bind(&*key.purpose)
        .fetch_all(&self.reading)
        .await?;
        rows.iter().map(consent).collect()
    }
}

#[async_trait]
impl ConsentRegistry for Store {
    async fn grant(&self, consent: &Consent) -> Result<(), RegistryError> {
        check(consent)?;
        let items = serde_json::to_string(&consent.items).map_err(Broken::from)?;
        let inserted = sqlx::query("INSERT INTO consents VALUES (?, ?, ?, ?, ?, ?, ?, NULL)")
            .bind(&consent.id.as_bytes()[..])
            .bind(&consent.principal.0[..])
            .bind(&*consent.recipient.0)
            .bind(&*consent.purpose)
            .bind(items)
            .bind(consent.valid_from.to_string())
            .bind(consent.valid_until.to_string())
            .execute(&self.writing)
            .await;
        match inserted {
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                Err(RegistryError::Exists(consent.id))
            }
            Err(error) => Err(Broken::from(error).into()),
            Ok(_) => {
                self.cache.forget(&Key::of(consent));
                Ok(())
            }
        }
    }

    async fn withdraw(&self, id: Uuid) -> Result<Consent, RegistryError> {
        let row = sqlx::query(
            "UPDATE consents SET withdrawn = coalesce(withdrawn, ?) WHERE id = ? RETURNING *",
        )
        .bind(self.clock.now().to_string())
        .bind(&id.as_bytes()[..])
        .fetch_optional(&self.writing)
        .await
        .map_err(Broken::from)?
        .ok_or(RegistryError::Unknown(id))?;
        let withdrawn = consent(&row)?;
        self.cache.forget(&Key::of(&withdrawn));
        Ok(withdrawn)
    }

    async fn of_principal(&self, principal: &Pseudonym) -> Result<Vec<Consent>, RegistryError> {
        let rows = sqlx::query("SELECT * FROM consents WHERE principal = ? ORDER BY id")
            .bind(&principal.0[..])
            .fetch_all(&self.reading)
            .await
            .map_err(Broken::from)?;
        Ok(rows.iter().map(consent).collect::<Result<_, _>>()?)
    }

    async fn of_recipient(
        &self,
        recipient: &MemberId,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Consent>, RegistryError> {
        let after = after.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
        let rows = sqlx::query(
            "SELECT * FROM consents WHERE recipient = ? AND id > ? ORDER BY id LIMIT ?",
        )
        .bind(&*recipient.0)
        .bind(after)
        .bind(limit)
        .fetch_all(&self.reading)
        .await
        .map_err(Broken::from)?;
        Ok(rows.iter().map(consent).collect::<Result<_, _>>()?)
    }
}

fn check(consent: &Consent) -> Result<(), RegistryError> {
    let wrong = if consent.items.is_empty() {
        "it covers no item"
    } else if consent.valid_until <= consent.valid_from {
        "it ends before it begins"
    } else if consent.withdrawn.is_some() {
        "it is withdrawn already"
    } else {
        return Ok(());
    };
    Err(RegistryError::Invalid(wrong))
}

fn consent(row: &SqliteRow) -> Result<Consent, Broken> {
    let time = |column| -> Result<Timestamp, Broken> {
        let text: &str = row.try_get(column)?;
        text.parse().map_err(|_| Broken::Column(column))
    };
    let withdrawn: Option<&str> = row.try_get("withdrawn")?;
    let principal: &[u8] = row.try_get("principal")?;
    Ok(Consent {
        id: uuid(row, "id")?,
        principal: Pseudonym(principal.try_into().map_err(|_| Broken::Column("principal"))?),
        recipient: MemberId(row.try_get::<&str, _>("recipient")?.into()),
        purpose: row.try_get("purpose")?,
        items: serde_json::from_str(row.try_get("items")?).map_err(|_| Broken::Column("items"))?,
        valid_from: time("valid_from")?,
        valid_until: time("valid_until")?,
        withdrawn: withdrawn.map(|_| time("withdrawn")).transpose()?,
    })
}

pub(crate) fn uuid(row: &SqliteRow, column: &'static str) -> Result<Uuid, Broken> {
    Uuid::from_slice(row.try_get(column)?).map_err(|_| Broken::Column(column))
}

#[cfg(test)]
mod tests;
