//! Fixed-length fields, counted in bytes of EUC-KR (CP949). Text is left-aligned and padded with
//! spaces, numbers right-aligned and padded with zeros; a field of spaces is absent. What does not
//! fit is an error with the field's name, never silent damage.

use std::borrow::Cow;

use encoding_rs::{EUC_KR, EncoderResult};

use crate::rows::{Form, Record, Row, Rows, Wire};
use crate::unfit::{FieldError, Unfit};

/// The shape of one field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fixed {
    pub(crate) kind: FixedKind,
    /// Its width in bytes.
    pub(crate) length: usize,
    /// Whether a longer text is cut, at a character.
    pub(crate) cut: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FixedKind {
    /// `AN`: printable ASCII.
    Ascii,
    /// `AH`: EUC-KR text.
    Hangul,
    /// `N`: digits.
    Digits,
}

impl FixedKind {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "AN" => Some(Self::Ascii),
            "AH" => Some(Self::Hangul),
            "N" => Some(Self::Digits),
            _ => None,
        }
    }
}

impl Fixed {
    /// The field's bytes → its text; nothing for spaces.
    pub(crate) fn read<'a>(&self, bytes: &'a [u8]) -> Result<Option<Cow<'a, str>>, Unfit> {
        if bytes.iter().all(|byte| *byte == b' ') {
            return Ok(None);
        }
        let text = match self.kind {
            FixedKind::Hangul => decode(bytes)?,
            FixedKind::Ascii if bytes.is_ascii() => decode(bytes)?,
            FixedKind::Digits if bytes.iter().all(u8::is_ascii_digit) => decode(bytes)?,
            FixedKind::Ascii => return Err(Unfit::NotA("ASCII")),
            FixedKind::Digits => return Err(Unfit::NotA("digits alone")),
        };
        if text.chars().any(char::is_control) {
            return Err(Unfit::ControlCharacter);
        }
        Ok(Some(trimmed(text)))
    }

    /// A text → exactly as many bytes as the field has; spaces for nothing.
    pub(crate) fn write(&self, text: Option<&str>, out: &mut Vec<u8>) -> Result<(), Unfit> {
        let start = out.len();
        let text = text.unwrap_or_default();
        match self.kind {
            FixedKind::Digits if !text.bytes().all(|byte| byte.is_ascii_digit()) => {
                return Err(Unfit::NotA("digits alone"));
            }
            FixedKind::Digits if !text.is_empty() => {
                let zeros = self.length.saturating_sub(text.len());
                out.resize(start.saturating_add(zeros), b'0');
            }
            FixedKind::Ascii if !text.is_ascii() => return Err(Unfit::NotA("ASCII")),
            _ => {}
        }
        let written = self.encode(text, out);
        let end = start.saturating_add(self.length);
        match written {
            Ok(()) if out.len() <= end => {
                out.resize(end, b' ');
                Ok(())
            }
            written => {
                out.truncate(start);
                Err(written.err().unwrap_or(Unfit::TooLong { max: self.length, unit: "bytes" }))
            }
        }
    }

    fn encode(&self, text: &str, out: &mut Vec<u8>) -> Result<(), Unfit> {
        if text.chars().any(char::is_control) {
            return Err(Unfit::ControlCharacter);
        }
        if text.is_ascii() {
            let text = text.as_bytes();
            let kept = if self.cut { self.length.min(text.len()) } else { text.len() };
            out.extend_from_slice(text.get(..kept).unwrap_or(text));
            return Ok(());
        }
        let end = out.len().saturating_add(self.length);
        for character in text.chars() {
            let mut bytes = [0; 4];
            let encoded = encode_character(character, &mut bytes)?;
            if self.cut && out.len().saturating_add(encoded.len()) > end {
                break;
            }
            out.extend_from_slice(encoded);
        }
        Ok(())
    }
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_end_matches(' ')),
        Cow::Owned(text) => Cow::Owned(text.trim_end_matches(' ').to_owned()),
    }
}

/// EUC-KR → text, saying when the last character is cut in half.
pub(crate) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Unfit> {
    match EUC_KR.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => Ok(text),
        None if ends_in_lead_byte(bytes) => Err(Unfit::CutCharacter),
        None => Err(Unfit::NotEucKr),
    }
}

fn ends_in_lead_byte(bytes: &[u8]) -> bool {
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        let is_lead = (0x81..=0xfe).contains(byte);
        if is_lead && rest.next().is_none() {
            return true;
        }
    }
    false
}

/// One character in EUC-KR. The encoder writes `&#…;` for what it lacks unless it is asked not to.
fn encode_character(character: char, out: &mut [u8; 4]) -> Result<&[u8], Unfit> {
    let mut utf8 = [0; 4];
    let text = character.encode_utf8(&mut utf8);
    let (result, _, written) =
        EUC_KR.new_encoder().encode_from_utf8_without_replacement(text, out, true);
    match result {
        EncoderResult::InputEmpty => out.get(..written).ok_or(Unfit::Unencodable),
        _ => Err(Unfit::Unencodable),
    }
}

impl Rows<Fixed> {
    /// Bytes of all its fields.
    pub(crate) fn width(&self) -> usize {
        self.0.iter().map(Row::width).fold(0, usize::saturating_add)
    }

    /// Exactly [`Rows::width`] bytes → texts.
    pub(crate) fn split<'a>(&self, bytes: &'a [u8]) -> Result<Record<'a>, FieldError> {
        let mut rest = bytes;
        self.0.iter().map(|row| row.split(&mut rest)).collect()
    }

    /// The texts of those fields that are there whole and can be read.
    pub(crate) fn split_what_fits<'a>(&self, bytes: &'a [u8]) -> Record<'a> {
        let mut rest = bytes;
        let fields = self.0.iter().map(|row| row.split(&mut rest).unwrap_or_default());
        fields.collect()
    }

    /// Texts → bytes; nothing at all gives spaces.
    pub(crate) fn join(&self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), FieldError> {
        let texts = record.iter().map(Option::as_ref);
        for (row, wire) in self.0.iter().zip(texts.chain(std::iter::repeat(None))) {
            row.join(wire, out)?;
        }
        Ok(())
    }
}

impl Row<Fixed> {
    /// Bytes of the field, or of all its records.
    pub(crate) fn width(&self) -> usize {
        match &self.form {
            Form::Value { shape, .. } => shape.length,
            Form::List { rows, max } => rows.width().saturating_mul(*max),
        }
    }

    fn split<'a>(&self, rest: &mut &'a [u8]) -> Result<Option<Wire<'a>>, FieldError> {
        let (bytes, after) = rest
            .split_at_checked(self.width())
            .ok_or_else(|| FieldError::new(&self.name, Unfit::Missing))?;
        *rest = after;
        match &self.form {
            Form::Value { shape, .. } => match shape.read(bytes) {
                Ok(text) => Ok(text.map(Wire::Text)),
                Err(why) => Err(FieldError::new(&self.name, why)),
            },
            Form::List { rows, .. } => {
                let entries = bytes.chunks_exact(rows.width().max(1));
                let used = entries.filter(|entry| entry.iter().any(|byte| *byte != b' '));
                let records = used.map(|entry| rows.split(entry));
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
            (Form::List { rows, .. }, wire) => {
                let end = out.len().saturating_add(self.width());
                if let Some(Wire::List(records)) = wire {
                    records.iter().try_for_each(|record| rows.join(record, out))?;
                }
                out.resize(end, b' ');
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
