//! Calendar days and times as wire formats write them.

use std::fmt::Write;

use gateway_core::Value;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::unfit::Unfit;

/// How a day is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateForm {
    /// `YYYY-MM-DD`
    Iso,
    /// `YYYYMMDD`
    Compact,
}

/// Digits only, and exactly as many as the form has.
pub(crate) fn read_date(text: &str, form: DateForm) -> Result<Date, Unfit> {
    let parts = match form {
        DateForm::Iso => split_iso(text),
        DateForm::Compact => (text.len() == 8)
            .then(|| Some((text.get(..4)?, text.get(4..6)?, text.get(6..)?)))
            .flatten(),
    };
    let day = parts.and_then(|(year, month, day)| {
        let (month, day) = (i8::try_from(digits(month)?), i8::try_from(digits(day)?));
        Date::new(digits(year)?, month.ok()?, day.ok()?).ok()
    });
    day.ok_or(Unfit::NotA(match form {
        DateForm::Iso => "a day as YYYY-MM-DD",
        DateForm::Compact => "a day as YYYYMMDD",
    }))
}

fn split_iso(text: &str) -> Option<(&str, &str, &str)> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    (year.len() == 4 && month.len() == 2 && day.len() == 2).then_some((year, month, day))
}

fn digits(text: &str) -> Option<i16> {
    let all = text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

/// The day in its form.
pub(crate) fn write_day(date: Date, form: DateForm) -> Result<String, Unfit> {
    let (year, month, day) = (date.year(), date.month(), date.day());
    match form {
        _ if year < 0 => Err(Unfit::NotA("a day of our era")),
        DateForm::Iso => Ok(format!("{year:04}-{month:02}-{day:02}")),
        DateForm::Compact => Ok(format!("{year:04}{month:02}{day:02}")),
    }
}

/// A day as the number `YYYYMMDD`.
pub(crate) fn day_number(date: Date) -> Result<i128, Unfit> {
    let (year, month, day) = (date.year(), date.month(), date.day());
    if year < 0 {
        return Err(Unfit::NotA("a day of our era"));
    }
    Ok(i128::from(year) * 10_000 + i128::from(month) * 100 + i128::from(day))
}

/// The number `YYYYMMDD` as a day.
pub(crate) fn day_of_number(number: i128) -> Result<Value, Unfit> {
    let refused = Unfit::NotA("a day as the number YYYYMMDD");
    let part = |number: i128| i8::try_from(number % 100).ok();
    let year = i16::try_from(number / 10_000).ok();
    match (number > 0, year, part(number / 100), part(number)) {
        (true, Some(year), Some(month), Some(day)) => {
            Date::new(year, month, day).map(Value::Date).map_err(|_| refused)
        }
        _ => Err(refused),
    }
}

/// Appends an `xs:dateTime` with milliseconds and offset.
pub(crate) fn write_date_time(out: &mut String, time: Timestamp, offset: Offset) {
    let local = offset.to_datetime(time);
    let (date, clock) = (local.date(), local.time());
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}",
        date.year(),
        date.month(),
        date.day(),
        clock.hour(),
        clock.minute(),
        clock.second(),
        clock.millisecond(),
    );
    let minutes = offset.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.abs();
    let _ = write!(out, "{sign}{:02}:{:02}", minutes / 60, minutes % 60);
}

/// Whether a text is an `xs:dateTime` (XML Schema Part 2, 3.2.7), with or without zone.
pub(crate) fn is_date_time(text: &str) -> bool {
    let Some((date, clock)) = text.split_once('T') else {
        return false;
    };
    let clock = clock.strip_suffix('Z').unwrap_or_else(|| without_offset(clock));
    let plain = clock.bytes().all(|byte| byte.is_ascii_digit() || byte == b':' || byte == b'.');
    read_date(date, DateForm::Iso).is_ok()
        && plain
        && clock.len() >= 8
        && clock.parse::<jiff::civil::Time>().is_ok()
}

/// Whether a text such as `+09:00` is an offset that XML Schema allows: fourteen hours at most.
pub(crate) fn is_offset(text: &str) -> bool {
    let digits = |range| text.get(range).and_then(|digits: &str| digits.parse::<u8>().ok());
    match (digits(1..3), digits(4..6)) {
        (Some(14), Some(minutes)) => minutes == 0,
        (Some(hours), Some(minutes)) => hours < 14 && minutes < 60,
        _ => false,
    }
}

/// The text before a zone offset such as `+09:00`.
pub(crate) fn without_offset(text: &str) -> &str {
    let Some(split) = text.len().checked_sub(6).filter(|at| text.is_char_boundary(*at)) else {
        return text;
    };
    let (before, offset) = text.split_at(split);
    match offset.as_bytes() {
        [b'+' | b'-', h1, h2, b':', m1, m2]
            if [h1, h2, m1, m2].iter().all(|byte| byte.is_ascii_digit()) =>
        {
            before
        }
        _ => text,
    }
}
