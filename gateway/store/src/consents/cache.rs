//! Consents in memory, never older than the last change.
//!
//! A request may read the database just before a withdrawal and come to put what it read into the
//! cache just after it. So every change raises a generation, and what was read under an older one
//! is not kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_core::{Consent, MemberId, Pseudonym};
use moka::sync::Cache;

use super::changes::Header;

/// Entries are weighed by the consents in them; with about 600 bytes each this is 12 MB.
const CAPACITY: u64 = 20_000;

/// What the request path asks for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) principal: Pseudonym,
    pub(crate) recipient: MemberId,
    pub(crate) purpose: String,
}

/// When something was read, counted in changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation(u64);

/// Up to where changes are known.
#[derive(Clone, Copy)]
struct Known {
    generation: Generation,
    header: Option<Header>,
    /// The last revision whose consent was forgotten here.
    sequence: i64,
}

pub(crate) struct ConsentCache {
    entries: Cache<Key, Arc<[Consent]>>,
    known: Mutex<Known>,
    /// Held by who is finding out what has changed.
    pub(crate) catching_up: tokio::sync::Mutex<()>,
}

impl Default for ConsentCache {
    fn default() -> Self {
        let weigh = |_: &Key, consents: &Arc<[Consent]>| {
            u32::try_from(consents.len()).unwrap_or(u32::MAX).max(1)
        };
        let known = Known { generation: Generation(0), header: None, sequence: 0 };
        Self {
            entries: Cache::builder().max_capacity(CAPACITY).weigher(weigh).build(),
            known: Mutex::new(known),
            catching_up: tokio::sync::Mutex::default(),
        }
    }
}

impl ConsentCache {
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<[Consent]>> {
        self.entries.get(key)
    }

    /// The generation, where it is the one of this header: nothing has changed since. To be taken
    /// before the database is read.
    pub(crate) fn generation(&self, header: Option<Header>) -> Option<Generation> {
        let known = self.lock();
        (header.is_some() && known.header == header).then_some(known.generation)
    }

    /// Up to which revision changes are known.
    pub(crate) fn sequence(&self) -> i64 {
        self.lock().sequence
    }

    /// Keeps what was read, unless something has changed since `read`.
    pub(crate) fn keep(&self, read: Generation, key: Key, consents: Arc<[Consent]>) {
        let known = self.lock();
        if known.generation == read {
            self.entries.insert(key, consents);
        }
    }

    /// Forgets what the revisions up to `sequence` have changed; all of it where nobody can say what.
    /// `header` was read before they were.
    pub(crate) fn forget(
        &self,
        header: Option<Header>,
        sequence: i64,
        changed: Option<&[Key]>,
    ) -> Generation {
        let mut known = self.lock();
        known.header = header;
        known.sequence = sequence;
        if changed.is_none_or(|keys| !keys.is_empty()) {
            known.generation.0 += 1;
        }
        match changed {
            Some(keys) => keys.iter().for_each(|key| self.entries.invalidate(key)),
            None => self.entries.invalidate_all(),
        }
        known.generation
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
