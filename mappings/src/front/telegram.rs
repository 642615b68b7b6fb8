//! Fixed-length telegrams: a header, then the fields of the operation it names. Works on one
//! telegram without the length before it, which [`Framing`] reads and writes.

use std::sync::Arc;

use gateway_core::front::{Draft, Exchange, Slot};
use gateway_core::{Envelope, Fault, Front, Inbound, Kind, Message};

use super::{Replies, losses};
use crate::faults::Outcome;
use crate::header::{Header, Times};
use crate::layout::fixed::{Fixed, FixedKind};
use crate::operations::Operations;
use crate::rows::{Form, Wire};
use crate::unfit::FieldError;

/// One system's telegrams.
pub struct TelegramFront {
    pub(crate) id: Arc<str>,
    pub(crate) framing: Framing,
    pub(crate) header: Header<Fixed>,
    pub(crate) operations: Operations<Fixed>,
    pub(crate) replies: Replies,
    pub(crate) receipt: Fixed,
}

/// How a telegram's end is found on a connection: by its length in ASCII digits before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// How many digits.
    pub length_digits: usize,
    /// Whether the length counts its own digits.
    pub inclusive: bool,
    /// Bytes of a request at most, the digits not counted.
    pub max: usize,
}

impl Framing {
    /// How many bytes follow the digits. `None` when they are no length.
    pub fn length(&self, digits: &[u8]) -> Option<usize> {
        if digits.len() != self.length_digits || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let length: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
        length.checked_sub(if self.inclusive { self.length_digits } else { 0 })
    }

    /// The digits before a telegram of `length` bytes. `None` when there are too few of them.
    pub fn prefix(&self, length: usize) -> Option<Vec<u8>> {
        let counted = if self.inclusive { self.length_digits } else { 0 };
        let digits =
            format!("{:0width$}", length.checked_add(counted)?, width = self.length_digits);
        (digits.len() == self.length_digits).then(|| digits.into_bytes())
    }
}

impl TelegramFront {
    /// How telegrams follow one another.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    fn write_header(
        &self,
        exchange: &Exchange<'_>,
        echo: &Message,
        outcome: Outcome<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), FieldError> {
        let times = Times { received: exchange.inbound.received, sent: exchange.now };
        let mut record = self.header.reply(echo, outcome, times);
        for (row, wire) in self.header.rows.0.iter().zip(&mut record) {
            // A number that is not known is zeros in a header, so that it is still a number.
            if let Form::Value { shape, .. } = &row.form
                && shape.kind == FixedKind::Digits
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
        let header_record = split.map_err(|error| error.in_request())?;
        let header = self.header.read(&header_record)?;
        let operation = self.operations.find(header.operation.as_deref().unwrap_or_default())?;
        if body.len() != operation.request.width() {
            return Err(wrong_length("the fields of this operation"));
        }
        let record = operation.request.split(body).map_err(|error| error.in_request())?;
        let message = operation.request.read(&record).map_err(|error| error.in_request())?;
        Ok(Envelope {
            service: operation.service.clone(),
            message,
            idempotency_key: operation.key(&header_record, &record),
            credential: header.credential,
            claimed_member: header.claimed_member,
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
