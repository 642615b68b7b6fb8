//! Which codec a row of a field table gets: from the field's type in the service, the converter,
//! and the code tables.

use super::{Scope, Table};
use crate::convert::{CodeMap, Codec, DateForm};
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
    let limit = |max: usize| row.max.map_or(max, |own| own.min(max));
    let codec = match (kind, row.convert.as_deref()) {
        (Type::Text { max }, None) => Codec::Text { max: limit(*max) },
        (Type::Personal { max }, None) => Codec::Personal { max: limit(*max) },
        (Type::Integer { min, max }, None) => Codec::Integer { min: *min, max: *max },
        (Type::Flag, None) => flag("true", "false"),
        (Type::Flag, Some("y-n")) => flag("Y", "N"),
        (Type::Date, None) => Codec::Date(DateForm::Iso),
        (Type::Date, Some("yyyymmdd")) => Codec::Date(DateForm::Compact),
        (Type::Bytes { length }, None) => Codec::Hex { length: *length },
        (Type::Binary { max }, None) => Codec::Base64 { max: limit(*max) },
        (Type::Code(set), None) => Codec::Code(codes(row, set, scope, spot)?),
        (Type::Resident, None) => Codec::Resident,
        (_, Some(convert)) => {
            let message = format_args!("no converter `{convert}` for a {}", kind.name());
            spot.key("convert").problem(message);
            return None;
        }
        (Type::List { .. }, None) => {
            spot.problem("the field is a list, so the row wants `type: list` and `fields`");
            return None;
        }
    };
    Some(codec)
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
