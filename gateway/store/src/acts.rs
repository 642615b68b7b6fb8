//! Administrative acts that two operators have to agree on.
//!
//! An act is proposed by one and decided by another, once. What was approved is marked done only
//! after it was done, so that a process that dies in between leaves it to the next one.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::Store;
use crate::database::uuid;
use crate::error::Broken;

/// An act that was proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProposedAct {
    /// Identifies it.
    pub id: Uuid,
    /// What kind of act it is, e.g. `member.activate`.
    pub name: String,
    /// What it is done to; never a person.
    pub target: Option<String>,
    /// All that is needed to do it, in JSON. Not listed: it may hold pseudonyms.
    #[serde(skip)]
    pub content: String,
    /// Who wants it.
    pub proposer: String,
    /// Since when.
    pub proposed: Timestamp,
    /// Until when it can be approved, exclusive.
    pub expires: Timestamp,
    /// What became of it.
    pub state: ActState,
    /// Who approved or rejected it.
    pub decider: Option<String>,
    /// When.
    pub decided: Option<Timestamp>,
    /// Why it was not done.
    pub reason: Option<String>,
}

/// What became of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ActState {
    /// It waits for a second operator.
    Proposed,
    /// It may be done, and is being done.
    Approved,
    /// It was done.
    Done,
    /// It was approved and could not be done.
    Failed,
    /// It is not done: an operator said so.
    Rejected,
}

impl ActState {
    const ALL: [Self; 5] =
        [Self::Proposed, Self::Approved, Self::Done, Self::Failed, Self::Rejected];

    /// Its name, as it is written everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
        }
    }
}

/// Why an act cannot be decided.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// There is none.
    #[error("there is no act {0}")]
    Unknown(Uuid),
    /// It was decided already.
    #[error("the act is {} already", .0.name())]
    Decided(ActState),
    /// Nobody approved it in time.
    #[error("the act was not approved in time; propose it again")]
    Expired,
    /// The same operator cannot say yes twice.
    #[error("whoever proposed an act cannot approve it")]
    Own,
    /// The store cannot be used.
    #[error("the store cannot be used: {0}")]
    Store(#[from] Broken),
}

/// Acts that wait for a second operator.
#[async_trait]
pub trait Acts: Send + Sync {
    /// Keeps a proposed act.
    ///
    /// # Errors
    /// When the store cannot be used.
    async fn propose(&self, act: &ProposedAct) -> Result<(), Broken>;

    /// Approves an act as `decider`, once and for all: of several at the same time one succeeds.
    ///
    /// # Errors
    /// Any [`ActError`].
    async fn approve(&self, id: Uuid, decider: &str) -> Result<ProposedAct, ActError>;

    /// Rejects an act as `decider`, who may be its proposer.
    ///
    /// # Errors
    /// [`ActError`], but not [`ActError::Own`] or [`ActError::Expired`].
    async fn reject(&self, id: Uuid, decider: &str) -> Result<ProposedAct, ActError>;

    /// Says what became of an approved act; `reason` is why it was not done.
    ///
    /// # Errors
    /// When the store cannot be used.
    async fn conclude(&self, id: Uuid, reason: Option<&str>) -> Result<(), Broken>;

    /// One act.
    ///
    /// # Errors
    /// When the store cannot be used.
    async fn act(&self, id: Uuid) -> Result<Option<ProposedAct>, Broken>;

    /// Acts in the order in which they were proposed: those that are open, or else the last `limit`.
    ///
    /// # Errors
    /// When the store cannot be used.
    async fn acts(&self, open: bool, limit: u32) -> Result<Vec<ProposedAct>, Broken>;
}

#[async_trait]
impl Acts for Store {
    async fn propose(&self, act: &ProposedAct) -> Result<(), Broken> {
        sqlx::query("INSERT INTO acts VALUES (?, ?, ?, ?, ?, ?, ?, 'proposed', NULL, NULL, NULL)")
            .bind(&act.id.as_bytes()[..])
            .bind(&act.name)
            .bind(&act.target)
            .bind(&act.content)
            .bind(&act.proposer)
            .bind(act.proposed.to_string())
            .bind(act.expires.to_string())
            .execute(&self.writing)
            .await?;
        Ok(())
    }

