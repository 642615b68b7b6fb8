//! One message, field by field: where each came from and which rule made it. Values are masked by
//! the class of their field; nothing is shown of a sensitive one.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use gateway_core::{Fault, Kind, LossKind, Message, Value};

use super::{Files, inner_tables, parts};
use crate::cases::{self, Explainable};
use crate::catalog::Catalog;
use crate::convert::Mask;
use crate::format::{MappingFile, Operation, Row};
use crate::problem::Problem;
use crate::terms::{Class, Fields, Terms, Type, field_at};

/// What became of a message.
#[derive(Clone, Debug)]
pub struct Explained {
    /// Which operation it is, or why it is refused.
    pub outcome: String,
    /// Its fields, in the order of the table.
    pub lines: Vec<Line>,
    /// What was lost, as the mapping declares.
    pub losses: Vec<String>,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it came from.
    pub from: String,
    /// Where it went.
    pub to: String,
    /// Its value, masked by the class of its field.
    pub value: String,
    /// The row of the mapping, and what it says.
    pub rule: String,
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.outcome)?;
        let width = |text: fn(&Line) -> &str| {
            self.lines.iter().map(|line| text(line).chars().count()).max().unwrap_or_default()
        };
        let (from, to) = (width(|line| &line.from), width(|line| &line.to));
        let value = width(|line| &line.value).min(40);
        for Line { from: source, to: target, value: shown, rule } in &self.lines {
            writeln!(f, "  {source:from$} -> {target:to$}  {shown:value$}  {rule}")?;
        }
        for loss in &self.losses {
            writeln!(f, "  lost: {loss}")?;
        }
        Ok(())
    }
}

/// Explains a message as a case's `.in` file holds it; `NAME.reply.in` is an answer to the case
/// that it names.
///
/// # Errors
/// When the catalog does not load, has no such mapping, or the file is not of its kind.
pub fn explain(root: &Path, mapping: &str, message: &Path) -> Result<Explained, Vec<Problem>> {
    let problem = |says: String| {
        let file = message.display().to_string();
        vec![Problem { file, path: String::new(), message: says }]
    };
    let files = Files::read(root)?;
    let catalog = Catalog::load(root, Arc::new(cases::Transparent))?;
    let found = files.sectors.iter().find_map(|sector| sector.mappings.get(mapping));
    let file = found.ok_or_else(|| problem(format!("the catalog has no mapping `{mapping}`")))?;
    let read = cases::explainable(&catalog, mapping, message).map_err(problem)?;
    let sector = catalog.sectors.get(&file.sector);
    let terms = |service: &str| sector.and_then(|sector| sector.services.get(service));
    Ok(match &read {
        Explainable::Refused(fault) => refused(file, fault),
        Explainable::Message { service, message, is_reply } => match terms(service) {
            Some(terms) => told(file, terms, message, *is_reply),
            None => {
                refused(file, &Fault::new(Kind::Unroutable, "unknown-service", service.clone()))
            }
        },
    })
}

/// The rule of the field that the fault names, when it names one.
fn refused(file: &MappingFile, fault: &Fault) -> Explained {
    let named = fault.public.split('`').nth(1).unwrap_or_default();
    let mut lines = Vec::new();
    for (name, operation) in &file.operations {
        for (table, rows) in [("request", &operation.request), ("reply", &operation.reply)] {
            let at = rows.iter().position(|row| {
                [&row.from, &row.to].into_iter().any(|side| side.as_deref() == Some(named))
            });
            if let Some((at, row)) = at.and_then(|at| Some((at, rows.get(at)?))) {
                lines.push(Line {
                    from: row.from.clone().unwrap_or_default(),
                    to: row.to.clone().unwrap_or_default(),
                    value: String::new(),
                    rule: format!("operations.{name}.{table}[{at}]: {}", says(row)),
                });
            }
        }
    }
    let outcome = format!("refused: {}/{}: {}", fault.kind, fault.code, fault.public);
    Explained { outcome, lines, losses: vec![] }
}

fn told(file: &MappingFile, terms: &Terms, message: &Message, is_reply: bool) -> Explained {
    let code = &*terms.service.id.code;
    let is_it = |(name, operation): &(&String, &Operation)| {
        operation.service.as_deref().unwrap_or(name.as_str()) == code
    };
    let Some((name, operation)) = file.operations.iter().find(is_it) else {
        return Explained {
            outcome: format!("{code} is not offered"),
            lines: vec![],
            losses: vec![],
        };
    };
    let (table, rows, fields) = match is_reply {
        true => ("reply", &operation.reply, &terms.reply),
        false => ("request", &operation.request, &terms.request),
    };
    let path = format!("operations.{name}.{table}");
    let mut lines = Vec::new();
    // A front's request and a backend's reply come in; the others go out.
    let comes_in = file.is_front() != is_reply;
    let way = Way { comes_in, fields };
    way.rows(rows, message, &path, "", &mut lines);
    let losses = message.losses().iter().map(ToString::to_string).collect();
    Explained { outcome: format!("{name}: {} {}", terms.service.id, table), lines, losses }
}

