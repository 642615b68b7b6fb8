//! Fields → the YAML of a mapping's tables and of the services they map to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use super::fields::{Codes, Field, Note, Shape, Table, Term, Value, Wire};
use super::names::{quoted, scalar};

/// Appends a line, indented by so many levels.
pub(super) fn line(out: &mut String, level: usize, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{:width$}{text}", "", width = level.saturating_mul(2));
}

/// Appends what a mapping cannot say, as comments.
pub(super) fn notes(notes: &[Note], level: usize, out: &mut String) {
    for note in notes {
        line(out, level, &format!("# CANNOT SAY: {}", sentence(note)));
    }
}

/// A note on one line.
pub(super) fn sentence(note: &Note) -> String {
    one_line(&format!("{}: {}", note.path, note.says))
}

/// A text without line ends or other control characters, and not longer than a person reads.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|one: char| one.is_control() || one.is_whitespace()).collect();
    let text = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let text = text.replace(['\u{feff}', '\u{2028}', '\u{2029}'], "");
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// Whether rows go from the wire to the service, or back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Reads,
    Writes,
}

/// How elements are named where several namespaces meet.
#[derive(Clone, Debug)]
pub(super) struct Spaces {
    /// Whether names without a prefix are of the mapping's namespace; of none otherwise.
    pub(super) qualified: bool,
    /// Prefix of each other namespace.
    pub(super) prefixes: BTreeMap<Arc<str>, String>,
}

impl Spaces {
    /// Those of the elements of some tables, around which `target` is.
    pub(super) fn of<'t>(target: &Arc<str>, tables: impl IntoIterator<Item = &'t Table>) -> Self {
        let mut found = BTreeSet::new();
        tables.into_iter().for_each(|table| elements(table, &mut found));
        // Without an element of no namespace a name alone is of the target's.
        let qualified = !found.contains("") && !target.is_empty();
        let plain: Arc<str> = if qualified { target.clone() } else { "".into() };
        let others = found.into_iter().filter(|space| *space != plain && !space.is_empty());
        let prefixes = others.zip(1_usize..).map(|(space, number)| (space, format!("ns{number}")));
        Self { qualified, prefixes: prefixes.collect() }
    }

    /// Appends what a layout says of them; `has_target` where there is a namespace to be of.
    pub(super) fn layout(&self, has_target: bool, level: usize, out: &mut String) {
        if !self.qualified && has_target {
            line(out, level, "element-form: unqualified");
        }
        if !self.prefixes.is_empty() {
            line(out, level, "namespaces:");
            for (space, prefix) in &self.prefixes {
                line(out, level.saturating_add(1), &format!("{prefix}: {}", quoted(space)));
            }
        }
    }

    fn name(&self, wire: &Wire) -> String {
        match wire {
            Wire::Attribute(name) => format!("@{name}"),
            Wire::Text => ".".to_owned(),
            Wire::Element { space, name } => match self.prefixes.get(space) {
                Some(prefix) => format!("{prefix}:{name}"),
                None => name.clone(),
            },
        }
    }

    /// Appends the key of an operation's table with its rows.
    pub(super) fn table(&self, key: &str, table: &Table, way: Way, level: usize, out: &mut String) {
        match table.fields.is_empty() {
            true => line(out, level, &format!("{key}: []")),
            false => line(out, level, &format!("{key}:")),
        }
        self.rows(table, way, level.saturating_add(1), out);
    }

    fn rows(&self, table: &Table, way: Way, level: usize, out: &mut String) {
        for field in &table.fields {
            notes(&field.notes, level, out);
            self.row(field, way, level, out);
        }
        notes(&table.notes, level, out);
    }

    fn row(&self, field: &Field, way: Way, level: usize, out: &mut String) {
        let wire = scalar(&self.name(&field.wire));
        let name = scalar(&field.name);
        let (from, to) = match way {
            Way::Reads => (wire, name),
            Way::Writes => (name, wire),
        };
        let (kind, table) = match &field.shape {
            Shape::Value(value) => {
                let row =
                    format!("from: {from}, to: {to}, {}{}", value_keys(value), extras(field, way));
                line(out, level, &format!("- {{ {row} }}"));
                return;
            }
            Shape::Record(table) => ("record", table),
            Shape::List { table, .. } => ("list", table),
        };
        let inner = level.saturating_add(1);
        line(out, level, &format!("- from: {from}"));
        line(out, inner, &format!("to: {to}"));
        line(out, inner, &format!("type: {kind}"));
        if field.required {
            line(out, inner, "required: true");
        }
        self.table("fields", table, way, inner, out);
    }
}

