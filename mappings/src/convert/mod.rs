//! One value between its wire text and the service's terms. A codec is total in both directions:
//! any text gives a value or a reason, and so does any value.

pub(crate) mod backend;
mod codes;
mod date;
mod decimal;
mod lossy;
mod mask;
mod moment;
mod normalize;
mod number;
mod parts;

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateway_core::{Message, Personal, Value};
use jiff::tz::Offset;

pub(crate) use codes::CodeMap;
pub(crate) use date::{DateForm, is_date_time, is_offset, without_offset, write_date_time};
use date::{read_date, write_day};
pub(crate) use decimal::{DecimalCodec, DecimalForm};
pub(crate) use lossy::Limit;
pub(crate) use mask::Mask;
pub(crate) use moment::{Moment, Pattern};
pub(crate) use normalize::Normal;
pub(crate) use number::PersonRule;
#[cfg(test)]
pub(crate) use number::is_business;
pub(crate) use parts::{Part, Parts};

use crate::unfit::Unfit;

/// How one field is written on the wire.
#[derive(Debug)]
pub(crate) enum Codec {
    Text {
        max: usize,
    },
    Integer {
        min: i128,
        max: i128,
    },
    /// The words for yes and no.
    Flag {
        yes: &'static str,
        no: &'static str,
    },
    Date(DateForm),
    /// Lower-case hex digits of this many bytes.
    Hex {
        length: usize,
    },
    /// At most this many bytes, in base64.
    Base64 {
        max: usize,
    },
    Code(CodeMap),
    Resident(PersonRule),
    Personal {
        max: usize,
    },
    Decimal(DecimalCodec),
    /// `HH:MM:SS`
    Time,
    /// RFC 3339; times without zone are at this offset, and so is what is written.
    DateTime(Option<Offset>),
    /// A day or time in a format of its own.
    Pattern(Pattern, Moment),
    /// A business registration number, written with hyphens or without.
    Business {
        hyphen: bool,
    },
    /// Always this text, whatever the message.
    Constant(String),
    /// Shown in part. Written only.
    Masked(Mask),
    /// Brought to one spelling first.
    Normalized(Vec<Normal>, Box<Codec>),
    /// With less than it had, where the other side cannot hold it.
    Lossy(Limit, Box<Codec>),
    /// Several fields in one text.
    Parts(Parts),
}

impl Codec {
    /// Wire text → value.
    pub(crate) fn read(&self, text: &str) -> Result<Value, Unfit> {
        match self {
            Self::Text { max } => fitting(text, *max).map(|text| Value::Text(text.to_owned())),
            Self::Integer { min, max } => read_integer(text, *min, *max).map(Value::Integer),
            Self::Flag { yes, .. } if text == *yes => Ok(Value::Flag(true)),
            Self::Flag { no, .. } if text == *no => Ok(Value::Flag(false)),
            Self::Flag { .. } => Err(Unfit::NotA("a yes or no")),
            Self::Date(form) => read_date(text, *form).map(Value::Date),
            Self::Hex { length } => read_hex(text, *length).map(Value::Bytes),
            Self::Base64 { max } => read_base64(text, *max).map(Value::Bytes),
            Self::Code(codes) => codes.read(text).map(|name| Value::Text(name.to_owned())),
            Self::Resident(rule) => rule.read(text),
            Self::Personal { max } => {
                fitting(text, *max).map(|text| Value::Personal(Personal::new(text.to_owned())))
            }
            Self::Decimal(decimal) => decimal.read(text),
            Self::Time => moment::read_time(text),
            Self::DateTime(offset) => moment::read_date_time(text, *offset),
            Self::Pattern(pattern, moment) => pattern.read(text, *moment),
            Self::Business { .. } => number::read_business(text),
            Self::Constant(constant) if text == constant => Ok(Value::Flag(true)),
            Self::Constant(_) => Err(Unfit::NotA("what the format always has there")),
            Self::Masked(_) => Err(Unfit::NotA("whole: it is masked")),
            Self::Normalized(steps, inner) => inner.read(&normal(steps, Cow::Borrowed(text))),
            Self::Lossy(limit, inner) => match limit.fit(text) {
                Some(text) => inner.read(&text),
                None => Err(Unfit::Missing),
            },
            Self::Parts(parts) => {
                let mut record = Message::new();
                parts.read(text, &mut record).map(|()| Value::Record(record))
            }
        }
    }