/// Which way a table is read, and what its fields are.
struct Way<'a> {
    comes_in: bool,
    fields: &'a Fields,
}

impl Way<'_> {
    fn rows(
        &self,
        rows: &[Row],
        message: &Message,
        path: &str,
        within: &str,
        lines: &mut Vec<Line>,
    ) {
        for (index, row) in rows.iter().enumerate() {
            let path = format!("{path}[{index}]");
            let field = if self.comes_in { &row.to } else { &row.from };
            match field {
                Some(field) => self.field(row, field, message, &path, within, lines),
                None if inner_tables(row).next().is_some() => {
                    for rows in inner_tables(row) {
                        self.rows(rows, message, &format!("{path}.fields"), within, lines);
                    }
                }
                None if row.parts.is_some() => {
                    for part in parts(row) {
                        self.field(row, &part.field, message, &path, within, lines);
                    }
                }
                None => lines.push(self.line(row, None, String::new(), &path, within)),
            }
        }
    }

    fn field(
        &self,
        row: &Row,
        field: &str,
        message: &Message,
        path: &str,
        within: &str,
        lines: &mut Vec<Line>,
    ) {
        let names: Vec<&str> = field.split('.').collect();
        let known = field_at(self.fields, field);
        let inner = |records: &[&Message], fields: &Fields, lines: &mut Vec<Line>| {
            let way = Way { comes_in: self.comes_in, fields };
            let table = row.fields.as_deref().unwrap_or_default();
            for (at, record) in records.iter().enumerate() {
                let within = match records.len() {
                    1 => format!("{within}{field}."),
                    _ => format!("{within}{field}[{at}]."),
                };
                way.rows(table, record, &format!("{path}.fields"), &within, lines);
            }
        };
        match (message.at(&names), known.map(|known| &known.kind)) {
            (Some(Value::Record(record)), Some(Type::Record { fields })) => {
                inner(&[record], fields, lines);
            }
            (Some(Value::List(list)), Some(Type::List { fields, .. })) => {
                let shown = format!("{} records", list.len());
                lines.push(self.line(row, Some(field), shown, path, within));
                inner(&list.iter().collect::<Vec<_>>(), fields, lines);
            }
            (value, _) => {
                let class = known.map_or(Class::Public, |known| known.class);
                let shown =
                    value.map_or_else(|| "(absent)".to_owned(), |value| shown(value, class));
                lines.push(self.line(row, Some(field), shown, path, within));
            }
        }
    }

    fn line(
        &self,
        row: &Row,
        field: Option<&str>,
        value: String,
        path: &str,
        within: &str,
    ) -> Line {
        let wire = if self.comes_in { &row.from } else { &row.to };
        let joined = row.join.as_ref().map(|names| names.join(" + "));
        let wire = wire.clone().or(joined).unwrap_or_else(|| "-".to_owned());
        let field = match field {
            Some(field) => format!("{within}{field}"),
            None => "-".to_owned(),
        };
        let (from, to) = if self.comes_in { (wire, field) } else { (field, wire) };
        Line { from, to, value, rule: format!("{path}: {}", says(row)) }
    }
}

/// A value as far as its class lets it be seen.
fn shown(value: &Value, class: Class) -> String {
    match (class, value) {
        (Class::Public, value) => cases::value_shown(value),
        (Class::Sensitive, _) => "***".to_owned(),
        (Class::Personal, Value::Resident(_)) => masked(Mask::Number, value),
        (Class::Personal, Value::Personal(_)) => masked(Mask::Name, value),
        (Class::Personal, _) => "***".to_owned(),
    }
}

fn masked(mask: Mask, value: &Value) -> String {
    mask.write(value).map_or_else(|_| "***".to_owned(), std::borrow::Cow::into_owned)
}

/// What a row says, in the words of the file.
fn says(row: &Row) -> String {
    let mut words = Vec::new();
    let mut word = |name: &str, value: Option<String>| {
        words.extend(value.map(|value| format!("{name} {value}")));
    };
    let number = |number: Option<usize>| number.map(|number| number.to_string());
    word("type", row.kind.clone());
    word("length", number(row.length));
    word("max", number(row.max));
    word("convert", row.convert.clone());
    word("format", row.format.clone());
    word("scale", row.scale.map(|scale| scale.to_string()));
    word("table", row.table.clone());
    word("via", row.via.clone());
    word("domain", row.domain.as_ref().map(|domain| domain.from.clone()));
    word("normalize", (!row.normalize.is_empty()).then(|| row.normalize.join("+")));
    word("default", row.default.clone());
    word("constant", row.constant.clone());
    word("when", row.when.as_ref().map(|when| when.field.clone()));
    word("loss", row.loss.as_ref().map(LossKind::to_string));
    if row.required {
        words.push("required".to_owned());
    }
    words.join(", ")
}
