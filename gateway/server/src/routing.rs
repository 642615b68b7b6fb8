//! The configured routes: checked while planned, built when deployed.

use std::collections::HashSet;
use std::fmt::Display;
use std::sync::Arc;

use gateway_core::adapter::Profile;
use gateway_core::route::{Conditions, Provider, Route, Routes, Share, Split, Target};
use gateway_core::{MemberId, ServiceId};
use mappings::Catalog;

use crate::config::routes::{self, Way};
use crate::config::{Config, Problem};
use crate::deployment::OpenBackend;

/// What routes may name.
pub(crate) struct Named<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) members: &'a [MemberId],
    /// The backends that could be read, by name.
    pub(crate) profiles: Vec<(&'a str, &'a Profile)>,
}

/// Every problem of every route.
pub(crate) fn check(config: &Config, named: &Named<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, route) in config.routes.iter().enumerate() {
        let mut check =
            Check { at: format!("route[{index}]"), config, named, found: &mut problems };
        check.route(route);
    }
    ambiguities(config, &mut problems);
    problems
}

/// The backends that routes name and nobody configured: what can be said without a catalog.
pub(crate) fn missing_backends(config: &Config) -> Vec<Problem> {
    let is_missing = |name: &&&str| !config.backends.iter().any(|one| one.common.name == ***name);
    let mut problems = Vec::new();
    for (index, route) in config.routes.iter().enumerate() {
        for name in route.way().backends.iter().filter(is_missing) {
            let at = format!("route[{index}].backend");
            problems.push(Problem::new(at, format_args!("no backend {name}")));
        }
    }
    problems
}

struct Check<'a> {
    at: String,
    config: &'a Config,
    named: &'a Named<'a>,
    found: &'a mut Vec<Problem>,
}

impl Check<'_> {
    fn that(&mut self, key: impl Display, holds: bool, message: impl Display) {
        if !holds {
            self.found.push(Problem::new(format!("{}.{key}", self.at), message));
        }
    }

    fn route(&mut self, route: &routes::Route) {
        let services: Vec<Option<ServiceId>> =
            route.services.iter().map(|name| service(self.named.catalog, name)).collect();
        for (name, found) in route.services.iter().zip(&services) {
            self.that("services", found.is_some(), format_args!("no service {name}"));
        }
        for member in &route.members {
            let known = self.named.members.iter().any(|id| *id.0 == **member);
            self.that("members", known, format_args!("no member {member}"));
        }
        for front in &route.fronts {
            let known = self.named.catalog.front(front).is_some();
            self.that("fronts", known, format_args!("no front mapping {front}"));
        }
        for (field, values) in &route.when {
            self.that(format_args!("when.{field}"), !values.is_empty(), "names no value");
            for service in services.iter().flatten() {
                let problem = self.named.catalog.condition_problem(service, field, values);
                self.that(
                    format_args!("when.{field}"),
                    problem.is_none(),
                    problem.unwrap_or_default(),
                );
            }
        }
        self.way("", &route.way());
        for (name, split) in route.splits() {
            let share = Share::percent(split.percent).is_some();
            self.that(format_args!("{name}.percent"), share, "must be from 0 to 100");
            let other = split.mapping.is_some() || split.backend.is_some();
            self.that(name, other, "name another mapping or another backend than the route");
            self.way(&format!("{name}."), &route.way_of(split));
        }
    }

    /// What a backend cannot do is refused here, not when somebody asks for it.
    fn way(&mut self, prefix: &str, way: &Way<'_>) {
        let mapping = self.named.catalog.mapping(way.mapping);
        let missing = format!("no backend mapping {}", way.mapping);
        self.that(format_args!("{prefix}mapping"), mapping.is_some(), missing);
        let mut seen = HashSet::new();
        for (place, name) in way.backends.iter().enumerate() {
            let key = if place == 0 { "backend" } else { "failover" };
            let key = format!("{prefix}{key}");
            let configured = self.config.backends.iter().any(|one| one.common.name == **name);
            self.that(&key, configured, format_args!("no backend {name}"));
            self.that(&key, seen.insert(*name), format_args!("{name} is named twice"));
            let profile = self.named.profiles.iter().find(|(known, _)| known == name);
            if let (Some(mapping), Some((_, profile))) = (&mapping, profile) {
                for missing in mapping.unsupported_by(profile) {
                    self.that(&key, false, missing);
                }
            }
        }
    }
}

/// Every two routes of which it could not be said which one takes a request.
fn ambiguities(config: &Config, problems: &mut Vec<Problem>) {
    for (index, route) in config.routes.iter().enumerate() {
        for (earlier_index, earlier) in config.routes.iter().take(index).enumerate() {
            if !conditions(route).is_ambiguous_with(&conditions(earlier)) {
                continue;
            }
            for service in route.services.iter().filter(|name| earlier.services.contains(name)) {
                let message = format!(
                    "route[{earlier_index}] may take the same requests of {service}, and neither of \
                     the two is the more specific one"
                );
                problems.push(Problem::new(format!("route[{index}]"), message));
            }
        }
    }
}

fn service(catalog: &Catalog, name: &str) -> Option<ServiceId> {
    let mut services = catalog.services();
    services.find(|service| service.id.to_string() == name).map(|service| service.id.clone())
}

fn conditions(route: &routes::Route) -> Conditions {
    let conditions = Conditions::default()
        .members(route.members.iter().cloned())
        .fronts(route.fronts.iter().cloned());
    route.when.iter().fold(conditions, |conditions, (field, values)| {
        conditions.field(field, values.iter().cloned())
    })
}

/// The routes of a configuration that was checked.
pub(crate) fn build(config: &Config, catalog: &Catalog, backends: &[OpenBackend]) -> Routes {
    let target = |way: Way<'_>| -> Option<Arc<Target>> {
        let provider = |name: &&str| backends.iter().find(|backend| *backend.name == **name);
        let providers = way.backends.iter().filter_map(provider).map(|backend| {
            let OpenBackend { name, adapter, deadline, .. } = backend.clone();
            Arc::new(Provider { name, adapter, deadline })
        });
        let providers = providers.collect();
        Some(Arc::new(Target { mapping: catalog.mapping(way.mapping)?, providers }))
    };
    let mut routes = Routes::default();
    for configured in &config.routes {
        let split = |split: &routes::Split| -> Option<Split> {
            let share = Share::percent(split.percent)?;
            Some(Split { share, target: target(configured.way_of(split))? })
        };
        let Some(target) = target(configured.way()) else { continue };
        let route = Route {
            conditions: conditions(configured),
            target,
            canary: configured.canary.as_ref().and_then(split),
            mirror: configured.mirror.as_ref().and_then(split),
        };
        for name in &configured.services {
            if let Some(service) = service(catalog, name)
                && routes.add(service, route.clone()).is_err()
            {
                tracing::error!(service.id = name, "an ambiguous route was not refused: a defect");
            }
        }
    }
    routes
}

#[cfg(test)]
mod tests;
