//! A batch file as a whole: its encoding, its header and trailer, and the records between them. A
//! file is taken whole or not at all, so it is read twice: [`BatchFront::check`] reads it to its
//! end before [`BatchFront::records`] hands out the first record.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};

use bytes::Bytes;
use gateway_core::Message;

use super::content::{BatchError, BatchLimits, Content, refused};
use super::form::{Column, FormKind, Split};
use super::{BadRecords, BatchFront, Encoding};
use crate::convert::parse_integer;
use crate::layout::fixed;
use crate::rows::{Record, Wire};

/// A file that may be processed.
#[derive(Clone, Debug)]
pub struct BatchFile {
    /// How many data records it has.
    pub count: u64,
    encoding: Encoding,
    named_gzip: bool,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) echo: Message,
}

impl BatchFile {
    /// What a record of this file is handed in with: `:file`, the file's own id, and
    /// `:institution`, the code of the organization that it comes from.
    pub fn attributes(&self) -> &BTreeMap<String, String> {
        &self.attributes
    }
}

/// One data record of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRecord {
    /// Its bytes without a line end: UTF-8 where the file is CSV.
    pub bytes: Bytes,
    /// Records with the same value here must be done one after another, in the order of the file.
    pub sequence: Option<u64>,
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
const NOT_TEXT: &str = "not-text";

impl BatchFront {
    /// Reads a file to its end and checks what concerns all of it. `open` begins anew at its first
    /// byte; it is called again where the encoding turns out to be the other one.
    ///
    /// # Errors
    /// [`BatchError::Refused`]: nothing of the file may be done.
    pub fn check<R: Read>(
        &self,
        name: &str,
        limits: &BatchLimits,
        open: impl Fn() -> io::Result<R>,
    ) -> Result<BatchFile, BatchError> {
        let checked = |encoding| {
            let source = open().map_err(BatchError::Read)?;
            let mut reader = BatchReader::begin(self, source, encoding, is_gzip(name), limits)?;
            while reader.advance()? {
                self.check_record(&reader)?;
            }
            Ok(BatchFile { count: reader.count, ..reader.file })
        };
        match (self.encoding, checked(self.encoding.unwrap_or(Encoding::Utf8))) {
            (None, Err(BatchError::Refused(fault))) if fault.code == NOT_TEXT => {
                checked(Encoding::EucKr)
            }
            (_, checked) => checked,
        }
    }

    fn check_record<R: Read>(&self, reader: &BatchReader<'_, R>) -> Result<(), BatchError> {
        if self.bad_records == BadRecords::RefuseFile
            && let Err(mut fault) = self.decode_record(&reader.file.attributes, &reader.record)
        {
            fault.public = format!("record {}: {}", reader.count, fault.public);
            return Err(fault.into());
        }
        Ok(())
    }

    /// The data records of a file that was checked, read again from its first byte.
    ///
    /// # Errors
    /// As [`BatchFront::check`], which a file that has not changed since does not give.
    pub fn records<R: Read>(
        &self,
        file: &BatchFile,
        limits: &BatchLimits,
        source: R,
    ) -> Result<BatchReader<'_, R>, BatchError> {
        BatchReader::begin(self, source, file.encoding, file.named_gzip, limits)
    }
}

pub(super) fn is_gzip(name: &str) -> bool {
    name.ends_with(".gz")
}

/// The records of a file, as they are read off.
pub struct BatchReader<'f, R: Read> {
    front: &'f BatchFront,
    content: Content<R>,
    file: BatchFile,
    /// The record read last.
    record: Vec<u8>,
    count: u64,
    total: i128,
    ended: bool,
}

impl<'f, R: Read> BatchReader<'f, R> {
    /// Reads the header.
    fn begin(
        front: &'f BatchFront,
        source: R,
        encoding: Encoding,
        named_gzip: bool,
        limits: &BatchLimits,
    ) -> Result<Self, BatchError> {
        let content = Content::open(source, named_gzip, limits)?;
        let (attributes, echo) = (BTreeMap::new(), Message::new());
        let file = BatchFile { count: 0, encoding, named_gzip, attributes, echo };
        let record = Vec::with_capacity(256);
        let mut reader = Self { front, content, file, record, count: 0, total: 0, ended: false };
        if !reader.read()? {
            return Err(refused("header-missing", "the file is empty"));
        }
        reader.header()?;
        Ok(reader)
    }

    /// The next data record. `None` after the last one, once the trailer has agreed with all.
    ///
    /// # Errors
    /// [`BatchError::Refused`] where the file is not as it must be.
    pub fn next_record(&mut self) -> Result<Option<BatchRecord>, BatchError> {
        if !self.advance()? {
            return Ok(None);
        }
        let sequence = match self.front.sequence {
            None => None,
            Some(column) => {
                let split = self.split()?;
                let text = split.text(&self.front.form.data, column).ok().flatten();
                text.map(|text| {
                    let mut hasher = DefaultHasher::new();
                    text.hash(&mut hasher);
                    hasher.finish()
                })
            }
        };
        Ok(Some(BatchRecord { bytes: Bytes::copy_from_slice(&self.record), sequence }))
    }

