//! Who has a turn when there is more to do than can be done at once.

use std::time::Duration;

use async_trait::async_trait;

use crate::quota::REDUCED_CAPACITY;
use crate::{Admitted, Fault, Kind, Origin};

/// An exchange that wants its turn at a provider.
pub struct Claim<'a> {
    /// What was let through.
    pub admitted: &'a Admitted,
    /// The provider that it goes to.
    pub provider: &'a str,
    /// How long its answer is of use to anybody.
    pub patience: Duration,
    /// Whether nobody waits for it: a record of a file, or a request that is handled later.
    pub yields: bool,
}

/// A turn; it ends when this is dropped.
#[derive(Default)]
pub struct Turn {
    /// What is given back then.
    pub held: Option<Box<dyn Send + Sync>>,
    /// How long it was waited for.
    pub waited: Duration,
}

/// Gives turns.
#[async_trait]
pub trait Capacity: Send + Sync {
    /// Waits for a turn.
    ///
    /// # Errors
    /// `RateLimited` with [`REDUCED_CAPACITY`] where no answer would come in time, or others go first.
    async fn turn(&self, claim: &Claim<'_>) -> Result<Turn, Fault>;
}

/// The fault of an exchange that gets no turn, and when to come back.
pub fn reduced(wait: Duration) -> Fault {
    let says = "there is too much to do at the moment; nothing was done";
    let mut fault = Fault::new(Kind::RateLimited, REDUCED_CAPACITY, says).retry_after(wait);
    fault.origin = Origin::Gateway;
    fault
}
