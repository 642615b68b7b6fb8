//! What stands around an adapter. Each layer is a [`Layer`] around another one and knows nothing
//! of what is inside; no adapter retries, breaks or bounds itself by anything but the deadline it is
//! given. From the outside in, so that each sees what it should:
//!
//! | layer | does | for |
//! |---|---|---|
//! | [`Hedge`] | asks a second time when the first answer is late | queries |
//! | [`Retry`] | asks again after a failure, jittered, within deadline and budget | queries |
//! | [`Breaker`] | leaves a backend alone that keeps failing, and probes it | all |
//! | [`Limit`] | bounds the calls under way; others wait within their deadline | all |
//! | [`Observed`] | counts and times every attempt | all |
//! | [`Timeout`] | holds the deadline when the adapter does not | all |
//!
//! A submit is sent once, whatever fails: only its outbox entry and a lookup may follow it.

mod breaker;
mod hedge;
mod layered;
mod limit;
mod observe;
mod retry;
mod timeout;

use std::num::NonZeroUsize;
use std::sync::Arc;

use gateway_core::{Adapter, Fault, Kind, Response};

pub use breaker::{Breaker, BreakerPolicy, Circuit};
pub use hedge::{Hedge, HedgePolicy};
pub use layered::{Layer, Layered};
pub use limit::Limit;
pub use observe::{Event, Observe, Observed};
pub use retry::{Retry, RetryPolicy};
pub use timeout::Timeout;

/// Which layers a backend has. What is not named is not there.
#[derive(Clone, Debug)]
pub struct Layers {
    /// Calls under way at once.
    pub concurrency: NonZeroUsize,
    /// Second and further attempts of a query.
    pub retry: Option<RetryPolicy>,
    /// When to leave it alone.
    pub breaker: Option<BreakerPolicy>,
    /// When to ask a query twice.
    pub hedge: Option<HedgePolicy>,
}

impl Layers {
    /// Puts them around `adapter`, which `observer` is told about.
    pub fn around(
        &self,
        adapter: Arc<dyn Adapter>,
        observer: Arc<dyn Observe>,
    ) -> Arc<dyn Adapter> {
        let timed = Arc::new(Layered::new(Timeout, adapter));
        let observed = Arc::new(Layered::new(Observed::new(observer.clone()), timed));
        let mut outer: Arc<dyn Adapter> =
            Arc::new(Layered::new(Limit::new(self.concurrency), observed));
        if let Some(policy) = self.breaker {
            outer = Arc::new(Layered::new(Breaker::new(policy, observer.clone()), outer));
        }
        if let Some(policy) = self.retry {
            outer = Arc::new(Layered::new(Retry::new(policy, observer.clone()), outer));
        }
        if let Some(policy) = self.hedge {
            outer = Arc::new(Layered::new(Hedge::new(policy, observer), outer));
        }
        outer
    }
}

/// What a call came to, as layers see it.
pub(crate) type Outcome = Result<Response, Fault>;

/// Statuses by which a provider, or a proxy before it, says that it cannot answer now: too many
/// requests, bad gateway, unavailable, gateway time-out (RFC 9110 and RFC 6585). Any other answer is
/// one, and what it says is for the mapping to read: a SOAP fault is sent with 500.
const NOT_NOW: [u16; 4] = [429, 502, 503, 504];

/// Whether the backend failed, and did not just say no.
fn is_failure(outcome: &Outcome) -> bool {
    match outcome {
        Ok(Response::Answer(_)) => false,
        Ok(Response::Received(received)) => {
            received.status.is_some_and(|status| NOT_NOW.contains(&status))
        }
        Err(fault) => matches!(fault.kind, Kind::BackendUnavailable | Kind::OutcomeUnknown),
    }
}

fn unavailable(code: &'static str, context: &str) -> Fault {
    let fault = Fault::new(Kind::BackendUnavailable, code, "the backend did not answer in time");
    fault.context(context)
}
