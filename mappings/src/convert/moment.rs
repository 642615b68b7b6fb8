//! Days and times in a format that the row spells out, such as `yyyyMMddHHmmss`. Every part has a
//! fixed number of digits, so what is written reads back.

use std::fmt::Write;

use gateway_core::Value;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use crate::unfit::Unfit;

/// A format, compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    parts: Vec<Part>,
    /// The first of the hundred years that two digits mean.
    years_from: i16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Year,
    ShortYear,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
    Literal(char),
}

/// What a pattern is a format of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Date,
    Time,
    /// In the time of this offset, which is not written.
    DateTime(Offset),
}

const NOT_IN_FORMAT: Unfit = Unfit::NotA("in the format of its field");
const NAMES: [(&str, Part); 8] = [
    ("yyyy", Part::Year),
    ("yy", Part::ShortYear),
    ("MM", Part::Month),
    ("dd", Part::Day),
    ("HH", Part::Hour),
    ("mm", Part::Minute),
    ("SSS", Part::Millisecond),
    ("ss", Part::Second),
];

impl Pattern {
    /// Compiles a format: `yyyy yy MM dd HH mm ss SSS`, each once, and any characters between them
    /// that are no letters, or `T`. `Err` says what is wrong.
    pub(crate) fn parse(
        format: &str,
        moment: Moment,
        years_from: Option<i16>,
    ) -> Result<Self, &'static str> {
        let mut parts = Vec::new();
        let mut rest = format;
        while let Some(first) = rest.chars().next() {
            let named =
                NAMES.iter().find_map(|(name, part)| Some((rest.strip_prefix(name)?, part)));
            let (after, part) = match named {
                Some((after, part)) => (after, part.clone()),
                None if first == 'T' || !first.is_alphanumeric() && !first.is_control() => {
                    (rest.get(first.len_utf8()..).unwrap_or_default(), Part::Literal(first))
                }
                None => return Err("is made of `yyyy yy MM dd HH mm ss SSS` and of signs"),
            };
            if !matches!(part, Part::Literal(_)) && parts.contains(&part) {
                return Err("names a part twice");
            }
            parts.push(part);
            rest = after;
        }
        let pattern = Self { parts, years_from: years_from.unwrap_or_default() };
        let has = |part| pattern.parts.contains(&part);
        let date = (has(Part::Year) != has(Part::ShortYear)) && has(Part::Month) && has(Part::Day);
        let clock = has(Part::Hour) && has(Part::Minute);
        let any_date = [Part::Year, Part::ShortYear, Part::Month, Part::Day].into_iter().any(has);
        let any_clock = [Part::Hour, Part::Minute, Part::Second].into_iter().any(has);
        match moment {
            Moment::Date if !date || any_clock => Err("must hold year, month and day, and no time"),
            Moment::Time if !clock || any_date => Err("must hold hour and minute, and no day"),
            Moment::DateTime(_) if !date || !clock => {
                Err("must hold year, month, day, hour and minute")
            }
            _ if has(Part::ShortYear) != years_from.is_some() => {
                Err("`yy` and `years-from`, the first of the years it means, belong together")
            }
            _ if has(Part::Millisecond) && !has(Part::Second) => Err("has `SSS` without `ss`"),
            _ => Ok(pattern),
        }
    }

    pub(crate) fn read(&self, text: &str, moment: Moment) -> Result<Value, Unfit> {
        let (date, time) = self.scan(text).ok_or(NOT_IN_FORMAT)?;
        match moment {
            Moment::Date => Ok(Value::Date(date)),
            Moment::Time => Ok(Value::Time(time)),
            Moment::DateTime(offset) => offset
                .to_timestamp(DateTime::from_parts(date, time))
                .map(Value::DateTime)
                .map_err(|_| NOT_IN_FORMAT),
        }
    }

    fn scan(&self, text: &str) -> Option<(Date, Time)> {
        let mut rest = text;
        let (mut year, mut month, mut day) = (1, 1, 1);
        let (mut hour, mut minute, mut second, mut millisecond) = (0, 0, 0, 0);
        for part in &self.parts {
            match part {
                Part::Literal(character) => rest = rest.strip_prefix(*character)?,
                Part::Year => year = digits(&mut rest, 4)?,
                Part::ShortYear => year = self.full_year(digits(&mut rest, 2)?),
                Part::Month => month = digits(&mut rest, 2)?,
                Part::Day => day = digits(&mut rest, 2)?,
                Part::Hour => hour = digits(&mut rest, 2)?,
                Part::Minute => minute = digits(&mut rest, 2)?,
                Part::Second => second = digits(&mut rest, 2)?,
                Part::Millisecond => millisecond = digits(&mut rest, 3)?,
            }
        }
        let small = |number: i16| i8::try_from(number).ok();
        let date = Date::new(year, small(month)?, small(day)?).ok()?;
        let nanoseconds = i32::from(millisecond) * 1_000_000;
        let time = Time::new(small(hour)?, small(minute)?, small(second)?, nanoseconds).ok()?;
        rest.is_empty().then_some((date, time))
    }

    fn full_year(&self, short: i16) -> i16 {
        let first = self.years_from;
        first + (short - first.rem_euclid(100)).rem_euclid(100)
    }

    pub(crate) fn write(&self, value: &Value, moment: Moment) -> Result<String, Unfit> {
        let (date, time) = match (moment, value) {
            (Moment::Date, Value::Date(date)) => (*date, Time::midnight()),
            (Moment::Time, Value::Time(time)) => (Date::constant(1, 1, 1), *time),
            (Moment::DateTime(offset), Value::DateTime(moment)) => {
                let local = offset.to_datetime(*moment);
                (local.date(), local.time())
            }
            _ => return Err(Unfit::NotA("of the type that the service promises")),
        };
        let text = self.print(date, time)?;
        // What the pattern has no place for must be nothing.
        match self.scan(&text) {
            Some(scanned) if scanned == (date, time) => Ok(text),
            _ => Err(Unfit::NotA("a moment that the field's format can hold whole")),
        }
    }

    fn print(&self, date: Date, time: Time) -> Result<String, Unfit> {
        let mut out = String::with_capacity(self.parts.len().saturating_mul(3));
        for part in &self.parts {
            // Writing to a string cannot fail.
            let _ = match part {
                Part::Literal(character) => out.write_char(*character),
                Part::Year if date.year() < 0 => return Err(Unfit::NotA("a day of our era")),
                Part::Year => write!(out, "{:04}", date.year()),
                Part::ShortYear => write!(out, "{:02}", date.year().rem_euclid(100)),
                Part::Month => write!(out, "{:02}", date.month()),
                Part::Day => write!(out, "{:02}", date.day()),
                Part::Hour => write!(out, "{:02}", time.hour()),
                Part::Minute => write!(out, "{:02}", time.minute()),
                Part::Second => write!(out, "{:02}", time.second()),
                Part::Millisecond => write!(out, "{:03}", time.millisecond()),
            };
        }
        Ok(out)
    }

    /// A text as long as any.
    pub(crate) fn longest(&self, moment: Moment) -> Option<String> {
        let year = self.years_from.max(1999);
        let date = Date::new(year, 12, 31).ok()?;
        let time =
            if moment == Moment::Date { Time::midnight() } else { Time::constant(23, 59, 0, 0) };
        self.print(date, time).ok()
    }
}

