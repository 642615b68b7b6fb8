//! Messages as JSON that a person can read: texts, numbers and flags as they are, everything else
//! named by its type, e.g. `{"resident": "9001011234567"}`.

use gateway_core::{Decimal, Fault, Kind, Message, Personal, ResidentNumber, Value};
use serde_json::{Map, Value as Json, json};

use crate::convert::backend::{ascii, text_of};
use crate::convert::{Codec, DateForm};

/// Any outcome as pretty JSON with a line end. Members are sorted: whether `serde_json` keeps their
/// order depends on what else is built with it.
pub(crate) fn pretty(value: &Json) -> Vec<u8> {
    let mut value = value.clone();
    value.sort_all_objects();
    format!("{value:#}\n").into_bytes()
}

/// What is compared of a fault.
pub(crate) fn fault(fault: &Fault) -> Json {
    json!({ "fault": { "kind": fault.kind, "code": fault.code, "public": fault.public } })
}

pub(crate) fn message(message: &Message) -> Json {
    let fields = message.iter().map(|(name, field)| (name.to_owned(), value(field)));
    Json::Object(fields.collect())
}

pub(crate) fn value(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Integer(number) => match i64::try_from(*number) {
            Ok(number) => json!(number),
            Err(_) => json!({ "integer": number.to_string() }),
        },
        Value::Flag(flag) => json!(flag),
        Value::Date(date) => json!({ "date": date.to_string() }),
        Value::Bytes(bytes) => match text_of(bytes) {
            Ok(text) if !text.is_empty() => json!({ "ascii": text }),
            _ => json!({ "hex": hex(bytes) }),
        },
        Value::Decimal(number) => json!({ "decimal": number.to_string() }),
        Value::Time(time) => json!({ "time": time.to_string() }),
        Value::DateTime(time) => json!({ "dateTime": time.to_string() }),
        Value::Record(record) => json!({ "record": message(record) }),
        Value::List(list) => Json::Array(list.iter().map(message).collect()),
        Value::Resident(number) => json!({ "resident": number.expose() }),
        Value::Personal(text) => json!({ "personal": text.expose() }),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads what [`message`] writes.
pub(crate) fn read_message(json: &Json) -> Result<Message, String> {
    let fields = json.as_object().ok_or("an object of fields is wanted")?;
    let read = fields.iter().map(|(name, json)| Ok((name.clone(), read_value(name, json)?)));
    read.collect()
}

fn read_value(name: &str, json: &Json) -> Result<Value, String> {
    let value = match json {
        Json::String(text) => Some(Value::Text(text.clone())),
        Json::Number(number) => number.as_i64().map(|number| Value::Integer(number.into())),
        Json::Bool(flag) => Some(Value::Flag(*flag)),
        Json::Array(list) => {
            let list = list.iter().map(read_message).collect::<Result<_, _>>()?;
            Some(Value::List(list))
        }
        Json::Object(tagged) => read_tagged(tagged),
        Json::Null => None,
    };
    value.ok_or_else(|| format!("`{name}` is not a value"))
}

fn read_tagged(tagged: &Map<String, Json>) -> Option<Value> {
    let (tag, text) = tagged.iter().next()?;
    if tag == "record" {
        return read_message(text).ok().map(Value::Record);
    }
    let text = text.as_str()?;
    match tag.as_str() {
        "integer" => text.parse().ok().map(Value::Integer),
        "decimal" => Decimal::parse(text).map(Value::Decimal),
        "time" => Codec::Time.read(text).ok(),
        "dateTime" => Codec::DateTime(None).read(text).ok(),
        "date" => Codec::Date(DateForm::Iso).read(text).ok(),
        "ascii" => ascii(text).ok().map(Value::Bytes),
        "hex" => Codec::Hex { length: text.len() / 2 }.read(text).ok(),
        "resident" => ResidentNumber::parse(text).ok().map(Value::Resident),
        "personal" => Some(Value::Personal(Personal::new(text.to_owned()))),
        _ => None,
    }
}

/// Reads a fault as a case gives it: `kind`, `code`, `public`.
pub(crate) fn read_fault(json: &Json) -> Result<Fault, String> {
    let text = |name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let kind = Kind::ALL.into_iter().find(|kind| kind.to_string() == text("kind"));
    let kind = kind.ok_or_else(|| format!("`{}` is not a kind of fault", text("kind")))?;
    Ok(Fault::new(kind, text("code"), text("public")))
}
