//! Field tables, compiled: a record of wire texts ↔ a message of the service. The rows stand in
//! wire order, so a row's place is its text's place in the record. `S` is what the layout must
//! know of each field: its width, its XML type, its column.
//!
//! What a table says beyond its rows, such as fields that several rows make together, is in
//! [`derived`]; conditions are in [`condition`].

mod condition;
mod derived;

use std::borrow::Cow;
use std::sync::Arc;

use gateway_core::{Loss, LossKind, Message, Value};

use crate::convert::Codec;
use crate::path::Path;
use crate::unfit::{FieldError, Unfit};

pub(crate) use condition::{Condition, Test};
pub(crate) use derived::{Cut, Derived, Join, Whole};

/// The wire side of one message: for each row a text, a record, a list, or nothing.
pub(crate) type Record<'a> = Vec<Option<Wire<'a>>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wire<'a> {
    Text(Cow<'a, str>),
    Record(Record<'a>),
    List(Vec<Record<'a>>),
}

pub(crate) struct Rows<S>(pub(crate) Vec<Row<S>>, pub(crate) Derived);

pub(crate) struct Row<S> {
    /// The wire's name.
    pub(crate) name: Arc<str>,
    /// The service's name, when it has a counterpart there.
    pub(crate) field: Option<Path>,
    pub(crate) required: bool,
    /// The text that stands for an absent value.
    pub(crate) default: Option<String>,
    /// When it is one of several that may stand in the same place: which of them it is of.
    pub(crate) choice: Option<Choice>,
    /// When the row counts; always when absent.
    pub(crate) when: Option<Condition>,
    /// What may be lost here.
    pub(crate) loss: Option<LossKind>,
    pub(crate) form: Form<S>,
}

/// One of several groups of fields that lie over the same bytes. The rows of all of them follow one
/// another in the table.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// The place of the row whose text decides.
    pub(crate) by: usize,
    /// The texts by which this group is chosen.
    pub(crate) codes: Arc<[String]>,
    /// The place of the first row of all the groups, by which they belong together.
    pub(crate) first: usize,
}

impl Choice {
    /// Whether it is chosen in a record of which at least the deciding row has been read.
    pub(crate) fn holds(&self, record: &Record<'_>) -> bool {
        match record.get(self.by) {
            Some(Some(Wire::Text(text))) => self.codes.iter().any(|code| **code == **text),
            _ => false,
        }
    }
}

/// How it is known how many records of a list there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    /// The place of the row that says it, before the list.
    pub(crate) at: usize,
    /// Whether only as many stand there; otherwise the rest is unused.
    pub(crate) varies: bool,
}

pub(crate) enum Form<S> {
    Value {
        codec: Codec,
        shape: S,
    },
    /// Fields that stand together on the wire. Without a counterpart in the service they are
    /// fields of the message around them.
    Record {
        rows: Rows<S>,
    },
    List {
        rows: Rows<S>,
        max: usize,
        count: Option<Count>,
    },
}

impl<S> Rows<S> {
    /// Rows and nothing besides.
    pub(crate) fn new(rows: Vec<Row<S>>) -> Self {
        Self(rows, Derived::default())
    }

    /// Wire texts → message.
    pub(crate) fn read(&self, record: &Record<'_>) -> Result<Message, FieldError> {
        let mut message = Message::new();
        self.read_into(record, &mut message)?;
        Ok(message)
    }

    fn read_into(&self, record: &Record<'_>, message: &mut Message) -> Result<(), FieldError> {
        for (row, wire) in self.0.iter().zip(record) {
            let chosen = row.choice.as_ref().is_none_or(|choice| choice.holds(record));
            if chosen && row.when.is_none() {
                row.read_into(wire.as_ref(), message)?;
            }
        }
        if !self.1.is_empty() {
            self.1.read(self, record, message)?;
        }
        Ok(())
    }