    async fn approve(&self, id: Uuid, decider: &str) -> Result<ProposedAct, ActError> {
        let act = self.undecided(id).await?;
        if act.proposer == decider {
            return Err(ActError::Own);
        }
        if act.expires <= self.clock.now() {
            return Err(ActError::Expired);
        }
        self.decide(id, ActState::Approved, decider).await
    }

    async fn reject(&self, id: Uuid, decider: &str) -> Result<ProposedAct, ActError> {
        self.undecided(id).await?;
        self.decide(id, ActState::Rejected, decider).await
    }

    async fn conclude(&self, id: Uuid, reason: Option<&str>) -> Result<(), Broken> {
        let state = if reason.is_some() { ActState::Failed } else { ActState::Done };
        sqlx::query("UPDATE acts SET state = ?, reason = ? WHERE id = ? AND state = 'approved'")
            .bind(state.name())
            .bind(reason)
            .bind(&id.as_bytes()[..])
            .execute(&self.writing)
            .await?;
        Ok(())
    }

    async fn act(&self, id: Uuid) -> Result<Option<ProposedAct>, Broken> {
        let row = sqlx::query("SELECT * FROM acts WHERE id = ?")
            .bind(&id.as_bytes()[..])
            .fetch_optional(&self.reading)
            .await?;
        row.as_ref().map(act).transpose()
    }

    async fn acts(&self, open: bool, limit: u32) -> Result<Vec<ProposedAct>, Broken> {
        let all = "SELECT * FROM (SELECT * FROM acts ORDER BY id DESC LIMIT ?) ORDER BY id";
        let waiting =
            "SELECT * FROM acts WHERE state IN ('proposed', 'approved') ORDER BY id LIMIT ?";
        let query = sqlx::query(if open { waiting } else { all });
        let rows = query.bind(limit).fetch_all(&self.reading).await?;
        rows.iter().map(act).collect()
    }
}

impl Store {
    async fn undecided(&self, id: Uuid) -> Result<ProposedAct, ActError> {
        let act = self.act(id).await?.ok_or(ActError::Unknown(id))?;
        match act.state {
            ActState::Proposed => Ok(act),
            decided => Err(ActError::Decided(decided)),
        }
    }

    async fn decide(
        &self,
        id: Uuid,
        state: ActState,
        decider: &str,
    ) -> Result<ProposedAct, ActError> {
        let row = sqlx::query(
            "UPDATE acts SET state = ?, decider = ?, decided = ? \
             WHERE id = ? AND state = 'proposed' RETURNING *",
        )
        .bind(state.name())
        .bind(decider)
        .bind(self.clock.now().to_string())
        .bind(&id.as_bytes()[..])
        .fetch_optional(&self.writing)
        .await
        .map_err(Broken::from)?;
        match row {
            Some(row) => Ok(act(&row)?),
            // Somebody else was faster.
            None => Err(self.undecided(id).await.err().unwrap_or(ActError::Unknown(id))),
        }
    }
}

fn act(row: &SqliteRow) -> Result<ProposedAct, Broken> {
    let time = |column: &'static str| -> Result<Option<Timestamp>, Broken> {
        let text: Option<&str> = row.try_get(column)?;
        text.map(|text| text.parse().map_err(|_| Broken::Column(column))).transpose()
    };
    let set = |column| time(column)?.ok_or(Broken::Column(column));
    let state: &str = row.try_get("state")?;
    let state = ActState::ALL.into_iter().find(|known| known.name() == state);
    Ok(ProposedAct {
        id: uuid(row, "id")?,
        name: row.try_get("name")?,
        target: row.try_get("target")?,
        content: row.try_get("content")?,
        proposer: row.try_get("proposer")?,
        proposed: set("proposed")?,
        expires: set("expires")?,
        state: state.ok_or(Broken::Column("state"))?,
        decider: row.try_get("decider")?,
        decided: time("decided")?,
        reason: row.try_get("reason")?,
    })
}
