//! JSON Schema (2020-12) of field tables. Requests: exactly what is accepted. Replies: exactly what
//! may be written.

use gateway_core::Decimal;
use serde_json::{Map, Value, json};

use crate::convert::{Codec, DateForm};
use crate::layout::json::JsonKind;
use crate::resources::Resource;
use crate::rows::{Form, Row, Rows};

/// The object of a request, without the rows that stand `outside` of it.
pub(super) fn request(rows: &Rows<JsonKind>, outside: impl Fn(usize) -> bool) -> Value {
    let inside = rows.0.iter().enumerate().filter(|(at, _)| !outside(*at));
    object(inside.map(|(_, row)| (row, accepted(row))))
}

/// The object of a reply.
pub(super) fn reply(rows: &Rows<JsonKind>) -> Value {
    object(rows.0.iter().map(|row| (row, written(row))))
}

fn object<'r>(members: impl Iterator<Item = (&'r Row<JsonKind>, Value)>) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (row, schema) in members {
        properties.insert(row.name.to_string(), schema);
        if !is_optional(row) {
            required.push(&*row.name);
        }
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// The parameters of a resource: fields in its path, and in its query when it has no body.
pub(super) fn parameters(resource: &Resource, rows: &Rows<JsonKind>) -> Vec<Value> {
    let mut parameters = Vec::new();
    for (at, row) in rows.0.iter().enumerate() {
        let in_path = resource.has_in_path(at);
        if !in_path && resource.method.has_body() {
            continue;
        }
        let Form::Value { codec, shape } = &row.form else {
            continue;
        };
        parameters.push(json!({
            "name": *row.name,
            "in": if in_path { "path" } else { "query" },
            "required": in_path || !is_optional(row),
            "schema": value(codec, *shape),
        }));
    }
    parameters
}

/// A value that stands there by default need not be sent.
fn is_optional(row: &Row<JsonKind>) -> bool {
    !row.required || row.default.is_some()
}

/// What a member of a request may be. Where it may be absent, `null` and the empty text say that it
/// is.
fn accepted(row: &Row<JsonKind>) -> Value {
    let mut schema = match &row.form {
        Form::Value { codec, shape } => value(codec, *shape),
        Form::Record { rows } => request(rows, |_| false),
        Form::List { rows, max, .. } => {
            json!({ "type": "array", "maxItems": max, "items": request(rows, |_| false) })
        }
    };
    if let (Value::Object(schema), Some(default)) = (&mut schema, &row.default) {
        schema.insert("default".to_owned(), default_value(row, default));
    }
    match &row.form {
        _ if !is_optional(row) => schema,
        Form::Value { shape: JsonKind::String, .. } => {
            json!({ "anyOf": [schema, { "enum": ["", null] }] })
        }
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

fn default_value(row: &Row<JsonKind>, text: &str) -> Value {
    match &row.form {
        Form::Value { shape: JsonKind::Integer | JsonKind::Number | JsonKind::Boolean, .. } => {
            serde_json::from_str(text).unwrap_or(Value::Null)
        }
        _ => json!(text),
    }
}

/// What a member of a reply may be.
fn written(row: &Row<JsonKind>) -> Value {
    match &row.form {
        Form::Value { codec, shape } => {
            let mut schema = value(codec, *shape);
            // An answer may hold an empty text; a request's would be none.
            if let Value::Object(schema) = &mut schema {
                schema.remove("minLength");
            }
            schema
        }
        Form::Record { rows } => reply(rows),
        Form::List { rows, max, .. } => {
            json!({ "type": "array", "maxItems": max, "items": reply(rows) })
        }
    }
}

/// A value that is there.
fn value(codec: &Codec, shape: JsonKind) -> Value {
    match (shape, codec) {
        (JsonKind::Boolean, _) => json!({ "type": "boolean" }),
        (JsonKind::Integer, Codec::Integer { min, max }) => {
            json!({ "type": "integer", "minimum": number(*min), "maximum": number(*max) })
        }
        (JsonKind::Integer, _) => json!({ "type": "integer" }),
        (JsonKind::Number, Codec::Decimal(decimal)) => {
            let bound = |units| literal(&Decimal::new(units, decimal.scale).to_string());
            let step = literal(&Decimal::new(1, decimal.wire).to_string());
            json!({
                "type": "number", "multipleOf": step,
                "minimum": bound(decimal.min), "maximum": bound(decimal.max),
            })
        }
        (JsonKind::Number, _) => json!({ "type": "number" }),
        (JsonKind::String, codec) => text(codec),
    }
}

/// A number as JSON reads it.
fn literal(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn number(number: i128) -> Value {
    match i64::try_from(number) {
        Ok(number) => json!(number),
        // Limits are written as 64-bit numbers in services.yaml.
        Err(_) => json!(u64::try_from(number).unwrap_or(u64::MAX)),
    }
}

/// A text that is there, so not an empty one.
fn text(codec: &Codec) -> Value {
    match codec {
        Codec::Text { max } | Codec::Personal { max } => {
            json!({ "type": "string", "minLength": 1, "maxLength": max, "pattern": NO_CONTROLS })
        }
        Codec::Integer { .. } => json!({ "type": "string", "pattern": "^-?[0-9]+$" }),
        Codec::Flag { yes, no } => json!({ "type": "string", "enum": [yes, no] }),
        Codec::Date(DateForm::Iso) => json!({ "type": "string", "pattern": day("-") }),
        Codec::Date(DateForm::Compact) => json!({ "type": "string", "pattern": day("") }),
        Codec::Hex { length } => {
            json!({ "type": "string", "pattern": format!("^[0-9a-f]{{{}}}$", length * 2) })
        }
        Codec::Base64 { max } => json!({
            "type": "string",
            "contentEncoding": "base64",
            "maxLength": max.div_ceil(3).saturating_mul(4),
            "pattern": "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
        }),
        Codec::Code(codes) => {
            json!({ "type": "string", "enum": codes.texts().collect::<Vec<_>>() })
        }
        Codec::Resident(_) => json!({ "type": "string", "pattern": resident_number() }),
        Codec::Business { .. } => {
            json!({ "type": "string", "pattern": "^([0-9]{10}|[0-9]{3}-[0-9]{2}-[0-9]{5})$" })
        }
        Codec::Constant(text) => json!({ "const": text }),
        Codec::DateTime(_) => json!({ "type": "string", "format": "date-time" }),
        // No pattern says their formats.
        Codec::Decimal(_)
        | Codec::Time
        | Codec::Pattern(..)
        | Codec::Masked(_)
        | Codec::Normalized(..)
        | Codec::Lossy(..)
        | Codec::Parts(_) => json!({ "type": "string" }),
    }
}

/// No control characters (Unicode category Cc).
const NO_CONTROLS: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$";

/// Years that have a 29 February, of their last two digits, but for 00.
const LEAP: &str = "(?:0[48]|[2468][048]|[13579][26])";

/// A day of the calendar, and no other ten or eight characters.
fn day(hyphen: &str) -> String {
    let century = "(?:[02468][048]|[13579][26])";
    let leap = format!("(?:[0-9]{{2}}{LEAP}|{century}00)");
    format!("^(?:[0-9]{{4}}{hyphen}(?:{})|{leap}{hyphen}02{hyphen}29)$", month_and_day(hyphen))
}

/// The days that every year has.
fn month_and_day(hyphen: &str) -> String {
    format!(
        "(?:0[13578]|1[02]){hyphen}(?:0[1-9]|[12][0-9]|3[01])\
         |(?:0[469]|11){hyphen}(?:0[1-9]|[12][0-9]|30)\
         |02{hyphen}(?:0[1-9]|1[0-9]|2[0-8])"
    )
}

/// Thirteen digits that begin with a date of birth of the century that the seventh names: 1900 and
/// 1800 had no 29 February, 2000 had.
fn resident_number() -> String {
    let any_year = format!("[0-9]{{2}}(?:{})-?[0-9]{{7}}", month_and_day(""));
    format!("^(?:{any_year}|{LEAP}0229-?[0-9]{{7}}|000229-?[3478][0-9]{{6}})$")
}
