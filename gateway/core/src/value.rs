//! What a message is made of once it has left its wire format: named, typed values.
//!
//! No value prints: `Debug` shows the type alone, whatever the field's class of secrecy. Personal
//! values have types of their own besides, which cannot be serialized and are wiped when dropped.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{Decimal, Loss, Personal, ResidentNumber};

/// One typed value of a message.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Text that names no person.
    Text(String),
    /// A whole number; amounts are whole won.
    Integer(i128),
    /// A number with a fixed count of digits after its point.
    Decimal(Decimal),
    /// A yes or no.
    Flag(bool),
    /// A calendar day without a zone.
    Date(Date),
    /// A time of day without a zone.
    Time(Time),
    /// A moment.
    DateTime(Timestamp),
    /// Opaque bytes: ledger identifiers, pseudonyms.
    Bytes(Vec<u8>),
    /// Fields that belong together.
    Record(Message),
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

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text"),
            Self::Integer(_) => f.write_str("Integer"),
            Self::Decimal(_) => f.write_str("Decimal"),
            Self::Flag(_) => f.write_str("Flag"),
            Self::Date(_) => f.write_str("Date"),
            Self::Time(_) => f.write_str("Time"),
            Self::DateTime(_) => f.write_str("DateTime"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Record(record) => record.fmt(f),
            Self::List(records) => records.fmt(f),
            Self::Resident(_) => f.write_str("Resident"),
            Self::Personal(_) => f.write_str("Personal"),
        }
    }
}

/// Named values of one request or answer, in the terms of the service definition.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Message {
    fields: BTreeMap<String, Value>,
    #[serde(skip)]
    losses: Vec<Loss>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fields.fmt(f)
    }
}

impl Message {
    /// An empty message.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value named `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    /// Sets `name`, replacing what was there.
    pub fn set(&mut self, name: impl Into<String>, value: Value) {
        self.fields.insert(name.into(), value);
    }

    /// The value at the end of a path through records.
    pub fn at<N: AsRef<str>>(&self, path: &[N]) -> Option<&Value> {
        let (last, records) = path.split_last()?;
        let mut message = self;
        for name in records {
            let Value::Record(record) = message.get(name.as_ref())? else {
                return None;
            };
            message = record;
        }
        message.get(last.as_ref())
    }

    /// Sets the value at the end of a path, making the records on the way. What stands in the way
    /// and is no record stays.
    pub fn set_at<N: AsRef<str>>(&mut self, path: &[N], value: Value) {
        match path {
            [] => {}
            [name] => self.set(name.as_ref(), value),
            [name, rest @ ..] => {
                let record = self.fields.entry(name.as_ref().to_owned());
                let record = record.or_insert_with(|| Value::Record(Self::new()));
                if let Value::Record(record) = record {
                    record.set_at(rest, value);
                }
            }
        }
    }

    /// Notes that a value is in here with less than what came in.
    pub fn lose(&mut self, loss: Loss) {
        self.losses.push(loss);
    }

    /// What was lost on the way into this message, as its mapping declares.
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// Keeps only the fields for which `keep` answers true.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.fields.retain(|name, _| keep(name));
    }

    /// All fields, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// One byte string per message and no two alike, for keyed digests. Personal values are in it
    /// in the clear, so it is wiped when dropped and goes nowhere else.
    pub fn canonical(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(256));
        self.write_canonical(&mut out);
        out
    }

    fn write_canonical(&self, out: &mut Vec<u8>) {
        write_counted(out, b'{', self.fields.len());
        for (name, value) in &self.fields {
            write_bytes(out, b'k', name.as_bytes());
            match value {
                Value::Text(text) => write_bytes(out, b't', text.as_bytes()),
                Value::Integer(number) => write_bytes(out, b'i', &number.to_be_bytes()),
                Value::Decimal(number) => write_bytes(out, b'n', number.to_string().as_bytes()),
                Value::Flag(flag) => write_bytes(out, b'f', &[u8::from(*flag)]),
                Value::Date(date) => write_bytes(out, b'd', date.to_string().as_bytes()),
                Value::Time(time) => write_bytes(out, b'c', time.to_string().as_bytes()),
                Value::DateTime(time) => write_bytes(out, b'm', time.to_string().as_bytes()),
                Value::Bytes(bytes) => write_bytes(out, b'b', bytes),
                Value::Resident(number) => write_bytes(out, b'r', number.expose().as_bytes()),
                Value::Personal(text) => write_bytes(out, b'p', text.expose().as_bytes()),
                Value::Record(record) => {
                    out.push(b'o');
                    record.write_canonical(out);
                }
                Value::List(records) => {
                    write_counted(out, b'[', records.len());
                    records.iter().for_each(|record| record.write_canonical(out));
                }
            }
        }
    }

    /// True when it holds no field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
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
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value)).collect();
        Self { fields, losses: vec![] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_prints() {
        let inner: Message =
            [("name", Value::Personal(Personal::new("홍길동".into())))].into_iter().collect();
        let message: Message = [
            ("a", Value::Text("diagnosis".into())),
            ("b", Value::Integer(4_200_000)),
            ("c", Value::Date(Date::constant(1990, 1, 1))),
            ("d", Value::Resident(ResidentNumber::parse("900101-1234567").unwrap())),
            ("e", Value::Decimal(Decimal::new(4_200_000, 2))),
            ("f", Value::Bytes(b"diagnosis".to_vec())),
            ("g", Value::Record(inner.clone())),
            ("h", Value::List(vec![inner])),
        ]
        .into_iter()
        .collect();
        let shown = format!("{message:?}");
        assert!(shown.contains("Integer") && shown.contains("name"));
        for secret in ["diagnosis", "42", "1990", "900101", "홍"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn personal_values_do_not_serialize() {
        let resident = Value::Resident(ResidentNumber::parse("900101-1234567").unwrap());
        let name = Value::Personal(Personal::new("홍길동".into()));
        assert!(serde_json::to_string(&resident).is_err());
        let record: Message = [("name", name)].into_iter().collect();
        assert!(serde_json::to_string(&Value::Record(record)).is_err());
    }

    #[test]
    fn no_two_messages_have_one_canonical_form() {
        let flat: Message =
            [("a", Value::Integer(1)), ("b", Value::Integer(2))].into_iter().collect();
        let inner: Message = [("b", Value::Integer(2))].into_iter().collect();
        let nested: Message =
            [("a", Value::Integer(1)), ("", Value::Record(inner))].into_iter().collect();
        let decimal: Message = [("a", Value::Decimal(Decimal::new(10, 1)))].into_iter().collect();
        let whole: Message = [("a", Value::Integer(1))].into_iter().collect();
        assert_ne!(flat.canonical(), nested.canonical());
        assert_ne!(decimal.canonical(), whole.canonical());
    }

    #[test]
    fn a_path_leads_through_records() {
        let mut message = Message::new();
        message.set_at(&["address", "city"], Value::Text("부산".into()));
        message.set_at(&["address", "zip"], Value::Text("48058".into()));
        message.set_at(&["address", "zip", "extra"], Value::Flag(true));
        assert_eq!(message.at(&["address", "zip"]).unwrap().as_text(), Some("48058"));
        assert!(message.at(&["address", "zip", "extra"]).is_none());
        assert!(message.at(&["address", "street"]).is_none());
        assert!(message.at::<&str>(&[]).is_none());
    }
}
