//! How telegrams follow one another on a connection, for both ends of it: a length in ASCII or
//! EBCDIC digits or as a binary number, before the telegram or within it; STX and ETX, with a check
//! byte or without; or a line end. Pure: bytes in, telegrams out, whatever the bytes are. The
//! written form, as mappings and configurations have it, is in [`format`].

pub mod format;

use bytes::{Buf, Bytes, BytesMut};
use thiserror::Error;

const STX: u8 = 0x02;
const ETX: u8 = 0x03;

/// How the end of a telegram is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// What tells it.
    pub mark: Mark,
    /// Bytes of a received telegram at most. What only frames it is not counted.
    pub max: usize,
}

/// What tells where a telegram ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A number says how long it is.
    Length(Length),
    /// It stands between STX (0x02) and ETX (0x03), neither of which may occur in it.
    StxEtx {
        /// Whether a check byte follows: the exclusive-or of all bytes after STX, ETX included
        /// (ISO 1155).
        check: bool,
    },
    /// It is a line, and no line feed may occur in it. A carriage return before the line feed is
    /// taken with or without.
    Newline {
        /// Whether one is written.
        carriage_return: bool,
    },
}

/// A length field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// How the number is written.
    pub form: LengthForm,
    /// Whether it counts its own bytes.
    pub inclusive: bool,
    /// Where it stands.
    pub place: Place,
}

/// How a length is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthForm {
    /// So many ASCII digits.
    Ascii(u8),
    /// So many EBCDIC digits, 0xF0 to 0xF9.
    Ebcdic(u8),
    /// An unsigned number of so many bytes, highest first.
    BigEndian(u8),
    /// The same, lowest first.
    LittleEndian(u8),
}

/// Where a length stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before the telegram, and no part of it.
    Before,
    /// Within the telegram, as one of its fields.
    Within {
        /// Bytes of the telegram before it.
        offset: usize,
        /// Whether it counts those bytes.
        counts_before: bool,
    },
}

/// Why bytes are no telegram, or a telegram cannot be framed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FramingError {
    /// The length holds something else than digits.
    #[error("the telegram does not begin with its length")]
    LengthNotANumber,
    /// The length is less than what it must count.
    #[error("the telegram's length does not even count what it must")]
    LengthTooSmall,
    /// It is, or says it is, larger than allowed.
    #[error("a telegram may have {max} bytes at most")]
    TooLarge {
        /// How many bytes are allowed.
        max: usize,
    },
    /// Something else stands where STX must.
    #[error("the telegram does not begin with STX")]
    StartMissing,
    /// STX stands within the telegram.
    #[error("the telegram begins again before it has ended")]
    StartRepeated,
    /// The check byte does not agree.
    #[error("the check byte of the telegram does not agree with it")]
    CheckMismatch,
    /// The connection ended in the middle of a telegram.
    #[error("the connection ended before the telegram did")]
    Truncated,
    /// A telegram to be sent is longer than its framing can say.
    #[error("the telegram is longer than its framing can say")]
    TooLong,
    /// A telegram to be sent ends before the place of its length.
    #[error("the telegram is too short to hold its length")]
    TooShort,
    /// A telegram to be sent holds the byte that would end it.
    #[error("the telegram holds a byte that frames telegrams")]
    HoldsMark,
}

impl FramingError {
    /// A stable name, as codes of faults are.
    pub fn code(&self) -> &'static str {
        match self {
            Self::LengthNotANumber => "length-not-a-number",
            Self::LengthTooSmall => "length-too-small",
            Self::TooLarge { .. } => "too-large",
            Self::StartMissing => "start-missing",
            Self::StartRepeated => "start-repeated",
            Self::CheckMismatch => "check-mismatch",
            Self::Truncated => "truncated",
            Self::TooLong => "too-long",
            Self::TooShort => "too-short",
            Self::HoldsMark => "holds-mark",
        }
    }
}

impl LengthForm {
    /// How many bytes it has.
    pub fn size(self) -> usize {
        match self {
            Self::Ascii(size)
            | Self::Ebcdic(size)
            | Self::BigEndian(size)
            | Self::LittleEndian(size) => size.into(),
        }
    }

    /// The largest number it can say.
    fn largest(self) -> u64 {
        match self {
            Self::Ascii(digits) | Self::Ebcdic(digits) => {
                10_u64.saturating_pow(digits.into()).saturating_sub(1)
            }
            Self::BigEndian(bytes) | Self::LittleEndian(bytes) => {
                256_u64.saturating_pow(bytes.into()).saturating_sub(1)
            }
        }
    }

