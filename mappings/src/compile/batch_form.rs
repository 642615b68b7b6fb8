//! The records of a batch file: which fields each kind has, and where they stand.

use super::fixed::Conventions;
use super::header;
use crate::convert::Codec;
use crate::format::{
    BatchLayout, ColumnFormat, FixedColumn, FixedFormat, HeaderFormat, Marks, Row, TrailerFormat,
    TrailerRole,
};
use crate::front::{Fields, Form, FormKind, Place};
use crate::layout::fixed::{Fixed, FixedKind};
use crate::problem::Spot;

/// Compiles the records of `layout`. Every record must fit the file's, every code its field.
pub(super) fn compile(layout: &BatchLayout, spot: &mut Spot<'_>) -> Form {
    let fixed = layout.fixed.as_ref();
    let Marks { header, data, trailer, result, refusal } = &layout.marks;
    check_marks(&layout.marks, fixed.is_some(), &mut spot.key("marks"));
    let columns = |columns: &[ColumnFormat], key: &str, spot: &mut Spot<'_>| {
        let named = columns.iter().enumerate();
        let named = named.map(|(index, column)| {
            let spot = &mut spot.key(format_args!("{key}[{index}]"));
            (column.name().to_owned(), fixed.and_then(|_| column_shape(column, spot)))
        });
        named.collect::<Vec<_>>()
    };
    let data_columns = columns(&layout.columns, "columns", spot);
    let results = columns(&layout.results, "results", spot);
    if fixed.is_none() {
        check_named(layout, spot);
    }
    let number = data_columns.iter().find(|(name, _)| *name == layout.number);
    let number = number.map_or((layout.number.clone(), None), Clone::clone);
    let code = text("resultCode", fixed.map(|fixed| fixed.code_length), false);
    let message = text("message", fixed.map(|fixed| fixed.message_length), true);
    let answers = [number.clone(), code.clone(), message.clone()];
    let counts = ["count", "succeeded", "failed"].map(|name| (name.to_owned(), number.1));
    let headers = layout.header.iter().enumerate();
    let headers = headers.map(|(index, field)| {
        let spot = &mut spot.key(format_args!("header[{index}]"));
        (field.name.clone(), fixed.and_then(|_| header_shape(field, spot)))
    });
    let headers = headers.collect::<Vec<_>>();
    let trailers = trailer_fields(layout).into_iter().enumerate().map(|(index, field)| {
        let spot = &mut spot.key(format_args!("trailer[{index}]"));
        (field.name.clone(), fixed.and_then(|_| trailer_shape(&field, spot)))
    });
    let trailers = trailers.collect::<Vec<_>>();
    let mut form = Form {
        kind: FormKind::Csv,
        header: fields(header, headers),
        data: fields(data, data_columns),
        trailer: fields(trailer, trailers),
        result: fields(result, answers.into_iter().chain(results)),
        refusal: fields(refusal, [code, message]),
        result_trailer: fields(trailer, counts),
    };
    if let Some(fixed) = fixed {
        form.kind = fixed_kind(fixed, &form, spot);
    }
    form
}

/// The trailer's fields, which are count and total where the mapping does not say.
pub(super) fn trailer_fields(layout: &BatchLayout) -> Vec<TrailerFormat> {
    layout.trailer.clone().unwrap_or_else(|| {
        let field = |name: &str, is| TrailerFormat {
            name: name.to_owned(),
            kind: None,
            length: None,
            is: Some(is),
        };
        let total = layout.total.as_ref().map(|_| field("total", TrailerRole::Total));
        std::iter::once(field("count", TrailerRole::Count)).chain(total).collect()
    })
}

type Named = (String, Option<Fixed>);

fn fields(mark: &str, named: impl IntoIterator<Item = Named>) -> Fields {
    let mut offset = mark.len();
    let places = named.into_iter().map(|(name, shape)| {
        let place = Place { name, offset, shape };
        offset = offset.saturating_add(shape.map_or(0, |shape| shape.length));
        place
    });
    Fields { mark: mark.to_owned(), places: places.collect() }
}

