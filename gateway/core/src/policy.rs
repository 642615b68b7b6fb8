//! Access as plain data: what is asked, and what was decided.

use crate::{Caller, Envelope, Fault};

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
