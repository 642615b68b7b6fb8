//! Access and quota as plain data: what is asked, and what was decided.

use std::time::Duration;

use crate::{Caller, Envelope, Fault, MemberId, ServiceId};

/// The policies that allowed an exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Their ids, in order.
    pub policies: Vec<String>,
}

/// May this caller do this? Default deny.
pub trait Authorize: Send + Sync {
    /// The policies that allow it.
    ///
    /// # Errors
    /// [`crate::Kind::Forbidden`] naming the policies that forbade it, or saying that none allows.
    fn authorize(&self, caller: &Caller, envelope: &Envelope) -> Result<Decision, Fault>;
}

/// The state of a quota after one unit was asked of it, in the terms of the HTTP `RateLimit`
/// fields (draft-ietf-httpapi-ratelimit-headers).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaState {
    /// The name of the policy.
    pub policy: String,
    /// `q`: units per window.
    pub limit: u32,
    /// `w`: the window.
    pub window: Duration,
    /// `r`: units left now.
    pub remaining: u32,
    /// `t`: until a unit is there again (when refused) or the window is full again.
    pub reset: Duration,
}

/// Spends units of a caller's share.
pub trait Quota: Send + Sync {
    /// Spends one unit. `Ok` holds the state after it; `None` where no policy applies.
    ///
    /// # Errors
    /// The state, with `remaining` 0 and `reset` saying when to come back.
    fn spend(
        &self,
        member: &MemberId,
        service: &ServiceId,
    ) -> Result<Option<QuotaState>, QuotaState>;
}

/// The fault that a spent quota becomes.
pub(crate) fn exceeded(state: &QuotaState) -> Fault {
    Fault::new(crate::Kind::RateLimited, "quota-exceeded", "the quota of this member is used up")
        .context(format_args!("quota policy {}", state.policy))
        .retry_after(state.reset)
}
