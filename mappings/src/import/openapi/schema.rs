//! JSON Schemas → fields, as far as a mapping can say them.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::Document;
use crate::import::ImportError;
use crate::import::fields::{
    Codes, Field, MAX_FIELDS, Note, Shape, Table, Term, UNLIMITED_BINARY, UNLIMITED_LIST,
    UNLIMITED_TEXT, Value, Wire,
};

/// Objects within objects at most.
const MAX_DEPTH: usize = 20;
/// What a number holds that has no bounds of its own: a double has it exactly.
const SCALE: u8 = 4;
const LARGEST: i64 = 1_000_000_000;
/// Values of an enumeration that becomes a code table.
const MAX_CODES: usize = 1000;

/// Turns schemas into fields.
pub(super) struct Walk<'d> {
    pub(super) document: &'d Document,
    pub(super) codes: Codes,
    made: usize,
    /// The references being followed.
    open: Vec<&'d str>,
}

/// The properties of an object, those of all that it is made of.
#[derive(Default)]
struct Object<'d> {
    properties: BTreeMap<&'d str, &'d Json>,
    required: Vec<&'d str>,
}

/// What a schema makes of a field.
pub(super) struct Made {
    pub(super) shape: Shape,
    nullable: bool,
    may_be_empty: bool,
    unsaid: Vec<String>,
}

/// Why a schema makes no field, or an error of the whole.
pub(super) enum Stop {
    Unsaid(String),
    Failed(ImportError),
}

impl From<String> for Stop {
    fn from(why: String) -> Self {
        Self::Unsaid(why)
    }
}

fn unsaid<T>(why: &str) -> Result<T, Stop> {
    Err(Stop::Unsaid(why.to_owned()))
}

impl<'d> Walk<'d> {
    pub(super) fn new(document: &'d Document) -> Self {
        Self { document, codes: Codes::default(), made: 0, open: vec![] }
    }

    /// The fields of a body, which is an object.
    pub(super) fn body(&mut self, schema: &'d Json, path: &str) -> Result<Table, Stop> {
        match self.schema(schema, path, "body")?.shape {
            Shape::Record(table) => Ok(table),
            _ => unsaid("a body is an object in a mapping"),
        }
    }

    /// The field of a member or a parameter.
    pub(super) fn field(
        &mut self,
        name: &str,
        schema: &'d Json,
        required: bool,
        path: &str,
    ) -> Result<Field, Stop> {
        self.made = self.made.saturating_add(1);
        if self.made > MAX_FIELDS {
            return Err(Stop::Failed(ImportError::TooLarge { most: MAX_FIELDS }));
        }
        let path = format!("{path}.{name}");
        let made = self.schema(schema, &path, name)?;
        let is_value = matches!(made.shape, Shape::Value(_));
        let may_be_empty = is_value && made.may_be_empty;
        let notes = made.unsaid.into_iter().map(|says| Note { path: path.clone(), says });
        Ok(Field {
            wire: Wire::Element { space: "".into(), name: name.to_owned() },
            name: String::new(),
            required: required && !made.nullable && !may_be_empty,
            present: required && may_be_empty,
            default: None,
            shape: made.shape,
            notes: notes.collect(),
        })
    }

    fn schema(&mut self, schema: &'d Json, path: &str, hint: &str) -> Result<Made, Stop> {
        let (schema, reference) = self.document.follow(schema)?;
        if reference.is_some_and(|known| self.open.contains(&known)) {
            return unsaid("a type within itself is cut off");
        }
        if self.open.len() >= MAX_DEPTH {
            return unsaid("objects are nested too deeply");
        }
        self.open.push(reference.unwrap_or_default());
        let made = self.made_of(schema, path, reference.and_then(last).unwrap_or(hint));
        self.open.pop();
        made
    }

