//! Fixed-length fields, counted in bytes of the message's encoding. Text is left-aligned and padded
//! with spaces, digits right-aligned and padded with zeros; a field of spaces is absent. What does
//! not fit is an error with the field's name, never silent damage. How COBOL stores numbers is in
//! [`number`], what its pictures say in [`picture`].

mod number;
mod picture;

use std::borrow::Cow;

use crate::charset::Charset;
use crate::rows::{Count, Form, Record, Row, Rows, Wire};
use crate::unfit::{FieldError, Unfit};

pub(crate) use number::{Number, Overpunch, SignPlace, Storage};
pub(crate) use picture::Picture;

/// The shape of one field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fixed {
    pub(crate) kind: FixedKind,
    /// Its width in bytes.
    pub(crate) length: usize,
    /// Whether a longer text is cut, at a character.
    pub(crate) cut: bool,
    /// Whether zero stands for an absent value.
    pub(crate) zero_is_absent: bool,
    pub(crate) code: Code,
}

/// How the fields of one message are encoded.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Code {
    pub(crate) charset: Charset,
    /// How an ASCII digit carries a sign, where one does.
    pub(crate) overpunch: Option<Overpunch>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FixedKind {
    /// `AN`: printable ASCII characters, in the message's encoding.
    Ascii,
    /// `AH`: text of the message's encoding.
    Hangul,
    /// `N`: digits.
    Digits,
    /// Two-byte characters without shifts, as EBCDIC hosts have them.
    Graphic,
    /// A number that is stored as COBOL does.
    Number(Number),
    /// Bytes of no meaning: whatever they are when read, spaces when written.
    Filler,
}

impl FixedKind {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "AN" => Some(Self::Ascii),
            "AH" => Some(Self::Hangul),
            "N" => Some(Self::Digits),
            "filler" => Some(Self::Filler),
            _ => None,
        }
    }

    /// Whether its bytes may be any, those that frame telegrams too.
    pub(crate) fn is_opaque(self) -> bool {
        match self {
            Self::Graphic => true,
            Self::Number(number) => !matches!(number.storage, Storage::Zoned(_)),
            Self::Ascii | Self::Hangul | Self::Digits | Self::Filler => false,
        }
    }

    /// Whether an absent value can be said by spaces.
    pub(crate) fn has_blank(self) -> bool {
        match self {
            Self::Number(number) => matches!(number.storage, Storage::Zoned(_)),
            _ => true,
        }
    }

    pub(crate) fn is_numeric(self) -> bool {
        matches!(self, Self::Digits | Self::Number(_))
    }
}

impl Fixed {
    /// A field of the usual encoding.
    pub(crate) fn new(kind: FixedKind, length: usize) -> Self {
        let code = Code::default();
        Self { kind, length, cut: false, zero_is_absent: false, code }
    }

