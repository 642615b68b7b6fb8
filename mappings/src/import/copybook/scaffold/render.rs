//! Fields → the YAML of a mapping and of the services it maps to.

use std::collections::BTreeSet;

use gateway_core::Kind;

use super::fields::{Field, Shape, Walk};
use super::{CopybookScaffold, ScaffoldError, Shared};
use crate::import::copybook::item::{Item, Usage};
use crate::import::names::quoted;
use crate::import::render::line;
use crate::import::{NewMapping, Scaffold};
use crate::layout::fixed::{Picture, SignPlace};

/// Which way rows go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Request,
    Reply,
}

pub(super) fn scaffold(
    wanted: &CopybookScaffold,
    request: &Item,
    reply: &Item,
    header: usize,
) -> Result<Scaffold, ScaffoldError> {
    let mut shared = Shared::default();
    let mut walk = Walk { wanted, shared: &mut shared, known: vec![], taken: BTreeSet::new() };
    let (head, body) = request.children().split_at_checked(header).unwrap_or_default();
    let header_width = head.iter().map(Item::whole_width).fold(0, usize::saturating_add);
    let header_fields = walk.fields(head, &[])?;
    let transaction = own(&walk, &wanted.transaction)?;
    let result = wanted.result.as_ref().map(|result| own(&walk, result)).transpose()?;
    let (known, taken) = (walk.known.clone(), walk.taken.clone());
    let request = walk.fields(body, &[])?;
    (walk.known, walk.taken) = (known, taken);
    let (_, body) = reply.children().split_at_checked(header).unwrap_or_default();
    let reply = walk.fields(body, &[])?;

    let mut mapping = String::new();
    line(
        &mut mapping,
        0,
        "# Made from a copybook by `naru mapping new`. What it does not say is marked TO SAY.",
    );
    line(&mut mapping, 0, "naru: mapping/v1");
    line(&mut mapping, 0, &format!("sector: {}", wanted.sector));
    line(&mut mapping, 0, &format!("system: {}", wanted.system));
    line(&mut mapping, 0, "version: 1\n");
    line(&mut mapping, 0, "layout:\n  telegram:");
    line(&mut mapping, 2, "# TO SAY: how one telegram is told from the next.");
    line(&mut mapping, 2, "framing: { length-digits: 4, max: 9999 }");
    line(&mut mapping, 2, &format!("encoding: {}", wanted.encoding));
    // COMP-5 is in the order of the machine, and those that speak ASCII have the lowest byte first.
    if !wanted.encoding.starts_with("ebcdic") {
        line(&mut mapping, 2, "byte-order: little");
    }
    if let Some(overpunch) = &wanted.overpunch {
        line(&mut mapping, 2, &format!("overpunch: {overpunch}"));
    }
    line(&mut mapping, 2, &format!("header-length: {header_width}"));
    line(&mut mapping, 2, "header:");
    for field in &header_fields {
        header_row(field, &transaction, result.as_deref(), head, &mut mapping)?;
    }
    line(
        &mut mapping,
        2,
        "# TO SAY: how many bytes of a reply the receipt may have; with 0 it is left out.",
    );
    line(&mut mapping, 2, "receipt-length: 0\n");
    tables(&shared, &mut mapping);
    line(&mut mapping, 0, "operations:");
    line(&mut mapping, 1, &format!("{}:", quoted(&wanted.operation)));
    line(&mut mapping, 2, &format!("service: {}", wanted.service));
    for (name, fields, way) in [("request", &request, Way::Request), ("reply", &reply, Way::Reply)]
    {
        match fields.is_empty() {
            true => line(&mut mapping, 2, &format!("{name}: []")),
            false => line(&mut mapping, 2, &format!("{name}:")),
        }
        rows(fields, way, 3, &mut mapping);
    }
    faults(result_width(&header_fields, result.as_deref()), &mut mapping);
    let services = services(wanted, &request, &reply, &shared);
    let mapping = NewMapping { system: wanted.system.clone(), text: mapping };
    Ok(Scaffold { services, mappings: vec![mapping], unsaid: vec![] })
}

fn own(walk: &Walk<'_>, item: &str) -> Result<String, ScaffoldError> {
    let found = walk.known.iter().find(|(own, _)| own == item);
    found.map(|(_, name)| name.clone()).ok_or_else(|| ScaffoldError::NoItem(item.to_owned()))
}

