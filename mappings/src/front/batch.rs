//! CSV batch files. Each data record is an exchange of its own; the file around it is read by
//! [`BatchFront::open`]. With the attribute `:whole-file` the message is a file that was refused.

use std::borrow::Cow;
use std::sync::Arc;

use gateway_core::front::{Draft, Exchange, Slot};
use gateway_core::{Envelope, Fault, Front, Inbound, Kind, Message, Value};

use super::Replies;
use super::batch_file::{self, BatchFile};
use crate::faults::Outcome;
use crate::header::{Header, Times};
use crate::layout::csv;
use crate::operations::{Operations, join_key};
use crate::rows::{Record, Wire};

/// One system's batch files.
pub struct BatchFront {
    pub(crate) id: Arc<str>,
    /// What stands before and after the `*` of a file's name.
    pub(crate) names: (String, String),
    pub(crate) header: Header<Column>,
    /// Which header field is the institution's code.
    pub(crate) institution: usize,
    pub(crate) columns: Vec<String>,
    pub(crate) number: Column,
    pub(crate) operation: Column,
    pub(crate) total: Column,
    pub(crate) operations: Operations<Column>,
    /// The result columns between message and receipt.
    pub(crate) results: Vec<String>,
    pub(crate) replies: Replies,
}

/// The place of a field in a data record, its mark not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Column(pub(crate) usize);

const WHOLE_FILE: &str = ":whole-file";

impl BatchFront {
    /// Whether a file of this name is for this front.
    pub fn takes(&self, name: &str) -> bool {
        let (before, after) = &self.names;
        let inner = name.strip_prefix(before.as_str());
        inner.is_some_and(|inner| inner.ends_with(after.as_str()))
    }

    /// Reads a whole file and checks what concerns all of it.
    ///
    /// # Errors
    /// `Malformed` or `Forbidden`: the file is refused, and nothing of it may be done.
    pub fn open(&self, file: &[u8]) -> Result<BatchFile, Fault> {
        batch_file::open(self, file)
    }

    /// The first line of a result file.
    pub fn result_header(&self, file: &BatchFile) -> Vec<u8> {
        let never =
            Times { received: jiff::Timestamp::UNIX_EPOCH, sent: jiff::Timestamp::UNIX_EPOCH };
        let record = self.header.reply(&file.echo, self.replies.success(), never);
        let texts = record.iter().map(|wire| match wire {
            Some(Wire::Text(text)) => text,
            _ => "",
        });
        line(std::iter::once("H").chain(texts))
    }

    /// The last line of a result file.
    pub fn result_trailer(&self, count: usize, succeeded: usize, failed: usize) -> Vec<u8> {
        let numbers = [count, succeeded, failed].map(|number| number.to_string());
        line(std::iter::once("T").chain(numbers.iter().map(String::as_str)))
    }

    pub(crate) fn column<'l>(&self, fields: &'l [Cow<'_, str>], column: Column) -> &'l str {
        let at = column.0.saturating_add(1);
        fields.get(at).map_or("", |field| field)
    }

    fn fields<'l>(&self, body: &'l [u8]) -> Option<Vec<Cow<'l, str>>> {
        let line = std::str::from_utf8(body).ok()?;
        let fields = csv::split(line.trim_end_matches(['\r', '\n'])).ok()?;
        let is_data =
            fields.first()? == "D" && fields.len() == self.columns.len().saturating_add(1);
        is_data.then_some(fields)
    }

    /// A result record; its receipt comes last, before the line's end.
    fn draft(&self, status: u16, number: &str, outcome: Outcome<'_>, values: &[&str]) -> Draft {
        let before = ["R", number, outcome.code, outcome.message];
        let fields = before.into_iter().chain(values.iter().copied());
        with_receipt(status, line(fields.chain([""])))
    }
}

impl Front for BatchFront {
    fn name(&self) -> &str {
        "batch"
    }

    fn decode(&self, inbound: &Inbound) -> Result<Envelope, Fault> {
        if inbound.attributes.contains_key(WHOLE_FILE) {
            self.open(&inbound.body)?;
        }
        let fields = self.fields(&inbound.body).ok_or_else(|| {
            Fault::new(Kind::Malformed, "unknown-record", "the message is not a data record")
        })?;
        let attribute = |name: &str| inbound.attributes.get(name).map_or("", String::as_str);
        let claimed_member = self.header.member(attribute(":institution"))?;
        let operation = self.operations.find(self.column(&fields, self.operation))?;
        let cells = operation.request.0.iter().map(|row| match &row.form {
            crate::rows::Form::Value { shape, .. } => {
                Some(Wire::Text(self.column(&fields, *shape).into()))
            }
            crate::rows::Form::List { .. } => None,
        });
        let record: Record<'_> = cells.collect();
        let message = operation.request.read(&record).map_err(|error| error.in_request())?;
        let number = self.column(&fields, self.number);
        let mut echo = Message::new();
        echo.set("number", Value::Text(number.to_owned()));
        Ok(Envelope {
            service: operation.service.clone(),
            message,
            idempotency_key: Some(join_key(&[attribute(":file"), number])),
            credential: None,
            claimed_member: Some(claimed_member),
            mapping: self.id.clone(),
            echo,
        })
    }

    fn encode(&self, exchange: &Exchange<'_>, answer: &Message) -> Result<Draft, Fault> {
        let envelope = exchange.envelope.ok_or_else(|| {
            Fault::new(Kind::Internal, "defect", "the gateway failed; it was recorded")
        })?;
        let operation = self.operations.of(&envelope.service)?;
        let record = operation.reply.write(answer).map_err(|error| error.in_reply())?;
        let value =
            |name: &String| match operation.reply.position(name).and_then(|at| record.get(at)) {
                Some(Some(Wire::Text(text))) => text,
                _ => "",
            };
        let values: Vec<&str> = self.results.iter().map(value).collect();
        let number = envelope.echo.get("number").and_then(Value::as_text).unwrap_or_default();
        Ok(self.draft(200, number, self.replies.success(), &values))
    }

    fn refuse(&self, exchange: &Exchange<'_>, fault: &Fault) -> Draft {
        let outcome = self.replies.refusal(fault);
        let body = &exchange.inbound.body;
        if exchange.inbound.attributes.contains_key(WHOLE_FILE) {
            return with_receipt(400, line(["E", outcome.code, outcome.message, ""]));
        }
        let fields = self.fields(body).unwrap_or_default();
        let none = vec![""; self.results.len()];
        self.draft(400, self.column(&fields, self.number), outcome, &none)
    }
}

fn line<'f>(fields: impl IntoIterator<Item = &'f str>) -> Vec<u8> {
    let mut line = String::with_capacity(128);
    for (index, field) in fields.into_iter().enumerate() {
        if index > 0 {
            line.push(',');
        }
        csv::push_field(&mut line, field);
    }
    line.push('\n');
    line.into_bytes()
}

fn with_receipt(status: u16, body: Vec<u8>) -> Draft {
    let receipt = Slot::Insert(body.len().saturating_sub(1));
    Draft { status, headers: vec![], body, receipt }
}
