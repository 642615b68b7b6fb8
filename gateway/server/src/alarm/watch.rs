//! The rules, and what they have counted.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gateway_core::quota::{Demand, QuotaState, Renewal, Unit};
use gateway_core::{MemberId, Pseudonym};
use uuid::Uuid;

use super::distinct::Distinct;
use super::{Alarm, Alarms};
use crate::config::{self, Problem};

/// Members or persons that one rule watches at once. While there are so many, further ones are not.
const MOST: usize = 131_072;

/// The configured rules.
#[derive(Default)]
pub struct Watch {
    rules: Vec<Arc<Rule>>,
    alarms: Option<Arc<Alarms>>,
}

struct Rule {
    config: config::Alarm,
    what: What,
    limit: u64,
    window: Duration,
    hasher: RandomState,
    counted: Mutex<HashMap<Key, Window>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    PersonsOfMember,
    ReadersOfPerson,
}

/// Pseudonyms are of a sector, so the persons of one member are counted in each sector apart.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Member(MemberId, Arc<str>),
    Person(Pseudonym),
}

/// What was counted since the first of it.
struct Window {
    began: u64,
    seen: Distinct,
    raised: bool,
}

/// What the rules say of one request: those that it goes beyond.
pub type Seen = Vec<QuotaState>;

impl Watch {
    /// Checks the rules.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn new(rules: &[config::Alarm]) -> Result<Self, Vec<Problem>> {
        let (mut built, mut problems): (Vec<Arc<Rule>>, _) = (Vec::new(), Vec::new());
        for (index, config) in rules.iter().enumerate() {
            let at = |key: &str| format!("alarm[{index}]{key}");
            if built.iter().any(|rule| rule.config.name == config.name) {
                problems.push(Problem::new(at(".name"), "another alarm has this name"));
            }
            if config.seconds == 0 {
                problems.push(Problem::new(at(".seconds"), "must be above 0"));
            }
            match (config.persons, config.readers) {
                (Some(limit), None) => {
                    built.push(Rule::new(config, What::PersonsOfMember, limit.get()))
                }
                (None, Some(limit)) => {
                    built.push(Rule::new(config, What::ReadersOfPerson, limit.get()))
                }
                _ => problems.push(Problem::new(at(""), "say either `persons` or `readers`")),
            }
        }
        match problems.is_empty() {
            true => Ok(Self { rules: built, alarms: None }),
            false => Err(problems),
        }
    }

    /// Raises alarms there.
    #[must_use]
    pub fn telling(mut self, alarms: Arc<Alarms>) -> Self {
        self.alarms = Some(alarms);
        self
    }

    /// A rule that is as it was goes on with what it has counted.
    #[must_use]
    pub fn continuing(mut self, earlier: &Self) -> Self {
        for rule in &mut self.rules {
            if let Some(same) = earlier.rules.iter().find(|earlier| earlier.is_like(rule)) {
                *rule = same.clone();
            }
        }
        self
    }

    /// Counts a request, unless a rule refuses it. Raises an alarm once in a window.
    pub fn see(&self, demand: &Demand<'_>, elapsed: u64) -> Seen {
        let Some(person) = demand.subject else {
            return Vec::new();
        };
        let seen = self.rules.iter().filter(|rule| rule.applies(demand)).filter_map(|rule| {
            let beyond = rule.count(demand, person, elapsed)?;
            if beyond.is_first
                && let Some(alarms) = &self.alarms
            {
                let subject = (rule.what == What::ReadersOfPerson).then_some(*person);
                let alarm = rule.alarm(demand, subject, beyond.count);
                alarms.raise(alarm, beyond.state.clone(), subject);
            }
            Some(beyond.state)
        });
        seen.collect()
    }

    /// Forgets windows that have ended.
    pub fn sweep(&self, elapsed: u64) {
        self.rules.iter().for_each(|rule| rule.forget(&mut rule.lock(), elapsed));
    }
}

