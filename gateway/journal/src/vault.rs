//! Bodies, sealed per person and purpose, and how they are destroyed.
//!
//! ```text
//! root key ─wraps→ shard keys (64) ─wrap→ data keys (person, purpose) ─seal→ bodies
//!                                                                    └─make→ salts
//! ```
//!
//! The root key is outside of the archive (a file, a token); all else is in it, wrapped. An erasure
//! deletes the person's data keys, wraps the others of their shards under new shard keys, wraps all
//! shard keys under a new root key, and destroys the old root key: then neither the archive nor any
//! earlier copy of it can be opened for this person, and the cost does not grow with the number of
//! persons but with a shard of them. See `docs/adr/0021-keys-and-erasure.md`.

mod erase;
mod key;
mod root;

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use gateway_core::archive::{ArchiveError, NewKey, Sealed};
use gateway_core::journal::{Record, RecordKind};
use gateway_core::keys::{KeyStore, Shards, StoredKey};
use jiff::{SignedDuration, Timestamp};
use moka::sync::Cache;
use tokio::sync::{RwLock, RwLockReadGuard};
use zeroize::Zeroizing;

use crate::commitment::{CommitmentKey, Part, kind_name};
use crate::error::LogError;
use crate::leaf::parts;

pub(crate) use key::DataKey;
use key::Secret;
pub use root::{FileRoot, GivenRoot, RootKeys};

/// How many shards there are. An erasure wraps anew the data keys of one shard in each sector.
const SHARDS: u32 = 64;
/// Data keys held in memory.
const CACHED: u64 = 10_000;

/// Why bodies cannot be sealed, opened or erased.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The root key cannot be used.
    #[error(
        "the root key of bodies: {0}; a generation that an erasure destroyed does not come back, nor \
         does what was wrapped under it"
    )]
    Root(String),
    /// It was sealed under another key, or changed, or its key was destroyed.
    #[error("it does not open: its key was destroyed, or it was changed")]
    Unopened,
    /// The cryptographic library refused.
    #[error("the cryptographic library refused; the machine may be out of randomness or memory")]
    Cryptography,
    /// A legal hold covers it.
    #[error("a legal hold covers this person; lift it first (naru hold list)")]
    Held,
    /// The archive cannot be used.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The log cannot be brought to rest.
    #[error("the log cannot be flushed: {0}")]
    Log(#[from] LogError),
}

/// Which bodies are kept, and how long where no purpose says.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// The parts.
    pub parts: BTreeSet<Part>,
    /// How long, without a purpose.
    pub otherwise: SignedDuration,
}

/// Seals bodies and opens them again.
pub struct Vault {
    keeping: Keeping,
    root: Arc<dyn RootKeys>,
    store: Arc<dyn KeyStore>,
    state: RwLock<State>,
}

struct State {
    generation: u64,
    shards: Vec<Secret>,
    cache: Cache<(Holder, Arc<str>), Arc<Known>>,
}

type Holder = [u8; 32];

/// A data key with how it is kept.
struct Known {
    key: DataKey,
    stored: NewKey,
}

/// While one lives, nothing is erased: what is sealed under it must have gone to the log's thread
/// before.
pub(crate) struct Sealing<'a> {
    vault: &'a Vault,
    _state: RwLockReadGuard<'a, State>,
    known: Arc<Known>,
}

impl Vault {
    /// Opens it; on the first start, makes the keys.
    ///
    /// # Errors
    /// [`VaultError::Root`] when the root key of the archive's generation is not there.
    pub async fn open(
        keeping: Keeping,
        root: Arc<dyn RootKeys>,
        store: Arc<dyn KeyStore>,
    ) -> Result<Self, VaultError> {
        let shards = match store.shards().await? {
            Some(shards) => shards,
            None => {
                root.create(0)?;
                let secrets =
                    (0..SHARDS).map(|_| Secret::random()).collect::<Result<Vec<_>, _>>()?;
                let shards = wrapped(&*root, 0, &secrets)?;
                store.begin(&shards).await?;
                shards
            }
        };
        let state = State::open(&*root, &shards)?;
        Ok(Self { keeping, root, store, state: RwLock::new(state) })
    }

    /// The key for what is to be kept of `record`; none where nothing is.
    pub(crate) async fn sealing(
        &self,
        record: &Record<'_>,
    ) -> Result<Option<Sealing<'_>>, VaultError> {
        if !matches!(record.kind, RecordKind::Exchange | RecordKind::Acceptance) {
            return Ok(None);
        }
        let holder = holder(record);
        let service = record.trail.envelope.as_ref().map(|envelope| &envelope.service);
        let purpose = service.and_then(|service| Some(service.purpose.as_ref()?.code.clone()));
        let purpose = purpose.unwrap_or_else(|| "-".into());
        let state = self.state.read().await;
        let known = match state.cache.get(&(holder, purpose.clone())) {
            Some(known) => known,
            None => {
                let known = match self.store.newest(&holder, &purpose).await? {
                    Some(stored) => Arc::new(state.known(stored)?),
                    None => Arc::new(state.fresh(holder, &purpose)?),
                };
                // Of two that were made at once, one is used from now on; both are kept.
                state.cache.insert((holder, purpose), known.clone());
                known
            }
        };
        Ok(Some(Sealing { vault: self, _state: state, known }))
    }

    /// The data key of this id.
    ///
    /// # Errors
    /// [`VaultError::Unopened`] when it was destroyed.
    pub(crate) async fn data_key(&self, id: &[u8; 16]) -> Result<DataKey, VaultError> {
        let state = self.state.read().await;
        let stored = self.store.key(id).await?.ok_or(VaultError::Unopened)?;
        Ok(state.known(stored)?.key)
    }

    /// The salt of one part of an entry whose bodies were sealed with the key `id`.
    ///
    /// # Errors
    /// [`VaultError::Unopened`] when the key was destroyed: the commitment stays closed.
    pub async fn salt(
        &self,
        id: &[u8; 16],
        exchange: &gateway_core::ExchangeId,
        kind: &str,
        part: Part,
    ) -> Result<[u8; 32], VaultError> {
        Ok(self.data_key(id).await?.salts.salt(exchange, kind, part))
    }

    /// A body that was sealed with the key `id`.
    ///
    /// # Errors
    /// [`VaultError::Unopened`] when the key was destroyed, or the body changed.
    pub async fn open_body(
        &self,
        id: &[u8; 16],
        exchange: &gateway_core::ExchangeId,
        kind: &str,
        part: Part,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        self.data_key(id).await?.open(&bound(exchange, kind, part), sealed)
    }

    /// Where wrapped keys, holds and erasures under way are kept.
    pub fn store(&self) -> &Arc<dyn KeyStore> {
        &self.store
    }

    /// Forgets data keys in memory: a sweep has removed some from the archive.
    pub async fn forget(&self) {
        self.state.read().await.cache.invalidate_all();
    }
}

