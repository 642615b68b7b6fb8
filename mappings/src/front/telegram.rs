//! Fixed-length telegrams: a header, then the fields of the operation it names. Works on one
//! telegram as [`Framing`] takes it off a connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::framing::Framing;
use gateway_core::front::{Draft, Exchange, Slot};
use gateway_core::{Envelope, Fault, Front, Inbound, Kind, Message};

use jiff::Timestamp;

use super::{Replies, losses};
use crate::faults::Outcome;
use crate::header::{Header, Times};
use crate::layout::fixed::Fixed;
use crate::operations::Operations;
use crate::rows::{Form, Record, Wire};
use crate::unfit::FieldError;

/// One system's telegrams.
pub struct TelegramFront {
    pub(crate) id: Arc<str>,
    pub(crate) framing: Framing,
    pub(crate) header: Header<Fixed>,
    pub(crate) operations: Operations<Fixed>,
    pub(crate) replies: Replies,
    pub(crate) receipt: Fixed,
    pub(crate) multiplexed: bool,
    pub(crate) keep_alive: KeepAlive,
}

/// Telegrams that the gateway answers by itself: they concern no service and no person, and are not
/// recorded.
#[derive(Default)]
pub(crate) struct KeepAlive {
    /// Which field of the header holds the transaction code.
    pub(crate) field: usize,
    pub(crate) answers: BTreeMap<String, KeepAliveAnswer>,
}

/// How one of them is answered.
pub(crate) struct KeepAliveAnswer {
    /// Fields of the header that hold this instead.
    pub(crate) header: Vec<(usize, String)>,
    pub(crate) echo_body: bool,
}

impl TelegramFront {
    /// How telegrams follow one another.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether replies may overtake one another.
    pub fn is_multiplexed(&self) -> bool {
        self.multiplexed
    }

    /// The reply to a telegram that only asks whether somebody is there, as the mapping declares.
    /// Nothing for any other telegram.
    pub fn keep_alive(&self, telegram: &[u8], now: Timestamp) -> Option<Vec<u8>> {
        if self.keep_alive.answers.is_empty() {
            return None;
        }
        let (header, body) = telegram.split_at_checked(self.header.rows.width())?;
        let record = self.header.rows.split_what_fits(header);
        let Some(Some(Wire::Text(code))) = record.get(self.keep_alive.field) else {
            return None;
        };
        let answer = self.keep_alive.answers.get(&**code)?;
        if !answer.echo_body && !body.is_empty() {
            return None;
        }
        let echo = self.header.glimpse(&record);
        let times = Times { received: now, sent: now };
        let mut reply = self.header.reply(&echo, self.replies.success(&[]), times);
        for (at, text) in &answer.header {
            if let Some(place) = reply.get_mut(*at) {
                *place = Some(Wire::Text(text.as_str().into()));
            }
        }
        let mut out = Vec::with_capacity(telegram.len());
        self.join_header(reply, &mut out).ok()?;
        out.extend_from_slice(body);
        Some(out)
    }

    fn write_header(
        &self,
        exchange: &Exchange<'_>,
        echo: &Message,
        outcome: Outcome<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), FieldError> {
        let times = Times { received: exchange.inbound.received, sent: exchange.now };
        let record = self.header.reply(echo, outcome, times);
        self.join_header(record, out)
    }

    fn join_header(&self, mut record: Record<'_>, out: &mut Vec<u8>) -> Result<(), FieldError> {
        for (row, wire) in self.header.rows.0.iter().zip(&mut record) {
            // A number that is not known is zeros in a header, so that it is still a number.
            if let Form::Value { shape, .. } = &row.form
                && shape.kind.is_numeric()
            {
                wire.get_or_insert(Wire::Text("0".into()));
            }
        }
        self.header.rows.join(&record, out)
    }

    /// Appends the receipt's place.
    fn draft(&self, status: u16, mut body: Vec<u8>) -> Draft {
        let (offset, width) = (body.len(), self.receipt.length);
        body.resize(offset.saturating_add(width), b' ');
        Draft { status, headers: vec![], body, receipt: Slot::Field { offset, width } }
    }

    fn echo(&self, exchange: &Exchange<'_>) -> Message {
        match exchange.envelope {
            Some(envelope) => envelope.echo.clone(),
            None => {
                let record = self.header.rows.split_what_fits(&exchange.inbound.body);
                self.header.glimpse(&record)
            }
        }
    }
}

impl Front for TelegramFront {
    fn name(&self) -> &str {
        "telegram"
    }

    fn mapping(&self) -> &str {
        &self.id
    }

    fn decode(&self, inbound: &Inbound) -> Result<Envelope, Fault> {
        let split = inbound.body.split_at_checked(self.header.rows.width());
        let (header, body) = split.ok_or_else(|| wrong_length("its header"))?;
        let split = self.header.rows.split(header);
        let (header_record, _) = split.map_err(|error| error.in_request())?;
        let header = self.header.read(&header_record)?;
        let operation = self.operations.find(header.operation.as_deref().unwrap_or_default())?;
        let fields = &operation.request;
        let lengths = fields.least_width()..=fields.width();
        if !lengths.contains(&body.len()) {
            return Err(wrong_length("the fields of this operation"));
        }
        let split = fields.split(body);
        let (record, rest) = split.map_err(|error| error.in_request())?;
        if !rest.is_empty() {
            return Err(wrong_length("the fields of this operation"));
        }
        let message = operation.request.read(&record).map_err(|error| error.in_request())?;
        Ok(Envelope {
            service: operation.service.clone(),
            message,
            idempotency_key: operation.key(&header_record, &record),
            credential: header.credential,
            claimed_member: header.claimed_member,
            claimed_subsystem: None,
            endpoint: None,
            mapping: self.id.clone(),
            echo: header.echo,
        })
    }

    fn encode(&self, exchange: &Exchange<'_>, answer: &Message) -> Result<Draft, Fault> {
        let envelope = exchange.envelope.ok_or_else(|| {
            Fault::new(Kind::Internal, "defect", "the gateway failed; it was recorded")
        })?;
        let operation = self.operations.of(&envelope.service)?;
        let losses = losses::gather(exchange, &operation.reply, answer);
        let write = || {
            let mut out = Vec::with_capacity(512);
            self.write_header(exchange, &envelope.echo, self.replies.success(&losses), &mut out)?;
            let record = operation.reply.write(answer)?;
            operation.reply.join(&record, &mut out)?;
            Ok(out)
        };
        let body = write().map_err(|error: FieldError| error.in_reply())?;
        let mut draft = self.draft(200, body);
        losses::report(&losses, &mut draft.headers);
        Ok(draft)
    }

    fn refuse(&self, exchange: &Exchange<'_>, fault: &Fault) -> Draft {
        let outcome = self.replies.refusal(fault);
        let bare = Outcome { message: "", ..outcome };
        let echo = self.echo(exchange);
        let mut out = Vec::with_capacity(512);
        // A sentence that the encoding lacks is left out; the code always fits, since loading.
        let nothing = Message::new();
        for (echo, outcome) in [(&echo, outcome), (&echo, bare), (&nothing, bare)] {
            out.clear();
            if self.write_header(exchange, echo, outcome, &mut out).is_ok() {
                break;
            }
        }
        self.draft(400, out)
    }
}

fn wrong_length(than: &str) -> Fault {
    let says = format!("the telegram is not as long as {than}");
    Fault::new(Kind::Malformed, "length-mismatch", says)
}
