//! The mappings that listeners name, found in the catalog.

use std::num::NonZeroUsize;
use std::sync::Arc;

use mappings::{BatchFront, Catalog, FrontEntry, TelegramFront, XRoadRest};

use super::Check;
use crate::config::Config;
use crate::listen::http::HttpFronts;

/// The fronts that listeners name.
#[derive(Default)]
pub(super) struct Fronts {
    pub(super) http: HttpFronts,
    pub(super) telegram: Vec<Arc<TelegramFront>>,
    pub(super) switch: Vec<Arc<TelegramFront>>,
    pub(super) batch: Vec<Arc<BatchFront>>,
}

impl Fronts {
    pub(super) fn find(config: &Config, catalog: &Catalog, check: &mut Check) -> Self {
        let mut found = Self::default();
        for (index, id) in config.fronts.soap.iter().enumerate() {
            if let Some(FrontEntry::Soap(front)) = catalog.front(id) {
                let name = front.service_name().to_owned();
                let twice = found.http.soap.insert(name, front.clone()).is_some();
                check.that(format!("fronts.soap[{index}]"), !twice, "another one has its name");
            } else {
                check.that(format!("fronts.soap[{index}]"), false, no_front("SOAP", id));
            }
        }
        for (index, id) in config.fronts.rest.iter().enumerate() {
            if let Some(FrontEntry::Rest(front)) = catalog.front(id) {
                let name = front.sector().to_owned();
                let twice = found.http.rest.insert(name, front.clone()).is_some();
                check.that(format!("fronts.rest[{index}]"), !twice, "another one has its sector");
            } else {
                check.that(format!("fronts.rest[{index}]"), false, no_front("REST", id));
            }
        }
        for (index, id) in config.fronts.xml.iter().enumerate() {
            if let Some(FrontEntry::Xml(front)) = catalog.front(id) {
                let name = front.service_name().to_owned();
                let twice = found.http.xml.insert(name, front.clone()).is_some();
                check.that(format!("fronts.xml[{index}]"), !twice, "another one has its name");
            } else {
                check.that(format!("fronts.xml[{index}]"), false, no_front("plain XML", id));
            }
        }
        found.http.idempotency_days = config.gateway.idempotency_days;
        found.http.xroad = Self::xroad(config, catalog, check);
        for (index, listener) in config.listen.telegram.iter().enumerate() {
            let at = format!("listen.telegram[{index}]");
            let front = telegram(&at, &listener.front, listener.in_flight, catalog, check);
            found.telegram.extend(front);
        }
        for (index, switch) in config.listen.switch.iter().enumerate() {
            let at = format!("listen.switch[{index}]");
            let front = telegram(&at, &switch.front, switch.in_flight, catalog, check);
            found.switch.extend(front);
        }
        for (index, listener) in config.listen.batch.iter().enumerate() {
            match catalog.front(&listener.front) {
                Some(FrontEntry::Batch(front)) => found.batch.push(front.clone()),
                _ => {
                    let at = format!("listen.batch[{index}].front");
                    check.that(at, false, no_front("batch", &listener.front));
                }
            }
        }
        found
    }

    /// The providers of X-Road services, if there are any.
    fn xroad(config: &Config, catalog: &Catalog, check: &mut Check) -> Option<Arc<XRoadRest>> {
        let names = config.members.iter().map(|member| (member.id.clone(), member.name.clone()));
        let mut providers = XRoadRest::new(names.collect());
        for (index, id) in config.fronts.xroad_rest.iter().enumerate() {
            let at = format!("fronts.xroad_rest[{index}]");
            if let Some(FrontEntry::XRoadRest(front)) = catalog.front(id) {
                let is_new = providers.add(front.clone());
                check.that(at, is_new, "another one is the same provider");
            } else {
                check.that(at, false, no_front("X-Road REST", id));
            }
        }
        (!providers.is_empty()).then(|| Arc::new(providers))
    }
}

/// The front of a telegram listener. Replies may overtake one another only where its format says
/// which request each is for.
fn telegram(
    at: &str,
    id: &str,
    in_flight: NonZeroUsize,
    catalog: &Catalog,
    check: &mut Check,
) -> Option<Arc<TelegramFront>> {
    let Some(FrontEntry::Telegram(front)) = catalog.front(id) else {
        check.that(format!("{at}.front"), false, no_front("telegram", id));
        return None;
    };
    let holds = in_flight.get() == 1 || front.is_multiplexed();
    let message = "the mapping says no `multiplexed-by`, so replies must come in order";
    check.that(format!("{at}.in_flight"), holds, message);
    Some(front.clone())
}

fn no_front(kind: &str, id: &str) -> String {
    format!("the catalog has no {kind} mapping {id}")
}
