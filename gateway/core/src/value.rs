//! What a message is made of once it has left its wire format: named, typed values.
//!
//! Personal values have types of their own, whose `Debug` is masked, which cannot be serialized,
//! and which are wiped from memory when dropped.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// One typed value of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Text that names no person.
    Text(String),
    /// A whole number; amounts are whole won.
    Integer(i128),
    /// A yes or no.
    Flag(bool),
    /// A calendar day without a zone.
    Date(Date),
    /// Opaque bytes: ledger identifiers, pseudonyms.
    Bytes(Vec<u8>),
    /// Records of one shape, in order.
    List(Vec<Message>),
    /// A resident registration number. Never serialized.
    #[serde(skip)]
    Resident(ResidentNumber),
    /// Other text about a person: a name, an account. Never serialized.
    #[serde(skip)]
    Personal(Personal),
}

impl Value {
    /// The text of a [`Value::Text`].
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Named values of one request or answer, in the terms of the service definition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Message(BTreeMap<String, Value>);

impl Message {
    /// An empty message.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value named `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Sets `name`, replacing what was there.
    pub fn set(&mut self, name: impl Into<String>, value: Value) {
        self.0.insert(name.into(), value);
    }

    /// Keeps only the fields for which `keep` answers true.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.0.retain(|name, _| keep(name));
    }

    /// All fields, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// One byte string per message and no two alike, for keyed digests. Personal values are in it
    /// in the clear, so it is wiped when dropped and goes nowhere else.
    pub fn canonical(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(256));
        self.write_canonical(&mut out);
        out
    }

    fn write_canonical(&self, out: &mut Vec<u8>) {
        write_counted(out, b'{', self.0.len());
        for (name, value) in &self.0 {
            write_bytes(out, b'k', name.as_bytes());
            match value {
                Value::Text(text) => write_bytes(out, b't', text.as_bytes()),
                Value::Integer(number) => write_bytes(out, b'i', &number.to_be_bytes()),
                Value::Flag(flag) => write_bytes(out, b'f', &[u8::from(*flag)]),
                Value::Date(date) => write_bytes(out, b'd', date.to_string().as_bytes()),
                Value::Bytes(bytes) => write_bytes(out, b'b', bytes),
                Value::Resident(number) => write_bytes(out, b'r', number.expose().as_bytes()),
                Value::Personal(text) => write_bytes(out, b'p', text.expose().as_bytes()),
                Value::List(records) => {
                    write_counted(out, b'[', records.len());
                    records.iter().for_each(|record| record.write_canonical(out));
                }
            }
        }
    }

    /// True when it holds no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn write_counted(out: &mut Vec<u8>, tag: u8, count: usize) {
    out.push(tag);
    out.extend_from_slice(&(count as u64).to_be_bytes());
}

fn write_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    write_counted(out, tag, bytes.len());
    out.extend_from_slice(bytes);
}

impl<N: Into<String>> FromIterator<(N, Value)> for Message {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

/// A Korean resident registration number: thirteen digits, birth date first.
///
/// The check digit is not demanded: numbers issued since October 2020 carry none.
#[derive(Clone, PartialEq, Eq)]
pub struct ResidentNumber(Zeroizing<String>);

/// Why a text is not a resident registration number. It does not repeat the text.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a resident registration number: {0}")]
pub struct InvalidResidentNumber(&'static str);

impl ResidentNumber {
    /// Reads `YYMMDDSNNNNNN`, with or without the customary hyphen before `S`.
    ///
    /// # Errors
    /// When it is not thirteen digits, or they do not begin with a calendar day of the century
    /// that the seventh digit names.
    pub fn parse(text: &str) -> Result<Self, InvalidResidentNumber> {
        let digits: Zeroizing<String> = match text.split_once('-') {
            Some((birth, rest)) if birth.len() == 6 => Zeroizing::new([birth, rest].concat()),
            Some(_) => return Err(InvalidResidentNumber("hyphen in the wrong place")),
            None => Zeroizing::new(text.to_owned()),
        };
        if digits.len() != 13 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidResidentNumber("thirteen digits wanted"));
        }
        let number = |range: std::ops::Range<usize>| {
            digits.get(range).and_then(|part| part.parse::<i16>().ok()).unwrap_or_default()
        };
        let century = match number(6..7) {
            9 | 0 => 1800,
            1 | 2 | 5 | 6 => 1900,
            _ => 2000,
        };
        Date::new(century + number(0..2), number(2..4) as i8, number(4..6) as i8)
            .map_err(|_| InvalidResidentNumber("does not begin with a date of birth"))?;
        Ok(Self(digits))
    }

    /// The thirteen digits. Every caller of this is a place where personal data is in the clear.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ResidentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResidentNumber(******-*******)")
    }
}

/// Text about a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Personal(Zeroizing<String>);

impl Personal {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text. Every caller of this is a place where personal data is in the clear.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resident_number_begins_with_a_date_of_birth() {
        for good in ["900101-1234567", "9001011234567", "0002293000000", "8812315000000"] {
            assert!(ResidentNumber::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "900101", "901301-1234567", "9001-011234567", "000230-3000000", "９０0101"]
        {
            assert!(ResidentNumber::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn personal_values_neither_print_nor_serialize() {
        let resident = Value::Resident(ResidentNumber::parse("900101-1234567").unwrap());
        let name = Value::Personal(Personal::new("홍길동".into()));
        assert!(!format!("{resident:?}{name:?}").contains("900101"));
        assert!(!format!("{resident:?}{name:?}").contains("홍"));
        assert!(serde_json::to_string(&resident).is_err());
        assert!(serde_json::to_string(&name).is_err());
    }
}
