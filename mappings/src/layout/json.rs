//! A JSON object whose members are known beforehand, read without an intermediate tree. Unknown
//! and repeated members are refused. Errors never repeat what was read.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::rows::{Form, Record, Row, Rows, Wire};
use crate::unfit::{FieldError, Unfit};

/// The JSON type of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonKind {
    String,
    Integer,
    /// With a point; at most [`DIGITS`] digits, which a double holds exactly.
    Number,
    Boolean,
}

/// The digits of a number that survive every JSON library (IEEE 754 binary64).
const DIGITS: usize = 15;

impl JsonKind {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "string" => Some(Self::String),
            "integer" => Some(Self::Integer),
            "number" => Some(Self::Number),
            "boolean" => Some(Self::Boolean),
            _ => None,
        }
    }
}

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JsonError {
    #[error("the body is not UTF-8")]
    NotUtf8,
    #[error("the body begins with a byte order mark, which JSON does not allow")]
    ByteOrderMark,
    #[error("not JSON, at line {line} column {column}")]
    Syntax { line: usize, column: usize },
    #[error(transparent)]
    Field(#[from] FieldError),
    #[error("the body has a member that this service does not know")]
    UnknownMember,
    #[error("the body is not an object")]
    NotAnObject,
}

impl Rows<JsonKind> {
    /// A whole body → texts.
    pub(crate) fn parse<'a>(&self, body: &'a [u8]) -> Result<Record<'a>, JsonError> {
        let text = std::str::from_utf8(body).map_err(|_| JsonError::NotUtf8)?;
        if text.starts_with('\u{feff}') {
            return Err(JsonError::ByteOrderMark);
        }
        let mut reader = serde_json::Deserializer::from_str(text);
        let read = self.parse_with(&mut reader);
        let read = read.and_then(|record| match reader.end() {
            Ok(()) => Ok(record),
            Err(error) => Err((None, error)),
        });
        read.map_err(|(refused, error)| match refused {
            Some(refused) => refused,
            None if error.is_data() => JsonError::NotAnObject,
            None => JsonError::Syntax { line: error.line(), column: error.column() },
        })
    }

    /// Whatever has JSON's data model → texts. An error is what was refused here, or else the
    /// reader's own.
    pub(crate) fn parse_with<'de, D: Deserializer<'de>>(
        &self,
        reader: D,
    ) -> Result<Record<'de>, (Option<JsonError>, D::Error)> {
        let mut refused = None;
        let object = Object { rows: self, refused: &mut refused };
        object.deserialize(reader).map_err(|error| (refused, error))
    }

    /// Texts → an object. Absent members are left out.
    pub(crate) fn print(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        out.push(b'{');
        let present = self.0.iter().zip(record);
        let present = present.filter_map(|(row, wire)| Some((row, wire.as_ref()?)));
        for (index, (row, wire)) in present.enumerate() {
            if index > 0 {
                out.push(b',');
            }
            push_string(out, &row.name);
            out.push(b':');
            row.print(wire, out);
        }
        out.push(b'}');
    }
}

impl Row<JsonKind> {
    fn print(&self, wire: &Wire<'_>, out: &mut Vec<u8>) {
        match (&self.form, wire) {
            (Form::List { rows, .. }, Wire::List(records)) => {
                out.push(b'[');
                for (index, record) in records.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    rows.print(record, out);
                }
                out.push(b']');
            }
            (Form::Record { rows }, Wire::Record(record)) => rows.print(record, out),
            (Form::Value { shape, .. }, Wire::Text(text)) if *shape != JsonKind::String => {
                out.extend_from_slice(text.as_bytes());
            }
            (_, Wire::Text(text)) => push_string(out, text),
            (_, Wire::Record(_) | Wire::List(_)) => out.extend_from_slice(b"null"),
        }
    }
}