    fn made_of(&mut self, schema: &'d Json, path: &str, hint: &str) -> Result<Made, Stop> {
        if let Some(inner) = either_null(schema) {
            let mut made = self.schema(inner, path, hint)?;
            made.nullable = true;
            return Ok(made);
        }
        if schema.get("oneOf").is_some() || schema.get("anyOf").is_some() {
            return unsaid("one of several types");
        }
        let (kind, null) = type_of(schema);
        let nullable = null || schema.get("nullable") == Some(&Json::Bool(true));
        let mut notes = Vec::new();
        let mut may_be_empty = false;
        let shape = match kind {
            Some("object") => Shape::Record(self.object(schema, path)?),
            Some("array") => self.array(schema, path, hint)?,
            Some("boolean") => value("boolean", Term::Flag),
            Some("integer") => integer(schema),
            Some("number") => number(schema, &mut notes),
            Some("string") => {
                let value = self.string(schema, hint, &mut notes);
                may_be_empty = matches!(value.term, Term::Text { .. })
                    && whole(schema, "minLength").unwrap_or(0) < 1;
                Shape::Value(value)
            }
            _ => return unsaid("any value at all"),
        };
        Ok(Made { shape, nullable, may_be_empty, unsaid: notes })
    }

    fn object(&mut self, schema: &'d Json, path: &str) -> Result<Table, Stop> {
        let mut object = Object::default();
        self.gather(schema, &mut object, 0)?;
        if object.properties.is_empty() && schema.get("additionalProperties").is_some() {
            return unsaid("an object whose members have any name");
        }
        let mut table = Table::default();
        for (name, schema) in object.properties {
            match self.field(name, schema, object.required.contains(&name), path) {
                Ok(field) => drop(table.add(field)),
                Err(Stop::Unsaid(why)) => {
                    let says = format!("{why}: the member is refused");
                    table.notes.push(Note { path: format!("{path}.{name}"), says });
                }
                Err(failed) => return Err(failed),
            }
        }
        Ok(table)
    }

    /// Takes the properties of a schema and of all that `allOf` says it is besides.
    fn gather(&self, schema: &'d Json, object: &mut Object<'d>, depth: usize) -> Result<(), Stop> {
        if depth > MAX_DEPTH {
            return unsaid("objects are nested too deeply");
        }
        for part in schema.get("allOf").and_then(Json::as_array).into_iter().flatten() {
            let (part, _) = self.document.follow(part)?;
            self.gather(part, object, depth.saturating_add(1))?;
        }
        let properties = schema.get("properties").and_then(Json::as_object);
        for (name, schema) in properties.into_iter().flatten() {
            object.properties.insert(name, schema);
        }
        let required = schema.get("required").and_then(Json::as_array);
        object.required.extend(required.into_iter().flatten().filter_map(Json::as_str));
        Ok(())
    }

    fn array(&mut self, schema: &'d Json, path: &str, hint: &str) -> Result<Shape, Stop> {
        let Some(items) = schema.get("items") else { return unsaid("an array of any values") };
        match self.schema(items, path, hint)?.shape {
            Shape::Record(table) => {
                let max = whole(schema, "maxItems").and_then(|max| usize::try_from(max).ok());
                Ok(Shape::List { max: max.unwrap_or(UNLIMITED_LIST).max(1), table })
            }
            _ => unsaid("an array whose entries are no objects"),
        }
    }

    fn string(&mut self, schema: &'d Json, hint: &str, notes: &mut Vec<String>) -> Value {
        if let Some(pattern) = schema.get("pattern").and_then(Json::as_str) {
            notes.push(format!("the pattern {pattern} is not checked"));
        }
        let least = whole(schema, "minLength").unwrap_or(0);
        if least > 1 {
            notes.push(format!("that there are {least} characters at least is not checked"));
        }
        let max = whole(schema, "maxLength").and_then(|max| usize::try_from(max).ok());
        let listed = schema.get("enum").and_then(Json::as_array);
        let listed = listed.into_iter().flatten().filter_map(Json::as_str);
        let codes: Vec<String> = listed.filter(|one| !one.is_empty()).map(str::to_owned).collect();
        let text = Term::Text { max: max.unwrap_or(UNLIMITED_TEXT).clamp(1, 1 << 24) };
        let format = schema.get("format").and_then(Json::as_str);
        let encoding = schema.get("contentEncoding").and_then(Json::as_str);
        let term = match (format, encoding) {
            _ if codes.len() > MAX_CODES => text,
            _ if !codes.is_empty() => Term::Code(self.codes.set(hint, &codes)),
            (Some("date"), _) => Term::Date,
            (Some("date-time"), _) => Term::DateTime,
            (Some("byte"), _) | (_, Some("base64")) => {
                Term::Binary { max: max.unwrap_or(UNLIMITED_BINARY).max(1) }
            }
            (None | Some("password"), _) => text,
            (Some(other), _) => {
                notes.push(format!("the format {other} is not checked"));
                text
            }
        };
        Value { wire: "string", term }
    }
}

