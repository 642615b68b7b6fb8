//! The queue and its subscriptions, read and checked.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::{Front, MemberId, Pseudonymize};
use mappings::Catalog;

use super::Check;
use crate::authenticate::Members;
use crate::config::{self, Config};
use crate::later::{
    Backoff, EVENTS, Endpoint, Later, LaterParts, LaterSettings, Seal, Subscription, Trust,
};
use crate::resources::Resources;

/// A queue whose configuration has been read and that is not opened yet.
pub struct PlannedQueue {
    seal: Seal,
    settings: LaterSettings,
    subscriptions: Vec<Subscription>,
    fronts: HashMap<String, Arc<dyn Front>>,
}

impl PlannedQueue {
    pub(super) fn find(
        config: &Config,
        catalog: Option<&Catalog>,
        members: Option<&Members>,
        check: &mut Check,
    ) -> Option<Self> {
        let subscriptions = subscriptions(config, members, check);
        let Some(queue) = &config.queue else {
            let none = config.subscriptions.is_empty();
            check.that("queue", none, "subscriptions want a queue; add [queue]");
            return None;
        };
        check.that("queue.workers", queue.workers > 0, "must be at least 1");
        check.that("queue.attempts", queue.attempts > 0, "must be at least 1");
        let key = check.one("queue.key", queue.key.resolve_key(&config.base))?;
        let seal = check.one("queue.key", Seal::new(&key))?;
        let mut fronts: HashMap<String, Arc<dyn Front>> = HashMap::new();
        if let Some(catalog) = catalog {
            let mapped = catalog.fronts().map(|(id, front)| (id.to_owned(), front.as_front()));
            fronts.extend(mapped);
            fronts.insert(catalog.grpc().id().to_owned(), catalog.grpc().clone());
        }
        Some(Self { seal, settings: settings(queue), subscriptions, fronts })
    }

    /// Opens it on the store.
    pub fn open(
        self,
        resources: &Resources,
        members: Arc<Members>,
        pseudonyms: Arc<dyn Pseudonymize>,
    ) -> Arc<Later> {
        let Self { seal, settings, subscriptions, fronts } = self;
        let parts = LaterParts {
            letters: resources.store.clone(),
            letter_box: resources.store.clone(),
            due: resources.letters_due.clone(),
            pseudonyms,
            members,
            clock: resources.clock.clone(),
            seal,
            fronts,
            subscriptions,
        };
        Arc::new(Later::new(parts, settings))
    }
}

fn settings(queue: &config::Queue) -> LaterSettings {
    let hours = |hours: u64| Duration::from_secs(hours.saturating_mul(3_600));
    LaterSettings {
        keep: hours(queue.keep_hours.into()),
        keep_dead: hours(u64::from(queue.keep_dead_days).saturating_mul(24)),
        waiting: queue.waiting,
        backoff: Backoff {
            first: Duration::from_millis(queue.first_retry_ms),
            longest: Duration::from_secs(queue.longest_retry_seconds),
            attempts: queue.attempts,
        },
    }
}

fn subscriptions(
    config: &Config,
    members: Option<&Members>,
    check: &mut Check,
) -> Vec<Subscription> {
    let mut all: Vec<Subscription> = Vec::new();
    for (index, written) in config.subscriptions.iter().enumerate() {
        let at = |key: &str| format!("subscription[{index}].{key}");
        let known = |all: &Members| all.ids().iter().any(|id| *id.0 == *written.member);
        check.that(at("member"), members.is_none_or(known), "no such member");
        let first = all.iter().all(|other| other.name != written.name);
        check.that(at("name"), first, "another subscription has this name");
        check.that(at("events"), !written.events.is_empty(), "at least one event is wanted");
        for event in &written.events {
            let known = EVENTS.contains(&event.as_str());
            let known_ones = EVENTS.join(", ");
            check.that(at("events"), known, format!("no event {event}; there are {known_ones}"));
        }
        all.extend(subscription(config, index, written, check));
    }
    all
}

fn subscription(
    config: &Config,
    index: usize,
    written: &config::Subscription,
    check: &mut Check,
) -> Option<Subscription> {
    let at = |key: &str| format!("subscription[{index}].{key}");
    let secret = check.one(&at("secret"), written.secret.resolve(&config.base))?;
    let timeout = Duration::from_secs(written.timeout_seconds);
    let authority = match &written.authority {
        Some(path) => {
            let path = config.path(path);
            let read = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()));
            Some(check.one(&at("authority"), read)?)
        }
        None => None,
    };
    let trust =
        Trust { private_addresses: written.private_addresses, authority: authority.as_deref() };
    let endpoint = Endpoint::new(&written.url, &secret, trust, timeout);
    let endpoint = endpoint.map_err(|error| (error.key(), error));
    let endpoint = match endpoint {
        Ok(endpoint) => endpoint,
        Err((key, error)) => {
            check.that(at(key), false, error);
            return None;
        }
    };
    Some(Subscription {
        name: written.name.clone(),
        member: MemberId(written.member.as_str().into()),
        events: written.events.clone(),
        body: written.body,
        endpoint,
    })
}
