//! What one share of one policy has spent, as plain arithmetic. No clock is read here.
//!
//! A rate is the generic cell rate algorithm, written out because a refused request must give back what
//! it took of other policies, and a reply's bytes may leave a share in debt; `governor`, which
//! still stands before authentication, can do neither. The tests hold it against `governor`.

use std::time::Duration;

/// When it is, on both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Nanoseconds on the clock that never jumps.
    pub(super) elapsed: u64,
    /// The period of the calendar that it lies in, for a policy that counts by one.
    pub(super) period: Period,
}

/// A day or a month: seconds since 1970 of its first and of the next one's first instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) begun: i64,
    pub(super) ends: i64,
    /// Until it ends.
    pub(super) left: Duration,
}

/// How a policy counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// Nanoseconds in which one unit comes back, and how many there are at most.
    Rate { unit: u64, burst: u64 },
    /// So many in a period.
    Calendar { limit: u64 },
    /// So many at once.
    Current { limit: u64 },
}

/// The count of one share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counter {
    /// When the share is full again.
    Rate { full_at: u64 },
    /// What was used of a period; `kept` of it is in the store.
    Calendar { begun: i64, used: u64, kept: u64 },
    /// What is under way.
    Current { held: u64 },
}

/// What a share has after it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) granted: bool,
    pub(super) remaining: u64,
    pub(super) reset: Duration,
}

impl Period {
    pub(super) fn length(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.ends.saturating_sub(self.begun)).unwrap_or_default())
    }
}

impl Counter {
    pub(super) fn new(measure: Measure, moment: Moment) -> Self {
        match measure {
            Measure::Rate { .. } => Self::Rate { full_at: moment.elapsed },
            Measure::Calendar { .. } => {
                Self::Calendar { begun: moment.period.begun, used: 0, kept: 0 }
            }
            Measure::Current { .. } => Self::Current { held: 0 },
        }
    }

    /// Takes `amount` where at least one unit is there; what goes beyond the share is owed.
    pub(super) fn take(&mut self, measure: Measure, moment: Moment, amount: u64) -> Left {
        self.turn_page(moment);
        let granted = self.remaining(measure, moment) > 0;
        if granted {
            self.charge(measure, moment, amount);
        }
        let remaining = self.remaining(measure, moment);
        Left { granted, remaining, reset: self.reset(measure, moment, granted) }
    }

    /// Counts `amount` whether it is there or not.
    pub(super) fn charge(&mut self, measure: Measure, moment: Moment, amount: u64) {
        self.turn_page(moment);
        match (self, measure) {
            (Self::Rate { full_at }, Measure::Rate { unit, .. }) => {
                let from = (*full_at).max(moment.elapsed);
                *full_at = from.saturating_add(unit.saturating_mul(amount));
            }
            (Self::Calendar { used, .. }, _) => *used = used.saturating_add(amount),
            (Self::Current { held }, _) => *held = held.saturating_add(1),
            _ => {}
        }
    }

    /// Undoes a charge of `amount`.
    pub(super) fn give_back(&mut self, measure: Measure, amount: u64) {
        match (self, measure) {
            (Self::Rate { full_at }, Measure::Rate { unit, .. }) => {
                *full_at = full_at.saturating_sub(unit.saturating_mul(amount));
            }
            (Self::Calendar { used, .. }, _) => *used = used.saturating_sub(amount),
            (Self::Current { held }, _) => *held = held.saturating_sub(1),
            _ => {}
        }
    }

    /// Units that are there now.
    pub(super) fn remaining(&self, measure: Measure, moment: Moment) -> u64 {
        match (*self, measure) {
            (Self::Rate { full_at }, Measure::Rate { unit, burst }) => {
                let owed = full_at.saturating_sub(moment.elapsed);
                unit.saturating_mul(burst).saturating_sub(owed) / unit.max(1)
            }
            (Self::Calendar { used, .. }, Measure::Calendar { limit }) => {
                limit.saturating_sub(used)
            }
            (Self::Current { held }, Measure::Current { limit }) => limit.saturating_sub(held),
            _ => 0,
        }
    }

    /// Until the share is full again, or, when it refused, until one unit is there.
    fn reset(&self, measure: Measure, moment: Moment, granted: bool) -> Duration {
        match (*self, measure) {
            (Self::Rate { full_at }, Measure::Rate { unit, burst }) => {
                let owed = full_at.saturating_sub(moment.elapsed);
                let but_one = unit.saturating_mul(burst.saturating_sub(1));
                Duration::from_nanos(if granted { owed } else { owed.saturating_sub(but_one) })
            }
            (Self::Calendar { .. }, _) => moment.period.left,
            // Nobody knows when a request will end; soon, as a rule.
            _ => Duration::from_secs(1),
        }
    }

    /// Begins a new period. A clock that jumps back by less than a period gives nothing back; one that
    /// was far ahead for a while is not believed any more.
    fn turn_page(&mut self, Moment { period, .. }: Moment) {
        if let Self::Calendar { begun, used, kept } = self {
            if period.begun > *begun {
                (*begun, *used, *kept) = (period.begun, 0, 0);
            } else if *begun > period.ends {
                *begun = period.begun;
            }
        }
    }

    /// Whether a share that was never asked would be the same.
    pub(super) fn is_idle(&self, moment: Moment) -> bool {
        match *self {
            Self::Rate { full_at } => full_at <= moment.elapsed,
            Self::Calendar { begun, used, .. } => used == 0 || begun < moment.period.begun,
            Self::Current { held } => held == 0,
        }
    }
}