fn value(wire: &'static str, term: Term) -> Shape {
    Shape::Value(Value { wire, term })
}

fn integer(schema: &Json) -> Shape {
    let (least, most) = match schema.get("format").and_then(Json::as_str) {
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    };
    let (min, max) = bounds(schema, least, most);
    value("integer", Term::Integer { min, max })
}

fn number(schema: &Json, notes: &mut Vec<String>) -> Shape {
    notes.push(format!("more than {SCALE} digits after the point, or {LARGEST}, are refused"));
    let (min, max) = bounds(schema, -LARGEST, LARGEST);
    value("number", Term::Decimal { scale: SCALE, min, max })
}

fn bounds(schema: &Json, least: i64, most: i64) -> (i64, i64) {
    let exclusive = |name: &str, step: i64| match schema.get(name) {
        Some(Json::Bool(true)) => Some(step),
        _ => None,
    };
    let low = whole(schema, "minimum")
        .map(|low| low.saturating_add(exclusive("exclusiveMinimum", 1).unwrap_or(0)))
        .or_else(|| whole(schema, "exclusiveMinimum").map(|low| low.saturating_add(1)));
    let high = whole(schema, "maximum")
        .map(|high| high.saturating_add(exclusive("exclusiveMaximum", -1).unwrap_or(0)))
        .or_else(|| whole(schema, "exclusiveMaximum").map(|high| high.saturating_sub(1)));
    let min = low.unwrap_or(least).clamp(least, most);
    (min, high.unwrap_or(most).clamp(min, most))
}

/// A whole number, also where it is written with a point, as some generators do.
fn whole(schema: &Json, name: &str) -> Option<i64> {
    let number = schema.get(name)?;
    let text = || number.as_f64().filter(|number| number.fract() == 0.0)?.to_string().parse().ok();
    number.as_i64().or_else(text)
}

/// The type, and whether null is one besides.
fn type_of(schema: &Json) -> (Option<&str>, bool) {
    let object = schema.get("properties").is_some() || schema.get("allOf").is_some();
    let implied = object.then_some("object");
    match schema.get("type") {
        Some(Json::String(kind)) => (Some(kind), false),
        Some(Json::Array(kinds)) => {
            let null = kinds.iter().any(|kind| kind == "null");
            let mut others = kinds.iter().filter_map(Json::as_str).filter(|kind| *kind != "null");
            match (others.next(), others.next()) {
                (Some(kind), None) => (Some(kind), null),
                _ => (None, null),
            }
        }
        _ => (implied, false),
    }
}

/// The one type of `anyOf` or `oneOf` beside null.
fn either_null(schema: &Json) -> Option<&Json> {
    let either = schema.get("anyOf").or_else(|| schema.get("oneOf"))?.as_array()?;
    let is_null = |one: &&Json| one.get("type").is_some_and(|kind| kind == "null");
    let mut others = either.iter().filter(|one| !is_null(one));
    match (others.next(), others.next(), either.iter().any(|one| is_null(&one))) {
        (Some(one), None, true) => Some(one),
        (Some(one), None, false) if either.len() == 1 => Some(one),
        _ => None,
    }
}

fn last(reference: &str) -> Option<&str> {
    reference.rsplit('/').next()
}