fn elements(table: &Table, found: &mut BTreeSet<Arc<str>>) {
    for field in &table.fields {
        if let Wire::Element { space, .. } = &field.wire {
            found.insert(space.clone());
        }
        match &field.shape {
            Shape::Value(_) => {}
            Shape::Record(table) | Shape::List { table, .. } => elements(table, found),
        }
    }
}

fn value_keys(value: &Value) -> String {
    match &value.term {
        Term::Code(set) => format!("type: {}, table: {}", value.wire, scalar(set)),
        _ => format!("type: {}", value.wire),
    }
}

fn extras(field: &Field, way: Way) -> String {
    match (&field.default, way) {
        (Some(text), _) => format!(", default: {}", quoted(text)),
        (None, Way::Writes) if field.present && !field.required => ", default: \"\"".to_owned(),
        (None, _) if field.required => ", required: true".to_owned(),
        _ => String::new(),
    }
}

/// Appends the code tables of a mapping.
pub(super) fn tables(codes: &Codes, out: &mut String) {
    if codes.sets.is_empty() {
        return;
    }
    line(out, 0, "tables:");
    for (name, rows) in &codes.sets {
        line(out, 1, &format!("{}:", scalar(name)));
        line(out, 2, &format!("of: {}", scalar(name)));
        line(out, 2, "rows:");
        for (code, member) in rows {
            line(out, 3, &format!("{}: {}", quoted(code), scalar(member)));
        }
    }
    line(out, 0, "");
}

/// Appends the closed sets of a sector.
pub(super) fn code_sets(codes: &Codes, out: &mut String) {
    if codes.sets.is_empty() {
        return;
    }
    line(out, 0, "codes:");
    for (name, rows) in &codes.sets {
        let members: Vec<String> = rows.iter().map(|(_, member)| scalar(member)).collect();
        line(out, 1, &format!("{}: [{}]", scalar(name), members.join(", ")));
    }
    line(out, 0, "");
}

/// Appends what a `services.yaml` says before its services.
pub(super) fn services_head(source: &str, sector: &str, codes: &Codes, out: &mut String) {
    let made = format!(
        "# Made from {source} by `naru mapping new`: its fields as they are. TO SAY: what they"
    );
    line(out, 0, &made);
    line(
        out,
        0,
        "# mean, which of them name a person (personal-text, resident-number), whose consent is wanted.",
    );
    line(out, 0, "naru: services/v1");
    line(out, 0, &format!("sector: {}\n", scalar(sector)));
    code_sets(codes, out);
    line(out, 0, "services:");
}

/// Appends the fields of a service, or of a record of one.
pub(super) fn terms(key: &str, table: &Table, level: usize, out: &mut String) {
    match table.fields.is_empty() {
        true => line(out, level, &format!("{key}: {{}}")),
        false => line(out, level, &format!("{key}:")),
    }
    let level = level.saturating_add(1);
    for field in &table.fields {
        let name = scalar(&field.name);
        let required = if field.required { ", required: true" } else { "" };
        let (kind, max, table) = match &field.shape {
            Shape::Value(value) => {
                let kind = term_keys(&value.term);
                line(out, level, &format!("{name}: {{ {kind}{required} }}"));
                continue;
            }
            Shape::Record(table) => ("record", None, table),
            Shape::List { max, table } => ("list", Some(max), table),
        };
        let inner = level.saturating_add(1);
        line(out, level, &format!("{name}:"));
        line(out, inner, &format!("type: {kind}"));
        if let Some(max) = max {
            line(out, inner, &format!("max: {max}"));
        }
        if field.required {
            line(out, inner, "required: true");
        }
        terms("fields", table, inner, out);
    }
}

fn term_keys(term: &Term) -> String {
    match term {
        Term::Text { max } => format!("type: text, max: {max}"),
        Term::Integer { min, max } => format!("type: integer, min: {min}, max: {max}"),
        Term::Decimal { scale, min, max } => {
            format!("type: decimal, scale: {scale}, min: {min}, max: {max}")
        }
        Term::Bytes { length } => format!("type: bytes, length: {length}"),
        Term::Flag => "type: flag".to_owned(),
        Term::Date => "type: date".to_owned(),
        Term::Time => "type: time".to_owned(),
        Term::DateTime => "type: date-time".to_owned(),
        Term::Binary { max } => format!("type: binary, max: {max}"),
        Term::Code(set) => format!("type: code, of: {}", scalar(set)),
    }
}
