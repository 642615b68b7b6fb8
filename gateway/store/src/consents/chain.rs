//! Chains of revisions: appended to, read back and checked.

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use gateway_core::consent::revision::Digest;
use gateway_core::consent::{ActedBy, Change, Grant, Revision};
use gateway_core::{Consent, MemberId, Proof, Pseudonym, Purpose};
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};
use uuid::Uuid;

use super::{ConsentStore, consent, state};
use crate::error::Broken;
use crate::{ConsentRegistry, RegistryError};

/// A change that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The consent after it.
    pub consent: Consent,
    /// What was appended, and not yet recorded in the evidence log.
    pub kept: Kept,
}

/// A revision as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it says.
    pub revision: Revision,
    /// Its bytes: JSON.
    pub body: String,
    /// SHA-256 of them.
    pub hash: Digest,
    /// Of its entry in the evidence log, once it has one.
    pub receipt: Option<String>,
}

/// What a proof of an act covers: SHA-256 over the JSON of the change, beside the consent that it is
/// of where there is one already.
///
/// # Errors
/// Never in practice: nothing in an act can fail to be JSON.
pub fn act_digest(act: &Act<'_>) -> Result<[u8; 32], Broken> {
    Ok(sha256(serde_json::to_string(act)?.as_bytes()).0)
}

/// An act as its proof covers it.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Act<'a> {
    /// To these terms.
    Grant(&'a Grant),
    /// Of this consent.
    Change {
        /// Which.
        consent: Uuid,
        /// What.
        change: &'a Change,
    },
}

#[async_trait]
impl ConsentRegistry for ConsentStore {
    async fn grant(
        &self,
        id: Uuid,
        terms: Grant,
        (proof, acted_by): (Proof, ActedBy),
        purpose: &Purpose,
    ) -> Result<Changed, RegistryError> {
        if proof.act != act_digest(&Act::Grant(&terms))? {
            return Err(RegistryError::OtherAct);
        }
        let now = self.clock.now();
        terms.check(purpose, proof.assurance, acted_by, now)?;
        let revision = Revision {
            consent: id,
            number: 1,
            at: now,
            change: Change::Grant { reference: Uuid::new_v4(), terms: Box::new(terms) },
            proof: Some(proof),
            acted_by,
            previous: None,
        };
        let mut transaction = self.begin().await?;
        let changed = begin_chain(&mut transaction, revision).await?;
        transaction.commit().await.map_err(Broken::from)?;
        Ok(changed)
    }

    async fn change(
        &self,
        id: Uuid,
        change: Change,
        (proof, acted_by): (Proof, ActedBy),
    ) -> Result<Changed, RegistryError> {
        if proof.act != act_digest(&Act::Change { consent: id, change: &change })? {
            return Err(RegistryError::OtherAct);
        }
        self.append(id, change, Some(proof), acted_by).await
    }

    async fn recorded(&self, id: Uuid, number: u32, receipt: &str) -> Result<(), RegistryError> {
        sqlx::query(
            "UPDATE revisions SET receipt = ? WHERE consent = ? AND number = ? AND receipt IS NULL",
        )
        .bind(receipt)
        .bind(&id.as_bytes()[..])
        .bind(number)
        .execute(&self.writing)
        .await
        .map_err(Broken::from)?;
        Ok(())
    }

    async fn get(&self, id: Uuid) -> Result<Consent, RegistryError> {
        let row = sqlx::query("SELECT state FROM consents WHERE id = ?")
            .bind(&id.as_bytes()[..])
            .fetch_optional(&self.reading)
            .await
            .map_err(Broken::from)?
            .ok_or(RegistryError::Unknown(id))?;
        Ok(consent(&row)?)
    }

    async fn by_reference(&self, reference: Uuid) -> Result<Consent, RegistryError> {
        let row = sqlx::query("SELECT state FROM consents WHERE reference = ?")
            .bind(&reference.as_bytes()[..])
            .fetch_optional(&self.reading)
            .await
            .map_err(Broken::from)?
            .ok_or(RegistryError::Unknown(reference))?;
        Ok(consent(&row)?)
    }

    async fn history(&self, id: Uuid) -> Result<Vec<Kept>, RegistryError> {
        let rows = sqlx::query("SELECT * FROM revisions WHERE consent = ? ORDER BY number")
            .bind(&id.as_bytes()[..])
            .fetch_all(&self.reading)
            .await
            .map_err(Broken::from)?;
        let chain = rows.iter().map(kept).collect::<Result<Vec<_>, _>>()?;
        if chain.is_empty() {
            return Err(RegistryError::Unknown(id));
        }
        let mut previous = None;
        for kept in &chain {
            if kept.revision.previous != previous || sha256(kept.body.as_bytes()) != kept.hash {
                return Err(Broken::Column("hash").into());
            }
            previous = Some(kept.hash);
        }
        Consent::replay(chain.iter().map(|kept| &kept.revision))?;
        Ok(chain)
    }

