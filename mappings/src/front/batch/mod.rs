//! Batch files, CSV or of fixed-length records. Each data record is an exchange of its own; the file
//! around it is checked by [`BatchFront::check`]. With the attribute `:whole-file` the message is a
//! file that was refused.

mod content;
mod file;
mod form;
mod result;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

use gateway_core::front::{Draft, Exchange};
use gateway_core::{Envelope, Fault, Front, Inbound, Kind, Message, Value};

pub use content::{BatchError, BatchLimits};
pub use file::{BatchFile, BatchReader, BatchRecord};
pub(crate) use form::{Column, Fields, Form, FormKind, Place};

use super::{Replies, losses};
use crate::header::Header;
use crate::operations::{Operations, join_key};
use crate::rows::{self, Record, Wire};

/// One system's batch files.
pub struct BatchFront {
    pub(crate) id: Arc<str>,
    /// What stands before and after the `*` of a file's name.
    pub(crate) names: (String, String),
    pub(crate) encoding: Option<Encoding>,
    pub(crate) form: Form,
    pub(crate) header: Header<Column>,
    /// Which header field is the institution's code.
    pub(crate) institution: usize,
    pub(crate) number: Column,
    pub(crate) operation: Column,
    /// Whose sum is the control total.
    pub(crate) total: Option<Column>,
    /// Whose equal values keep their order.
    pub(crate) sequence: Option<Column>,
    pub(crate) trailer_count: Column,
    pub(crate) trailer_total: Option<Column>,
    pub(crate) bad_records: BadRecords,
    pub(crate) operations: Operations<Column>,
    /// The result columns between message and receipt.
    pub(crate) results: Vec<String>,
    pub(crate) replies: Replies,
}

/// What a text file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    EucKr,
}

/// What a record that cannot be decoded refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadRecords {
    RefuseRecord,
    RefuseFile,
}

/// The attribute of a message that stands for a file which was refused.
const WHOLE_FILE: &str = ":whole-file";

impl BatchFront {
    /// Whether a file of this name is for this front: not a result, nor one that is still being
    /// written under another name.
    pub fn takes(&self, name: &str) -> bool {
        let (before, after) = &self.names;
        let plain = name.strip_suffix(".gz").unwrap_or(name);
        let inner = plain.strip_prefix(before.as_str());
        let inner = inner.and_then(|inner| inner.strip_suffix(after.as_str()));
        let unfinished = [".part", ".filepart", ".tmp"].iter().any(|end| plain.ends_with(end));
        inner.is_some_and(|inner| !inner.ends_with(".result")) && !unfinished
    }

    /// The name of the result of the file `name`; with a number where an earlier one has it.
    pub fn result_name(&self, name: &str, number: u64) -> String {
        let (_, after) = &self.names;
        let plain = name.strip_suffix(".gz").unwrap_or(name);
        let stem = plain.strip_suffix(after.as_str()).unwrap_or(plain);
        match number {
            0 | 1 => format!("{stem}.result{after}"),
            number => format!("{stem}.{number}.result{after}"),
        }
    }

    fn decode_record(
        &self,
        attributes: &BTreeMap<String, String>,
        record: &[u8],
    ) -> Result<Envelope, Fault> {
        let (split, fields) = (self.form.split(record).ok(), &self.form.data);
        let split = split.filter(|split| split.is(fields)).ok_or_else(|| {
            Fault::new(Kind::Malformed, "unknown-record", "the message is not a data record")
        })?;
        let text = |column| split.text(fields, column).map_err(|error| error.in_request());
        let attribute = |name: &str| attributes.get(name).map_or("", String::as_str);
        let claimed_member = self.header.member(attribute(":institution"))?;
        let operation = self.operations.find(&text(self.operation)?.unwrap_or_default())?;
        let cells = operation.request.0.iter().map(|row| match &row.form {
            rows::Form::Value { shape, .. } => Ok(text(*shape)?.map(Wire::Text)),
            rows::Form::Record { .. } | rows::Form::List { .. } => Ok(None),
        });
        let record: Record<'_> = cells.collect::<Result<_, Fault>>()?;
        let message = operation.request.read(&record).map_err(|error| error.in_request())?;
        let number = text(self.number)?.unwrap_or_default();
        let mut echo = Message::new();
        echo.set("number", Value::Text(number.clone().into_owned()));
        Ok(Envelope {
            service: operation.service.clone(),
            message,
            idempotency_key: Some(join_key(&[attribute(":file"), &number])),
            credential: None,
            claimed_member: Some(claimed_member),
            claimed_subsystem: None,
            endpoint: None,
            mapping: self.id.clone(),
            echo,
        })
    }

    /// Why a file in memory is refused, for a message that stands for one.
    fn check_whole(&self, file: &[u8]) -> Result<(), Fault> {
        let limits = BatchLimits { content_bytes: u64::MAX, record_bytes: usize::MAX };
        match self.check("", &limits, || Ok(Cursor::new(file))) {
            Err(BatchError::Refused(fault)) => Err(*fault),
            _ => Ok(()),
        }
    }
}

impl Front for BatchFront {
    fn name(&self) -> &str {
        "batch"
    }

    fn decode(&self, inbound: &Inbound) -> Result<Envelope, Fault> {
        if inbound.attributes.contains_key(WHOLE_FILE) {
            self.check_whole(&inbound.body)?;
        }
        self.decode_record(&inbound.attributes, &inbound.body)
    }

    fn encode(&self, exchange: &Exchange<'_>, answer: &Message) -> Result<Draft, Fault> {
        let envelope = exchange.envelope.ok_or_else(|| {
            Fault::new(Kind::Internal, "defect", "the gateway failed; it was recorded")
        })?;
        let operation = self.operations.of(&envelope.service)?;
        let record = operation.reply.write(answer).map_err(|error| error.in_reply())?;
        let value =
            |name: &String| match operation.reply.position(name).and_then(|at| record.get(at)) {
                Some(Some(Wire::Text(text))) => Some(&**text),
                _ => None,
            };
        let values: Vec<Option<&str>> = self.results.iter().map(value).collect();
        let number = envelope.echo.get("number").and_then(Value::as_text);
        let losses = losses::gather(exchange, &operation.reply, answer);
        let draft = self.result(200, number, self.replies.success(&losses), &values);
        let mut draft = draft.map_err(|error| error.in_reply())?;
        losses::report(&losses, &mut draft.headers);
        Ok(draft)
    }

    fn refuse(&self, exchange: &Exchange<'_>, fault: &Fault) -> Draft {
        let outcome = self.replies.refusal(fault);
        if exchange.inbound.attributes.contains_key(WHOLE_FILE) {
            return self.refusal(outcome);
        }
        let split = self.form.split(&exchange.inbound.body).ok();
        let split = split.filter(|split| split.is(&self.form.data));
        let number = split
            .as_ref()
            .and_then(|split| split.text(&self.form.data, self.number).ok().flatten());
        self.refused_record(number.as_deref(), outcome)
    }
}
