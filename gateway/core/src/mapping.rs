//! A service's terms ↔ a backend's terms.

use jiff::Timestamp;

use crate::adapter::{Answer, Call, Profile, Response, Settlement};
use crate::wire::Received;
use crate::{Admitted, ExchangeId, Fault, Kind, Message, ServiceId};

/// What a call may say of the exchange it is made in.
#[derive(Clone, Copy, Debug)]
pub struct Occasion {
    /// Its id, for a provider that wants each message named.
    pub exchange: ExchangeId,
    /// When the call is written.
    pub now: Timestamp,
}

/// Says a service's request in a backend's terms and the backend's answer in the service's. Pure,
/// both directions, total on any input.
pub trait Mapping: Send + Sync {
    /// Which mapping it is, e.g. `welfare/ledger/v1`.
    fn id(&self) -> &str;

    /// Request → call.
    ///
    /// # Errors
    /// `Unmappable`, naming the field that the backend cannot hold.
    fn map(&self, admitted: &Admitted, occasion: Occasion) -> Result<Call, Fault>;

    /// What came back for a call of `service` → what it says.
    ///
    /// # Errors
    /// `BackendRefused` with the backend's own name for the refusal as code, when nothing was done
    /// and never will be; `OutcomeUnknown` for a submit's answer that leaves open what was done.
    /// Any other kind says that nothing was done this time: `BackendUnavailable`; `Unmappable` for
    /// a query's answer that cannot be read; what the mapping makes of a refusal.
    fn answer(&self, service: &ServiceId, response: Response) -> Result<Answer, Fault>;

    /// What the backend reported of an earlier submit of `service` → what became of it.
    ///
    /// # Errors
    /// `BackendUnavailable` when the report says nothing of it.
    fn settlement(&self, service: &ServiceId, report: Received) -> Result<Settlement, Fault>;

    /// What the backend answered to a submit of `service`, as somebody has found out who can see
    /// its records: `values` in the service's terms.
    ///
    /// # Errors
    /// `Malformed`, naming a field that is missing; `Unsupported` where a backend can always be
    /// asked itself.
    fn found(&self, _service: &ServiceId, _values: Message) -> Result<Answer, Fault> {
        let says = "the backend itself says what became of it; wait until it is there again";
        Err(Fault::new(Kind::Unsupported, "backend-knows", says))
    }

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