fn header_row(
    field: &Field,
    transaction: &str,
    result: Option<&str>,
    items: &[Item],
    out: &mut String,
) -> Result<(), ScaffoldError> {
    let text = match field {
        Field::Filler { length } => format!("name: filler, type: filler, length: {length}"),
        Field::Value { name, shape, .. } => {
            let role = match name.as_str() {
                name if name == transaction => "required: true, request: operation, reply: echo",
                name if Some(name) == result => "reply: result-code",
                _ => "reply: echo",
            };
            format!("name: {name}, {}, {role}", shape_keys(shape))
        }
        Field::List { name, .. } | Field::Choice { by: name, .. } => {
            let line = items.first().map_or(0, |item| item.line);
            return Err(ScaffoldError::Header { line, name: name.clone() });
        }
    };
    line(out, 3, &format!("- {{ {text} }}"));
    Ok(())
}

fn shape_keys(shape: &Shape) -> String {
    let usage = match shape.usage {
        Usage::Display => "",
        Usage::Packed => ", usage: comp-3",
        Usage::Binary => ", usage: comp",
        Usage::Native => ", usage: comp-5",
    };
    let signed = matches!(shape.picture, Picture::Number { signed: true, .. });
    let sign = match (shape.sign, signed && shape.usage == Usage::Display) {
        (SignPlace::Leading, true) => ", sign: leading",
        (SignPlace::LeadingSeparate, true) => ", sign: leading-separate",
        (SignPlace::TrailingSeparate, true) => ", sign: trailing-separate",
        _ => "",
    };
    format!("picture: {}{usage}{sign}", quoted(&shape.text))
}

/// Whether a field is always there: a number that is stored has no blank.
fn is_certain(shape: &Shape) -> bool {
    matches!(shape.picture, Picture::Number { .. })
}

fn rows(fields: &[Field], way: Way, level: usize, out: &mut String) {
    let pair = |name: &str| format!("from: {name}, to: {name}");
    let mut fillers = 0;
    for field in fields {
        match field {
            Field::Filler { length } => {
                fillers += 1;
                let side = if way == Way::Request { "from" } else { "to" };
                let text = format!("{side}: filler{fillers}, type: filler, length: {length}");
                line(out, level, &format!("- {{ {text} }}"));
            }
            Field::Value { name, shape, table } => {
                let table = table.as_ref().map(|table| format!(", table: {table}"));
                let required = if is_certain(shape) { ", required: true" } else { "" };
                let keys = shape_keys(shape);
                let table = table.unwrap_or_default();
                line(out, level, &format!("- {{ {}, {keys}{table}{required} }}", pair(name)));
            }
            Field::List { name, occurs, count, fields } => {
                line(out, level, &format!("- from: {name}"));
                line(out, level + 1, &format!("to: {name}"));
                line(out, level + 1, "type: list");
                line(out, level + 1, &format!("occurs: {}", occurs.max));
                if let Some(count) = count {
                    line(out, level + 1, &format!("depending-on: {count}"));
                }
                line(out, level + 1, "fields:");
                rows(fields, way, level + 2, out);
            }
            Field::Choice { by, alternatives } => {
                line(out, level, &format!("- chosen-by: {by}"));
                line(out, level + 1, "alternatives:");
                for (codes, fields) in alternatives {
                    let codes: Vec<_> = codes.iter().map(|code| quoted(code)).collect();
                    line(out, level + 2, &format!("- when: [{}]", codes.join(", ")));
                    line(out, level + 3, "fields:");
                    rows(fields, way, level + 4, out);
                }
            }
        }
    }
}

fn tables(shared: &Shared, out: &mut String) {
    if shared.tables.is_empty() {
        return;
    }
    line(out, 0, "tables:");
    for (name, codes) in &shared.tables {
        line(out, 1, &format!("{name}:"));
        line(out, 2, &format!("of: {name}"));
        line(out, 2, "rows:");
        for (code, member) in codes {
            line(out, 3, &format!("{}: {member}", quoted(code)));
        }
    }
    line(out, 0, "");
}

