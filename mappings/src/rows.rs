//! Field tables, compiled: a record of wire texts ↔ a message of the service. The rows stand in
//! wire order, so a row's place is its text's place in the record. `S` is what the layout must
//! know of each field: its width, its XML type, its column.

use std::borrow::Cow;
use std::sync::Arc;

use gateway_core::{Message, Value};

use crate::convert::Codec;
use crate::unfit::{FieldError, Unfit};

/// The wire side of one message: for each row a text, a list, or nothing.
pub(crate) type Record<'a> = Vec<Option<Wire<'a>>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wire<'a> {
    Text(Cow<'a, str>),
    List(Vec<Record<'a>>),
}

pub(crate) struct Rows<S>(pub(crate) Vec<Row<S>>);

pub(crate) struct Row<S> {
    /// The wire's name.
    pub(crate) name: Arc<str>,
    /// The service's name, when it has a counterpart there.
    pub(crate) field: Option<Arc<str>>,
    pub(crate) required: bool,
    /// The text that stands for an absent value.
    pub(crate) default: Option<String>,
    /// When it is one of several that may stand in the same place: which of them it is of.
    pub(crate) choice: Option<Choice>,
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
    Value { codec: Codec, shape: S },
    List { rows: Rows<S>, max: usize, count: Option<Count> },
}

impl<S> Rows<S> {
    /// Wire texts → message.
    pub(crate) fn read(&self, record: &Record<'_>) -> Result<Message, FieldError> {
        let mut message = Message::new();
        for (row, wire) in self.0.iter().zip(record) {
            if row.choice.as_ref().is_some_and(|choice| !choice.holds(record)) {
                continue;
            }
            let value = row.read(wire.as_ref())?;
            if let (Some(field), Some(value)) = (&row.field, value) {
                message.set(&**field, value);
            }
        }
        Ok(message)
    }

    /// Message → wire texts.
    pub(crate) fn write<'v>(&'v self, message: &'v Message) -> Result<Record<'v>, FieldError> {
        let mut record: Record<'v> = Vec::with_capacity(self.0.len());
        for row in &self.0 {
            let counts = row.choice.as_ref().is_none_or(|choice| choice.holds(&record));
            let wire = if counts { row.write(message)? } else { None };
            if let (Form::List { count: Some(count), .. }, Some(Wire::List(records))) =
                (&row.form, &wire)
            {
                let place = record.get_mut(count.at);
                count_records(records.len(), place).map_err(|why| row.unfit(why))?;
            }
            record.push(wire);
        }
        Ok(record)
    }

    /// The place of the row with this wire name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|row| *row.name == *name)
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

    pub(crate) fn read(&self, wire: Option<&Wire<'_>>) -> Result<Option<Value>, FieldError> {
        match (&self.form, wire) {
            (Form::Value { codec, .. }, Some(Wire::Text(text))) if !text.is_empty() => {
                codec.read(text).map(Some).map_err(|why| self.unfit(why))
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
        let value = self.field.as_deref().and_then(|field| message.get(field));
        match (&self.form, value) {
            (Form::Value { codec, .. }, Some(value)) => {
                let text = codec.write(value).map_err(|why| self.unfit(why))?;
                Ok(Some(Wire::Text(text)))
            }
            (Form::List { rows, max, .. }, Some(Value::List(list))) => {
                if list.len() > *max {
                    return Err(self.unfit(Unfit::TooManyRecords { max: *max }));
                }
                let records = list.iter().map(|message| rows.write(message));
                Ok(Some(Wire::List(records.collect::<Result<_, _>>()?)))
            }
            (Form::List { .. }, Some(_)) => Err(self.unfit(Unfit::NotA("a list"))),
            (_, None) if let Some(text) = &self.default => Ok(Some(Wire::Text(text.into()))),
            (_, None) if self.required => Err(self.unfit(Unfit::Missing)),
            (_, None) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