    /// Message → wire texts.
    pub(crate) fn write<'v>(&'v self, message: &'v Message) -> Result<Record<'v>, FieldError> {
        let mut record: Record<'v> = Vec::with_capacity(self.0.len());
        for (place, row) in self.0.iter().enumerate() {
            let joined = self.1.joins.iter().any(|join| join.places.contains(&place));
            let chosen = row.choice.as_ref().is_none_or(|choice| choice.holds(&record));
            let counts = row.when.as_ref().is_none_or(|when| when.holds(message));
            let wire = if chosen && counts && !joined { row.write(message)? } else { None };
            if let (Form::List { count: Some(count), .. }, Some(Wire::List(records))) =
                (&row.form, &wire)
            {
                let place = record.get_mut(count.at);
                count_records(records.len(), place).map_err(|why| row.unfit(why))?;
            }
            record.push(wire);
        }
        for join in &self.1.joins {
            join.write(self, message, &mut record)?;
        }
        Ok(record)
    }

    /// What of `message` the texts of [`Rows::write`] lack, as the rows declare.
    pub(crate) fn losses(&self, message: &Message) -> Vec<Loss> {
        let mut losses = Vec::new();
        if self.1.lossy {
            self.add_losses(message, &mut losses);
        }
        losses
    }

    fn add_losses(&self, message: &Message, losses: &mut Vec<Loss>) {
        for row in &self.0 {
            let value = row.field.as_ref().and_then(|field| message.at(field.names()));
            match (&row.form, value) {
                (Form::Value { codec, .. }, Some(value)) => {
                    let lost = row.loss().filter(|_| codec.loses_writing(value));
                    losses.extend(lost.filter(|loss| !losses.contains(loss)));
                }
                (Form::Record { rows }, None) if row.field.is_none() => {
                    rows.add_losses(message, losses);
                }
                (Form::Record { rows }, Some(Value::Record(record))) => {
                    rows.add_losses(record, losses);
                }
                (Form::List { rows, .. }, Some(Value::List(list))) => {
                    list.iter().for_each(|record| rows.add_losses(record, losses));
                }
                _ => {}
            }
        }
    }

    /// The place of the row with this wire name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|row| *row.name == *name)
    }

    /// Whether any field that it writes is in the message.
    fn is_in(&self, message: &Message) -> bool {
        self.0.iter().any(|row| match (&row.field, &row.form) {
            (Some(field), _) => message.at(field.names()).is_some(),
            (None, Form::Value { codec: Codec::Parts(parts), .. }) => {
                parts.parts.iter().any(|part| message.at(part.field.names()).is_some())
            }
            (None, Form::Record { rows }) => rows.is_in(message),
            (None, _) => false,
        })
    }
}

/// Says how many records there are, or checks what says it already.
fn count_records(count: usize, place: Option<&mut Option<Wire<'_>>>) -> Result<(), Unfit> {
    match place {
        Some(Some(Wire::Text(text))) if text.parse() != Ok(count) => Err(Unfit::CountMismatch),
        Some(place @ None) => {
            *place = Some(Wire::Text(count.to_string().into()));
            Ok(())
        }
        _ => Ok(()),
    }
}

impl<S> Row<S> {
    fn unfit(&self, why: Unfit) -> FieldError {
        FieldError::new(&self.name, why)
    }

    fn loss(&self) -> Option<Loss> {
        self.loss.map(|kind| Loss { field: self.name.clone(), kind })
    }

    /// Reads the row's text and sets what it means.
    fn read_into(&self, wire: Option<&Wire<'_>>, message: &mut Message) -> Result<(), FieldError> {
        match (&self.field, &self.form, wire) {
            (None, Form::Record { rows }, Some(Wire::Record(record))) => {
                return rows.read_into(record, message);
            }
            (None, Form::Value { codec: Codec::Parts(parts), .. }, Some(Wire::Text(text)))
                if !text.is_empty() =>
            {
                return parts.read(text, message).map_err(|why| self.unfit(why));
            }
            _ => {}
        }
        let value = self.read(wire)?;
        if let (Some(kind), Some(Wire::Text(text))) = (self.loss, wire) {
            self.note_loss(kind, text, message);
        }
        if let (Some(field), Some(value)) = (&self.field, value) {
            message.set_at(field.names(), value);
        }
        Ok(())
    }

