//! What a table says beyond one text for one field: conditions, parts, joins, constants, losses.

use gateway_core::{LossKind, Value};

use super::coverage::{Coverage, Mapped};
use super::{Scope, codec};
use crate::convert::{Codec, Part, Parts};
use crate::format;
use crate::problem::Spot;
use crate::rows::{Condition, Cut, Form, Join, Rows, Test};
use crate::terms::{Field, Fields, field_at};

/// A value as the service itself would write it.
fn value(text: &str, field: &Field, scope: &Scope<'_>, spot: &mut Spot<'_>) -> Option<Value> {
    let codec = codec::choose(&format::Row::default(), &field.kind, scope, spot)?;
    let read = codec.read(text);
    if let Err(why) = &read {
        spot.problem(format_args!("`{text}` {why}"));
    }
    read.ok()
}

pub(super) fn condition(
    format: &format::When,
    fields: &Fields,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<Condition> {
    let Some(field) = field_at(fields, &format.field) else {
        let says = format_args!("the service has no field `{}`", format.field);
        spot.key("field").problem(says);
        return None;
    };
    let values = |texts: &[String], spot: &mut Spot<'_>| {
        texts.iter().map(|text| value(text, field, scope, spot)).collect::<Option<Vec<Value>>>()
    };
    let test = match (&format.is, &format.not, format.present) {
        (Some(texts), None, None) => Test::Is(values(texts, &mut spot.key("is"))?),
        (None, Some(texts), None) => Test::Not(values(texts, &mut spot.key("not"))?),
        (None, None, Some(present)) => Test::Present(present),
        _ => {
            spot.problem("wants one of `is`, `not` and `present`");
            return None;
        }
    };
    Some(Condition { field: format.field.as_str().into(), test })
}

pub(super) fn parts(
    formats: &[format::Part],
    row: &format::Row,
    fields: &Fields,
    scope: &Scope<'_>,
    coverage: &mut Coverage,
    spot: &mut Spot<'_>,
) -> Option<Parts> {
    let separator = row.separator.clone().unwrap_or_default();
    let mut parts = Vec::new();
    let mut key = spot.key("parts");
    for (index, format) in formats.iter().enumerate() {
        let spot = &mut key.entry(index);
        let Some(field) = field_at(fields, &format.field) else {
            spot.problem(format_args!("the service has no field `{}`", format.field));
            continue;
        };
        // All parts are there or none, so a required one wants a required row.
        let mapped = Mapped { conditional: row.when.is_some(), grouped: !row.required };
        coverage.map(&format.field, mapped, spot);
        let is_last = index + 1 == formats.len();
        match (separator.is_empty(), format.length) {
            (true, None) if !is_last => spot.problem("wants a `length`, or the row a `separator`"),
            (false, Some(_)) => spot.key("length").problem("means nothing beside a `separator`"),
            _ => {}
        }
        let as_row = format::Row {
            convert: format.convert.clone(),
            table: format.table.clone(),
            via: format.via.clone(),
            format: format.format.clone(),
            years_from: format.years_from,
            scale: format.scale,
            ..format::Row::default()
        };
        let codec = codec::choose(&as_row, &field.kind, scope, spot)?;
        parts.push(Part { field: format.field.as_str().into(), codec, length: format.length });
    }
    (parts.len() == formats.len()).then_some(Parts { parts, separator })
}

pub(super) fn join<S>(
    field: &str,
    row: &format::Row,
    target: &Field,
    rows: &Rows<S>,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<Join> {
    let mut places = Vec::new();
    let mut lengths = Vec::new();
    for name in row.join.iter().flatten() {
        let place = rows.position(name);
        let found = place.and_then(|place| Some((place, rows.0.get(place)?)));
        match found {
            Some((place, wire)) if wire.field.is_none() && wire.when.is_none() => {
                let Form::Value { codec: Codec::Text { max }, .. } = &wire.form else {
                    spot.key("join").problem(format_args!("`{name}` is not a plain text"));
                    continue;
                };
                places.push(place);
                lengths.push(*max);
            }
            Some(_) => spot.key("join").problem(format_args!("`{name}` is mapped by itself")),
            None => spot.key("join").problem(format_args!("no row names `{name}`")),
        }
    }
    if places.len() < 2 {
        spot.key("join").problem("wants two fields of the wire or more");
        return None;
    }
    lengths.pop();
    let cut = match &row.separator {
        Some(separator) if !separator.is_empty() => Cut::Separator(separator.clone()),
        _ => Cut::Lengths(lengths),
    };
    let codec = codec::choose(row, &target.kind, scope, spot)?;
    if target.required && !row.required {
        spot.problem("the service requires this field, so the row must say `required: true`");
    }
    Some(Join { field: field.into(), codec, required: row.required, places, cut })
}

pub(super) fn constant(
    row: &format::Row,
    target: &Field,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<Value> {
    value(row.constant.as_deref()?, target, scope, &mut spot.key("constant"))
}

/// Whether a row of this form can lose something this way.
pub(super) fn may_lose<S>(
    form: &Form<S>,
    is_mapped: bool,
    row: &format::Row,
    loss: LossKind,
) -> bool {
    let Form::Value { codec, .. } = form else {
        return false;
    };
    match codec {
        // A field that is read and goes nowhere, or that counts only sometimes.
        _ if loss == LossKind::Drop && (!is_mapped || row.when.is_some()) => true,
        _ if !is_mapped => false,
        Codec::Lossy(..) => loss != LossKind::Drop || !row.required,
        Codec::Normalized(_, inner) => matches!(**inner, Codec::Lossy(..)),
        Codec::Decimal(_) => loss == LossKind::Truncate,
        _ => false,
    }
}
