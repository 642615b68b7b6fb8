//! Which backend a service goes to.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::{Adapter, Admitted, Fault, Kind, Mapping, ServiceId};

/// The way of a service to its backend.
#[derive(Clone)]
pub struct Route {
    /// The configured name, e.g. `welfare-ledger`.
    pub name: Arc<str>,
    /// Service's terms ↔ backend's terms.
    pub mapping: Arc<dyn Mapping>,
    /// The backend.
    pub adapter: Arc<dyn Adapter>,
    /// How long a call may take.
    pub deadline: Duration,
}

/// All routes, by service.
#[derive(Default)]
pub struct Routes(HashMap<ServiceId, Route>);

impl Routes {
    /// The route of an admitted exchange.
    ///
    /// # Errors
    /// `Unroutable` when the service has none.
    pub fn route(&self, admitted: &Admitted) -> Result<&Route, Fault> {
        self.get(&admitted.envelope().service.id)
    }

    /// The route of a service.
    ///
    /// # Errors
    /// `Unroutable` when the service has none.
    pub fn get(&self, service: &ServiceId) -> Result<&Route, Fault> {
        self.0.get(service).ok_or_else(|| {
            Fault::new(Kind::Unroutable, "no-route", "this service has no provider here")
                .context(format_args!("no route for {service}"))
        })
    }

    /// Adds a route; false when the service already had one, which stays.
    pub fn add(&mut self, service: ServiceId, route: Route) -> bool {
        use std::collections::hash_map::Entry;
        match self.0.entry(service) {
            Entry::Vacant(vacant) => {
                vacant.insert(route);
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// Every route once for each service it serves.
    pub fn iter(&self) -> impl Iterator<Item = (&ServiceId, &Route)> {
        self.0.iter()
    }
}
