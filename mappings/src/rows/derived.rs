//! What a table makes of its rows together: rows that count only sometimes, fields of constants,
//! fields put together from several texts, and records that must be whole.

use std::borrow::Cow;

use gateway_core::{LossKind, Message, Value};

use super::{Record, Rows, Wire};
use crate::convert::Codec;
use crate::path::Path;
use crate::unfit::{FieldError, Unfit};

#[derive(Default)]
pub(crate) struct Derived {
    /// Whether some rows have conditions.
    pub(crate) conditional: bool,
    /// Whether some rows, nested ones too, may lose something.
    pub(crate) lossy: bool,
    /// Fields of the service that are always the same.
    pub(crate) constants: Vec<(Path, Value)>,
    pub(crate) joins: Vec<Join>,
    pub(crate) wholes: Vec<Whole>,
}

/// One field of the service from the texts of several rows.
pub(crate) struct Join {
    pub(crate) field: Path,
    pub(crate) codec: Codec,
    pub(crate) required: bool,
    /// The places of the rows.
    pub(crate) places: Vec<usize>,
    pub(crate) cut: Cut,
}

/// Where a text is cut into the texts of the rows.
pub(crate) enum Cut {
    /// At this, which no piece holds.
    Separator(String),
    /// After so many characters each; the last takes the rest.
    Lengths(Vec<usize>),
}

/// A field that must be there when the record around it is.
pub(crate) struct Whole {
    /// The record; none for the message itself, which always is.
    pub(crate) record: Option<Path>,
    pub(crate) field: Path,
}

impl Derived {
    pub(super) fn is_empty(&self) -> bool {
        !self.conditional
            && self.constants.is_empty()
            && self.joins.is_empty()
            && self.wholes.is_empty()
    }

    pub(super) fn read<S>(
        &self,
        rows: &Rows<S>,
        record: &Record<'_>,
        message: &mut Message,
    ) -> Result<(), FieldError> {
        for (field, value) in &self.constants {
            message.set_at(field.names(), value.clone());
        }
        for join in &self.joins {
            join.read(rows, record, message)?;
        }
        for (row, wire) in rows.0.iter().zip(record) {
            match &row.when {
                Some(when) if when.holds(message) => row.read_into(wire.as_ref(), message)?,
                Some(_) if row.loss == Some(LossKind::Drop) => {}
                Some(_) if is_there(wire.as_ref()) => {
                    return Err(FieldError::new(&row.name, Unfit::Unwanted));
                }
                _ => {}
            }
        }
        let broken = self.wholes.iter().find(|whole| whole.is_broken(message));
        match broken {
            Some(whole) => Err(FieldError::new(&whole.field.to_string(), Unfit::Missing)),
            None => Ok(()),
        }
    }
}

impl Whole {
    fn is_broken(&self, message: &Message) -> bool {
        let counts = self.record.as_ref().is_none_or(|path| message.at(path.names()).is_some());
        counts && message.at(self.field.names()).is_none()
    }
}

impl Join {
    fn read<S>(
        &self,
        rows: &Rows<S>,
        record: &Record<'_>,
        message: &mut Message,
    ) -> Result<(), FieldError> {
        let unfit = |why| FieldError::new(self.name(rows), why);
        let texts = self.places.iter().map(|place| match record.get(*place) {
            Some(Some(Wire::Text(text))) if !text.is_empty() => Some(&**text),
            _ => None,
        });
        let texts: Vec<Option<&str>> = texts.collect();
        let present: Option<Vec<&str>> = texts.iter().copied().collect();
        match present {
            Some(texts) => {
                let text = match &self.cut {
                    Cut::Separator(separator) => texts.join(separator),
                    Cut::Lengths(_) => texts.concat(),
                };
                message.set_at(self.field.names(), self.codec.read(&text).map_err(unfit)?);
                Ok(())
            }
            None if self.required || texts.iter().any(Option::is_some) => {
                Err(unfit(Unfit::Missing))
            }
            None => Ok(()),
        }
    }

    pub(super) fn write<'v, S>(
        &'v self,
        rows: &Rows<S>,
        message: &'v Message,
        record: &mut Record<'v>,
    ) -> Result<(), FieldError> {
        let unfit = |why| FieldError::new(self.name(rows), why);
        let Some(value) = message.at(self.field.names()) else {
            return if self.required { Err(unfit(Unfit::Missing)) } else { Ok(()) };
        };
        let text = self.codec.write(value).map_err(unfit)?;
        let pieces = self.pieces(&text);
        let pieces =
            pieces.ok_or_else(|| unfit(Unfit::NotA("made of the parts that the format has")))?;
        for (place, piece) in self.places.iter().zip(pieces) {
            if let Some(wire) = record.get_mut(*place) {
                *wire = Some(Wire::Text(Cow::Owned(piece)));
            }
        }
        Ok(())
    }

    fn pieces(&self, text: &str) -> Option<Vec<String>> {
        let pieces: Vec<String> = match &self.cut {
            Cut::Separator(separator) => text.split(separator).map(str::to_owned).collect(),
            Cut::Lengths(lengths) => {
                let mut characters = text.chars();
                let mut pieces: Vec<String> = lengths
                    .iter()
                    .map(|length| characters.by_ref().take(*length).collect())
                    .collect();
                pieces.push(characters.collect());
                pieces
            }
        };
        let sound = pieces.len() == self.places.len() && pieces.iter().all(|one| !one.is_empty());
        sound.then_some(pieces)
    }

    /// The wire's name of the first of the rows.
    fn name<'r, S>(&self, rows: &'r Rows<S>) -> &'r str {
        let first = self.places.first().and_then(|place| rows.0.get(*place));
        first.map_or("", |row| &row.name)
    }
}

fn is_there(wire: Option<&Wire<'_>>) -> bool {
    match wire {
        Some(Wire::Text(text)) => !text.is_empty(),
        Some(Wire::Record(_)) => true,
        Some(Wire::List(records)) => !records.is_empty(),
        None => false,
    }
}