    /// Goes to the next data record. False after the trailer, which has been checked then.
    fn advance(&mut self) -> Result<bool, BatchError> {
        if self.ended {
            return Ok(false);
        }
        if !self.read()? {
            return Err(refused("trailer-missing", "the file ends without a trailer"));
        }
        let (form, line) = (&self.front.form, self.content.line);
        let split = self.split()?;
        if split.is(&form.data) {
            (self.count, self.total) = self.counted(&split)?;
            return Ok(true);
        }
        if split.is(&form.trailer) {
            self.front.check_trailer(&split, self.count, self.total)?;
            self.ended = true;
            return match self.read()? {
                false => Ok(false),
                true => {
                    let says = format!("line {}: something follows the trailer", self.content.line);
                    Err(refused("unknown-record", says))
                }
            };
        }
        if split.is_marked(&form.header) {
            return Err(refused("header-repeated", format!("line {line}: a second header")));
        }
        let says = format!("line {line}: neither a data record nor a trailer");
        Err(refused("unknown-record", says))
    }

    /// The count and the total with this record.
    fn counted(&self, split: &Split<'_>) -> Result<(u64, i128), BatchError> {
        let number = |column: Column| {
            let text = split.text(&self.front.form.data, column).ok().flatten();
            text.and_then(|text| parse_integer(&text))
        };
        let expected = self.count.saturating_add(1);
        if number(self.front.number) != Some(expected.into()) {
            let line = self.content.line;
            let says = format!("line {line}: record number {expected} is expected");
            return Err(refused("record-out-of-order", says));
        }
        // What is no number adds nothing: that record is refused by itself.
        let amount = self.front.total.and_then(number).unwrap_or_default();
        Ok((expected, self.total.saturating_add(amount)))
    }

    /// Reads the next record, in UTF-8 where it is CSV. False at the end of the file.
    fn read(&mut self) -> Result<bool, BatchError> {
        let Self { content, record, .. } = self;
        match self.front.form.kind {
            FormKind::Csv => {
                if !content.next_line(record)? {
                    return Ok(false);
                }
                if content.line == 1 && record.starts_with(BYTE_ORDER_MARK) {
                    record.drain(..BYTE_ORDER_MARK.len());
                }
                if let Cow::Owned(text) = self.file.encoding.decode(record)? {
                    *record = text.into_bytes();
                }
            }
            FormKind::Fixed { length, line_ends: true, .. } => {
                if !content.next_line(record)? {
                    return Ok(false);
                }
                if record.len() != length {
                    let (line, found) = (content.line, record.len());
                    let says = format!("line {line}: {found} bytes, and a record has {length}");
                    return Err(refused("record-length", says));
                }
            }
            FormKind::Fixed { length, .. } => return content.next_block(length, record),
        }
        Ok(true)
    }

    fn split(&self) -> Result<Split<'_>, BatchError> {
        let line = self.content.line;
        let split = self.front.form.split(&self.record);
        split.map_err(|why| refused("malformed-csv", format!("line {line}: {why}")))
    }

    fn header(&mut self) -> Result<(), BatchError> {
        let (front, form) = (self.front, &self.front.form);
        let split = self.split()?;
        if !split.is(&form.header) {
            return Err(refused("header-missing", "the file does not begin with a header"));
        }
        let columns = (0..form.header.places.len()).map(Column);
        let texts = columns.map(|column| {
            let text = split.text(&form.header, column);
            text.map(|text| text.map(Wire::Text)).map_err(|error| error.in_request())
        });
        let record: Record<'_> = texts.collect::<Result<_, _>>()?;
        let content = front.header.read(&record)?;
        let mut attributes = BTreeMap::new();
        attributes.insert(":file".to_owned(), content.file.unwrap_or_default());
        if let Some(Some(Wire::Text(code))) = record.get(front.institution) {
            attributes.insert(":institution".to_owned(), code.clone().into_owned());
        }
        (self.file.attributes, self.file.echo) = (attributes, content.echo);
        Ok(())
    }
}

impl BatchFront {
    fn check_trailer(&self, split: &Split<'_>, count: u64, total: i128) -> Result<(), BatchError> {
        let said = |column: Column| {
            let text = split.text(&self.form.trailer, column).ok().flatten();
            text.and_then(|text| parse_integer(&text))
        };
        if said(self.trailer_count) != Some(count.into()) {
            let says = format!("the trailer's count does not agree with {count} data records");
            return Err(refused("count-mismatch", says));
        }
        match self.trailer_total {
            Some(column) if said(column) != Some(total) => {
                Err(refused("total-mismatch", "the trailer's control total does not agree"))
            }
            _ => Ok(()),
        }
    }
}

impl Encoding {
    fn decode(self, line: &[u8]) -> Result<Cow<'_, str>, BatchError> {
        let (text, says) = match self {
            Self::Utf8 => (std::str::from_utf8(line).ok().map(Cow::Borrowed), "not UTF-8"),
            Self::EucKr => (fixed::decode(line).ok(), "neither UTF-8 nor EUC-KR"),
        };
        text.ok_or_else(|| refused(NOT_TEXT, format!("the file is {says}")))
    }
}