fn result_width(header: &[Field], result: Option<&str>) -> usize {
    let width = header.iter().find_map(|field| match field {
        Field::Value { name, shape, .. } if Some(name.as_str()) == result => match shape.picture {
            Picture::Number { digits, .. } => Some(usize::from(digits)),
            Picture::Text { length } | Picture::Edited { length } => Some(length),
            Picture::Graphic { .. } => None,
        },
        _ => None,
    });
    width.unwrap_or(2).min(4)
}

/// A code for each kind of fault: the numbers from 1, as wide as the field is.
fn faults(width: usize, out: &mut String) {
    line(out, 0, &format!("\nsuccess: {{ code: {} }}\n", quoted(&"0".repeat(width))));
    line(out, 0, "# TO SAY: the system's own codes.");
    line(out, 0, "faults:");
    for (index, kind) in Kind::ALL.iter().enumerate() {
        let number = index.saturating_add(1);
        // A field of one character holds no two digits: what is left over shares the last code.
        let number = if width == 1 { number.min(9) } else { number };
        line(out, 1, &format!("{kind}: {}", quoted(&format!("{number:0width$}"))));
    }
}

fn services(
    wanted: &CopybookScaffold,
    request: &[Field],
    reply: &[Field],
    shared: &Shared,
) -> String {
    let mut out = String::new();
    line(
        &mut out,
        0,
        "# Made from a copybook by `naru mapping new`: its items as they are. TO SAY: what they mean.",
    );
    line(&mut out, 0, "naru: services/v1");
    line(&mut out, 0, &format!("sector: {}\n", wanted.sector));
    if !shared.codes.is_empty() {
        line(&mut out, 0, "codes:");
        for (name, members) in &shared.codes {
            let members: Vec<_> = members.iter().map(String::as_str).collect();
            line(&mut out, 1, &format!("{name}: [{}]", members.join(", ")));
        }
        line(&mut out, 0, "");
    }
    line(&mut out, 0, "services:");
    line(&mut out, 1, &format!("{}:", wanted.service));
    line(&mut out, 2, "operation: query");
    for (name, fields) in [("request", request), ("reply", reply)] {
        match fields.is_empty() {
            true => line(&mut out, 2, &format!("{name}: {{}}")),
            false => line(&mut out, 2, &format!("{name}:")),
        }
        terms(fields, true, 3, &mut out);
    }
    out
}

/// The service's fields. One of an alternative is not always there.
fn terms(fields: &[Field], always: bool, level: usize, out: &mut String) {
    for field in fields {
        match field {
            Field::Filler { .. } => {}
            Field::Value { name, shape, table } => {
                let kind = match table {
                    Some(table) => format!("type: code, of: {table}"),
                    None => kind(shape),
                };
                let required = if always && is_certain(shape) { ", required: true" } else { "" };
                line(out, level, &format!("{name}: {{ {kind}{required} }}"));
            }
            Field::List { name, occurs, fields, .. } => {
                line(out, level, &format!("{name}:"));
                line(out, level + 1, "type: list");
                line(out, level + 1, &format!("max: {}", occurs.max));
                line(out, level + 1, "fields:");
                terms(fields, true, level + 2, out);
            }
            Field::Choice { alternatives, .. } => {
                for (_, fields) in alternatives {
                    terms(fields, false, level, out);
                }
            }
        }
    }
}

fn kind(shape: &Shape) -> String {
    match shape.picture {
        Picture::Text { length } | Picture::Edited { length } => {
            format!("type: text, max: {length}")
        }
        Picture::Graphic { characters } => format!("type: text, max: {characters}"),
        Picture::Number { digits, scale: 0, signed } if digits <= 18 => {
            let most = match shape.usage {
                Usage::Native if digits <= 4 => {
                    i64::from(if signed { i16::MAX as u16 } else { u16::MAX })
                }
                Usage::Native if digits <= 9 => {
                    i64::from(if signed { i32::MAX as u32 } else { u32::MAX })
                }
                _ => 10_i64.saturating_pow(digits.into()).saturating_sub(1),
            };
            let least = if signed { -most } else { 0 };
            format!("type: integer, min: {least}, max: {most}")
        }
        // The digits, a sign and a point.
        Picture::Number { digits, .. } => {
            format!("type: text, max: {}", usize::from(digits).saturating_add(2))
        }
    }
}
