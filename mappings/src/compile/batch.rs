//! The batch front: columns of a file.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Scope, front, header, unused};
use crate::catalog::FrontEntry;
use crate::convert::Codec;
use crate::format::{BatchLayout, HeaderFormat, MappingFile, Row};
use crate::front::{BatchFront, Column};
use crate::header::{Header, Purpose};
use crate::operations::{Operation, Operations};
use crate::problem::Spot;

pub(crate) fn compile(
    id: Arc<str>,
    file: &MappingFile,
    layout: &BatchLayout,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<FrontEntry> {
    let replies = front::replies(file, spot);
    let header = compile_header(file, layout, &mut spot.key("layout.batch"));
    let operations = compile_operations(file, layout, scope, spot);
    let spot = &mut spot.key("layout.batch");
    let column = |name: &String, key: &str, spot: &mut Spot<'_>| {
        let place = layout.columns.iter().position(|column| column == name);
        if place.is_none() {
            spot.key(key).problem(format_args!("`{name}` is not one of the columns"));
        }
        place.map(Column)
    };
    let number = column(&layout.number, "number", spot);
    let operation = column(&layout.operation, "operation", spot);
    let total = column(&layout.total, "total", spot);
    let names = layout.files.split_once('*');
    if names.is_none() {
        spot.key("files").problem("must have one `*`");
    }
    let (before, after) = names?;
    let is_organization = |purpose: &Purpose| matches!(purpose, Purpose::Organization);
    let institution = place(&header, is_organization, "organization", spot);
    let is_file = |purpose: &Purpose| matches!(purpose, Purpose::File);
    let file_field = place(&header, is_file, "file", spot)?;
    check_key(file, &header, file_field, layout, spot);
    Some(FrontEntry::Batch(Arc::new(BatchFront {
        id,
        names: (before.to_owned(), after.to_owned()),
        institution: institution?,
        header,
        columns: layout.columns.clone(),
        number: number?,
        operation: operation?,
        total: total?,
        operations: Operations::new(operations),
        results: layout.results.clone(),
        replies: replies?,
    })))
}

fn compile_header(file: &MappingFile, layout: &BatchLayout, spot: &mut Spot<'_>) -> Header<Column> {
    let shape = |format: &HeaderFormat, _: &Codec, spot: &mut Spot<'_>| {
        unused(format.length.is_some(), "length", spot);
        unused(format.cut, "cut", spot);
        if !matches!(format.kind.as_deref(), None | Some("yyyymmdd")) {
            spot.key("type").problem("must be `yyyymmdd` or nothing");
        }
        Some(Column(0))
    };
    header::compile(file, &layout.header, shape, spot)
}

fn compile_operations(
    file: &MappingFile,
    layout: &BatchLayout,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Vec<Operation<Column>> {
    let shape = |row: &Row, _: &Codec, spot: &mut Spot<'_>| {
        unused(row.kind.is_some(), "type", spot);
        unused(row.length.is_some(), "length", spot);
        let find = |columns: &[String], name: &Option<String>| {
            columns.iter().position(|column| Some(column) == name.as_ref())
        };
        // A row's wire side is `from` in a request and `to` in a reply.
        let place = find(&layout.columns, &row.from).or(find(&layout.results, &row.to));
        if place.is_none() {
            spot.problem("the row names none of the columns");
        }
        place.map(Column)
    };
    let mut services = BTreeSet::new();
    let mut operations = Vec::new();
    for (name, format) in &file.operations {
        let spot = &mut spot.key(format_args!("operations.{name}"));
        let compiled = front::operation(name, format, scope, &shape, false, spot);
        if let Some(operation) = compiled {
            if !services.insert(operation.service.id.code.clone()) {
                spot.problem("another operation of this mapping is the same service");
            }
            operations.push(operation);
        }
    }
    operations
}

fn place(
    header: &Header<Column>,
    is_it: impl Fn(&Purpose) -> bool,
    name: &str,
    spot: &mut Spot<'_>,
) -> Option<usize> {
    let place = header.roles.iter().position(|role| is_it(&role.request));
    if place.is_none() {
        spot.key("header").problem(format_args!("no field has `request: {name}`"));
    }
    place
}

/// A record has no name of its own: the file's id and its number are it.
fn check_key(
    file: &MappingFile,
    header: &Header<Column>,
    file_field: usize,
    layout: &BatchLayout,
    spot: &mut Spot<'_>,
) {
    let field = header.rows.0.get(file_field).map_or("", |row| &row.name);
    if *file.idempotency_key != [field.to_owned(), layout.number.clone()] {
        let message = format_args!("`idempotency-key` must be [{field}, {}]", layout.number);
        spot.problem(message);
    }
}