impl State {
    fn open(root: &dyn RootKeys, shards: &Shards) -> Result<Self, VaultError> {
        let open = |wrapped: &Vec<u8>| root.unwrap(shards.generation, wrapped).map(Secret::new);
        Ok(Self {
            generation: shards.generation,
            shards: shards.wrapped.iter().map(open).collect::<Result<_, _>>()?,
            cache: Cache::new(CACHED),
        })
    }

    fn shard(&self, shard: u32) -> Result<&Secret, VaultError> {
        self.shards.get(shard as usize).ok_or(VaultError::Unopened)
    }

    fn known(&self, stored: StoredKey) -> Result<Known, VaultError> {
        let StoredKey { id, key } = stored;
        let secret = self.shard(key.shard)?.unwrap(&key.wrapped, &key_bound(&id, &key))?;
        Ok(Known { key: DataKey::new(id, &secret), stored: key })
    }

    fn fresh(&self, holder: Holder, purpose: &str) -> Result<Known, VaultError> {
        let (secret, mut id) = (Secret::random()?, [0; 16]);
        rand::fill(&mut id).map_err(|_| VaultError::Cryptography)?;
        let shard = u32::from(holder[0]) % SHARDS;
        let mut stored = NewKey { holder, purpose: purpose.to_owned(), shard, wrapped: vec![] };
        stored.wrapped = self.shard(shard)?.wrap(&secret, &key_bound(&id, &stored))?;
        Ok(Known { key: DataKey::new(id, &secret), stored })
    }
}

impl Sealing<'_> {
    /// Where the entry's salts come from.
    pub(crate) fn salts(&self) -> &CommitmentKey {
        &self.known.key.salts
    }

    /// What goes beside the entry.
    pub(crate) fn seal(&self, record: &Record<'_>) -> Result<Sealed, VaultError> {
        let keeping = &self.vault.keeping;
        let mut bodies = Vec::with_capacity(keeping.parts.len());
        for part in &keeping.parts {
            let bytes = parts::bytes(record, *part).map_err(|_| VaultError::Cryptography)?;
            if let Some(bytes) = bytes {
                let bound = bound(&record.exchange, kind_name(record.kind), *part);
                bodies.push((part.name().to_owned(), self.known.key.seal(&bound, &bytes)?));
            }
        }
        Ok(Sealed {
            key: self.known.key.id,
            // It goes along each time: only the archive knows whether it has it yet.
            new_key: Some(self.known.stored.clone()),
            keep_until: keeping.until(record).as_millisecond(),
            bodies,
        })
    }
}

impl Keeping {
    fn until(&self, record: &Record<'_>) -> Timestamp {
        let service = record.trail.envelope.as_ref().map(|envelope| &envelope.service);
        let purpose = service.and_then(|service| service.purpose.as_ref());
        let until = match purpose {
            Some(purpose) => purpose.retention.after(record.finished),
            None => record.finished.checked_add(self.otherwise).ok(),
        };
        until.unwrap_or(Timestamp::MAX)
    }
}

/// Whom a record is about: the person, or else the member that called, or else nobody.
fn holder(record: &Record<'_>) -> Holder {
    match (&record.trail.subject, &record.trail.caller) {
        (Some(subject), _) => subject.0,
        (None, caller) => {
            let member = caller.as_ref().map_or("", |caller| &*caller.member.0);
            let mut holder = [0; 32];
            let named = [b"member\0", member.as_bytes()].concat();
            holder.copy_from_slice(digest(&SHA256, &named).as_ref());
            holder
        }
    }
}

fn bound(exchange: &gateway_core::ExchangeId, kind: &str, part: Part) -> Vec<u8> {
    [exchange.0.as_bytes(), kind.as_bytes(), b"\0", part.name().as_bytes()].concat()
}

fn key_bound(id: &[u8; 16], key: &NewKey) -> Vec<u8> {
    [&b"naru data key v1"[..], id, &key.holder, key.purpose.as_bytes()].concat()
}

fn wrapped(root: &dyn RootKeys, generation: u64, secrets: &[Secret]) -> Result<Shards, VaultError> {
    let wrapped = secrets.iter().map(|secret| root.wrap(generation, secret.expose()));
    Ok(Shards { generation, wrapped: wrapped.collect::<Result<_, _>>()? })
}