    /// The field's bytes → its text; nothing for spaces.
    pub(crate) fn read<'a>(&self, bytes: &'a [u8]) -> Result<Option<Cow<'a, str>>, Unfit> {
        let charset = self.code.charset;
        if self.kind == FixedKind::Filler
            || self.kind.has_blank() && bytes.iter().all(|byte| *byte == charset.space())
        {
            return Ok(None);
        }
        let text = match self.kind {
            FixedKind::Number(number) => {
                number.read(bytes, charset, self.code.overpunch).map(Cow::Owned)?
            }
            FixedKind::Digits => digits(bytes, charset)?,
            FixedKind::Graphic => Cow::Owned(self.read_graphic(bytes)?),
            FixedKind::Ascii | FixedKind::Hangul | FixedKind::Filler => charset.decode(bytes)?,
        };
        if self.kind == FixedKind::Ascii && !text.is_ascii() {
            return Err(Unfit::NotA("ASCII"));
        }
        if text.chars().any(char::is_control) {
            return Err(Unfit::ControlCharacter);
        }
        if self.zero_is_absent && is_zero(&text) {
            return Ok(None);
        }
        Ok(Some(trimmed(text)))
    }

    /// A text → exactly as many bytes as the field has; spaces for nothing, or zero where spaces
    /// are no value.
    pub(crate) fn write(&self, text: Option<&str>, out: &mut Vec<u8>) -> Result<(), Unfit> {
        let start = out.len();
        let needs_zero = self.zero_is_absent || !self.kind.has_blank();
        let text = text.filter(|text| !text.is_empty());
        let text = text.or(needs_zero.then_some("0")).unwrap_or_default();
        let written = self.write_text(text, out);
        let end = start.saturating_add(self.length);
        match written {
            Ok(()) if out.len() <= end => {
                self.pad(end, out);
                Ok(())
            }
            written => {
                out.truncate(start);
                Err(written.err().unwrap_or(Unfit::TooLong { max: self.length, unit: "bytes" }))
            }
        }
    }

    fn write_text(&self, text: &str, out: &mut Vec<u8>) -> Result<(), Unfit> {
        let charset = self.code.charset;
        if text.chars().any(char::is_control) {
            return Err(Unfit::ControlCharacter);
        }
        match self.kind {
            FixedKind::Filler => Ok(()),
            _ if text.is_empty() => Ok(()),
            FixedKind::Number(number) => number.write(text, charset, self.code.overpunch, out),
            FixedKind::Digits if !text.bytes().all(|byte| byte.is_ascii_digit()) => {
                Err(Unfit::NotA("digits alone"))
            }
            FixedKind::Digits => {
                let zeros = self.length.saturating_sub(text.len());
                out.resize(out.len().saturating_add(zeros), charset.zero());
                charset.encode(text, None, out)
            }
            FixedKind::Ascii if !text.is_ascii() => Err(Unfit::NotA("ASCII")),
            FixedKind::Graphic => self.write_graphic(text, out),
            FixedKind::Ascii | FixedKind::Hangul => {
                charset.encode(text, self.cut.then_some(self.length), out)
            }
        }
    }

    fn pad(&self, end: usize, out: &mut Vec<u8>) {
        // The two-byte space is a one-byte space twice.
        out.resize(end, self.code.charset.space());
    }

    fn read_graphic(&self, bytes: &[u8]) -> Result<String, Unfit> {
        match self.code.charset {
            Charset::Ebcdic(table) => {
                let text = table.decode_graphic(bytes)?;
                Ok(text.trim_end_matches('\u{3000}').to_owned())
            }
            _ => Err(Unfit::NotA("two-byte characters alone")),
        }
    }

    fn write_graphic(&self, text: &str, out: &mut Vec<u8>) -> Result<(), Unfit> {
        match self.code.charset {
            Charset::Ebcdic(table) => table.encode_graphic(text, out),
            _ => Err(Unfit::NotA("two-byte characters alone")),
        }
    }
}

fn digits(bytes: &[u8], charset: Charset) -> Result<Cow<'_, str>, Unfit> {
    let zero = charset.zero();
    let are_digits =
        bytes.iter().all(|byte| byte.checked_sub(zero).is_some_and(|digit| digit <= 9));
    if are_digits { charset.decode(bytes) } else { Err(Unfit::NotA("digits alone")) }
}

fn is_zero(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'0')
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_end_matches(' ')),
        Cow::Owned(mut text) => {
            text.truncate(text.trim_end_matches(' ').len());
            Cow::Owned(text)
        }
    }
}

/// EUC-KR → text, saying when the last character is cut in half.
pub(crate) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Unfit> {
    Charset::Cp949.decode(bytes)
}

impl Rows<Fixed> {
    /// Bytes of all its fields at most.
    pub(crate) fn width(&self) -> usize {
        self.sum(Row::width)
    }

    /// Bytes of all its fields at least.
    pub(crate) fn least_width(&self) -> usize {
        self.sum(|row| match &row.form {
            Form::List { count: Some(Count { varies: true, .. }), .. } => 0,
            _ => row.width(),
        })
    }

    /// Fields one after another; of a choice the widest.
    fn sum(&self, width: impl Fn(&Row<Fixed>) -> usize) -> usize {
        let blocks = self.blocks();
        blocks.map(|block| block.widest(&width)).fold(0, usize::saturating_add)
    }

