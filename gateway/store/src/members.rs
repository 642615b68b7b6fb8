//! Members added at run time, the states of all, and their keys.

use std::collections::BTreeMap;

use async_trait::async_trait;
use gateway_core::MemberId;
use gateway_core::member::MemberState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::Store;
use crate::error::Broken;

/// What is registered of a member that was added at run time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberContent {
    /// Its name for people.
    pub name: String,
    /// What kind of organization it is, e.g. `GOV`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// What else policies may ask of it.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Its systems; any when empty.
    #[serde(default)]
    pub subsystems: Vec<String>,
    /// How the organization is reached: an office, no private person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

/// A member as the store has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoredMember {
    /// Its id.
    pub id: MemberId,
    /// None where the configuration declares it.
    pub content: Option<MemberContent>,
    /// Where in its life it stands.
    pub state: MemberState,
    /// Since when.
    pub changed: Timestamp,
}

/// What a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// The text of an API key.
    ApiKey,
    /// A certificate's DER.
    Certificate,
}

/// A key of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredKey {
    /// SHA-256 of it.
    pub hash: [u8; 32],
    /// Whose.
    pub member: MemberId,
    /// What it is.
    pub kind: KeyKind,
    /// From when it holds.
    pub valid_from: Timestamp,
    /// Until when it holds, exclusive.
    pub valid_until: Timestamp,
    /// Since when it holds no more.
    pub revoked: Option<Timestamp>,
}

/// Keeps members. Every change is durable when it returns.
#[async_trait]
pub trait MemberRegistry: Send + Sync {
    /// Keeps a member that applies. False when there is one of this id.
    ///
    /// # Errors
    /// When the store cannot be used.
    async fn add_member(&self, id: &MemberId, content: &MemberContent) -> Result<bool, Broken>;

    /// Moves a member from one state to another; a member that is not kept was active. False when it
    /// is not in that state.
    ///
    /// # Errors
    /// When the store cannot be used.
    async fn move_member(
        &self,
        id: &MemberId,
        from: MemberState,
        to: MemberState,
    ) -> Result<bool, Broken>;

    /// Keeps a key. False when it is kept already, of whichever member.
    ///
    /// # Errors
    /// When the store cannot be used.
    async fn add_key(&self, key: &StoredKey) -> Result<bool, Broken>;

    /// Ends a key of a member as of now. False when it has none, or it is revoked.
    ///
    /// # Errors
    /// When the store cannot be used.
    async fn revoke_key(&self, member: &MemberId, hash: &[u8; 32]) -> Result<bool, Broken>;

    /// Everything that is kept, by id and hash.
    ///
    /// # Errors
    /// When the store cannot be used.
    async fn members(&self) -> Result<(Vec<StoredMember>, Vec<StoredKey>), Broken>;
}

#[async_trait]
impl MemberRegistry for Store {
    async fn add_member(&self, id: &MemberId, content: &MemberContent) -> Result<bool, Broken> {
        let added = sqlx::query("INSERT OR IGNORE INTO members VALUES (?, ?, 'applied', ?)")
            .bind(&*id.0)
            .bind(serde_json::to_string(content)?)
            .bind(self.clock.now().to_string())
            .execute(&self.writing)
            .await?;
        Ok(added.rows_affected() == 1)
    }

    async fn move_member(
        &self,
        id: &MemberId,
        from: MemberState,
        to: MemberState,
    ) -> Result<bool, Broken> {
        let now = self.clock.now().to_string();
        let mut transaction = self.writing.begin().await?;
        sqlx::query("INSERT OR IGNORE INTO members VALUES (?, NULL, 'active', ?)")
            .bind(&*id.0)
            .bind(&now)
            .execute(&mut *transaction)
            .await?;
        let moved =
            sqlx::query("UPDATE members SET state = ?, changed = ? WHERE id = ? AND state = ?")
                .bind(to.name())
                .bind(&now)
                .bind(&*id.0)
                .bind(from.name())
                .execute(&mut *transaction)
                .await?;
        transaction.commit().await?;
        Ok(moved.rows_affected() == 1)
    }

    async fn add_key(&self, key: &StoredKey) -> Result<bool, Broken> {
        let added = sqlx::query("INSERT OR IGNORE INTO member_keys VALUES (?, ?, ?, ?, ?, NULL)")
            .bind(&key.hash[..])
            .bind(&*key.member.0)
            .bind(key.kind.name())
            .bind(key.valid_from.to_string())
            .bind(key.valid_until.to_string())
            .execute(&self.writing)
            .await?;
        Ok(added.rows_affected() == 1)
    }

    async fn revoke_key(&self, member: &MemberId, hash: &[u8; 32]) -> Result<bool, Broken> {
        let revoked = sqlx::query(
            "UPDATE member_keys SET revoked = ? WHERE hash = ? AND member = ? AND revoked IS NULL",
        )
        .bind(self.clock.now().to_string())
        .bind(&hash[..])
        .bind(&*member.0)
        .execute(&self.writing)
        .await?;
        Ok(revoked.rows_affected() == 1)
    }

    async fn members(&self) -> Result<(Vec<StoredMember>, Vec<StoredKey>), Broken> {
        let members =
            sqlx::query("SELECT * FROM members ORDER BY id").fetch_all(&self.reading).await?;
        let keys =
            sqlx::query("SELECT * FROM member_keys ORDER BY hash").fetch_all(&self.reading).await?;
        let members = members.iter().map(member).collect::<Result<_, _>>()?;
        Ok((members, keys.iter().map(key).collect::<Result<_, _>>()?))
    }
}

impl KeyKind {
    fn name(self) -> &'static str {
        match self {
            Self::ApiKey => "api-key",
            Self::Certificate => "certificate",
        }
    }
}

fn member(row: &SqliteRow) -> Result<StoredMember, Broken> {
    let content: Option<&str> = row.try_get("content")?;
    let state: &str = row.try_get("state")?;
    let state = MemberState::ALL.into_iter().find(|known| known.name() == state);
    Ok(StoredMember {
        id: MemberId(row.try_get::<&str, _>("id")?.into()),
        content: content.map(serde_json::from_str).transpose()?,
        state: state.ok_or(Broken::Column("state"))?,
        changed: moment(row, "changed")?.ok_or(Broken::Column("changed"))?,
    })
}

fn key(row: &SqliteRow) -> Result<StoredKey, Broken> {
    let kind: &str = row.try_get("kind")?;
    let kind =
        [KeyKind::ApiKey, KeyKind::Certificate].into_iter().find(|known| known.name() == kind);
    let hash: &[u8] = row.try_get("hash")?;
    Ok(StoredKey {
        hash: hash.try_into().map_err(|_| Broken::Column("hash"))?,
        member: MemberId(row.try_get::<&str, _>("member")?.into()),
        kind: kind.ok_or(Broken::Column("kind"))?,
        valid_from: moment(row, "valid_from")?.ok_or(Broken::Column("valid_from"))?,
        valid_until: moment(row, "valid_until")?.ok_or(Broken::Column("valid_until"))?,
        revoked: moment(row, "revoked")?,
    })
}

fn moment(row: &SqliteRow, column: &'static str) -> Result<Option<Timestamp>, Broken> {
    let text: Option<&str> = row.try_get(column)?;
    text.map(|text| text.parse().map_err(|_| Broken::Column(column))).transpose()
}