    fn read(self, field: &[u8]) -> Option<u64> {
        let digits = |zone: u8| {
            field.iter().try_fold(0_u64, |number, byte| {
                let digit = byte.checked_sub(zone).filter(|digit| *digit <= 9)?;
                number.checked_mul(10)?.checked_add(digit.into())
            })
        };
        let bytes = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        match self {
            Self::Ascii(_) => digits(0x30),
            Self::Ebcdic(_) => digits(0xf0),
            Self::BigEndian(_) => Some(field.iter().fold(0, bytes)),
            Self::LittleEndian(_) => Some(field.iter().rev().fold(0, bytes)),
        }
    }

    /// Fills `field`, which has the form's size, with a number that the form can say.
    fn write(self, number: u64, field: &mut [u8]) {
        let (base, zone) = match self {
            Self::Ascii(_) => (10, 0x30),
            Self::Ebcdic(_) => (10, 0xf0),
            Self::BigEndian(_) | Self::LittleEndian(_) => (256, 0),
        };
        let mut rest = number;
        let place = |byte: &mut u8| {
            *byte = u8::try_from(rest % base).unwrap_or_default() | zone;
            rest /= base;
        };
        match self {
            Self::LittleEndian(_) => field.iter_mut().for_each(place),
            _ => field.iter_mut().rev().for_each(place),
        }
    }
}

impl Length {
    /// Bytes of the telegram itself before what the length always counts, and bytes that precede
    /// the telegram.
    fn inside_and_outside(&self) -> (usize, usize) {
        let size = self.form.size();
        match self.place {
            Place::Before => (0, size),
            Place::Within { offset, .. } => (offset.saturating_add(size), 0),
        }
    }

    /// What the number says beyond the bytes after it.
    fn counted(&self) -> usize {
        let own = if self.inclusive { self.form.size() } else { 0 };
        match self.place {
            Place::Within { offset, counts_before: true } => own.saturating_add(offset),
            _ => own,
        }
    }

    fn field_offset(&self) -> usize {
        match self.place {
            Place::Before => 0,
            Place::Within { offset, .. } => offset,
        }
    }
}

impl Framing {
    /// The longest telegram whose length can be said.
    pub fn largest(&self) -> usize {
        match &self.mark {
            Mark::Length(length) => {
                let largest = usize::try_from(length.form.largest()).unwrap_or(usize::MAX);
                let after = largest.saturating_sub(length.counted());
                after.saturating_add(length.inside_and_outside().0)
            }
            Mark::StxEtx { .. } | Mark::Newline { .. } => usize::MAX,
        }
    }

    /// Whether every byte may occur in a telegram: packed and binary numbers want that.
    pub fn is_transparent(&self) -> bool {
        matches!(self.mark, Mark::Length(_))
    }

    /// A telegram → the bytes on the connection. A length within the telegram is written over what
    /// stands in its place.
    ///
    /// # Errors
    /// When the framing cannot carry this telegram.
    pub fn encode(&self, telegram: &[u8]) -> Result<Vec<u8>, FramingError> {
        let mut wire = Vec::with_capacity(telegram.len().saturating_add(8));
        match &self.mark {
            Mark::Length(length) => {
                let (inside, outside) = length.inside_and_outside();
                wire.resize(outside, 0);
                wire.extend_from_slice(telegram);
                let after = telegram.len().checked_sub(inside).ok_or(FramingError::TooShort)?;
                let number = after.checked_add(length.counted()).ok_or(FramingError::TooLong)?;
                let number = u64::try_from(number).map_err(|_| FramingError::TooLong)?;
                if number > length.form.largest() {
                    return Err(FramingError::TooLong);
                }
                let start = length.field_offset();
                let field = wire.get_mut(start..start.saturating_add(length.form.size()));
                length.form.write(number, field.ok_or(FramingError::TooShort)?);
            }
            Mark::StxEtx { check } => {
                if telegram.iter().any(|byte| matches!(*byte, STX | ETX)) {
                    return Err(FramingError::HoldsMark);
                }
                wire.push(STX);
                wire.extend_from_slice(telegram);
                wire.push(ETX);
                if *check {
                    wire.push(check_byte(telegram));
                }
            }
            Mark::Newline { carriage_return } => {
                if telegram.contains(&b'\n') || telegram.ends_with(b"\r") {
                    return Err(FramingError::HoldsMark);
                }
                wire.extend_from_slice(telegram);
                wire.extend_from_slice(if *carriage_return { b"\r\n" } else { b"\n" });
            }
        }
        Ok(wire)
    }
}

fn check_byte(telegram: &[u8]) -> u8 {
    telegram.iter().fold(ETX, |check, byte| check ^ byte)
}

