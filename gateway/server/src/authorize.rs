//! Access: what is known of a request, decided by policies.

use gateway_core::Fault;
use gateway_core::policy::{AccessRequest, Authorize, Decision};

use crate::policies::Policies;

/// Who may do what.
pub struct Access {
    policies: Policies,
}

impl Access {
    /// Decides by `policies`.
    pub fn new(policies: Policies) -> Self {
        Self { policies }
    }
}

impl Authorize for Access {
    fn decide(&self, request: &AccessRequest) -> Result<Decision, Fault> {
        Ok(self.policies.decide(request)?)
    }
}
