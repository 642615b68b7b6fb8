//! Which codec a row of a field table gets: from the field's type in the service, the converter,
//! and the code tables.

use gateway_core::{LossKind, SCALE_MAX};

use super::{Scope, Table};
use crate::convert::{
    CodeMap, Codec, DateForm, DecimalCodec, DecimalForm, Limit, Mask, Moment, Normal, Pattern,
    PersonRule,
};
use crate::format::Row;
use crate::problem::Spot;
use crate::terms::{CodeSet, Type};

/// The codec of a row without counterpart in the service: plain text.
pub(crate) fn plain(row: &Row) -> Codec {
    Codec::Text { max: row.max.or(row.length).unwrap_or(PLAIN_MAX) }
}

/// Characters of a wire field that says no limit of its own.
const PLAIN_MAX: usize = 200;

/// The codec of a row whose counterpart is of type `kind`.
pub(crate) fn choose(
    row: &Row,
    kind: &Type,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<Codec> {
    let tables = row.table.is_some() || row.via.is_some();
    if tables && !matches!(kind, Type::Code(_)) {
        spot.problem(format_args!("a table does not apply to a {}", kind.name()));
        return None;
    }
    if row.scale.is_some() && !matches!(kind, Type::Decimal { .. }) {
        spot.key("scale").problem(format_args!("does not apply to a {}", kind.name()));
    }
    let limit = |max: usize| row.max.map_or(max, |own| own.min(max));
    let codec = match (kind, row.convert.as_deref(), row.format.as_deref()) {
        (Type::Text { max }, None, None) if row.loss.is_some() => {
            lossy(row, limit(*max), Codec::Text { max: *max })
        }
        (Type::Personal { max }, None, None) if row.loss.is_some() => {
            lossy(row, limit(*max), Codec::Personal { max: *max })
        }
        (Type::Text { max }, None, None) => Codec::Text { max: limit(*max) },
        (Type::Personal { max }, None, None) => Codec::Personal { max: limit(*max) },
        (Type::Integer { min, max }, None, None) => Codec::Integer { min: *min, max: *max },
        (Type::Decimal { scale, min, max }, None, format) => {
            Codec::Decimal(decimal(row, (*scale, *min, *max), format, spot)?)
        }
        (Type::Flag, None, None) => flag("true", "false"),
        (Type::Flag, Some("y-n"), None) => flag("Y", "N"),
        (Type::Date, None, None | Some("yyyy-MM-dd")) => Codec::Date(DateForm::Iso),
        (Type::Date, Some("yyyymmdd"), None) | (Type::Date, None, Some("yyyyMMdd")) => {
            Codec::Date(DateForm::Compact)
        }
        (Type::Time, None, None) => Codec::Time,
        (Type::DateTime, None, None) => Codec::DateTime(scope.zone),
        (Type::Date, None, Some(format)) => pattern(row, format, Moment::Date, spot)?,
        (Type::Time, None, Some(format)) => pattern(row, format, Moment::Time, spot)?,
        (Type::DateTime, None, Some(format)) => {
            let Some(zone) = scope.zone else {
                spot.key("format").problem("says no zone, so the mapping wants a `zone`");
                return None;
            };
            pattern(row, format, Moment::DateTime(zone), spot)?
        }
        (Type::Bytes { length }, None, None) => Codec::Hex { length: *length },
        (Type::Binary { max }, None, None) => Codec::Base64 { max: limit(*max) },
        (Type::Code(set), None, None) => Codec::Code(codes(row, set, scope, spot)?),
        (Type::Resident(rule), None, None) => Codec::Resident(*rule),
        (Type::Resident(rule), Some("hyphens"), None) => {
            Codec::Resident(PersonRule { hyphen: true, ..*rule })
        }
        (Type::Business, None, None) => Codec::Business { hyphen: false },
        (Type::Business, Some("hyphens"), None) => Codec::Business { hyphen: true },
        (kind, Some(convert), None) if mask(convert, kind).is_some() => {
            Codec::Masked(mask(convert, kind)?)
        }
        (Type::List { .. }, None, None) => {
            spot.problem("the field is a list, so the row wants `type: list` and `fields`");
            return None;
        }
        (Type::Record { .. }, None, None) => {
            spot.problem("the field is a record, so the row wants `type: record` and `fields`");
            return None;
        }
        (_, Some(convert), _) => {
            let message = format_args!("no converter `{convert}` for a {}", kind.name());
            spot.key("convert").problem(message);
            return None;
        }
        (_, None, Some(format)) => {
            let message = format_args!("no format `{format}` for a {}", kind.name());
            spot.key("format").problem(message);
            return None;
        }
    };
    normalized(row, kind, codec, spot)
}

fn lossy(row: &Row, characters: usize, inner: Codec) -> Codec {
    let loss = row.loss.unwrap_or(LossKind::Truncate);
    Codec::Lossy(Limit { loss, characters, bytes: row.length }, Box::new(inner))
}

fn mask(name: &str, kind: &Type) -> Option<Mask> {
    let mask = Mask::parse(name)?;
    let applies = match kind {
        Type::Resident(_) => mask == Mask::Number,
        Type::Personal { .. } | Type::Text { .. } => mask != Mask::Number,
        _ => false,
    };
    applies.then_some(mask)
}

fn decimal(
    row: &Row,
    (scale, min, max): (u8, i128, i128),
    format: Option<&str>,
    spot: &mut Spot<'_>,
) -> Option<DecimalCodec> {
    let form = match format {
        None | Some("plain") => DecimalForm::Plain,
        Some("grouped") => DecimalForm::Grouped,
        Some("implied") => DecimalForm::Implied,
        Some(_) => {
            spot.key("format").problem("must be `plain`, `grouped` or `implied`");
            return None;
        }
    };
    let wire = row.scale.unwrap_or(scale);
    if wire > SCALE_MAX {
        spot.key("scale").problem(format_args!("must be from 0 to {SCALE_MAX}"));
        return None;
    }
    let truncate = row.loss == Some(LossKind::Truncate);
    Some(DecimalCodec { form, scale, wire, min, max, truncate })
}

fn pattern(row: &Row, format: &str, moment: Moment, spot: &mut Spot<'_>) -> Option<Codec> {
    match Pattern::parse(format, moment, row.years_from) {
        Ok(pattern) => Some(Codec::Pattern(pattern, moment)),
        Err(wrong) => {
            spot.key("format").problem(wrong);
            None
        }
    }
}

fn normalized(row: &Row, kind: &Type, codec: Codec, spot: &mut Spot<'_>) -> Option<Codec> {
    if row.normalize.is_empty() {
        return Some(codec);
    }
    let steps: Option<Vec<Normal>> = row.normalize.iter().map(|name| Normal::parse(name)).collect();
    let is_text = matches!(kind, Type::Text { .. } | Type::Personal { .. });
    match steps {
        Some(steps) if is_text => Some(Codec::Normalized(steps, Box::new(codec))),
        Some(_) => {
            let message = format_args!("does not apply to a {}", kind.name());
            spot.key("normalize").problem(message);
            None
        }
        None => {
            let wanted = "is made of `nfc`, `half-width`, `full-width` and `spaces`";
            spot.key("normalize").problem(wanted);
            None
        }
    }
}

fn flag(yes: &'static str, no: &'static str) -> Codec {
    Codec::Flag { yes, no }
}

/// The codes of a row: its table, or the set's own names, then perhaps a shared table.
pub(crate) fn codes(
    row: &Row,
    target: &CodeSet,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<CodeMap> {
    let table = match &row.table {
        Some(name) => Some(table(name, scope, &mut spot.key("table"))?),
        None => None,
    };
    let shared = match &row.via {
        Some(name) => Some(shared(name, scope, &mut spot.key("via"))?),
        None => None,
    };
    let first = shared.map_or(target, |shared| &*shared.from);
    let map = match table {
        Some(table) if *table.of.name != *first.name => {
            let found = &table.of.name;
            spot.key("table").problem(format_args!("is of {found}, and {} is wanted", first.name));
            return None;
        }
        Some(table) => CodeMap::from_pairs(table.rows.iter().cloned()),
        None => CodeMap::identity(first),
    };
    match shared {
        Some(shared) if *shared.to.name != *target.name => {
            let found = &shared.to.name;
            spot.key("via")
                .problem(format_args!("gives a {found}, and a {} is wanted", target.name));
            None
        }
        Some(shared) => Some(map.via(shared)),
        None => Some(map),
    }
}

fn table<'s>(name: &str, scope: &'s Scope<'_>, spot: &mut Spot<'_>) -> Option<&'s Table> {
    let found = scope.tables.get(name);
    if found.is_none() {
        spot.problem(format_args!("no table `{name}` in this mapping"));
    }
    found
}

pub(crate) fn shared<'s>(
    name: &str,
    scope: &'s Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<&'s crate::terms::SharedTable> {
    let found = scope.sector.tables.get(name);
    if found.is_none() {
        spot.problem(format_args!("no table `{name}` in the sector"));
    }
    found.map(|table| &**table)
}