/// Takes telegrams off one end of a connection. After an error the rest cannot be told apart any
/// more, and the connection is of no further use.
#[derive(Debug)]
pub struct Deframer {
    framing: Framing,
    buffer: BytesMut,
    /// Bytes of the buffer that hold no end of a telegram.
    scanned: usize,
}

impl Deframer {
    /// Takes telegrams of this framing off a connection.
    pub fn new(framing: Framing) -> Self {
        Self { framing, buffer: BytesMut::new(), scanned: 0 }
    }

    /// Where received bytes are appended.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Takes what comes from here on, the telegram that has begun too, by another framing.
    pub fn set_framing(&mut self, framing: Framing) {
        self.framing = framing;
        self.scanned = 0;
    }

    /// Whether a telegram has begun to arrive.
    pub fn has_begun(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next whole telegram, or nothing when more bytes are needed. It never waits for bytes
    /// beyond the largest telegram.
    ///
    /// # Errors
    /// When what arrived is no telegram.
    pub fn take(&mut self) -> Result<Option<Bytes>, FramingError> {
        match self.framing.mark {
            Mark::Length(length) => self.take_counted(&length),
            Mark::StxEtx { check } => self.take_between(check),
            Mark::Newline { .. } => self.take_line(),
        }
    }

    /// What arrived and is no whole telegram.
    pub fn into_rest(self) -> Bytes {
        self.buffer.freeze()
    }

    fn too_large(&self) -> FramingError {
        FramingError::TooLarge { max: self.framing.max }
    }

    fn take_counted(&mut self, length: &Length) -> Result<Option<Bytes>, FramingError> {
        let start = length.field_offset();
        let end = start.saturating_add(length.form.size());
        let Some(field) = self.buffer.get(start..end) else {
            return Ok(None);
        };
        let number = length.form.read(field).ok_or(FramingError::LengthNotANumber)?;
        let number = usize::try_from(number).map_err(|_| self.too_large())?;
        let after = number.checked_sub(length.counted()).ok_or(FramingError::LengthTooSmall)?;
        let (inside, outside) = length.inside_and_outside();
        let size = after.checked_add(inside).filter(|size| *size <= self.framing.max);
        let size = size.ok_or_else(|| self.too_large())?;
        if self.buffer.len() < outside.saturating_add(size) {
            return Ok(None);
        }
        self.buffer.advance(outside);
        Ok(Some(self.buffer.split_to(size).freeze()))
    }

    fn take_between(&mut self, check: bool) -> Result<Option<Bytes>, FramingError> {
        match self.buffer.first() {
            None => return Ok(None),
            Some(&STX) => {}
            Some(_) => return Err(FramingError::StartMissing),
        }
        let from = self.scanned.max(1);
        let unseen = self.buffer.get(from..).unwrap_or_default();
        let mark = unseen.iter().position(|byte| matches!(*byte, STX | ETX));
        let Some(end) = mark.map(|at| from.saturating_add(at)) else {
            self.scanned = self.buffer.len();
            return self.within_limit(self.scanned.saturating_sub(1));
        };
        if self.buffer.get(end) == Some(&STX) {
            return Err(FramingError::StartRepeated);
        }
        self.scanned = end;
        let size = end.saturating_sub(1);
        self.within_limit(size)?;
        let trailer = if check { 2 } else { 1 };
        if self.buffer.len() < end.saturating_add(trailer) {
            return Ok(None);
        }
        self.scanned = 0;
        self.buffer.advance(1);
        let telegram = self.buffer.split_to(size).freeze();
        self.buffer.advance(1);
        if check && self.buffer.split_to(1).first() != Some(&check_byte(&telegram)) {
            return Err(FramingError::CheckMismatch);
        }
        Ok(Some(telegram))
    }

    fn take_line(&mut self) -> Result<Option<Bytes>, FramingError> {
        let unseen = self.buffer.get(self.scanned..).unwrap_or_default();
        let Some(at) = unseen.iter().position(|byte| *byte == b'\n') else {
            self.scanned = self.buffer.len();
            // The last byte may be a carriage return that is no part of the line.
            return self.within_limit(self.scanned.saturating_sub(1));
        };
        let mut line = self.buffer.split_to(self.scanned.saturating_add(at));
        self.buffer.advance(1);
        self.scanned = 0;
        if line.ends_with(b"\r") {
            line.truncate(line.len().saturating_sub(1));
        }
        self.within_limit(line.len())?;
        Ok(Some(line.freeze()))
    }

    fn within_limit(&self, size: usize) -> Result<Option<Bytes>, FramingError> {
        if size > self.framing.max { Err(self.too_large()) } else { Ok(None) }
    }
}

#[cfg(test)]
mod tests;
