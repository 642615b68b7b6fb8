//! All providers of X-Road services together: who is meant is in the path, so what is malformed or
//! meant for nobody here is refused in X-Road's own format too.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::front::{Draft, Exchange};
use gateway_core::{Envelope, Fault, Front, Inbound, Kind, Message};

use super::error::{self, ErrorType, ErrorTypes};
use super::{XRoadFront, head};
use crate::xroad::{ClientId, ServiceId};

/// Every provider served under `/r1/`.
#[derive(Default)]
pub struct XRoadRest {
    providers: BTreeMap<ClientId, Arc<XRoadFront>>,
    /// The names of members for people, by their ids in this gateway.
    pub(super) names: BTreeMap<String, String>,
}

impl XRoadRest {
    /// No provider yet; `names` are those of the gateway's members.
    pub fn new(names: BTreeMap<String, String>) -> Self {
        Self { providers: BTreeMap::new(), names }
    }

    /// Adds a provider; false when there is one by that identifier already, which stays.
    pub fn add(&mut self, front: Arc<XRoadFront>) -> bool {
        use std::collections::btree_map::Entry;
        match self.providers.entry(front.provider.clone()) {
            Entry::Vacant(vacant) => {
                vacant.insert(front);
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// Whether there is no provider.
    pub fn is_empty(&self) -> bool {
        self.providers.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<XRoadFront>> {
        self.providers.values()
    }

    /// The provider of a service.
    ///
    /// # Errors
    /// `Unroutable` when it is none here.
    pub(super) fn provider(&self, service: &ServiceId) -> Result<&Arc<XRoadFront>, Fault> {
        self.providers.get(&service.provider).ok_or_else(|| {
            let says = "the provider in the path is not registered here";
            Fault::new(Kind::Unroutable, "unknown-provider", says)
        })
    }

    fn front(&self, inbound: &Inbound) -> Result<&Arc<XRoadFront>, Fault> {
        self.provider(&head::service(inbound)?.0)
    }
}

impl Front for XRoadRest {
    fn name(&self) -> &str {
        "xroad-rest"
    }

    fn decode(&self, inbound: &Inbound) -> Result<Envelope, Fault> {
        self.front(inbound)?.decode(inbound)
    }

    fn encode(&self, exchange: &Exchange<'_>, answer: &Message) -> Result<Draft, Fault> {
        self.front(exchange.inbound)?.encode(exchange, answer)
    }

    fn refuse(&self, exchange: &Exchange<'_>, fault: &Fault) -> Draft {
        if let Ok(front) = self.front(exchange.inbound) {
            return front.refuse(exchange, fault);
        }
        match ErrorTypes::default().of(fault) {
            ErrorType::Gateway(name) => error::write(exchange, fault, name),
            // Without a provider nothing is the provider's own.
            ErrorType::Provider(_) => error::write(exchange, fault, "Client.BadRequest".to_owned()),
        }
    }
}