/// Takes exactly `count` digits off the front.
fn digits(rest: &mut &str, count: usize) -> Option<i16> {
    let (number, after) = rest.split_at_checked(count)?;
    *rest = after;
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok()).flatten()
}

/// An `xs:dateTime` or RFC 3339 time; one without zone is at `offset`.
pub(crate) fn read_date_time(text: &str, offset: Option<Offset>) -> Result<Value, Unfit> {
    const WANTED: Unfit = Unfit::NotA("a date and time with its zone");
    if !super::is_date_time(text) {
        return Err(WANTED);
    }
    let moment = match (text.parse::<Timestamp>(), offset) {
        (Ok(moment), _) => Some(moment),
        (Err(_), Some(offset)) => {
            text.parse::<DateTime>().ok().and_then(|local| offset.to_timestamp(local).ok())
        }
        (Err(_), None) => None,
    };
    let is_whole = |moment: &Timestamp| moment.as_nanosecond() % 1_000_000 == 0;
    moment.filter(is_whole).map(Value::DateTime).ok_or(WANTED)
}

/// `HH:MM:SS`, with milliseconds where there are some.
pub(crate) fn read_time(text: &str) -> Result<Value, Unfit> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':' || byte == b'.');
    let time = text.parse::<Time>().ok().filter(|_| plain && text.len() >= 8);
    let whole = time.filter(|time| time.subsec_nanosecond() % 1_000_000 == 0);
    whole.map(Value::Time).ok_or(Unfit::NotA("a time as HH:MM:SS"))
}

pub(crate) fn write_time(time: Time) -> String {
    let mut out = format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
    if time.millisecond() != 0 {
        // Writing to a string cannot fail.
        let _ = write!(out, ".{:03}", time.millisecond());
    }
    out
}
