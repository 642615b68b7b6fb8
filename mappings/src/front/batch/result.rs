//! The records of a result file, in the form of the files that it answers.

use gateway_core::front::{Draft, Slot};

use super::{BatchFile, BatchFront, FormKind};
use crate::faults::Outcome;
use crate::header::Times;
use crate::rows::Wire;
use crate::unfit::FieldError;

impl BatchFront {
    /// The first record of a result file.
    pub fn result_header(&self, file: &BatchFile) -> Vec<u8> {
        let never =
            Times { received: jiff::Timestamp::UNIX_EPOCH, sent: jiff::Timestamp::UNIX_EPOCH };
        let record = self.header.reply(&file.echo, self.replies.success(&[]), never);
        let texts = record.iter().map(|wire| match wire {
            Some(Wire::Text(text)) => Some(&**text),
            _ => None,
        });
        let texts: Vec<Option<&str>> = texts.collect();
        // What was read from a header can be written into one.
        let record = self.form.write(&self.form.header, &texts).unwrap_or_default();
        self.ended(record)
    }

    /// The last record of a result file.
    pub fn result_trailer(&self, count: u64, succeeded: u64, failed: u64) -> Vec<u8> {
        let numbers = [count, succeeded, failed].map(|number| number.to_string());
        let texts: Vec<_> = numbers.iter().map(|number| Some(number.as_str())).collect();
        // A count that the number column could hold fits the trailer.
        let record = self.form.write(&self.form.result_trailer, &texts).unwrap_or_default();
        self.ended(record)
    }

    /// A result record; its receipt comes last.
    pub(super) fn result(
        &self,
        status: u16,
        number: Option<&str>,
        outcome: Outcome<'_>,
        values: &[Option<&str>],
    ) -> Result<Draft, FieldError> {
        let message = Some(outcome.message).filter(|message| !message.is_empty());
        let before = [number, Some(outcome.code), message];
        let texts: Vec<_> = before.into_iter().chain(values.iter().copied()).collect();
        Ok(self.with_receipt(status, self.form.write(&self.form.result, &texts)?))
    }

    /// The result record of a refusal, whatever stands in it. A sentence that the encoding lacks is
    /// left out; the code always fits, since loading.
    pub(super) fn refused_record(&self, number: Option<&str>, outcome: Outcome<'_>) -> Draft {
        let none = vec![None; self.results.len()];
        let bare = Outcome { message: "", ..outcome };
        let tries = [(number, outcome), (number, bare), (None, bare)];
        let mut drafts = tries
            .iter()
            .filter_map(|(number, tried)| self.result(400, *number, *tried, &none).ok());
        drafts.next().unwrap_or_else(|| self.with_receipt(400, Vec::new()))
    }

    /// The only record of the result of a refused file.
    pub(super) fn refusal(&self, outcome: Outcome<'_>) -> Draft {
        let write =
            |message| self.form.write(&self.form.refusal, &[Some(outcome.code), message]).ok();
        let record = write(Some(outcome.message)).or_else(|| write(None));
        self.with_receipt(400, record.unwrap_or_default())
    }

    fn with_receipt(&self, status: u16, mut record: Vec<u8>) -> Draft {
        let receipt = match self.form.kind {
            FormKind::Fixed { receipt: Some(width), .. } => {
                let offset = record.len();
                record.resize(offset.saturating_add(width), b' ');
                Slot::Field { offset, width }
            }
            FormKind::Fixed { receipt: None, .. } => Slot::Insert(record.len()),
            FormKind::Csv => {
                record.push(b',');
                Slot::Insert(record.len())
            }
        };
        Draft { status, headers: vec![], body: self.ended(record), receipt }
    }

    fn ended(&self, mut record: Vec<u8>) -> Vec<u8> {
        match self.form.kind {
            FormKind::Fixed { line_ends: false, result_length, .. } => {
                record.resize(result_length.max(record.len()), b' ');
            }
            _ => record.push(b'\n'),
        }
        record
    }
}
