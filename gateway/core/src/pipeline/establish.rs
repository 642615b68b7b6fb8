//! A submit whose answer was lost and whose effect somebody has found out by other means, such as the
//! provider's own records. Only for providers: a ledger is asked itself.

use crate::adapter::Answer;
use crate::journal::{Record, RecordKind, Submitted, Trail};
use crate::outbox::Submission;
use crate::{Caller, ExchangeId, Fault, Kind, Message, Receipt};

use super::Pipeline;
use super::deliver::gone;

/// What was found out.
#[derive(Clone, Debug)]
pub enum Established {
    /// It was done, and the provider answered this, in the service's terms.
    Done(Message),
    /// It was refused for good; the provider's own name for that.
    Refused(String),
    /// Nothing was done: the next request under its key is as the first.
    NotDone,
}

/// A finding, who made it, and the bytes that say so.
pub struct Finding<'a> {
    /// What was found out.
    pub found: &'a Established,
    /// The operator.
    pub by: Caller,
    /// Only a salted commitment to them is written.
    pub said: &'a [u8],
}

impl Pipeline {
    /// Closes the submit that an exchange has left open, as an operator has found out. That is in the
    /// journal before it has any effect; from then on a request under its key gets this outcome.
    ///
    /// # Errors
    /// `Unroutable` when nothing is open, or it is being worked on; `Malformed` when a field of the
    /// answer is missing; `Unsupported` where the backend itself knows; `Internal` when the journal
    /// or the store cannot be used.
    pub async fn establish(
        &self,
        exchange: ExchangeId,
        finding: Finding<'_>,
    ) -> Result<Receipt, Fault> {
        self.journal.writable()?;
        let submission = self.open_submit(exchange).await?;
        let outcome = self.outcome(&submission, finding.found)?;
        if !self.outbox.claim(&submission.key).await? {
            return Err(not_open());
        }
        let closed = self.close(&submission, &outcome, finding).await;
        // Without an outcome that stands, the key is given up.
        if outcome.is_none() || closed.is_err() {
            self.outbox.release(&submission.key).await?;
        }
        closed
    }

    /// The submit that an exchange has begun and that is still open, and not being worked on.
    ///
    /// # Errors
    /// `Unroutable` when there is none; `Internal` when the store cannot be used.
    pub async fn open_submit(&self, exchange: ExchangeId) -> Result<Submission, Fault> {
        let open = self.outbox.unsettled().await?;
        open.into_iter().find(|submission| submission.exchange == exchange).ok_or_else(not_open)
    }

    /// The outcome that will stand; none where nothing was done.
    fn outcome(
        &self,
        submission: &Submission,
        found: &Established,
    ) -> Result<Option<Result<Answer, Fault>>, Fault> {
        let there = self.routes.target_of(submission).ok_or_else(|| gone(submission))?;
        // Asked also where there are no values: it is the mapping that knows its backend.
        let values = match found {
            Established::Done(values) => values.clone(),
            Established::Refused(_) | Established::NotDone => Message::new(),
        };
        let answer = there.mapping.found(&submission.service, values);
        match (found, answer) {
            (_, Err(fault)) if fault.kind == Kind::Unsupported => Err(fault),
            (Established::Done(_), answer) => answer.map(|answer| Some(Ok(answer))),
            (Established::Refused(name), _) => {
                let says = "the provider refused this";
                Ok(Some(Err(Fault::new(Kind::BackendRefused, name.clone(), says))))
            }
            (Established::NotDone, _) => Ok(None),
        }
    }

    async fn close(
        &self,
        submission: &Submission,
        outcome: &Option<Result<Answer, Fault>>,
        finding: Finding<'_>,
    ) -> Result<Receipt, Fault> {
        let not_done = not_done();
        let fault = match outcome {
            Some(outcome) => outcome.as_ref().err(),
            None => Some(&not_done),
        };
        let submitted = outcome.clone().map_or(Submitted::Released, Submitted::Settled);
        let trail = Trail {
            caller: Some(finding.by),
            route: Some(submission.backend.clone()),
            mapping: Some(submission.mapping.to_string()),
            submitted: Some((submission.key, submitted)),
            ..self.trail()
        };
        let now = self.clock.now();
        let record = Record {
            exchange: submission.exchange,
            kind: RecordKind::Settlement,
            received: now,
            finished: now,
            front: "operator",
            trail: &trail,
            request: finding.said,
            reply: &[],
            fault,
        };
        let receipt = self.journal.append(record).await?;
        match outcome {
            Some(outcome) => self.outbox.settle(&submission.key, outcome).await?,
            None => self.outbox.withdraw(&submission.key).await?,
        }
        Ok(receipt)
    }
}

fn not_open() -> Fault {
    let says = "this exchange has left no submit open, or it is being worked on";
    Fault::new(Kind::Unroutable, "no-open-submit", says)
}

fn not_done() -> Fault {
    let says = "the provider has not done this, as an operator has found out";
    Fault::new(Kind::BackendUnavailable, "not-done", says)
}
