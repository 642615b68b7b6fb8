//! Erasing a person, in steps of which each leaves it either not begun or resumable.
//!
//! 1. nothing is sealed any more, and the log hands everything to the archive;
//! 2. that it begins is on disk;
//! 3. a new root key is made;
//! 4. in one transaction the person's keys and bodies go, and the rest is wrapped anew;
//! 5. the old root key is destroyed;
//! 6. the journal has it; then the note of step 2 goes.
//!
//! [`Vault::resume`] does what a crash has left of it at the next start.

use std::collections::BTreeSet;

use gateway_core::keys::{Destroyed, Erasure, Rekeyed, StoredKey};

use super::key::Secret;
use super::{State, Vault, VaultError, key_bound, wrapped};
use crate::log::Log;

impl Vault {
    /// Erases everything sealed for an erasure's holders. Afterwards it must be journaled and
    /// [`Vault::finish`] be called.
    ///
    /// # Errors
    /// [`VaultError::Held`] when a legal hold covers something of it; otherwise any [`VaultError`].
    /// After one the erasure may have begun, and then [`Vault::resume`] ends it.
    pub async fn erase(&self, log: &Log, erasure: Erasure) -> Result<Erasure, VaultError> {
        let mut state = self.state.write().await;
        if self.store.held(&erasure.holders).await? {
            return Err(VaultError::Held);
        }
        log.flush().await?;
        let erasure = Erasure { generation: state.generation, destroyed: None, ..erasure };
        self.store.plan(&erasure).await?;
        self.go_on(&mut state, erasure).await
    }

    /// Ends an erasure that was cut off; none when there is none. It must be journaled then, and
    /// finished.
    ///
    /// # Errors
    /// Any [`VaultError`].
    pub async fn resume(&self, log: &Log) -> Result<Option<Erasure>, VaultError> {
        let Some(erasure) = self.store.planned().await? else { return Ok(None) };
        let mut state = self.state.write().await;
        log.flush().await?;
        self.go_on(&mut state, erasure).await.map(Some)
    }

    /// The erasure is in the journal.
    ///
    /// # Errors
    /// [`VaultError::Archive`].
    pub async fn finish(&self, erasure: &Erasure) -> Result<(), VaultError> {
        Ok(self.store.finish(erasure).await?)
    }

    /// Whether earlier backups are of no use after an erasure: the root key replaces itself.
    pub fn erases_backups(&self) -> bool {
        self.root.replaces_itself()
    }

    async fn go_on(&self, state: &mut State, mut erasure: Erasure) -> Result<Erasure, VaultError> {
        if erasure.destroyed.is_none() {
            erasure.destroyed = Some(self.rekey(state, &erasure).await?);
        }
        self.root.destroy(erasure.generation)?;
        Ok(erasure)
    }

    async fn rekey(&self, state: &mut State, erasure: &Erasure) -> Result<Destroyed, VaultError> {
        let next = erasure.generation + 1;
        self.root.create(next)?;
        let shards: BTreeSet<u32> =
            erasure.holders.iter().map(|holder| u32::from(holder[0]) % super::SHARDS).collect();
        let mut secrets = Vec::with_capacity(state.shards.len());
        let mut keys = Vec::new();
        for (shard, old) in (0..).zip(&state.shards) {
            if !shards.contains(&shard) {
                secrets.push(Secret::new(zeroize::Zeroizing::new(*old.expose())));
                continue;
            }
            let new = Secret::random()?;
            for stored in self.store.keys_of_shard(shard).await? {
                if !erasure.holders.contains(&stored.key.holder) {
                    keys.push(moved(stored, old, &new)?);
                }
            }
            secrets.push(new);
        }
        let rekeyed = Rekeyed { shards: wrapped(&*self.root, next, &secrets)?, keys };
        let destroyed = self.store.rekey(erasure, &rekeyed).await?;
        *state =
            State { generation: next, shards: secrets, cache: super::Cache::new(super::CACHED) };
        Ok(destroyed)
    }
}

/// The same key, wrapped by another.
fn moved(mut stored: StoredKey, old: &Secret, new: &Secret) -> Result<StoredKey, VaultError> {
    let bound = key_bound(&stored.id, &stored.key);
    let secret = old.unwrap(&stored.key.wrapped, &bound)?;
    stored.key.wrapped = new.wrap(&secret, &bound)?;
    Ok(stored)
}
