//! A service's terms ↔ a backend's terms.

use crate::adapter::{Answer, Call, Profile};
use crate::{Admitted, Fault, Message};

/// Says a service's request in a backend's terms and the backend's answer in the service's. Pure,
/// both directions, total on any input.
pub trait Mapping: Send + Sync {
    /// Which mapping it is, e.g. `welfare/ledger/v1`.
    fn id(&self) -> &str;

    /// Request → call.
    ///
    /// # Errors
    /// `Unmappable`, naming the field that the backend cannot hold.
    fn map(&self, admitted: &Admitted) -> Result<Call, Fault>;

    /// Answer → reply.
    ///
    /// # Errors
    /// `Unmappable`, naming the field that is missing or not of its type.
    fn map_back(&self, admitted: &Admitted, answer: &Answer) -> Result<Message, Fault>;

    /// Puts a refusal of the backend into the service's terms: its code and the caller's sentence.
    fn refusal(&self, fault: Fault) -> Fault;

    /// What keeps this mapping from being used with a backend of this profile: one sentence each.
    fn unsupported_by(&self, profile: &Profile) -> Vec<String>;
}
