//! A framing as mappings (YAML) and configurations (TOML) write it. Keys may have hyphens or
//! underscores, as the file around them has.

use serde::Deserialize;

use super::{Framing, Length, LengthForm, Mark, Place};

/// The keys of a framing. Exactly one of the first four says how a telegram's end is found.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FramingFormat {
    /// Digits of a length in characters, from 1 to 8.
    #[serde(alias = "length_digits")]
    pub length_digits: Option<u8>,
    /// Bytes of a binary length, 2 or 4.
    #[serde(alias = "length_bytes")]
    pub length_bytes: Option<u8>,
    /// Between STX and ETX.
    #[serde(alias = "stx_etx")]
    pub stx_etx: Option<StxEtx>,
    /// One telegram a line.
    pub newline: Option<Newline>,
    /// Whether the digits are EBCDIC.
    pub ebcdic: bool,
    /// Of a binary length; `big` when absent.
    #[serde(alias = "byte_order")]
    pub byte_order: Option<ByteOrder>,
    /// Whether the length counts its own bytes.
    pub inclusive: bool,
    /// Where in the telegram the length stands. When absent it precedes the telegram and is no part
    /// of it.
    pub offset: Option<usize>,
    /// Whether the length counts the bytes before it.
    #[serde(alias = "counts_before")]
    pub counts_before: bool,
    /// Bytes of a received telegram at most.
    pub max: usize,
}

/// What follows ETX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StxEtx {
    /// Nothing.
    Plain,
    /// A check byte.
    Lrc,
}

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Newline {
    /// Line feed.
    Lf,
    /// Carriage return and line feed.
    Crlf,
}

/// Which byte of a number comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ByteOrder {
    /// The highest: the order of mainframes and networks.
    #[default]
    Big,
    /// The lowest.
    Little,
}

/// What is wrong with a written framing: the key, and what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {message}")]
pub struct FramingProblem {
    /// The key, as written in YAML.
    pub key: &'static str,
    /// What is wrong and what is wanted instead.
    pub message: &'static str,
}

fn problem(key: &'static str, message: &'static str) -> FramingProblem {
    FramingProblem { key, message }
}

impl FramingFormat {
    /// Checks what is written.
    ///
    /// # Errors
    /// Every key that is wrong, or means nothing beside the others.
    pub fn check(&self) -> Result<Framing, Vec<FramingProblem>> {
        let mut found = Vec::new();
        if self.max == 0 {
            found.push(problem("max", "must say how many bytes a telegram may have"));
        }
        let mark = self.mark(&mut found);
        self.check_meaning(&mut found);
        match mark {
            Some(mark) if found.is_empty() => Ok(Framing { mark, max: self.max }),
            _ => Err(found),
        }
    }

    fn mark(&self, found: &mut Vec<FramingProblem>) -> Option<Mark> {
        let Self { length_digits, length_bytes, stx_etx, newline, .. } = self;
        let little = self.byte_order == Some(ByteOrder::Little);
        let form = match (length_digits, length_bytes, stx_etx, newline) {
            (Some(digits @ 1..=8), None, None, None) if self.ebcdic => LengthForm::Ebcdic(*digits),
            (Some(digits @ 1..=8), None, None, None) => LengthForm::Ascii(*digits),
            (Some(_), None, None, None) => {
                found.push(problem("length-digits", "must be from 1 to 8"));
                return None;
            }
            (None, Some(bytes @ (2 | 4)), None, None) if little => LengthForm::LittleEndian(*bytes),
            (None, Some(bytes @ (2 | 4)), None, None) => LengthForm::BigEndian(*bytes),
            (None, Some(_), None, None) => {
                found.push(problem("length-bytes", "must be 2 or 4"));
                return None;
            }
            (None, None, Some(kind), None) => {
                return Some(Mark::StxEtx { check: *kind == StxEtx::Lrc });
            }
            (None, None, None, Some(end)) => {
                return Some(Mark::Newline { carriage_return: *end == Newline::Crlf });
            }
            _ => {
                let wanted = "wants one of `length-digits`, `length-bytes`, `stx-etx`, `newline`";
                found.push(problem("", wanted));
                return None;
            }
        };
        let place = match self.offset {
            Some(offset) => Place::Within { offset, counts_before: self.counts_before },
            None => Place::Before,
        };
        Some(Mark::Length(Length { form, inclusive: self.inclusive, place }))
    }

    fn check_meaning(&self, found: &mut Vec<FramingProblem>) {
        let has_length = self.length_digits.is_some() || self.length_bytes.is_some();
        let checks = [
            ("ebcdic", self.ebcdic && self.length_digits.is_none()),
            ("byte-order", self.byte_order.is_some() && self.length_bytes.is_none()),
            ("inclusive", self.inclusive && !has_length),
            ("offset", self.offset.is_some() && !has_length),
            ("counts-before", self.counts_before && self.offset.is_none()),
        ];
        for (key, _) in checks.into_iter().filter(|(_, is_wrong)| *is_wrong) {
            found.push(problem(key, "means nothing with the other keys of this framing"));
        }
    }
}
