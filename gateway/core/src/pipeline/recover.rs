//! What a dead process, or an exchange that was cut off, left open.

use crate::Fault;
use crate::adapter::{Answer, Settlement};
use crate::journal::{Record, RecordKind, Submitted, Trail};
use crate::outbox::Submission;

use super::Pipeline;
use super::deliver::gone;

impl Pipeline {
    /// Settles what was left open: claims each, looks it up, journals the outcome, closes it.
    /// Returns how many were settled and how many are still pending.
    ///
    /// A claimed one is nobody else's, so its adapter may send it anew where it never can happen as
    /// it was sent, and a request under its key waits meanwhile.
    ///
    /// # Errors
    /// When the store or the journal cannot be used; a backend that is away leaves its own pending.
    pub async fn recover(&self) -> Result<(usize, usize), Fault> {
        let (mut settled, mut pending) = (0, 0);
        for submission in self.outbox.unsettled().await? {
            if !self.outbox.claim(&submission.key).await? {
                continue;
            }
            match self.recover_one(&submission).await {
                Ok(true) => settled += 1,
                Ok(false) => pending += 1,
                Err(fault) => {
                    self.outbox.release(&submission.key).await?;
                    return Err(fault);
                }
            }
        }
        Ok((settled, pending))
    }

    /// True when it is settled; otherwise it was given up again.
    async fn recover_one(&self, submission: &Submission) -> Result<bool, Fault> {
        let looked_up = match self.routes.target_of(submission) {
            Some(there) => there.look_up(submission).await,
            None => Err(gone(submission)),
        };
        match looked_up {
            Ok(Settlement::Settled(outcome)) => {
                self.record_settlement(submission, &outcome).await?;
                self.outbox.settle(&submission.key, &outcome).await?;
                return Ok(true);
            }
            Ok(Settlement::Pending | Settlement::Reported(_)) => {}
            Err(fault) => {
                tracing::warn!(exchange.id = %submission.exchange, "still open: {fault}");
            }
        }
        self.outbox.release(&submission.key).await?;
        Ok(false)
    }

    async fn record_settlement(
        &self,
        submission: &Submission,
        outcome: &Result<Answer, Fault>,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let trail = Trail {
            route: Some(submission.backend.clone()).filter(|backend| !backend.is_empty()),
            submitted: Some((submission.key, Submitted::Settled(outcome.clone()))),
            proof: outcome.as_ref().ok().and_then(|answer| answer.proof.clone()),
            ..self.trail()
        };
        let record = Record {
            exchange: submission.exchange,
            kind: RecordKind::Settlement,
            received: now,
            finished: now,
            front: "recovery",
            trail: &trail,
            request: &[],
            reply: &[],
            fault: outcome.as_ref().err(),
        };
        self.journal.append(record).await.map(drop)
    }
}
