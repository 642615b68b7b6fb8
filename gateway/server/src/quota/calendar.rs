//! Days and months of a time zone.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use super::counter::Period;
use crate::config::Period as Every;

/// The periods of one time zone. The current ones are remembered: they change twice a day at most.
#[derive(Debug)]
pub(super) struct Calendar {
    zone: TimeZone,
    day: RwLock<Period>,
    month: RwLock<Period>,
}

impl Calendar {
    pub(super) fn new(zone: TimeZone) -> Self {
        Self { zone, day: RwLock::default(), month: RwLock::default() }
    }

    /// The day or month that `now` lies in.
    pub(super) fn period(&self, every: Every, now: Timestamp) -> Period {
        let known = match every {
            Every::Day => &self.day,
            Every::Month => &self.month,
        };
        let second = now.as_second();
        let period = *known.read().unwrap_or_else(PoisonError::into_inner);
        let period = match (period.begun..period.ends).contains(&second) {
            true => period,
            false => {
                let found = self.find(every, now).unwrap_or_else(|_| always(now));
                *known.write().unwrap_or_else(PoisonError::into_inner) = found;
                found
            }
        };
        let left = u64::try_from(period.ends - second).unwrap_or_default();
        Period { left: Duration::from_secs(left), ..period }
    }

    fn find(&self, every: Every, now: Timestamp) -> Result<Period, jiff::Error> {
        let local = now.to_zoned(self.zone.clone());
        let (first, next): (Zoned, Zoned) = match every {
            Every::Day => {
                let first = local.start_of_day()?;
                let next = first.tomorrow()?.start_of_day()?;
                (first, next)
            }
            Every::Month => {
                let first = local.first_of_month()?.start_of_day()?;
                let next = first.checked_add(1.month())?.start_of_day()?;
                (first, next)
            }
        };
        let (begun, ends) = (first.timestamp().as_second(), next.timestamp().as_second());
        Ok(Period { begun, ends, left: Duration::ZERO })
    }
}

/// At the ends of the calendar, in the years -9999 and 9999, there is one second at a time.
fn always(now: Timestamp) -> Period {
    let begun = now.as_second();
    Period { begun, ends: begun.saturating_add(1), left: Duration::ZERO }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(zone: &str, every: Every, at: &str) -> (String, String, u64) {
        let calendar = Calendar::new(TimeZone::get(zone).unwrap());
        let period = calendar.period(every, at.parse().unwrap());
        let text = |second| Timestamp::from_second(second).unwrap().to_string();
        (text(period.begun), text(period.ends), period.left.as_secs())
    }

    #[test]
    fn a_day_begins_at_midnight_of_the_zone_and_a_month_on_its_first() {
        let row = |from: &str, to: &str, left| (from.to_owned(), to.to_owned(), left);
        let seoul = |every, at| days("Asia/Seoul", every, at);
        assert_eq!(
            seoul(Every::Day, "2026-11-22T14:59:59.9Z"),
            row("2026-11-21T15:00:00Z", "2026-11-22T15:00:00Z", 1)
        );
        assert_eq!(
            seoul(Every::Day, "2026-11-22T15:00:00Z"),
            row("2026-11-22T15:00:00Z", "2026-11-23T15:00:00Z", 86_400)
        );
        assert_eq!(
            seoul(Every::Month, "2026-12-31T15:00:00Z"),
            row("2026-12-31T15:00:00Z", "2027-01-31T15:00:00Z", 31 * 86_400)
        );
        assert_eq!(
            seoul(Every::Month, "2028-02-10T00:00:00Z"),
            row("2028-01-31T15:00:00Z", "2028-02-29T15:00:00Z", 19 * 86_400 + 15 * 3_600)
        );
    }

    #[test]
    fn a_day_of_23_or_25_hours_is_one_day() {
        let hours = |at| {
            let (_, _, left) = days("Europe/Berlin", Every::Day, at);
            left / 3_600
        };
        assert_eq!(hours("2026-03-28T23:00:00Z"), 23);
        assert_eq!(hours("2026-10-24T22:00:00Z"), 25);
    }
}