    /// The rows, those that lie over one another together.
    fn blocks(&self) -> impl Iterator<Item = Block<'_>> {
        let first = |row: &Row<Fixed>| row.choice.as_ref().map(|choice| choice.first);
        let together = move |one: &Row<Fixed>, other: &Row<Fixed>| {
            first(one).is_some() && first(one) == first(other)
        };
        self.0.chunk_by(together).map(Block)
    }

    /// Whether its bytes may be any.
    pub(crate) fn is_opaque(&self) -> bool {
        self.0.iter().any(|row| match &row.form {
            Form::Value { shape, .. } => shape.kind.is_opaque(),
            Form::Record { rows } | Form::List { rows, .. } => rows.is_opaque(),
        })
    }

    /// Bytes → texts, and the bytes after them.
    pub(crate) fn split<'a>(&self, bytes: &'a [u8]) -> Result<(Record<'a>, &'a [u8]), FieldError> {
        let mut rest = bytes;
        let mut record = Record::with_capacity(self.0.len());
        for block in self.blocks() {
            block.split(&mut rest, &mut record)?;
        }
        Ok((record, rest))
    }

    /// The texts of those fields that are there whole and can be read.
    pub(crate) fn split_what_fits<'a>(&self, bytes: &'a [u8]) -> Record<'a> {
        let mut rest = bytes;
        let none = Record::new();
        let fields = self.0.iter().map(|row| row.split(&mut rest, &none).unwrap_or_default());
        fields.collect()
    }

    /// Texts → bytes; nothing at all gives spaces.
    pub(crate) fn join(&self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), FieldError> {
        let mut from = 0_usize;
        for block in self.blocks() {
            block.join(from, record, out)?;
            from = from.saturating_add(block.0.len());
        }
        Ok(())
    }
}

/// One row, or all rows of a choice.
struct Block<'r>(&'r [Row<Fixed>]);

impl Block<'_> {
    fn is_choice(&self) -> bool {
        self.0.first().is_some_and(|row| row.choice.is_some())
    }

    /// The rows of each alternative.
    fn alternatives(&self) -> impl Iterator<Item = &[Row<Fixed>]> {
        let codes = |row: &Row<Fixed>| row.choice.as_ref().map(|choice| choice.codes.clone());
        self.0.chunk_by(move |one, other| codes(one) == codes(other))
    }

    fn widest(&self, width: impl Fn(&Row<Fixed>) -> usize) -> usize {
        let sum = |rows: &[Row<Fixed>]| rows.iter().map(&width).fold(0, usize::saturating_add);
        self.alternatives().map(sum).max().unwrap_or_default()
    }

    fn split<'a>(&self, rest: &mut &'a [u8], record: &mut Record<'a>) -> Result<(), FieldError> {
        if !self.is_choice() {
            for row in self.0 {
                let wire = row.split(rest, record)?;
                record.push(wire);
            }
            return Ok(());
        }
        let name = self.0.first().map_or("", |row| &row.name);
        let width = self.widest(Row::width);
        let split = rest.split_at_checked(width);
        let (mut bytes, after) = split.ok_or_else(|| FieldError::new(name, Unfit::Missing))?;
        *rest = after;
        let mut chosen = false;
        for row in self.0 {
            let holds = row.choice.as_ref().is_some_and(|choice| choice.holds(record));
            chosen |= holds;
            let wire = if holds { row.split(&mut bytes, record)? } else { None };
            record.push(wire);
        }
        // A record of none of the kinds that the mapping knows is not taken for one of them.
        if chosen { Ok(()) } else { Err(FieldError::new(name, Unfit::UnknownChoice)) }
    }

    fn join(&self, from: usize, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), FieldError> {
        let space = self.0.first().map_or(b' ', Row::space);
        let end = out.len().saturating_add(self.widest(Row::width));
        let mut chosen = false;
        for (at, row) in self.0.iter().enumerate() {
            let holds = row.choice.as_ref().is_none_or(|choice| choice.holds(record));
            chosen |= holds;
            if holds {
                let wire = record.get(from.saturating_add(at)).and_then(Option::as_ref);
                row.join(wire, out)?;
            }
        }
        if !chosen && !record.is_empty() {
            let name = self.0.first().map_or("", |row| &row.name);
            return Err(FieldError::new(name, Unfit::UnknownChoice));
        }
        if self.is_choice() {
            out.resize(end, space);
        }
        Ok(())
    }
}

impl Row<Fixed> {
    /// Bytes of the field, or of all its records.
    pub(crate) fn width(&self) -> usize {
        match &self.form {
            Form::Value { shape, .. } => shape.length,
            Form::Record { rows } => rows.width(),
            Form::List { rows, max, .. } => rows.width().saturating_mul(*max),
        }
    }

