//! Fixed-length telegrams to a provider: a header with its result code, then the fields of the
//! operation. The serial number is the adapter's to fill in.

use gateway_core::adapter::Format;
use gateway_core::wire::{Around, Holds, Place};
use gateway_core::{Encoded, Message, Received};
use zeroize::Zeroizing;

use super::special::{ORIGINAL, SERIAL};
use super::verdict::{Refused, Said, Standing, Unreadable};
use super::{Saying, Wire};
use crate::format::ResultFormat;
use crate::layout::fixed::Fixed;
use crate::rows::Wire as Field;
use crate::rows::{Form, Rows};
use crate::unfit::FieldError;

pub(crate) struct TelegramWire {
    pub(crate) header: Rows<Fixed>,
    pub(crate) reply_header: Rows<Fixed>,
    pub(crate) result: ResultFormat,
}

impl Wire for TelegramWire {
    type Shape = Fixed;

    const FORMAT: Format = Format::Telegram;

    fn write(&self, saying: &Saying<Fixed>, message: &Message) -> Result<Encoded, FieldError> {
        let mut body = Zeroizing::new(Vec::with_capacity(512));
        let mut places = Vec::new();
        for rows in [&self.header, &saying.request] {
            places.extend(adapter_fields(rows, body.len()));
            rows.join(&rows.write(message)?, &mut body)?;
        }
        Ok(Encoded { around: Around::Telegram { places }, body })
    }

    fn read(&self, saying: &Saying<Fixed>, received: &Received) -> Result<Said, Unreadable> {
        let split = received.body.split_at_checked(self.reply_header.width());
        let (header, body) =
            split.ok_or(Unreadable::Form("the answer is shorter than a header"))?;
        let (record, _) = self.reply_header.split(header)?;
        self.reply_header.read(&record)?;
        let at = self.reply_header.position(&self.result.field);
        let code = match at.and_then(|at| record.get(at)?.as_ref()) {
            Some(Field::Text(code)) => code.to_string(),
            _ => return Err(Unreadable::Form("the answer has no result code")),
        };
        if !self.result.success.contains(&code) {
            return Ok(Said::Refusal(Refused::new([code], Standing::Unclear)));
        }
        let wrong_length = Unreadable::Form("the answer is not as long as its fields");
        if !(saying.reply.least_width()..=saying.reply.width()).contains(&body.len()) {
            return Err(wrong_length);
        }
        let (record, rest) = saying.reply.split(body)?;
        if !rest.is_empty() {
            return Err(wrong_length);
        }
        Ok(Said::Answer(saying.reply.read(&record)?))
    }
}

/// The fields of `rows`, which begin at `start`, that the adapter fills.
fn adapter_fields(rows: &Rows<Fixed>, start: usize) -> Vec<Place> {
    let mut offset = start;
    let mut places = Vec::new();
    for row in &rows.0 {
        let width = row.width();
        let holds = match &row.field {
            Some(field) if field.is(SERIAL) => Some(Holds::Serial),
            Some(field) if field.is(ORIGINAL) => Some(Holds::Original),
            _ => None,
        };
        if let (Some(holds), Form::Value { .. }) = (holds, &row.form) {
            places.push(Place { holds, offset, length: width });
        }
        offset = offset.saturating_add(width);
    }
    places
}
