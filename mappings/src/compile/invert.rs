//! Whether a field table loses nothing: every message that it can write reads back as it was. What
//! the target cannot hold is an error and no loss; what is declared as a loss is one.

use std::fmt;

use crate::convert::Codec;
use crate::rows::{Form, Row, Rows};
use crate::terms::{Fields, Type};

/// Why one field does not come back as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OneWay {
    /// The field, by the service's name where it has one.
    pub(crate) field: String,
    pub(crate) why: &'static str,
}

impl fmt::Display for OneWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.field, self.why)
    }
}

/// Every reason why the table is not invertible; none when it is.
pub(crate) fn one_way<S>(rows: &Rows<S>, fields: &Fields) -> Vec<OneWay> {
    let mut found = Vec::new();
    unmapped(rows, fields, "", &mut found);
    of_rows(rows, fields, &mut found);
    found
}

fn of_rows<S>(rows: &Rows<S>, fields: &Fields, found: &mut Vec<OneWay>) {
    for (place, row) in rows.0.iter().enumerate() {
        let joined = rows.1.joins.iter().any(|join| join.places.contains(&place));
        let why = match &row.form {
            Form::Value { .. } if joined => None,
            Form::Value { codec, .. } => codec.one_way().or_else(|| of_row(row, fields)),
            Form::Record { rows } | Form::List { rows, .. } => {
                of_nested(row, rows, fields, found);
                None
            }
        };
        if let Some(why) = why {
            found.push(OneWay { field: shown(row), why });
        }
    }
    for join in rows.1.joins.iter().filter_map(|join| Some((join, join.codec.one_way()?))) {
        found.push(OneWay { field: join.0.field.to_string(), why: join.1 });
    }
    for (field, _) in &rows.1.constants {
        let why = "it is always the same, whatever it was";
        found.push(OneWay { field: field.to_string(), why });
    }
}

fn of_row<S>(row: &Row<S>, fields: &Fields) -> Option<&'static str> {
    let Some(field) = row.field.as_ref().map(ToString::to_string) else {
        let stands_alone =
            matches!(&row.form, Form::Value { codec: Codec::Constant(_) | Codec::Parts(_), .. });
        let wanted = row.required && row.default.is_none() && !stands_alone;
        return wanted.then_some("the wire wants it, and the service has nothing for it");
    };
    let required = crate::terms::field_at(fields, &field).is_some_and(|field| field.required);
    match (&row.default, row.loss, &row.when) {
        (Some(_), ..) if !required => Some("an absent value becomes the default"),
        (_, Some(_), _) => Some("it may lose a part, as declared"),
        (_, _, Some(_)) => Some("it counts only when a condition holds"),
        _ => None,
    }
}

fn of_nested<S>(row: &Row<S>, rows: &Rows<S>, fields: &Fields, found: &mut Vec<OneWay>) {
    let field = row.field.as_ref().map(ToString::to_string);
    let inner = match &field {
        None => return of_rows(rows, fields, found),
        Some(field) => crate::terms::field_at(fields, field),
    };
    if let Some(Type::Record { fields } | Type::List { fields, .. }) =
        inner.map(|inner| &inner.kind)
    {
        let within = one_way(rows, fields).into_iter();
        let record = field.unwrap_or_default();
        found.extend(within.map(|one| OneWay { field: format!("{record}.{}", one.field), ..one }));
    }
}

/// Fields of the service that no row has: they are lost on the way to the wire.
fn unmapped<S>(rows: &Rows<S>, fields: &Fields, within: &str, found: &mut Vec<OneWay>) {
    let mut mapped = Vec::new();
    collect(rows, &mut mapped);
    for (name, field) in fields {
        let path = if within.is_empty() { name.clone() } else { format!("{within}.{name}") };
        let below =
            |mapped: &String| mapped.strip_prefix(&path).is_some_and(|rest| rest.starts_with('.'));
        match &field.kind {
            _ if mapped.contains(&path) => {}
            Type::Record { fields } if mapped.iter().any(below) => {
                unmapped(rows, fields, &path, found);
            }
            _ => found.push(OneWay { field: path, why: "no row maps it" }),
        }
    }
}

/// The paths of all fields that the rows map at this level.
fn collect<S>(rows: &Rows<S>, mapped: &mut Vec<String>) {
    for row in &rows.0 {
        match (&row.field, &row.form) {
            (Some(field), _) => mapped.push(field.to_string()),
            (None, Form::Value { codec: Codec::Parts(parts), .. }) => {
                mapped.extend(parts.parts.iter().map(|part| part.field.to_string()));
            }
            (None, Form::Record { rows }) => collect(rows, mapped),
            (None, _) => {}
        }
    }
    mapped.extend(rows.1.joins.iter().map(|join| join.field.to_string()));
    mapped.extend(rows.1.constants.iter().map(|(field, _)| field.to_string()));
}

fn shown<S>(row: &Row<S>) -> String {
    row.field.as_ref().map_or_else(|| row.name.to_string(), ToString::to_string)
}
