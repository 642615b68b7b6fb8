//! The batch front: columns of a file.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Scope, batch_form, front, header, integrations, shape, unused};
use crate::catalog::FrontEntry;
use crate::convert::Codec;
use crate::format::{
    BadRecordsFormat, BatchLayout, ColumnFormat, EncodingFormat, HeaderFormat, MappingFile, Row,
    TrailerRole,
};
use crate::front::{BadRecords, BatchFront, Column, Encoding, Form, Replies};
use crate::header::{Content, Header, Purpose};
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
    let header = compile_header(file, layout, scope, &mut spot.key("layout.batch"));
    integrations::unused(&header, &mut spot.key("layout.batch"));
    let form = batch_form::compile(layout, &mut spot.key("layout.batch"));
    let operations = compile_operations(file, layout, &form, scope, spot);
    let spot = &mut spot.key("layout.batch");
    let number = column(&layout.columns, &layout.number, "number", spot);
    let operation = column(&layout.columns, &layout.operation, "operation", spot);
    let optional = |name: &Option<String>, key: &str, spot: &mut Spot<'_>| {
        name.as_ref().and_then(|name| column(&layout.columns, name, key, spot))
    };
    let total = optional(&layout.total, "total", spot);
    let sequence = optional(&layout.sequence, "sequence", spot);
    let trailer_count = trailer(layout, TrailerRole::Count, spot);
    let trailer_total = trailer(layout, TrailerRole::Total, spot);
    if layout.files.matches('*').count() != 1 {
        spot.key("files").problem("must have one `*`");
    }
    let (before, after) = layout.files.split_once('*')?;
    let is_organization = |purpose: &Purpose| matches!(purpose, Purpose::Organization);
    let institution = place(&header, is_organization, "organization", spot);
    let is_file = |purpose: &Purpose| matches!(purpose, Purpose::File);
    let file_field = place(&header, is_file, "file", spot)?;
    check_key(file, &header, file_field, layout, spot);
    check_results(&header, &form, replies.as_ref()?, spot);
    Some(FrontEntry::Batch(Arc::new(BatchFront {
        id,
        names: (before.to_owned(), after.to_owned()),
        encoding: encoding(layout, spot),
        form,
        institution: institution?,
        header,
        number: number?,
        operation: operation?,
        total,
        sequence,
        trailer_count: trailer_count?,
        trailer_total,
        bad_records: match layout.bad_records {
            BadRecordsFormat::RefuseRecord => BadRecords::RefuseRecord,
            BadRecordsFormat::RefuseFile => BadRecords::RefuseFile,
        },
        operations: Operations::new(operations),
        results: layout.results.iter().map(|column| column.name().to_owned()).collect(),
        replies: replies?,
    })))
}

fn column(columns: &[ColumnFormat], name: &str, key: &str, spot: &mut Spot<'_>) -> Option<Column> {
    let place = columns.iter().position(|column| column.name() == name);
    if place.is_none() {
        spot.key(key).problem(format_args!("`{name}` is not one of the columns"));
    }
    place.map(Column)
}

/// The trailer's field for the count, which there must be, or for the total, which there must be
/// where a column is summed up.
fn trailer(layout: &BatchLayout, role: TrailerRole, spot: &mut Spot<'_>) -> Option<Column> {
    let fields = batch_form::trailer_fields(layout);
    let places = || fields.iter().enumerate().filter(|(_, field)| field.is == Some(role));
    let (name, wanted) = match role {
        TrailerRole::Count => ("count", true),
        TrailerRole::Total => ("total", layout.total.is_some()),
    };
    if places().count() != usize::from(wanted) {
        let message = match wanted {
            true => format!("one field must have `is: {name}`"),
            false => "a field has `is: total`, and no column is the `total`".to_owned(),
        };
        spot.key("trailer").problem(message);
    }
    places().next().map(|(index, _)| Column(index))
}