    /// Value → wire text.
    pub(crate) fn write<'v>(&'v self, value: &'v Value) -> Result<Cow<'v, str>, Unfit> {
        match (self, value) {
            (Self::Text { max }, Value::Text(text)) => fitting(text, *max).map(Cow::Borrowed),
            (Self::Integer { min, max }, Value::Integer(number)) => {
                in_range(*number, *min, *max).map(|number| Cow::Owned(number.to_string()))
            }
            (Self::Flag { yes, no }, Value::Flag(flag)) => {
                Ok(Cow::Borrowed(if *flag { yes } else { no }))
            }
            (Self::Date(form), Value::Date(date)) => write_day(*date, *form).map(Cow::Owned),
            (Self::Hex { length }, Value::Bytes(bytes)) => write_hex(bytes, *length),
            (Self::Base64 { max }, Value::Bytes(bytes)) => {
                within(bytes.len(), *max).map(|()| Cow::Owned(STANDARD.encode(bytes)))
            }
            (Self::Code(codes), Value::Text(name)) => codes.write(name).map(Cow::Borrowed),
            (Self::Resident(rule), Value::Resident(number)) => rule.write(number),
            (Self::Personal { max }, Value::Personal(text)) => {
                fitting(text.expose(), *max).map(Cow::Borrowed)
            }
            (Self::Decimal(decimal), Value::Decimal(number)) => decimal.write(*number),
            (Self::Time, Value::Time(time)) => Ok(Cow::Owned(moment::write_time(*time))),
            (Self::DateTime(offset), Value::DateTime(time)) => {
                let mut text = String::with_capacity(29);
                write_date_time(&mut text, *time, offset.unwrap_or(Offset::UTC));
                Ok(Cow::Owned(text))
            }
            (Self::Pattern(pattern, moment), value) => {
                pattern.write(value, *moment).map(Cow::Owned)
            }
            (Self::Business { hyphen }, Value::Text(digits)) => {
                number::write_business(digits, *hyphen)
            }
            (Self::Constant(text), _) => Ok(Cow::Borrowed(text)),
            (Self::Masked(mask), value) => mask.write(value),
            (Self::Normalized(steps, inner), value) => {
                inner.write(value).map(|text| normal(steps, text))
            }
            (Self::Lossy(limit, inner), value) => match inner.write(value)? {
                Cow::Borrowed(text) => limit.fit(text).ok_or(Unfit::Missing),
                Cow::Owned(text) => {
                    limit.fit(&text).map(|text| Cow::Owned(text.into_owned())).ok_or(Unfit::Missing)
                }
            },
            (Self::Parts(parts), Value::Record(record)) => {
                parts.write(record)?.map(Cow::Owned).ok_or(Unfit::Missing)
            }
            _ => Err(Unfit::NotA("of the type that the service promises")),
        }
    }

    /// Whether reading this text loses some of it, as the row declares.
    pub(crate) fn loses(&self, text: &str) -> bool {
        match self {
            Self::Lossy(limit, _) => limit.loses(text),
            Self::Decimal(decimal) => decimal.loses(text),
            Self::Normalized(_, inner) => inner.loses(text),
            _ => false,
        }
    }

