//! The tour of the main job: thirteen steps on sample input, each printed with what was sent, what
//! came back and whether it was right.
//!
//! It runs against a started [`World`] whose gateway is ready, and it expects the world to be new.

mod consent;
mod court;
mod evidence;
mod grants;
mod leaks;
mod ledger;
mod legacy;
mod quota;
mod refusals;
mod report;

use std::io::{self, Write};
use std::time::Instant;

use self::evidence::Receipts;
use self::report::Report;
use crate::callers::CallError;
use crate::world::World;
use crate::world::rpc::RpcError;

/// Why the tour did not go as it should.
#[derive(Debug, thiserror::Error)]
pub enum TourError {
    /// Some checks did not hold.
    #[error("{failed} of {total} checks of the tour did not hold")]
    Failed {
        /// How many.
        failed: usize,
        /// Of how many.
        total: usize,
    },
    /// The tour cannot be printed.
    #[error("the tour cannot be printed")]
    Print(#[from] io::Error),
}

/// What ends a step early; the tour goes on with the next.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Rpc(#[from] RpcError),
    #[error("a file or process failed")]
    Io(#[from] io::Error),
}

/// What the steps share.
struct Tour<'a> {
    world: &'a World,
    report: Report<'a>,
    receipts: Receipts,
    /// The benefits granted so far, in order, the ministry's first.
    granted: Vec<String>,
    court: Court,
}

/// What the last chapter carries from step to step.
#[derive(Default)]
struct Court {
    /// The exchange by which the ministry read a record.
    read: String,
}

/// Takes the tour and prints it to `out`.
///
/// # Errors
/// When a check did not hold or a step could not be taken; all steps are tried first.
pub async fn run(world: &World, out: &mut (dyn Write + Send)) -> Result<(), TourError> {
    let begun = Instant::now();
    let mut tour = Tour {
        world,
        report: Report::new(out),
        receipts: Receipts::new(world.layout().path("receipts")),
        granted: Vec::new(),
        court: Court::default(),
    };
    let t = &mut tour;
    t.report.line(
        "The tour: what each system sends (→), what comes back (←), and whether it is right.",
    )?;
    t.step("The ministry grants a benefit: eGovFrame SOAP over mutual TLS", grants::ministry)
        .await?;
    t.step("City A grants the same person another: telegram, EUC-KR", grants::city_a).await?;
    t.step("City B's batch, one record of which is bad: CSV", grants::city_b).await?;
    t.step("City D's batch: fixed-length records, EUC-KR, gzip", grants::city_d).await?;
    t.step("City C's mainframe asks: EBCDIC, packed decimals", legacy::mainframe).await?;
    t.step(
        "The portal asks the resident register: REST in front of a telegram server",
        legacy::register,
    )
    .await?;
    t.step("The ministry reads a history: only while the person consents", consent::step).await?;
    t.step("Callers over their quota", quota::step).await?;
    t.step("Callers that nobody knows, or that may not", refusals::step).await?;
    t.step("A person consents on paper, and withdraws while a request waits", court::consent)
        .await?;
    t.step("A court, an erasure, and a regulator's mirror", court::evidence).await?;
    t.step("Every receipt so far, checked offline by `naru verify`", evidence::step).await?;
    t.step("The ledger, read past the gateway, and all logs", ledger::step).await?;

    let Report { passed, failed, .. } = tour.report;
    let total = passed + failed;
    let seconds = begun.elapsed().as_secs_f32();
    tour.report.line(&format!("\n{passed} of {total} checks hold, {seconds:.1} seconds."))?;
    match failed {
        0 => Ok(()),
        _ => Err(TourError::Failed { failed, total }),
    }
}

impl Tour<'_> {
    async fn step<F>(&mut self, title: &str, step: F) -> io::Result<()>
    where
        F: AsyncFnOnce(&mut Self) -> Result<(), StepError>,
    {
        self.report.step(title)?;
        match step(self).await {
            Ok(()) => Ok(()),
            Err(error) => self.report.check(false, &chain(&error)),
        }
    }

    /// Prints what came back and keeps the receipt, which every reply has, refusals too.
    fn received(&mut self, what: &str, receipt: Option<&str>) -> Result<(), StepError> {
        match receipt {
            Some(receipt) => {
                let file = self.receipts.keep(receipt)?;
                self.report.received(&format!("{what}  [{file}]"))?;
            }
            None => {
                self.report.received(what)?;
                self.report.check(false, "the reply carries a receipt")?;
            }
        }
        Ok(())
    }
}

/// An error with its causes, as one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
