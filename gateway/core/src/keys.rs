//! Where wrapped keys are kept, and what an erasure does to them. Nothing here is a key in the clear.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::archive::{ArchiveError, NewKey};

/// A data key as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Its id.
    pub id: [u8; 16],
    /// Whom it is for, and how it is wrapped.
    pub key: NewKey,
}

/// The keys of all shards under one generation of the root key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shards {
    /// The root key's generation.
    pub generation: u64,
    /// Each shard's key, wrapped, in order.
    pub wrapped: Vec<Vec<u8>>,
}

/// An erasure under way. It is kept from before its first effect until it is in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Identifies it, and is the exchange of its journal entry.
    pub id: Uuid,
    /// The person's pseudonyms, one for each sector.
    pub holders: Vec<[u8; 32]>,
    /// The root key's generation before it.
    pub generation: u64,
    /// Who ordered it.
    pub by: String,
    /// What was destroyed; none until keys are gone.
    pub destroyed: Option<Destroyed>,
}

/// What an erasure or a sweep has destroyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destroyed {
    /// Data keys.
    pub keys: u64,
    /// Bodies.
    pub bodies: u64,
}

/// What an erasure puts in the place of what was there, in one step.
#[derive(Clone, Debug)]
pub struct Rekeyed {
    /// The shards, with the new generation.
    pub shards: Shards,
    /// Data keys wrapped anew.
    pub keys: Vec<StoredKey>,
}

/// A legal hold: what it covers is neither erased nor swept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Identifies it.
    pub id: Uuid,
    /// What it covers.
    pub covers: Covers,
    /// The reference of who ordered it: a court's file number.
    pub reason: String,
    /// Who recorded it.
    pub by: String,
    /// Since when.
    pub since: Timestamp,
}

/// What a hold covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Covers {
    /// Everything of an exchange.
    Exchange(Uuid),
    /// Everything of a person, by pseudonym, for one purpose or for all.
    Person {
        /// The person's pseudonyms, one for each sector.
        holders: Vec<[u8; 32]>,
        /// One purpose; all when absent.
        purpose: Option<String>,
    },
}

/// Keeps wrapped keys, sealed bodies, holds and erasures under way. What a function has done is on disk
/// when it returns, and nothing of what it removed can be read from its files.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// The shards' keys; none before the first start.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`], as all of these.
    async fn shards(&self) -> Result<Option<Shards>, ArchiveError>;

    /// Keeps the first shards' keys.
    async fn begin(&self, shards: &Shards) -> Result<(), ArchiveError>;

    /// The newest data key of `holder` for `purpose`.
    async fn newest(
        &self,
        holder: &[u8; 32],
        purpose: &str,
    ) -> Result<Option<StoredKey>, ArchiveError>;

    /// The data key of this id.
    async fn key(&self, id: &[u8; 16]) -> Result<Option<StoredKey>, ArchiveError>;

    /// All data keys of a shard.
    async fn keys_of_shard(&self, shard: u32) -> Result<Vec<StoredKey>, ArchiveError>;

    /// Writes down that an erasure begins.
    async fn plan(&self, erasure: &Erasure) -> Result<(), ArchiveError>;

    /// The erasure that is under way, if one is.
    async fn planned(&self) -> Result<Option<Erasure>, ArchiveError>;

    /// Removes the keys and bodies of an erasure's holders, puts `rekeyed` in place and notes in the
    /// erasure what was destroyed: all or nothing.
    async fn rekey(&self, erasure: &Erasure, rekeyed: &Rekeyed) -> Result<Destroyed, ArchiveError>;

    /// The erasure is in the journal.
    async fn finish(&self, erasure: &Erasure) -> Result<(), ArchiveError>;

    /// Removes bodies that were to be kept until before `now` and are under no hold, at most `limit` of
    /// them, and keys with nothing left under them.
    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<Destroyed, ArchiveError>;

    /// Keeps a hold.
    async fn hold(&self, hold: &Hold) -> Result<(), ArchiveError>;

    /// Ends a hold; false when there is none of this id.
    async fn lift(&self, id: Uuid) -> Result<bool, ArchiveError>;

    /// Holds that stand.
    async fn holds(&self) -> Result<Vec<Hold>, ArchiveError>;

    /// Whether a hold covers anything of these holders.
    async fn held(&self, holders: &[[u8; 32]]) -> Result<bool, ArchiveError>;
}
