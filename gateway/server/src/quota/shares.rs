//! The shares of one policy by whom they are for, in bounded memory.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};

use gateway_core::quota::Demand;
use gateway_core::{MemberId, Pseudonym, ServiceId};
use serde::{Deserialize, Serialize};

use super::counter::{Counter, Left, Measure, Moment};
use crate::config::Per;

/// Shares of one policy that are kept apart. Beyond it persons are not told apart any more.
pub(super) const MOST: usize = 131_072;
const SHARDS: usize = 16;

/// Whom a share is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Key {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) member: Option<MemberId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) service: Option<ServiceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) purpose: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) person: Option<Pseudonym>,
}

impl Key {
    pub(super) fn of(per: &[Per], demand: &Demand<'_>) -> Self {
        let mut key = Self::default();
        for part in per {
            match part {
                Per::Member => key.member = Some(demand.member.clone()),
                Per::Service => key.service = Some(demand.service.clone()),
                Per::Purpose => key.purpose = demand.purpose.map(Into::into),
                Per::Person => key.person = demand.subject.copied(),
            }
        }
        key
    }

    /// The share of all persons who are not told apart.
    fn crowd(&self) -> Self {
        Self { person: None, ..self.clone() }
    }
}

/// The shares of one policy.
pub(super) struct Shares {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
    most: usize,
}

#[derive(Default)]
struct Shard {
    counters: HashMap<Key, Counter>,
    /// When it was last swept because it was full.
    swept: u64,
}

/// How long a full shard is not swept again: that costs more than one request may.
const SWEEP_PAUSE: u64 = 1_000_000_000;

impl Shares {
    pub(super) fn new(most: usize) -> Self {
        Self { hasher: RandomState::new(), shards: Default::default(), most }
    }

    /// Takes of the share of `key`, or of the crowd's. Says whose it was.
    pub(super) fn take(
        &self,
        key: Key,
        measure: Measure,
        moment: Moment,
        amount: u64,
    ) -> (Key, Left) {
        let key = self.admit(key, moment);
        let left =
            self.with(&key, measure, moment, |counter| counter.take(measure, moment, amount));
        (key, left)
    }

    /// Counts what a reply adds.
    pub(super) fn charge(&self, key: Key, measure: Measure, moment: Moment, amount: u64) {
        let key = self.admit(key, moment);
        self.with(&key, measure, moment, |counter| counter.charge(measure, moment, amount));
    }

    /// Gives back what was taken of the share of `key`, as [`Shares::take`] has named it.
    pub(super) fn give_back(&self, key: &Key, measure: Measure, amount: u64) {
        self.amend(key, |counter| counter.give_back(measure, amount));
    }

    /// Forgets shares that nobody has asked for a while.
    pub(super) fn sweep(&self, moment: Moment) {
        for shard in &self.shards {
            lock(shard).counters.retain(|_, counter| !counter.is_idle(moment));
        }
    }

    /// Everything, as it is.
    pub(super) fn each(&self, mut with: impl FnMut(&Key, &mut Counter)) {
        for shard in &self.shards {
            lock(shard).counters.iter_mut().for_each(|(key, counter)| with(key, counter));
        }
    }

    /// Changes a share, if it is there.
    pub(super) fn amend(&self, key: &Key, change: impl FnOnce(&mut Counter)) {
        if let Some(counter) = self.shard(key).counters.get_mut(key) {
            change(counter);
        }
    }

    /// Sets a share to what was kept of it.
    pub(super) fn restore(&self, key: Key, counter: Counter) {
        self.shard(&key).counters.insert(key, counter);
    }

    fn with<T>(
        &self,
        key: &Key,
        measure: Measure,
        moment: Moment,
        work: impl FnOnce(&mut Counter) -> T,
    ) -> T {
        let mut shard = self.shard(key);
        if let Some(counter) = shard.counters.get_mut(key) {
            return work(counter);
        }
        work(shard.counters.entry(key.clone()).or_insert_with(|| Counter::new(measure, moment)))
    }

    /// The key itself while there is room for it, or the crowd's.
    fn admit(&self, key: Key, moment: Moment) -> Key {
        if key.person.is_none() {
            return key;
        }
        let most = self.most / SHARDS;
        let mut shard = self.shard(&key);
        if shard.counters.len() < most || shard.counters.contains_key(&key) {
            return key;
        }
        if moment.elapsed.saturating_sub(shard.swept) >= SWEEP_PAUSE {
            shard.swept = moment.elapsed;
            shard.counters.retain(|_, counter| !counter.is_idle(moment));
        }
        if shard.counters.len() < most { key } else { key.crowd() }
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        let [first, ..] = &self.shards;
        let at = self.hasher.hash_one(key) as usize % SHARDS;
        lock(self.shards.get(at).unwrap_or(first))
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
