//! Which way an admitted exchange goes: by service, and by what else a route asks of it.

mod conditions;
mod share;
mod target;

use std::collections::HashMap;
use std::sync::Arc;

use crate::outbox::Submission;
use crate::{Admitted, ExchangeId, Fault, Kind, Mapping, Operation, Pseudonym, ServiceId};

pub use conditions::Conditions;
pub use share::Share;
pub use target::{Provider, Target};

/// A share of what a route takes, that goes another way or also goes there.
#[derive(Clone)]
pub struct Split {
    /// How much.
    pub share: Share,
    /// Where.
    pub target: Arc<Target>,
}

/// The way of an exchange.
#[derive(Clone)]
pub struct Route {
    /// What it asks of an exchange besides its service.
    pub conditions: Conditions,
    /// Where it leads.
    pub target: Arc<Target>,
    /// The share of it that leads elsewhere: a new version on trial.
    pub canary: Option<Split>,
    /// The share of its queries that are also asked elsewhere, to compare the answers.
    pub mirror: Option<Split>,
}

impl Route {
    /// Where it leads for an exchange whose `spot` is the same each time it comes.
    pub fn target(&self, spot: impl FnOnce() -> Pseudonym) -> &Arc<Target> {
        match &self.canary {
            Some(canary) if canary.share.holds(&spot().0) => &canary.target,
            _ => &self.target,
        }
    }

    /// Where an exchange is also asked, to compare the answers.
    pub(crate) fn mirror(&self, admitted: &Admitted, exchange: ExchangeId) -> Option<&Arc<Target>> {
        let is_query = admitted.envelope().service.operation == Operation::Query;
        let mirror = self.mirror.as_ref().filter(|_| is_query)?;
        mirror.share.holds(exchange.0.as_bytes()).then_some(&mirror.target)
    }

    fn targets(&self) -> impl Iterator<Item = &Arc<Target>> {
        let splits = self.canary.iter().chain(&self.mirror);
        splits.map(|split| &split.target).chain([&self.target])
    }
}

/// Two routes of a service that may both take one exchange, and neither asks for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another route takes the same exchanges, and neither of the two is the more specific one")]
pub struct Ambiguous;

/// All routes, by service, the most specific first.
#[derive(Default)]
pub struct Routes {
    routes: HashMap<ServiceId, Vec<Route>>,
    providers: HashMap<Arc<str>, Arc<Provider>>,
    mappings: HashMap<String, Arc<dyn Mapping>>,
}

impl Routes {
    /// The route of an admitted exchange.
    ///
    /// # Errors
    /// `Unroutable` when none takes it.
    pub fn route(&self, admitted: &Admitted) -> Result<&Route, Fault> {
        let service = &admitted.envelope().service.id;
        let mut routes = self.routes.get(service).into_iter().flatten();
        routes.find(|route| route.conditions.hold(admitted)).ok_or_else(|| {
            Fault::new(Kind::Unroutable, "no-route", "this service has no provider here")
                .context(format_args!("no route for {service}"))
        })
    }

    /// Adds a route of a service.
    ///
    /// # Errors
    /// [`Ambiguous`] with one that was added before, which stays.
    pub fn add(&mut self, service: ServiceId, route: Route) -> Result<(), Ambiguous> {
        let routes = self.routes.entry(service).or_default();
        if routes.iter().any(|other| other.conditions.is_ambiguous_with(&route.conditions)) {
            return Err(Ambiguous);
        }
        for target in route.targets() {
            self.mappings.insert(target.mapping.id().to_owned(), target.mapping.clone());
            for provider in &target.providers {
                self.providers.insert(provider.name.clone(), provider.clone());
            }
        }
        routes.push(route);
        routes.sort_by_key(|route| route.conditions.rank());
        Ok(())
    }

    /// Knows what `earlier` knew, for the submits that were sent under it: their backends can still
    /// be asked and their answers read, also where no route leads there any more.
    pub fn remember(&mut self, earlier: &Self) {
        for (name, provider) in &earlier.providers {
            self.providers.entry(name.clone()).or_insert_with(|| provider.clone());
        }
        for (id, mapping) in &earlier.mappings {
            self.mappings.entry(id.clone()).or_insert_with(|| mapping.clone());
        }
    }

    /// Where an earlier submit went: the same backend, and the same mapping to read it. `None` when
    /// the configuration no longer has the backend.
    pub(crate) fn target_of(&self, submission: &Submission) -> Option<Target> {
        let routes = self.routes.get(&submission.service);
        let usual = routes.and_then(|routes| routes.last()).map(|route| &route.target);
        let provider = match &*submission.backend {
            // Begun before backends were kept; there was one then.
            "" => usual?.providers.first()?,
            name => self.providers.get(name)?,
        };
        let mapping = self.mappings.get(&*submission.mapping);
        let mapping = mapping.or_else(|| usual.map(|usual| &usual.mapping))?;
        Some(Target { mapping: mapping.clone(), providers: vec![provider.clone()] })
    }

    /// The mapping of this name, if any route leads through it or did.
    pub(crate) fn mapping(&self, id: &str) -> Option<&Arc<dyn Mapping>> {
        self.mappings.get(id)
    }
}
