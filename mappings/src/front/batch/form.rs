//! The two forms of a batch file: CSV, and records of fixed-length fields told apart by the type
//! that each begins with. Both are texts by place once they are split, and are written from texts.

use std::borrow::Cow;

use crate::layout::csv::{self, CsvError};
use crate::layout::fixed::Fixed;
use crate::unfit::{FieldError, Unfit};

/// The place of a field in a record, its mark not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Column(pub(crate) usize);

/// The records of one mapping's files.
pub(crate) struct Form {
    pub(crate) kind: FormKind,
    pub(crate) header: Fields,
    pub(crate) data: Fields,
    pub(crate) trailer: Fields,
    /// A result record, a refused file's only record, and the trailer of a result.
    pub(crate) result: Fields,
    pub(crate) refusal: Fields,
    pub(crate) result_trailer: Fields,
}

pub(crate) enum FormKind {
    Csv,
    Fixed {
        /// Bytes of every record of a file.
        length: usize,
        /// Whether a line end follows each.
        line_ends: bool,
        /// Bytes of the receipt's field; the rest of the line when absent.
        receipt: Option<usize>,
        /// Bytes of every record of a result that has no line ends.
        result_length: usize,
    },
}

/// The fields of one kind of record.
pub(crate) struct Fields {
    /// What the record begins with.
    pub(crate) mark: String,
    pub(crate) places: Vec<Place>,
}

/// One field. Of a CSV file only its name matters.
pub(crate) struct Place {
    pub(crate) name: String,
    /// Where it begins, the mark counted.
    pub(crate) offset: usize,
    pub(crate) shape: Option<Fixed>,
}

/// One record, split.
pub(super) enum Split<'a> {
    Csv(Vec<Cow<'a, str>>),
    Fixed(&'a [u8]),
}

impl Form {
    /// Splits a record: a line of UTF-8 in CSV, exactly as many bytes as it must have otherwise.
    pub(super) fn split<'a>(&self, record: &'a [u8]) -> Result<Split<'a>, CsvError> {
        match self.kind {
            FormKind::Csv => {
                let line = std::str::from_utf8(record).unwrap_or_default();
                Ok(Split::Csv(csv::split(line)?))
            }
            FormKind::Fixed { .. } => Ok(Split::Fixed(record)),
        }
    }

    /// Writes one record of a result, without a receipt. `None` stands for nothing.
    pub(super) fn write(
        &self,
        fields: &Fields,
        texts: &[Option<&str>],
    ) -> Result<Vec<u8>, FieldError> {
        match self.kind {
            FormKind::Csv => Ok(csv_record(&fields.mark, texts)),
            FormKind::Fixed { .. } => {
                let mut out = fields.mark.clone().into_bytes();
                let texts = texts.iter().copied().chain(std::iter::repeat(None));
                for (place, text) in fields.places.iter().zip(texts) {
                    let Some(shape) = &place.shape else { continue };
                    let written = shape.write(text, &mut out);
                    written.map_err(|why| FieldError::new(&place.name, why))?;
                }
                Ok(out)
            }
        }
    }
}

fn csv_record(mark: &str, texts: &[Option<&str>]) -> Vec<u8> {
    let mut line = String::with_capacity(128);
    line.push_str(mark);
    for text in texts {
        line.push(',');
        csv::push_field(&mut line, text.unwrap_or_default());
    }
    line.into_bytes()
}

impl Split<'_> {
    /// Whether this is a record of these fields.
    pub(super) fn is(&self, fields: &Fields) -> bool {
        match self {
            Split::Csv(texts) => {
                self.is_marked(fields) && texts.len() == fields.places.len().saturating_add(1)
            }
            // What is left over must be blank, or the record is of another kind than it says.
            Split::Fixed(bytes) => {
                let end = fields.end();
                let rest = bytes.get(end..);
                self.is_marked(fields)
                    && rest.is_some_and(|rest| rest.iter().all(|byte| *byte == b' '))
            }
        }
    }

    /// Whether the record begins like one of these fields.
    pub(super) fn is_marked(&self, fields: &Fields) -> bool {
        match self {
            Split::Csv(texts) => texts.first().is_some_and(|mark| *mark == fields.mark),
            Split::Fixed(bytes) => bytes.starts_with(fields.mark.as_bytes()),
        }
    }

    /// The text of one field; nothing for blanks.
    pub(super) fn text(
        &self,
        fields: &Fields,
        column: Column,
    ) -> Result<Option<Cow<'_, str>>, FieldError> {
        match self {
            Split::Csv(texts) => {
                let text = texts.get(column.0.saturating_add(1));
                Ok(text.map(|text| Cow::Borrowed(&**text)))
            }
            Split::Fixed(bytes) => match fields.places.get(column.0) {
                Some(Place { name, offset, shape: Some(shape) }) => {
                    let end = offset.saturating_add(shape.length);
                    let bytes = bytes.get(*offset..end);
                    let bytes = bytes.ok_or_else(|| FieldError::new(name, Unfit::Missing))?;
                    shape.read(bytes).map_err(|why| FieldError::new(name, why))
                }
                _ => Ok(None),
            },
        }
    }
}

impl Fields {
    /// Bytes up to the end of the last field.
    pub(crate) fn end(&self) -> usize {
        let last = self.places.last();
        let end =
            last.and_then(|place| Some(place.offset.saturating_add(place.shape.as_ref()?.length)));
        end.unwrap_or(self.mark.len())
    }
}
