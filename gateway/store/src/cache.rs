//! Consents in memory, never older than the last change.
//!
//! A request may read the database just before a withdrawal and come to put what it read into the
//! cache just after it. So every change raises a generation, and what was read under an older one
//! is not kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_core::{Consent, MemberId, Pseudonym};
use moka::sync::Cache;

/// Entries are weighed by the consents in them; with about 500 bytes each this is 10 MB.
const CAPACITY: u64 = 20_000;

/// What the request path asks for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) principal: Pseudonym,
    pub(crate) recipient: MemberId,
    pub(crate) purpose: String,
}

impl Key {
    pub(crate) fn of(consent: &Consent) -> Self {
        Self {
            principal: consent.principal,
            recipient: consent.recipient.clone(),
            purpose: consent.purpose.clone(),
        }
    }
}

/// When something was read, counted in changes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation(u64);

pub(crate) struct ConsentCache {
    entries: Cache<Key, Arc<[Consent]>>,
    generation: Mutex<Generation>,
}

impl Default for ConsentCache {
    fn default() -> Self {
        let weigh = |_: &Key, consents: &Arc<[Consent]>| {
            u32::try_from(consents.len()).unwrap_or(u32::MAX).max(1)
        };
        Self {
            entries: Cache::builder().max_capacity(CAPACITY).weigher(weigh).build(),
            generation: Mutex::new(Generation(0)),
        }
    }
}

impl ConsentCache {
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<[Consent]>> {
        self.entries.get(key)
    }

    /// To be taken before the database is read.
    pub(crate) fn generation(&self) -> Generation {
        *self.lock()
    }

    /// Keeps what was read, unless something has changed since `read`.
    pub(crate) fn keep(&self, read: Generation, key: Key, consents: Arc<[Consent]>) {
        let generation = self.lock();
        if *generation == read {
            self.entries.insert(key, consents);
        }
    }

    /// To be called after a change is in the database, and before it is acknowledged.
    pub(crate) fn forget(&self, key: &Key) {
        let mut generation = self.lock();
        generation.0 += 1;
        self.entries.invalidate(key);
    }

    fn lock(&self) -> MutexGuard<'_, Generation> {
        self.generation.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