fn encoding(layout: &BatchLayout, spot: &mut Spot<'_>) -> Option<Encoding> {
    if layout.fixed.is_some() {
        unused(layout.encoding.is_some(), "encoding", spot);
    }
    layout.encoding.map(|encoding| match encoding {
        EncodingFormat::Utf8 => Encoding::Utf8,
        EncodingFormat::EucKr => Encoding::EucKr,
    })
}

fn compile_header(
    file: &MappingFile,
    layout: &BatchLayout,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Header<Column> {
    let is_fixed = layout.fixed.is_some();
    let shape = |format: &HeaderFormat, _: &Codec, spot: &mut Spot<'_>| {
        if !is_fixed {
            unused(format.length.is_some(), "length", spot);
            unused(format.cut, "cut", spot);
            if !matches!(format.kind.as_deref(), None | Some("yyyymmdd")) {
                spot.key("type").problem("must be `yyyymmdd` or nothing");
            }
        }
        Some(Column(0))
    };
    header::compile(file, &layout.header, scope.zone, shape, spot)
}

fn compile_operations(
    file: &MappingFile,
    layout: &BatchLayout,
    form: &Form,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Vec<Operation<Column>> {
    let shape = |row: &Row, codec: &Codec, spot: &mut Spot<'_>| {
        unused(row.kind.is_some(), "type", spot);
        shape::fixed_only(row, spot);
        let find = |columns: &[ColumnFormat], name: &Option<String>| {
            columns.iter().position(|column| Some(column.name()) == name.as_deref())
        };
        // A row's wire side is `from` in a request and `to` in a reply.
        let in_data = find(&layout.columns, &row.from).map(Column);
        if in_data.is_some() {
            return in_data;
        }
        let place = find(&layout.results, &row.to).map(Column);
        match place {
            Some(column) => check_result(column, form, codec, spot),
            None => spot.problem("the row names none of the columns"),
        }
        place
    };
    let mut services = BTreeSet::new();
    let mut operations = Vec::new();
    for (name, format) in &file.operations {
        let spot = &mut spot.key(format_args!("operations.{name}"));
        if format.request.iter().chain(&format.reply).any(|row| row.fields.is_some()) {
            spot.problem("a line of a file holds no records");
        }
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

/// Fields of a result record before the mapping's own columns: number, code, message.
const BEFORE_RESULTS: usize = 3;

/// A column of a result must hold whatever may be written there.
fn check_result(column: Column, form: &Form, codec: &Codec, spot: &mut Spot<'_>) {
    let place = form.result.places.get(column.0.saturating_add(BEFORE_RESULTS));
    let Some(shape) = place.and_then(|place| place.shape) else { return };
    for text in codec.extremes() {
        if let Err(why) = shape.write(Some(&text), &mut Vec::new()) {
            spot.problem(format_args!("the column cannot hold `{text}`: it {why}"));
        }
    }
}

/// What a result always says must fit its fields, so that a refusal can always be written.
fn check_results(header: &Header<Column>, form: &Form, replies: &Replies, spot: &mut Spot<'_>) {
    let holds = |place: Option<&crate::front::Place>, text: &str, spot: &mut Spot<'_>| {
        let Some(shape) = place.and_then(|place| place.shape) else { return };
        if let Err(why) = shape.write(Some(text), &mut Vec::new()) {
            spot.problem(format_args!("the field cannot hold `{text}`: it {why}"));
        }
    };
    for code in replies.codes() {
        holds(form.refusal.places.first(), code, &mut spot.key("fixed.code-length"));
    }
    for (index, role) in header.roles.iter().enumerate() {
        let spot = &mut spot.key(format_args!("header[{index}]"));
        match &role.reply {
            Content::Constant(text) => holds(form.header.places.get(index), text, spot),
            Content::Received | Content::Sent => {
                spot.problem("times are written in XML headers only");
            }
            Content::ResultCode | Content::ResultName | Content::ResultMessage => {
                spot.problem("a file's header says nothing of its records");
            }
            Content::Blank | Content::Echo => {}
        }
    }
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