fn check_marks(marks: &Marks, is_fixed: bool, spot: &mut Spot<'_>) {
    let Marks { header, data, trailer, result, refusal } = marks;
    let (read, written) = ([header, data, trailer], [header, trailer, result, refusal]);
    for group in [&read[..], &written[..]] {
        for (index, mark) in group.iter().enumerate() {
            let others = group.iter().skip(index.saturating_add(1));
            if others.into_iter().any(|other| other == mark) {
                spot.problem(format_args!("`{mark}` marks two kinds of records"));
            }
        }
    }
    let all = [header, data, trailer, result, refusal];
    let plain = |mark: &str| mark.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !all.iter().all(|mark| !mark.is_empty() && plain(mark)) {
        spot.problem("a mark is of ASCII letters and digits");
    }
    if is_fixed && !all.iter().all(|mark| mark.len() == header.len()) {
        spot.problem("all marks must be of one length");
    }
}

/// In CSV a column is a name and nothing else.
fn check_named(layout: &BatchLayout, spot: &mut Spot<'_>) {
    let columns = layout.columns.iter().chain(&layout.results);
    let trailer = layout.trailer.iter().flatten();
    let shaped = trailer.filter(|field| field.kind.is_some() || field.length.is_some()).count();
    if columns.filter(|column| matches!(column, ColumnFormat::Fixed(_))).count() > 0 || shaped > 0 {
        spot.problem("types and lengths mean nothing in CSV, which has no `fixed`");
    }
}

fn column_shape(column: &ColumnFormat, spot: &mut Spot<'_>) -> Option<Fixed> {
    match column {
        ColumnFormat::Named(_) => {
            spot.problem("wants `name`, `type` and `length`");
            None
        }
        ColumnFormat::Fixed(FixedColumn { kind, length, .. }) => {
            bytes(Some(kind), Some(*length), spot)
        }
    }
}

fn trailer_shape(field: &TrailerFormat, spot: &mut Spot<'_>) -> Option<Fixed> {
    bytes(field.kind.as_deref(), field.length, spot)
}

fn header_shape(field: &HeaderFormat, spot: &mut Spot<'_>) -> Option<Fixed> {
    let row = header::as_row(field);
    let shape = Conventions::default().field(&row, &Codec::Text { max: usize::MAX }, spot)?;
    Some(Fixed { cut: field.cut, ..shape })
}

/// A field of its own type, whatever is mapped to it.
fn bytes(kind: Option<&str>, length: Option<usize>, spot: &mut Spot<'_>) -> Option<Fixed> {
    let row = Row { kind: kind.map(str::to_owned), length, ..Row::default() };
    Conventions::default().field(&row, &Codec::Text { max: usize::MAX }, spot)
}

/// A field of result records, which the mapping gives only a length.
fn text(name: &str, length: Option<usize>, cut: bool) -> Named {
    let kind = if cut { FixedKind::Hangul } else { FixedKind::Ascii };
    (name.to_owned(), length.map(|length| Fixed { cut, ..Fixed::new(kind, length) }))
}

fn fixed_kind(fixed: &FixedFormat, form: &Form, spot: &mut Spot<'_>) -> FormKind {
    let spot = &mut spot.key("fixed");
    for (name, fields) in
        [("data", &form.data), ("header", &form.header), ("trailer", &form.trailer)]
    {
        let end = fields.end();
        if end > fixed.record_length {
            let message = format_args!("the {name} record has {end} bytes");
            spot.key("record-length").problem(message);
        }
    }
    if !fixed.line_ends && fixed.receipt_length.is_none() {
        spot.key("receipt-length").problem("is wanted where no line end ends the receipt");
    }
    let receipt = fixed.receipt_length.unwrap_or_default();
    let longest = [form.result.end(), form.refusal.end()].into_iter().max().unwrap_or_default();
    let longest = longest.saturating_add(receipt);
    let result_length = longest.max(form.header.end()).max(form.result_trailer.end());
    FormKind::Fixed {
        length: fixed.record_length,
        line_ends: fixed.line_ends,
        receipt: fixed.receipt_length,
        result_length,
    }
}
