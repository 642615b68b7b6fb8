//! A batch file as a whole: its encoding, its header and trailer, and the records between them. A
//! file is taken whole or not at all.

use std::collections::BTreeMap;
use std::str::Lines;

use bytes::Bytes;
use gateway_core::{Fault, Kind, Message};

use super::BatchFront;
use crate::convert::parse_integer;
use crate::layout::{csv, fixed};
use crate::rows::{Record, Wire};

/// A file that may be processed.
#[derive(Clone, Debug)]
pub struct BatchFile {
    /// The data records in order, each one line of UTF-8 without its end.
    pub records: Vec<Bytes>,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) echo: Message,
}

impl BatchFile {
    /// What a record of this file is handed in with: `:file`, the file's own id, and
    /// `:institution`, the code of the organization that it comes from.
    pub fn attributes(&self) -> BTreeMap<String, String> {
        self.attributes.clone()
    }
}

/// One line's fields, the mark first.
type Fields<'a> = Vec<std::borrow::Cow<'a, str>>;

/// The records of a file, as they are read off.
struct Reader<'a> {
    lines: std::iter::Enumerate<Lines<'a>>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Option<(usize, &'a str, Fields<'a>)>, Fault> {
        let Some((index, line)) = self.lines.next() else {
            return Ok(None);
        };
        let number = index.saturating_add(1);
        let fields = csv::split(line).map_err(|why| {
            Fault::new(Kind::Malformed, "malformed-csv", format!("line {number}: {why}"))
        })?;
        Ok(Some((number, line, fields)))
    }
}

/// Text in UTF-8, whatever the file was in.
pub(crate) fn text(file: &[u8]) -> Result<Bytes, Fault> {
    let file = file.strip_prefix("\u{feff}".as_bytes()).unwrap_or(file);
    if std::str::from_utf8(file).is_ok() {
        return Ok(Bytes::copy_from_slice(file));
    }
    match fixed::decode(file) {
        Ok(text) => Ok(Bytes::from(text.into_owned())),
        Err(_) => {
            Err(Fault::new(Kind::Malformed, "not-text", "the file is neither UTF-8 nor EUC-KR"))
        }
    }
}

/// Reads a whole file.
pub(crate) fn open(front: &BatchFront, file: &[u8]) -> Result<BatchFile, Fault> {
    let bytes = text(file)?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    let mut lines = Reader { lines: text.lines().enumerate() };
    let mut opened = match lines.next()? {
        Some((_, _, fields)) => header(front, &fields)?,
        None => return Err(refused("header-missing", "the file is empty")),
    };
    let mut total = 0_i128;
    while let Some((number, line, fields)) = lines.next()? {
        match fields.first().map(|mark| &**mark) {
            Some("D") if fields.len() == front.columns.len().saturating_add(1) => {
                let expected = opened.records.len().saturating_add(1);
                if parse_integer(front.column(&fields, front.number))
                    != i128::try_from(expected).ok()
                {
                    let says = format!("line {number}: record number {expected} is expected");
                    return Err(refused("record-out-of-order", says));
                }
                // What is no number adds nothing: that record is refused by itself.
                let amount = parse_integer(front.column(&fields, front.total));
                total = total.saturating_add(amount.unwrap_or_default());
                opened.records.push(bytes.slice_ref(line.as_bytes()));
            }
            Some("T") if fields.len() == 3 => {
                trailer(&fields, opened.records.len(), total)?;
                return match lines.next()? {
                    None => Ok(opened),
                    Some((number, ..)) => Err(after_trailer(number)),
                };
            }
            Some("H") => {
                let says = format!("line {number}: a second header");
                return Err(refused("header-repeated", says));
            }
            _ => {
                let says = format!("line {number}: neither a data record nor a trailer");
                return Err(refused("unknown-record", says));
            }
        }
    }
    Err(refused("trailer-missing", "the file ends without a trailer"))
}

fn header(front: &BatchFront, fields: &Fields<'_>) -> Result<BatchFile, Fault> {
    let rows = &front.header.rows;
    let is_header = fields.first().is_some_and(|mark| mark == "H")
        && fields.len() == rows.0.len().saturating_add(1);
    if !is_header {
        return Err(refused("header-missing", "the file does not begin with a header"));
    }
    let texts = fields.iter().skip(1);
    let record: Record<'_> = texts.map(|text| Some(Wire::Text(text.clone()))).collect();
    let content = front.header.read(&record)?;
    let mut attributes = BTreeMap::new();
    attributes.insert(":file".to_owned(), content.file.unwrap_or_default());
    if let Some(Some(Wire::Text(code))) = record.get(front.institution) {
        attributes.insert(":institution".to_owned(), code.clone().into_owned());
    }
    Ok(BatchFile { records: Vec::new(), attributes, echo: content.echo })
}

fn trailer(fields: &Fields<'_>, count: usize, total: i128) -> Result<(), Fault> {
    let said = |at: usize| fields.get(at).and_then(|text| parse_integer(text));
    if said(1) != i128::try_from(count).ok() {
        let says = format!("the trailer's count does not agree with {count} data records");
        return Err(refused("count-mismatch", says));
    }
    match said(2) == Some(total) {
        true => Ok(()),
        false => Err(refused("total-mismatch", "the trailer's control total does not agree")),
    }
}

fn after_trailer(number: usize) -> Fault {
    refused("unknown-record", format!("line {number}: something follows the trailer"))
}

fn refused(code: &'static str, says: impl Into<String>) -> Fault {
    Fault::new(Kind::Malformed, code, says)
}
