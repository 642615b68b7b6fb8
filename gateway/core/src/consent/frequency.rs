//! How often a consent may be used.

use std::num::NonZeroU32;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Unit};
use serde::{Deserialize, Serialize};

/// A bound on uses. A consent without one may be used as often as its time allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UseLimit {
    /// A single time.
    Once,
    /// So many times in each period.
    Periodic(Frequency),
}

/// Uses per period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frequency {
    /// The period.
    pub unit: FrequencyUnit,
    /// Uses in each.
    pub value: NonZeroU32,
}

/// A period, counted from when the consent begins to hold, in the calendar of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrequencyUnit {
    /// 60 minutes.
    Hour,
    /// 24 hours.
    Day,
    /// To the same day of the next month, or its last.
    Month,
    /// To the same day of the next year.
    Year,
}

impl UseLimit {
    /// Uses in one period.
    pub fn uses(&self) -> u32 {
        match self {
            Self::Once => 1,
            Self::Periodic(frequency) => frequency.value.get(),
        }
    }

    /// When the period began in which `now` is, of a consent that holds from `valid_from`.
    pub fn period_start(&self, valid_from: Timestamp, now: Timestamp) -> Timestamp {
        let Self::Periodic(Frequency { unit, .. }) = self else {
            return valid_from;
        };
        let start = valid_from.to_zoned(TimeZone::UTC);
        let period = |whole: i64| match unit {
            FrequencyUnit::Hour => Span::new().try_hours(whole),
            FrequencyUnit::Day => Span::new().try_days(whole),
            FrequencyUnit::Month => Span::new().try_months(whole),
            FrequencyUnit::Year => Span::new().try_years(whole),
        };
        let whole = || {
            let unit = match unit {
                FrequencyUnit::Hour => Unit::Hour,
                FrequencyUnit::Day => Unit::Day,
                FrequencyUnit::Month => Unit::Month,
                FrequencyUnit::Year => Unit::Year,
            };
            let passed = start.until((unit, &now.to_zoned(TimeZone::UTC))).ok()?;
            Some(match unit {
                Unit::Hour => i64::from(passed.get_hours()),
                Unit::Day => i64::from(passed.get_days()),
                Unit::Month => i64::from(passed.get_months()),
                _ => i64::from(passed.get_years()),
            })
        };
        let begun = whole().and_then(|whole| start.checked_add(period(whole).ok()?).ok());
        // Beyond the calendar there is one period, so that nothing is used more often than agreed.
        begun.map_or(valid_from, |begun| begun.timestamp().min(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(unit: FrequencyUnit, from: &str, now: &str) -> String {
        let limit = UseLimit::Periodic(Frequency { unit, value: NonZeroU32::MIN });
        limit.period_start(from.parse().unwrap(), now.parse().unwrap()).to_string()
    }

    #[test]
    fn periods_are_counted_from_the_beginning_of_the_consent() {
        let from = "2026-01-31T10:30:00Z";
        for (unit, now, wanted) in [
            (FrequencyUnit::Hour, "2026-01-31T12:29:59Z", "2026-01-31T11:30:00Z"),
            (FrequencyUnit::Hour, "2026-01-31T12:30:00Z", "2026-01-31T12:30:00Z"),
            (FrequencyUnit::Day, "2026-02-01T10:29:59Z", "2026-01-31T10:30:00Z"),
            (FrequencyUnit::Month, "2026-02-28T10:29:59Z", "2026-01-31T10:30:00Z"),
            (FrequencyUnit::Month, "2026-03-31T10:30:00Z", "2026-03-31T10:30:00Z"),
            (FrequencyUnit::Year, "2028-01-01T00:00:00Z", "2027-01-31T10:30:00Z"),
        ] {
            assert_eq!(start(unit, from, now), wanted, "{unit:?} at {now}");
        }
    }

    #[test]
    fn a_single_use_has_one_period() {
        let (from, now) = ("2026-01-01T00:00:00Z", "2031-01-01T00:00:00Z");
        let (from, now) = (from.parse().unwrap(), now.parse().unwrap());
        assert_eq!(UseLimit::Once.period_start(from, now), from);
        assert_eq!(UseLimit::Once.uses(), 1);
    }
}