    /// The byte that fills what nothing stands in.
    fn space(&self) -> u8 {
        match &self.form {
            Form::Value { shape, .. } => shape.code.charset.space(),
            Form::Record { rows } | Form::List { rows, .. } => {
                rows.0.first().map_or(b' ', Row::space)
            }
        }
    }

    /// `record` is what stands before it.
    fn split<'a>(
        &self,
        rest: &mut &'a [u8],
        record: &Record<'a>,
    ) -> Result<Option<Wire<'a>>, FieldError> {
        let error = |why| FieldError::new(&self.name, why);
        match &self.form {
            Form::Value { shape, .. } => {
                let split = rest.split_at_checked(shape.length);
                let (bytes, after) = split.ok_or_else(|| error(Unfit::Missing))?;
                *rest = after;
                let text = shape.read(bytes).map_err(error)?;
                Ok(text.map(Wire::Text))
            }
            Form::Record { rows } => {
                let split = rest.split_at_checked(self.width());
                let (bytes, after) = split.ok_or_else(|| error(Unfit::Missing))?;
                *rest = after;
                let blank = self.space();
                if !self.required && bytes.iter().all(|byte| *byte == blank) {
                    return Ok(None);
                }
                rows.split(bytes).map(|(record, _)| Some(Wire::Record(record)))
            }
            Form::List { rows, max, count } => {
                let width = rows.width().max(1);
                let counted = count.map(|count| counted(record, count.at, *max));
                let counted = counted.transpose().map_err(error)?;
                let varies = count.is_some_and(|count| count.varies);
                let there = counted.filter(|_| varies).unwrap_or(*max);
                let split = rest.split_at_checked(width.saturating_mul(there));
                let (bytes, after) = split.ok_or_else(|| error(Unfit::Missing))?;
                *rest = after;
                let used = match counted {
                    Some(used) => used,
                    None => used(bytes, width, self.space()).map_err(error)?,
                };
                let entries = bytes.chunks_exact(width).take(used);
                let records = entries.map(|entry| rows.split(entry).map(|(record, _)| record));
                Ok(Some(Wire::List(records.collect::<Result<_, _>>()?)))
            }
        }
    }

    fn join(&self, wire: Option<&Wire<'_>>, out: &mut Vec<u8>) -> Result<(), FieldError> {
        match (&self.form, wire) {
            (Form::Value { shape, .. }, wire) => {
                let text = match wire {
                    Some(Wire::Text(text)) => Some(&**text),
                    _ => None,
                };
                shape.write(text, out).map_err(|why| FieldError::new(&self.name, why))
            }
            (Form::Record { rows }, Some(Wire::Record(record))) => rows.join(record, out),
            (Form::Record { .. }, _) => {
                out.resize(out.len().saturating_add(self.width()), self.space());
                Ok(())
            }
            (Form::List { rows, count, .. }, wire) => {
                let end = out.len().saturating_add(self.width());
                if let Some(Wire::List(records)) = wire {
                    for record in records {
                        let start = out.len();
                        rows.join(record, out)?;
                        let written = out.get(start..).unwrap_or_default();
                        if count.is_none() && written.iter().all(|byte| *byte == self.space()) {
                            return Err(FieldError::new(&self.name, Unfit::Gap));
                        }
                    }
                }
                if !count.is_some_and(|count| count.varies) {
                    out.resize(end, self.space());
                }
                Ok(())
            }
        }
    }
}

/// How many records the row before the list says that there are.
fn counted(record: &Record<'_>, at: usize, max: usize) -> Result<usize, Unfit> {
    match record.get(at) {
        Some(Some(Wire::Text(text))) => {
            let count = text.parse().map_err(|_| Unfit::NotA("counted"))?;
            if count > max { Err(Unfit::TooManyRecords { max }) } else { Ok(count) }
        }
        _ => Ok(0),
    }
}

/// How many records are not blank. Blank ones come last, or it cannot be told what they are.
fn used(bytes: &[u8], width: usize, space: u8) -> Result<usize, Unfit> {
    let is_blank = |entry: &[u8]| entry.iter().all(|byte| *byte == space);
    let mut entries = bytes.chunks_exact(width);
    let used = entries.by_ref().take_while(|entry| !is_blank(entry)).count();
    if entries.all(is_blank) { Ok(used) } else { Err(Unfit::Gap) }
}

#[cfg(test)]
mod tests;
