//! Quotas in this process: every policy that applies to an exchange is asked, and it is spent of all of
//! them or of none. See [ADR 19](../../../../docs/adr/0019-quotas-and-load-shedding.md) and
//! `docs/limits.md`.

mod calendar;
mod counter;
mod kept;
mod policy;
mod shares;

use std::sync::Arc;

use gateway_core::quota::{Cause, Demand, Exceeded, Permit, Quota, QuotaState, Unit};
use governor::clock::{Clock, DefaultClock, Reference};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use self::calendar::Calendar;
use self::counter::{Measure, Moment};
use self::policy::Policy;
use self::shares::{Key, Shares};
use crate::alarm::Watch;
use crate::config::{self, Problem};

pub use self::kept::Spent;

/// The configured policies and what is spent of them.
pub struct Quotas {
    policies: Vec<Policy>,
    calendar: Calendar,
    watch: Watch,
    ticking: Arc<Ticking>,
}

/// A clock that never jumps: nanoseconds since it was made.
pub(crate) type Ticking = dyn Fn() -> u64 + Send + Sync;

impl Quotas {
    /// Checks and compiles the configured quotas.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn new(quotas: &[config::Quota], time_zone: &str) -> Result<Self, Vec<Problem>> {
        Self::with_clock(quotas, time_zone, ticking())
    }

    pub(crate) fn with_clock(
        quotas: &[config::Quota],
        time_zone: &str,
        ticking: Arc<Ticking>,
    ) -> Result<Self, Vec<Problem>> {
        let (mut policies, mut problems): (Vec<Policy>, _) = (Vec::new(), Vec::new());
        for (index, quota) in quotas.iter().enumerate() {
            let at = format!("quota[{index}]");
            if policies.iter().any(|policy| *policy.name == *quota.name) {
                problems.push(Problem::new(format!("{at}.name"), "another quota has this name"));
            }
            match Policy::new(quota, &at) {
                Ok(policy) => policies.push(policy),
                Err(found) => problems.extend(found),
            }
        }
        let zone = TimeZone::get(time_zone).map_err(|_| {
            let says = format!("there is no time zone {time_zone}; write it as in Asia/Seoul");
            problems.push(Problem::new("gateway.time_zone", says));
        });
        match zone {
            Ok(zone) if problems.is_empty() => Ok(Self {
                policies,
                calendar: Calendar::new(zone),
                watch: Watch::default(),
                ticking,
            }),
            _ => Err(problems),
        }
    }

    /// Lets rules about persons see what is let through.
    pub fn watch(&mut self, watch: Watch) {
        self.watch = watch;
    }

    /// What was spent under `earlier` counts here too, where a policy of the same name counts the same.
    #[must_use]
    pub fn continuing(mut self, earlier: &Self) -> Self {
        self.ticking = earlier.ticking.clone();
        self.watch = self.watch.continuing(&earlier.watch);
        for policy in &mut self.policies {
            let same = earlier.policies.iter().find(|earlier| policy.continues(earlier));
            if let Some(same) = same {
                policy.shares = same.shares.clone();
            }
        }
        self
    }

    /// Forgets shares that nobody has asked for a while; called from time to time.
    pub fn sweep(&self, now: Timestamp) {
        for policy in &self.policies {
            policy.shares.sweep(self.moment(policy, now));
        }
        self.watch.sweep((self.ticking)());
    }

    fn moment(&self, policy: &Policy, now: Timestamp) -> Moment {
        let period = policy.every.map(|every| self.calendar.period(every, now));
        Moment { elapsed: (self.ticking)(), period: period.unwrap_or_default() }
    }

    fn ask(&self, policy: &Policy, demand: &Demand<'_>) -> (Key, QuotaState) {
        let moment = self.moment(policy, demand.now);
        let key = Key::of(&policy.per, demand);
        let amount = policy.amount(demand.bytes);
        let (key, left) = policy.shares.take(key, policy.measure, moment, amount);
        (key, policy.state(left, moment.period.length()))
    }
}

/// What was taken of one share.
struct Taken<'a> {
    policy: &'a Policy,
    key: Key,
}

impl Quota for Quotas {
    fn spend(&self, demand: &Demand<'_>) -> Result<Permit, Exceeded> {
        let (mut states, mut taken) = (Vec::new(), Vec::new());
        for policy in self.policies.iter().filter(|policy| policy.applies(demand)) {
            let (key, state) = self.ask(policy, demand);
            if !state.violated {
                taken.push(Taken { policy, key });
            }
            states.push(state);
        }
        let mut cause = Cause::Share;
        if !states.iter().any(QuotaState::refuses) {
            // Whom nobody is told about need not be counted: only what is let through is seen.
            states.extend(self.watch.see(demand, (self.ticking)()));
            cause = Cause::AbnormalUsage;
        }
        if states.iter().any(QuotaState::refuses) {
            for Taken { policy, key } in taken {
                policy.shares.give_back(&key, policy.measure, policy.amount(demand.bytes));
            }
            return Err(Exceeded { states, cause });
        }
        Ok(Permit { states, held: held(taken) })
    }

    fn give_back(&self, demand: &Demand<'_>, states: &[QuotaState]) {
        let policies = self.policies.iter().filter(|policy| policy.applies(demand)).zip(states);
        for (policy, state) in policies {
            let is_held = matches!(policy.measure, Measure::Current { .. });
            if !state.violated && !is_held {
                let key = Key::of(&policy.per, demand);
                policy.shares.give_back(&key, policy.measure, policy.amount(demand.bytes));
            }
        }
    }

    fn replied(&self, demand: &Demand<'_>) {
        let counts = |policy: &&Policy| policy.unit == Unit::ContentBytes && policy.applies(demand);
        for policy in self.policies.iter().filter(counts) {
            let moment = self.moment(policy, demand.now);
            let key = Key::of(&policy.per, demand);
            policy.shares.charge(key, policy.measure, moment, demand.bytes);
        }
    }
}

/// Places among the requests under way, given back when this is dropped.
struct Held(Vec<(Arc<Shares>, Key, Measure)>);

impl Drop for Held {
    fn drop(&mut self) {
        for (shares, key, measure) in &self.0 {
            shares.give_back(key, *measure, 1);
        }
    }
}

fn held(taken: Vec<Taken<'_>>) -> Option<Box<dyn Send + Sync>> {
    let current = taken.into_iter().filter_map(|Taken { policy, key }| {
        let held = matches!(policy.measure, Measure::Current { .. });
        held.then(|| (policy.shares.clone(), key, policy.measure))
    });
    let current: Vec<_> = current.collect();
    (!current.is_empty()).then(|| Box::new(Held(current)) as _)
}

/// The processor's own clock.
fn ticking() -> Arc<Ticking> {
    let clock = DefaultClock::default();
    let start = clock.now();
    Arc::new(move || clock.now().duration_since(start).as_u64())
}

#[cfg(test)]
mod tests;