    /// Whether writing this value loses some of it, as the row declares.
    pub(crate) fn loses_writing(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Lossy(limit, inner), value) => {
                inner.write(value).is_ok_and(|text| limit.loses(&text))
            }
            (Self::Decimal(decimal), Value::Decimal(number)) => decimal.loses_writing(*number),
            (Self::Normalized(_, inner), value) => inner.loses_writing(value),
            _ => false,
        }
    }

    /// Why a text that was written does not read back as the value it was; nothing when it does.
    pub(crate) fn one_way(&self) -> Option<&'static str> {
        match self {
            Self::Code(codes) if !codes.is_reversible() => Some("several codes stand for one name"),
            Self::Masked(_) => Some("it is masked"),
            Self::Normalized(..) => Some("it is brought to one spelling"),
            Self::Lossy(..) => Some("it may lose a part, as declared"),
            Self::Decimal(decimal) if decimal.truncate => Some("it may lose digits, as declared"),
            Self::Parts(parts) => parts.parts.iter().find_map(|part| part.codec.one_way()),
            _ => None,
        }
    }

    /// Every text it can write where these are few, and otherwise the longest of each shape: what
    /// a field of the wire must be able to hold. Nothing for free text.
    pub(crate) fn extremes(&self) -> Vec<String> {
        match self {
            Self::Text { .. } | Self::Personal { .. } | Self::Base64 { .. } | Self::Masked(_) => {
                vec![]
            }
            Self::Integer { min, max } => vec![min.to_string(), max.to_string()],
            Self::Flag { yes, no } => vec![(*yes).to_owned(), (*no).to_owned()],
            Self::Date(DateForm::Iso) => vec!["9999-12-31".to_owned()],
            Self::Date(DateForm::Compact) => vec!["99991231".to_owned()],
            Self::Hex { length } => vec!["f".repeat(length.saturating_mul(2))],
            Self::Code(codes) => codes.texts().map(str::to_owned).collect(),
            Self::Resident(rule) => vec![rule.longest()],
            Self::Decimal(decimal) => decimal.extremes(),
            Self::Time => vec!["23:59:59.999".to_owned()],
            Self::DateTime(_) => vec!["2026-12-31T23:59:59.999+09:00".to_owned()],
            Self::Pattern(pattern, moment) => pattern.longest(*moment).into_iter().collect(),
            Self::Business { hyphen } => {
                vec![if *hyphen { "124-81-00998" } else { "1248100998" }.to_owned()]
            }
            Self::Constant(text) => vec![text.clone()],
            Self::Normalized(steps, inner) => {
                let texts = inner.extremes().into_iter();
                texts.map(|text| normal(steps, Cow::Owned(text)).into_owned()).collect()
            }
            Self::Lossy(..) => vec![],
            Self::Parts(parts) => parts.longest().into_iter().collect(),
        }
    }
}

fn normal<'t>(steps: &[Normal], text: Cow<'t, str>) -> Cow<'t, str> {
    steps.iter().fold(text, |text, step| step.apply(text))
}

fn fitting(text: &str, max: usize) -> Result<&str, Unfit> {
    if text.chars().any(char::is_control) {
        return Err(Unfit::ControlCharacter);
    }
    // A character has at least one byte, so most texts need no counting.
    if text.len() > max && text.chars().count() > max {
        return Err(Unfit::TooLong { max, unit: "characters" });
    }
    Ok(text)
}

fn in_range(number: i128, min: i128, max: i128) -> Result<i128, Unfit> {
    if (min..=max).contains(&number) { Ok(number) } else { Err(Unfit::OutOfRange { min, max }) }
}

/// Digits, with a minus sign before them where one is meant; nothing else `str::parse` would take.
pub(crate) fn parse_integer(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn read_integer(text: &str, min: i128, max: i128) -> Result<i128, Unfit> {
    let number = parse_integer(text).ok_or(Unfit::NotA("a whole number"))?;
    in_range(number, min, max)
}

fn read_hex(text: &str, length: usize) -> Result<Vec<u8>, Unfit> {
    let refused = Unfit::NotA("an identifier in lower-case hex digits");
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != length || !odd.is_empty() {
        return Err(refused);
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    pairs.iter().map(byte).collect::<Option<_>>().ok_or(refused)
}

/// White space may stand between the digits (XML Schema Part 2, 3.2.16).
fn read_base64(text: &str, max: usize) -> Result<Vec<u8>, Unfit> {
    let decoded = match text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        true => STANDARD.decode(text.split_ascii_whitespace().collect::<String>()),
        false => STANDARD.decode(text),
    };
    let bytes = decoded.map_err(|_| Unfit::NotA("base64"))?;
    within(bytes.len(), max).map(|()| bytes)
}

fn within(length: usize, max: usize) -> Result<(), Unfit> {
    if length <= max { Ok(()) } else { Err(Unfit::TooLong { max, unit: "bytes" }) }
}

fn write_hex(bytes: &[u8], length: usize) -> Result<Cow<'static, str>, Unfit> {
    if bytes.len() != length {
        return Err(Unfit::NotA("an identifier of the right length"));
    }
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('0');
    let digits = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]);
    Ok(Cow::Owned(digits.collect()))
}

#[cfg(test)]
mod tests;
