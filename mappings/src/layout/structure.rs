//! A `google.protobuf.Struct` whose members are known beforehand. It has JSON's data model, so the
//! rules, limits and errors are those of [`super::json`], which reads it through serde; only the
//! values are taken from the decoded message instead of a text.

use std::fmt;
use std::marker::PhantomData;

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::json::{JsonError, JsonKind};
use crate::rows::{Form, Record, Row, Rows, Wire};

/// Whole numbers beyond this are not exact in a double; such fields are strings of digits.
pub(crate) const SAFE_INTEGER: i128 = (1 << 53) - 1;

impl Rows<JsonKind> {
    /// A struct → texts.
    pub(crate) fn parse_struct<'a>(&self, message: &'a Struct) -> Result<Record<'a>, JsonError> {
        self.parse_with(members(message)).map_err(|(refused, Unread)| match refused {
            Some(refused) => refused,
            None => JsonError::NotAnObject,
        })
    }

    /// Texts → a struct. Absent members are left out.
    pub(crate) fn to_struct(&self, record: &Record<'_>) -> Struct {
        let present = self.0.iter().zip(record);
        let present = present.filter_map(|(row, wire)| Some((row, wire.as_ref()?)));
        let fields = present.map(|(row, wire)| (row.name.to_string(), row.to_value(wire)));
        Struct { fields: fields.collect() }
    }
}

impl Row<JsonKind> {
    fn to_value(&self, wire: &Wire<'_>) -> Value {
        let kind = match (&self.form, wire) {
            (Form::List { rows, .. }, Wire::List(records)) => {
                let structs = records.iter().map(|record| rows.to_struct(record));
                let values = structs.map(|each| Value { kind: Some(Kind::StructValue(each)) });
                Kind::ListValue(ListValue { values: values.collect() })
            }
            (Form::Record { rows }, Wire::Record(record)) => {
                Kind::StructValue(rows.to_struct(record))
            }
            (Form::Value { shape: JsonKind::Boolean, .. }, Wire::Text(text)) => {
                Kind::BoolValue(text == "true")
            }
            (Form::Value { shape: JsonKind::Integer, .. }, Wire::Text(text)) => {
                text.parse().map_or(Kind::NullValue(0), Kind::NumberValue)
            }
            (_, Wire::Text(text)) => Kind::StringValue(text.to_string()),
            (_, Wire::List(_) | Wire::Record(_)) => Kind::NullValue(0),
        };
        Value { kind: Some(kind) }
    }
}

/// That a struct could not be read; what was wrong goes to the side, as it does for JSON.
#[derive(Debug)]
pub(crate) struct Unread;

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not read")
    }
}

impl std::error::Error for Unread {}

impl de::Error for Unread {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

type Members<'de, E> = MapDeserializer<'de, MemberPairs<'de>, E>;
type MemberPairs<'de> = std::iter::Map<
    std::collections::btree_map::Iter<'de, String, Value>,
    fn((&'de String, &'de Value)) -> (&'de str, Element<'de>),
>;

fn members<'de, E: de::Error>(message: &'de Struct) -> Members<'de, E> {
    MapDeserializer::new(message.fields.iter().map(|(name, value)| (name.as_str(), Element(value))))
}

/// One value, about to be read.
#[derive(Clone, Copy)]
struct Element<'de>(&'de Value);

impl<'de, E: de::Error> IntoDeserializer<'de, E> for Element<'de> {
    type Deserializer = ElementReader<'de, E>;

    fn into_deserializer(self) -> Self::Deserializer {
        ElementReader(self.0.kind.as_ref(), PhantomData)
    }
}

struct ElementReader<'de, E>(Option<&'de Kind>, PhantomData<E>);

impl<'de, E: de::Error> Deserializer<'de> for ElementReader<'de, E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.0 {
            None | Some(Kind::NullValue(_)) => visitor.visit_unit(),
            Some(Kind::NumberValue(number)) => match safe_integer(*number) {
                Some(integer) => visitor.visit_i64(integer),
                None => visitor.visit_f64(*number),
            },
            Some(Kind::StringValue(text)) => visitor.visit_borrowed_str(text),
            Some(Kind::BoolValue(flag)) => visitor.visit_bool(*flag),
            Some(Kind::StructValue(message)) => visitor.visit_map(members(message)),
            Some(Kind::ListValue(list)) => {
                visitor.visit_seq(SeqDeserializer::new(list.values.iter().map(Element)))
            }
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The whole number that a double says, where it says one exactly.
fn safe_integer(number: f64) -> Option<i64> {
    let is_safe = number.fract() == 0.0 && number.abs() <= SAFE_INTEGER as f64;
    is_safe.then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_whole_numbers_are_integers() {
        let largest = SAFE_INTEGER as f64;
        assert_eq!(safe_integer(-0.0), Some(0));
        assert_eq!(safe_integer(largest), Some((1 << 53) - 1));
        assert_eq!(safe_integer(-largest), Some(1 - (1 << 53)));
        for bad in [0.5, largest + 1.0, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(safe_integer(bad), None, "{bad}");
        }
    }
}