fn push_string(out: &mut Vec<u8>, text: &str) {
    // Writing a string into memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// Reads one object by its rows. The reason of a refusal goes to the side: serde's own error would
/// repeat the value.
struct Object<'r> {
    rows: &'r Rows<JsonKind>,
    refused: &'r mut Option<JsonError>,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = Record<'de>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = Record<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut record: Record<'de> = self.rows.0.iter().map(|_| None).collect();
        let mut seen = vec![false; record.len()];
        while let Some(name) = members.next_key_seed(Text)? {
            let place = self.rows.position(&name);
            let place = place.and_then(|at| Some((at, self.rows.0.get(at)?)));
            let Some((at, row)) = place else {
                *self.refused = Some(JsonError::UnknownMember);
                return Err(A::Error::custom("refused"));
            };
            if seen.get(at).copied().unwrap_or(true) {
                *self.refused = Some(FieldError::new(&row.name, Unfit::Repeated).into());
                return Err(A::Error::custom("refused"));
            }
            let value = members.next_value_seed(Member { row, refused: self.refused })?;
            if let (Some(place), Some(seen)) = (record.get_mut(at), seen.get_mut(at)) {
                *place = value;
                *seen = true;
            }
        }
        Ok(record)
    }
}

/// A text, borrowed where it needs no unescaping.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// One member of the type that its row names; `null` is an absent one.
struct Member<'r> {
    row: &'r Row<JsonKind>,
    refused: &'r mut Option<JsonError>,
}

impl Member<'_> {
    fn wanted(&self) -> &'static str {
        match &self.row.form {
            Form::List { .. } => "a JSON array of objects",
            Form::Record { .. } => "a JSON object",
            Form::Value { shape, .. } => match shape {
                JsonKind::String => "a JSON string",
                JsonKind::Integer => "a JSON integer",
                JsonKind::Number => "a JSON number of 15 digits at most",
                JsonKind::Boolean => "a JSON boolean",
            },
        }
    }

    fn accept<'de, E: Error>(
        self,
        kind: JsonKind,
        text: Cow<'de, str>,
    ) -> Result<Option<Wire<'de>>, E> {
        match &self.row.form {
            Form::Value { shape, .. } if *shape == kind => Ok(Some(Wire::Text(text))),
            _ => self.refuse(),
        }
    }

    /// An integer where a number is wanted is one.
    fn whole<'de, E: Error>(self, text: String) -> Result<Option<Wire<'de>>, E> {
        let kind = match &self.row.form {
            Form::Value { shape: JsonKind::Number, .. } => JsonKind::Number,
            _ => JsonKind::Integer,
        };
        self.accept(kind, Cow::Owned(text))
    }

    fn refuse<T, E: Error>(self) -> Result<T, E> {
        let why = Unfit::NotA(self.wanted());
        *self.refused = Some(FieldError::new(&self.row.name, why).into());
        Err(E::custom("refused"))
    }
}

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = Option<Wire<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<Wire<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wanted())
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        self.accept(JsonKind::String, Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        self.accept(JsonKind::String, Cow::Owned(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Self::Value, E> {
        let text = if flag { "true" } else { "false" };
        self.accept(JsonKind::Boolean, Cow::Borrowed(text))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        self.whole(number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        self.whole(number.to_string())
    }

    /// JSON has one kind of number: `1.0` and `1e3` are whole too, as JSON Schema has it. Beyond what
    /// a double holds exactly the digits are not known any more, so it is refused.
    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if matches!(&self.row.form, Form::Value { shape: JsonKind::Number, .. }) {
            // The shortest text that is this number: the one that was sent, up to so many digits.
            let text = (number + 0.0).to_string();
            return match text.bytes().filter(u8::is_ascii_digit).count() <= DIGITS {
                true => self.accept(JsonKind::Number, Cow::Owned(text)),
                false => self.refuse(),
            };
        }
        match number.fract() == 0.0 && number.abs() <= EXACT {
            true => self.accept(JsonKind::Integer, Cow::Owned(format!("{:.0}", number + 0.0))),
            false => self.refuse(),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        let Form::Record { rows } = &self.row.form else {
            return self.refuse();
        };
        let object = Object { rows, refused: self.refused };
        object.visit_map(members).map(|record| Some(Wire::Record(record)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let Form::List { rows, max, .. } = &self.row.form else {
            return self.refuse();
        };
        let mut records = Vec::new();
        loop {
            if records.len() == *max {
                if entries.next_element::<IgnoredAny>()?.is_some() {
                    let why = Unfit::TooManyRecords { max: *max };
                    *self.refused = Some(FieldError::new(&self.row.name, why).into());
                    return Err(A::Error::custom("refused"));
                }
                return Ok(Some(Wire::List(records)));
            }
            let refused = &mut *self.refused;
            match entries.next_element_seed(Object { rows, refused })? {
                Some(record) => records.push(record),
                None => return Ok(Some(Wire::List(records))),
            }
        }
    }
}
