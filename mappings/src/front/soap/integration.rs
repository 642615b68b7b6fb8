//! Registrations of integrations, as eGovFrame keeps them: which consumer's system may call which
//! service of which provider's system, from when until when, and how long that may take.

use std::collections::BTreeMap;
use std::time::Duration;

use gateway_core::{Fault, Kind};
use jiff::Timestamp;

use crate::header::Parties;

/// All registrations of one front.
pub(crate) struct Integrations {
    /// The header field that names one, which replies repeat.
    pub(crate) field: String,
    /// By their ids.
    pub(crate) all: BTreeMap<String, Integration>,
}

/// One registration.
pub(crate) struct Integration {
    pub(crate) consumer: Party,
    pub(crate) provider: Party,
    /// The provider's services that it binds.
    pub(crate) services: Vec<String>,
    pub(crate) timeout: Duration,
    /// Whether it is in use.
    pub(crate) using: bool,
    /// From this time on, and before that one.
    pub(crate) valid: (Option<Timestamp>, Option<Timestamp>),
}

/// A system of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Party {
    pub(crate) organization: String,
    pub(crate) system: String,
}

impl Party {
    /// `organization/system`
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (organization, system) = text.split_once('/')?;
        let is_code = |code: &str| !code.is_empty() && !code.contains('/');
        (is_code(organization) && is_code(system))
            .then(|| Self { organization: organization.to_owned(), system: system.to_owned() })
    }

    fn is(&self, organization: Option<&str>, system: Option<&str>) -> bool {
        organization == Some(&self.organization) && system == Some(&self.system)
    }
}

impl Integrations {
    /// Whether a request for `service` that arrived at `received` is of a registration.
    ///
    /// # Errors
    /// In the order in which eGovFrame looks: not usable, out of its time, not this consumer, not
    /// this provider.
    pub(crate) fn check(
        &self,
        said: &Parties,
        service: &str,
        received: Timestamp,
    ) -> Result<(), Fault> {
        let id = said.integration.as_deref().unwrap_or_default();
        let registered = self.all.get(id).filter(|integration| integration.using);
        let integration = registered.ok_or_else(|| {
            forbidden("integration-unusable", "the integration is not registered, or not in use")
        })?;
        let (from, until) = integration.valid;
        if from.is_some_and(|from| received < from) || until.is_some_and(|end| end <= received) {
            let says = "the integration is not valid at this time";
            return Err(forbidden("integration-not-valid", says));
        }
        let (consumer, provider) = (&integration.consumer, &integration.provider);
        let organization = said.consumer_organization.as_deref();
        if !consumer.is(organization, said.consumer_system.as_deref()) {
            let says = "the integration is another consumer's";
            return Err(forbidden("unexpected-consumer", says));
        }
        let organization = said.provider_organization.as_deref();
        let is_bound = integration.services.iter().any(|bound| bound == service);
        if !is_bound || !provider.is(organization, said.provider_system.as_deref()) {
            let says = "the integration is with another provider or service";
            return Err(forbidden("wrong-provider", says));
        }
        Ok(())
    }
}

fn forbidden(code: &'static str, says: &str) -> Fault {
    Fault::new(Kind::Forbidden, code, says)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registered() -> Integrations {
        let integration = Integration {
            consumer: Party::parse("CONS0001/CONSSYS1").unwrap(),
            provider: Party::parse("PROV0001/PROVSYS1").unwrap(),
            services: vec!["check".into()],
            timeout: Duration::from_secs(5),
            using: true,
            valid: (
                Some("2026-01-01T00:00:00+09:00".parse().unwrap()),
                Some("2027-01-01T00:00:00+09:00".parse().unwrap()),
            ),
        };
        let all = [("INT00001".to_owned(), integration)].into();
        Integrations { field: "integrationId".into(), all }
    }

    fn said() -> Parties {
        let text = |text: &str| Some(text.to_owned());
        Parties {
            integration: text("INT00001"),
            consumer_organization: text("CONS0001"),
            consumer_system: text("CONSSYS1"),
            provider_organization: text("PROV0001"),
            provider_system: text("PROVSYS1"),
        }
    }

    fn code(all: &Integrations, said: &Parties, service: &str, received: &str) -> String {
        let checked = all.check(said, service, received.parse().unwrap());
        checked.err().map(|fault| fault.code.into_owned()).unwrap_or_default()
    }

    #[test]
    fn a_registration_holds_from_its_first_moment_to_before_its_last() {
        let at = |received| code(&registered(), &said(), "check", received);
        assert_eq!(at("2025-12-31T23:59:59.999+09:00"), "integration-not-valid");
        assert_eq!(at("2026-01-01T00:00:00+09:00"), "");
        assert_eq!(at("2026-12-31T23:59:59.999+09:00"), "");
        assert_eq!(at("2027-01-01T00:00:00+09:00"), "integration-not-valid");
    }

    #[test]
    fn each_party_must_be_the_registered_one() {
        let now = "2026-06-01T00:00:00Z";
        let other = Some("OTHER".to_owned());
        type Change = fn(&mut Parties, Option<String>);
        let changes: [(Change, &str); 5] = [
            (|said, other| said.integration = other, "integration-unusable"),
            (|said, other| said.consumer_organization = other, "unexpected-consumer"),
            (|said, other| said.consumer_system = other, "unexpected-consumer"),
            (|said, other| said.provider_organization = other, "wrong-provider"),
            (|said, other| said.provider_system = other, "wrong-provider"),
        ];
        for (change, wanted) in changes {
            for value in [other.clone(), None] {
                let mut said = said();
                change(&mut said, value);
                assert_eq!(code(&registered(), &said, "check", now), wanted);
            }
        }
        assert_eq!(code(&registered(), &said(), "other", now), "wrong-provider");
        let mut unused = registered();
        unused.all.values_mut().for_each(|integration| integration.using = false);
        assert_eq!(code(&unused, &said(), "check", now), "integration-unusable");
    }
}
