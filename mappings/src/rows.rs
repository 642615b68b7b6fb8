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
    pub(crate) form: Form<S>,
}

pub(crate) enum Form<S> {
    Value { codec: Codec, shape: S },
    List { rows: Rows<S>, max: usize },
}

impl<S> Rows<S> {
    /// Wire texts → message.
    pub(crate) fn read(&self, record: &Record<'_>) -> Result<Message, FieldError> {
        let mut message = Message::new();
        for (row, wire) in self.0.iter().zip(record) {
            let value = row.read(wire.as_ref())?;
            if let (Some(field), Some(value)) = (&row.field, value) {
                message.set(&**field, value);
            }
        }
        Ok(message)
    }

    /// Message → wire texts.
    pub(crate) fn write<'v>(&'v self, message: &'v Message) -> Result<Record<'v>, FieldError> {
        self.0.iter().map(|row| row.write(message)).collect()
    }

    /// The place of the row with this wire name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|row| *row.name == *name)
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
            (Form::List { rows, max }, Some(Wire::List(records))) => {
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
            (Form::List { rows, max }, Some(Value::List(list))) => {
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