    fn note_loss(&self, kind: LossKind, text: &str, message: &mut Message) {
        let dropped = self.field.is_none() && kind == LossKind::Drop && !text.is_empty();
        let cut = matches!(&self.form, Form::Value { codec, .. } if codec.loses(text));
        if dropped || cut {
            message.lose(Loss { field: self.name.clone(), kind });
        }
    }

    pub(crate) fn read(&self, wire: Option<&Wire<'_>>) -> Result<Option<Value>, FieldError> {
        match (&self.form, wire) {
            (Form::Value { codec, .. }, Some(Wire::Text(text))) if !text.is_empty() => {
                match codec.read(text) {
                    // The whole of an optional value is dropped where it does not fit.
                    Err(Unfit::Missing) if self.loss == Some(LossKind::Drop) => Ok(None),
                    read => read.map(Some).map_err(|why| self.unfit(why)),
                }
            }
            (Form::Record { rows }, Some(Wire::Record(record))) => {
                rows.read(record).map(|record| Some(Value::Record(record)))
            }
            (Form::List { rows, max, .. }, Some(Wire::List(records))) => {
                if records.len() > *max {
                    return Err(self.unfit(Unfit::TooManyRecords { max: *max }));
                }
                let list = records.iter().map(|record| rows.read(record));
                list.collect::<Result<_, _>>().map(|list| Some(Value::List(list)))
            }
            (Form::Value { codec, .. }, _) if let Some(text) = &self.default => {
                codec.read(text).map(Some).map_err(|why| self.unfit(why))
            }
            _ if self.required => Err(self.unfit(Unfit::Missing)),
            _ => Ok(None),
        }
    }

    fn write<'v>(&'v self, message: &'v Message) -> Result<Option<Wire<'v>>, FieldError> {
        let value = self.field.as_ref().and_then(|field| message.at(field.names()));
        match (&self.form, value) {
            (Form::Value { codec: Codec::Constant(text), .. }, None) => {
                Ok(Some(Wire::Text(text.into())))
            }
            (Form::Value { codec: Codec::Parts(parts), .. }, None) => {
                match parts.write(message).map_err(|why| self.unfit(why))? {
                    Some(text) => Ok(Some(Wire::Text(text.into()))),
                    None => self.absent(),
                }
            }
            (Form::Value { codec, .. }, Some(value)) => match codec.write(value) {
                Err(Unfit::Missing) if self.loss == Some(LossKind::Drop) => self.absent(),
                written => {
                    written.map(|text| Some(Wire::Text(text))).map_err(|why| self.unfit(why))
                }
            },
            (Form::Record { rows }, Some(Value::Record(record))) => {
                rows.write(record).map(|record| Some(Wire::Record(record)))
            }
            (Form::Record { rows }, None) if self.field.is_none() => {
                match self.required || rows.is_in(message) {
                    true => rows.write(message).map(|record| Some(Wire::Record(record))),
                    false => Ok(None),
                }
            }
            (Form::List { rows, max, .. }, Some(Value::List(list))) => {
                if list.len() > *max {
                    return Err(self.unfit(Unfit::TooManyRecords { max: *max }));
                }
                let records = list.iter().map(|message| rows.write(message));
                Ok(Some(Wire::List(records.collect::<Result<_, _>>()?)))
            }
            (Form::Record { .. }, Some(_)) => Err(self.unfit(Unfit::NotA("a record"))),
            (Form::List { .. }, Some(_)) => Err(self.unfit(Unfit::NotA("a list"))),
            (_, None) => self.absent(),
        }
    }

    /// What is written where there is no value.
    fn absent(&self) -> Result<Option<Wire<'_>>, FieldError> {
        match &self.default {
            Some(text) => Ok(Some(Wire::Text(text.into()))),
            None if self.required => Err(self.unfit(Unfit::Missing)),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