    async fn of_principal(&self, principal: &Pseudonym) -> Result<Vec<Consent>, RegistryError> {
        let rows = sqlx::query("SELECT state FROM consents WHERE principal = ? ORDER BY id")
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
            "SELECT state FROM consents WHERE recipient = ? AND id > ? ORDER BY id LIMIT ?",
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

impl ConsentStore {
    /// Appends to the chain of `id` in one transaction with the check that it may be. A second
    /// withdrawal changes nothing: the first one stands.
    pub(super) async fn append(
        &self,
        id: Uuid,
        change: Change,
        proof: Option<Proof>,
        acted_by: ActedBy,
    ) -> Result<Changed, RegistryError> {
        let mut transaction = self.begin().await?;
        let consent = state(&mut transaction, id).await?.ok_or(RegistryError::Unknown(id))?;
        let last = sqlx::query("SELECT * FROM revisions WHERE consent = ? AND number = ?")
            .bind(&id.as_bytes()[..])
            .bind(consent.revision)
            .fetch_one(&mut *transaction)
            .await
            .map_err(Broken::from)?;
        let last = kept(&last)?;
        if matches!(change, Change::Withdraw) && consent.withdrawn().is_some() {
            return Ok(Changed { consent, kept: last });
        }
        // A clock that was set back does not turn the order of a chain around.
        let at = self.clock.now().max(last.revision.at);
        consent.check(&change, acted_by, at)?;
        let revision = Revision {
            consent: id,
            number: consent.revision.saturating_add(1),
            at,
            change,
            proof,
            acted_by,
            previous: Some(last.hash),
        };
        let consent = consent.followed_by(&revision)?;
        let state = serde_json::to_string(&consent).map_err(Broken::from)?;
        sqlx::query("UPDATE consents SET state = ?, due = ? WHERE id = ?")
            .bind(state)
            .bind(due(&consent))
            .bind(&id.as_bytes()[..])
            .execute(&mut *transaction)
            .await
            .map_err(Broken::from)?;
        let kept = keep(&mut transaction, revision).await?;
        transaction.commit().await.map_err(Broken::from)?;
        Ok(Changed { consent, kept })
    }

    /// Records many first revisions in one transaction, as they are.
    ///
    /// # Errors
    /// [`RegistryError::Exists`]; then none is recorded.
    pub async fn begin_all(&self, revisions: Vec<Revision>) -> Result<(), RegistryError> {
        let mut transaction = self.begin().await?;
        for revision in revisions {
            begin_chain(&mut transaction, revision).await?;
        }
        Ok(transaction.commit().await.map_err(Broken::from)?)
    }
}

async fn begin_chain(
    transaction: &mut Transaction<'static, Sqlite>,
    revision: Revision,
) -> Result<Changed, RegistryError> {
    let consent = Consent::replay([&revision])?;
    let state = serde_json::to_string(&consent).map_err(Broken::from)?;
    let inserted = sqlx::query("INSERT INTO consents VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(&consent.id.as_bytes()[..])
        .bind(&consent.reference.as_bytes()[..])
        .bind(&consent.grant.principal.0[..])
        .bind(&*consent.grant.recipient.0)
        .bind(&*consent.grant.purpose)
        .bind(state)
        .bind(due(&consent))
        .execute(&mut **transaction)
        .await;
    match inserted {
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            Err(RegistryError::Exists(consent.id))
        }
        Err(error) => Err(Broken::from(error).into()),
        Ok(_) => Ok(Changed { consent, kept: keep(transaction, revision).await? }),
    }
}

async fn keep(
    transaction: &mut Transaction<'static, Sqlite>,
    revision: Revision,
) -> Result<Kept, Broken> {
    let body = serde_json::to_string(&revision)?;
    let hash = sha256(body.as_bytes());
    sqlx::query("INSERT INTO revisions (consent, number, body, hash, at) VALUES (?, ?, ?, ?, ?)")
        .bind(&revision.consent.as_bytes()[..])
        .bind(revision.number)
        .bind(&body)
        .bind(&hash.0[..])
        .bind(revision.at.as_millisecond())
        .execute(&mut **transaction)
        .await?;
    Ok(Kept { revision, body, hash, receipt: None })
}

/// When the sweep looks at it: when its time is over, and, once it has ended, at once.
fn due(consent: &Consent) -> i64 {
    consent.ended.map_or(consent.grant.valid_until, |ended| ended.at).as_millisecond()
}

pub(super) fn kept(row: &SqliteRow) -> Result<Kept, Broken> {
    let body: String = row.try_get("body")?;
    let hash: &[u8] = row.try_get("hash")?;
    Ok(Kept {
        revision: serde_json::from_str(&body).map_err(|_| Broken::Column("body"))?,
        hash: Digest(hash.try_into().map_err(|_| Broken::Column("hash"))?),
        receipt: row.try_get("receipt")?,
        body,
    })
}

fn sha256(bytes: &[u8]) -> Digest {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    Digest(hash)
}
