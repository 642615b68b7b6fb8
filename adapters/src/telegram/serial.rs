//! Serial numbers: no two alike within a day, also across a restart, without anything kept on disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use gateway_core::Clock;

/// Gives serial numbers.
///
/// A number of `n` digits counts ticks of 10^8 / 10^n milliseconds since 1970, so whatever `n` is
/// it begins again after 10^8 milliseconds, which is more than a day. Where numbers are wanted
/// faster than ticks pass, the next ones are taken ahead of time; one may not do that for a whole
/// day on end.
pub(super) struct Serials {
    clock: Arc<dyn Clock>,
    /// The last number given, before it was cut to its digits, by how many these are.
    last: Mutex<BTreeMap<usize, i128>>,
}

/// Milliseconds after which numbers begin again, as a power of ten.
const PERIOD_DIGITS: usize = 8;

/// More digits than these have nothing to say.
const MAX_DIGITS: usize = 18;

impl Serials {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, last: Mutex::default() }
    }

    /// The next number of `length` digits, without leading zeros where that is more than a number
    /// needs.
    pub(super) fn next(&self, length: usize) -> String {
        let digits = length.min(MAX_DIGITS);
        let now = i128::from(self.clock.now().as_millisecond());
        let tick = match digits.checked_sub(PERIOD_DIGITS) {
            Some(finer) => now.saturating_mul(power(finer)),
            None => now / power(PERIOD_DIGITS.saturating_sub(digits)),
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let last = last.entry(digits).or_insert(i128::MIN);
        *last = tick.max(last.saturating_add(1));
        format!("{:0digits$}", last.rem_euclid(power(digits)))
    }
}

fn power(exponent: usize) -> i128 {
    10_i128.saturating_pow(u32::try_from(exponent).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    struct Set(AtomicI64);

    impl Clock for Set {
        fn now(&self) -> jiff::Timestamp {
            jiff::Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
        }
    }

    #[test]
    fn numbers_differ_within_a_day_and_across_a_restart() {
        for length in [4, 6, 8, 10, 20] {
            let clock = Arc::new(Set(AtomicI64::new(1_795_309_200_000)));
            let serials = Serials::new(clock.clone());
            let mut seen = BTreeSet::new();
            for _ in 0..500 {
                assert!(seen.insert(serials.next(length)), "{length}");
            }
            // A process that starts after these numbers' ticks have passed gives none of them.
            let ticks = 500_i64 * 10_i64.pow(8_u32.saturating_sub(length as u32));
            clock.0.fetch_add(ticks, Ordering::SeqCst);
            let restarted = Serials::new(clock);
            for _ in 0..500 {
                let serial = restarted.next(length);
                assert_eq!(serial.len(), length.min(MAX_DIGITS));
                assert!(seen.insert(serial), "{length}");
            }
        }
    }
}
