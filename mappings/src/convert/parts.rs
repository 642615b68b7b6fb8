//! One wire text that holds several fields of the service: split when it is read, put together
//! when it is written.

use gateway_core::{Message, Value};

use super::Codec;
use crate::path::Path;
use crate::unfit::Unfit;

/// The parts of a text, in order.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) parts: Vec<Part>,
    /// What stands between them; when empty each part has its own number of characters.
    pub(crate) separator: String,
}

#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) field: Path,
    pub(crate) codec: Codec,
    /// Characters, where there is no separator. The last may have none and takes the rest.
    pub(crate) length: Option<usize>,
}

const NOT_IN_PARTS: Unfit = Unfit::NotA("made of the parts that the field has");

impl Parts {
    /// Text → its fields.
    pub(crate) fn read(&self, text: &str, message: &mut Message) -> Result<(), Unfit> {
        let mut rest = Some(text);
        for (index, part) in self.parts.iter().enumerate() {
            let is_last = index + 1 == self.parts.len();
            let (piece, after) = self.piece(part, rest.ok_or(NOT_IN_PARTS)?, is_last)?;
            message.set_at(part.field.names(), part.codec.read(piece)?);
            rest = after;
        }
        match rest {
            None => Ok(()),
            Some(_) => Err(NOT_IN_PARTS),
        }
    }

    fn piece<'t>(
        &self,
        part: &Part,
        rest: &'t str,
        is_last: bool,
    ) -> Result<(&'t str, Option<&'t str>), Unfit> {
        match (self.separator.as_str(), part.length) {
            ("", Some(length)) => {
                let end = rest.char_indices().nth(length).map_or(rest.len(), |(at, _)| at);
                let (piece, after) = rest.split_at_checked(end).ok_or(NOT_IN_PARTS)?;
                if piece.chars().count() != length {
                    return Err(NOT_IN_PARTS);
                }
                Ok((piece, (!is_last || !after.is_empty()).then_some(after)))
            }
            ("", None) => Ok((rest, None)),
            (separator, _) => Ok(match rest.split_once(separator) {
                Some((piece, after)) => (piece, Some(after)),
                None => (rest, None),
            }),
        }
    }

    /// The fields → text; nothing when none of them is there.
    pub(crate) fn write(&self, message: &Message) -> Result<Option<String>, Unfit> {
        let values: Vec<Option<&Value>> =
            self.parts.iter().map(|part| message.at(part.field.names())).collect();
        if values.iter().all(Option::is_none) {
            return Ok(None);
        }
        let mut out = String::new();
        for (index, (part, value)) in self.parts.iter().zip(values).enumerate() {
            let text = part.codec.write(value.ok_or(Unfit::Missing)?)?;
            let confusing = !self.separator.is_empty() && text.contains(&self.separator);
            if confusing || part.length.is_some_and(|length| text.chars().count() != length) {
                return Err(NOT_IN_PARTS);
            }
            if index > 0 {
                out.push_str(&self.separator);
            }
            out.push_str(&text);
        }
        Ok(Some(out))
    }

    /// The longest text, when all its parts know theirs.
    pub(crate) fn longest(&self) -> Option<String> {
        let longest = |part: &Part| part.codec.extremes().into_iter().max_by_key(String::len);
        let parts: Option<Vec<String>> = self.parts.iter().map(longest).collect();
        parts.map(|parts| parts.join(&self.separator))
    }
}