/// A request that goes beyond a rule.
struct Beyond {
    state: QuotaState,
    count: u64,
    is_first: bool,
}

impl Rule {
    fn new(config: &config::Alarm, what: What, limit: u32) -> Arc<Self> {
        Arc::new(Self {
            config: config.clone(),
            what,
            limit: limit.into(),
            window: Duration::from_secs(config.seconds),
            hasher: RandomState::new(),
            counted: Mutex::default(),
        })
    }

    fn is_like(&self, other: &Self) -> bool {
        let of = |rule: &Self| {
            let config::Alarm { name, members, services, refuse, .. } = rule.config.clone();
            (
                name,
                members,
                services,
                refuse,
                rule.what == What::PersonsOfMember,
                rule.limit,
                rule.window,
            )
        };
        of(self) == of(other)
    }

    fn applies(&self, demand: &Demand<'_>) -> bool {
        let named =
            |list: &[String], name: &str| list.is_empty() || list.iter().any(|one| one == name);
        named(&self.config.members, &demand.member.0)
            && named(&self.config.services, &demand.service.to_string())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Window>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn length(&self) -> u64 {
        u64::try_from(self.window.as_nanos()).unwrap_or(u64::MAX)
    }

    fn forget(&self, counted: &mut HashMap<Key, Window>, elapsed: u64) {
        counted.retain(|_, window| elapsed.saturating_sub(window.began) < self.length());
    }

    fn count(&self, demand: &Demand<'_>, person: &Pseudonym, elapsed: u64) -> Option<Beyond> {
        let (key, hash) = match self.what {
            // A pseudonym is a keyed hash already, evenly spread.
            What::PersonsOfMember => {
                let [a, b, c, d, e, f, g, h, ..] = person.0;
                let hash = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
                (Key::Member(demand.member.clone(), demand.service.sector.clone()), hash)
            }
            What::ReadersOfPerson => (Key::Person(*person), self.hasher.hash_one(demand.member)),
        };
        let mut counted = self.lock();
        if !counted.contains_key(&key) && counted.len() >= MOST {
            self.forget(&mut counted, elapsed);
            if counted.len() >= MOST {
                return None;
            }
        }
        let fresh = || Window { began: elapsed, seen: Distinct::default(), raised: false };
        let window = counted.entry(key).or_insert_with(fresh);
        if elapsed.saturating_sub(window.began) >= self.length() {
            *window = fresh();
        }
        let known = window.seen.has(hash);
        if known && self.config.refuse {
            return None;
        }
        let would_be = window.seen.count().saturating_add(u64::from(!known));
        let is_beyond = would_be > self.limit;
        if !(is_beyond && self.config.refuse) {
            window.seen.add(hash);
        }
        is_beyond.then(|| {
            let is_first = !std::mem::replace(&mut window.raised, true);
            let gone = Duration::from_nanos(elapsed.saturating_sub(window.began));
            let state = self.state(self.window.saturating_sub(gone));
            Beyond { state, count: would_be, is_first }
        })
    }

    fn state(&self, reset: Duration) -> QuotaState {
        QuotaState {
            policy: self.config.name.as_str().into(),
            unit: Unit::Distinct,
            renewal: Renewal::Rate,
            limit: self.limit,
            window: Some(self.window),
            remaining: 0,
            reset,
            violated: true,
            shadow: !self.config.refuse,
        }
    }

    fn alarm(&self, demand: &Demand<'_>, person: Option<Pseudonym>, count: u64) -> Alarm {
        Alarm {
            id: Uuid::now_v7(),
            at: demand.now,
            rule: self.config.name.clone(),
            member: demand.member.to_string(),
            sector: demand.service.sector.to_string(),
            person: person.map(|person| hex::encode(person.0).chars().take(8).collect()),
            count,
            limit: self.limit,
        }
    }
}
