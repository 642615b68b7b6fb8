//! Access: what is known of a request besides the message, and the policies that decide.

use std::net::IpAddr;
use std::sync::Arc;

use gateway_core::policy::{AccessRequest, Asked, Authorize, Decision};
use gateway_core::{Fault, MemberId, ServiceId};
use ipnet::IpNet;
use jiff::Timestamp;

use crate::authenticate::Members;
use crate::config::{self, Problem};
use crate::policies::Policies;

/// Who may do what.
pub struct Access {
    policies: Policies,
    surroundings: Surroundings,
    members: Arc<Members>,
}

/// What the configuration gives names to, for policies to ask for.
#[derive(Debug, Default)]
pub struct Surroundings {
    networks: Vec<Network>,
    exemptions: Vec<Exemption>,
}

#[derive(Debug)]
struct Network {
    name: Arc<str>,
    blocks: Vec<IpNet>,
}

#[derive(Debug)]
struct Exemption {
    id: Arc<str>,
    members: Vec<String>,
    services: Vec<String>,
    from: Option<Timestamp>,
    until: Timestamp,
}

impl Access {
    /// Decides by `policies`, for members as they are registered.
    pub fn new(policies: Policies, surroundings: Surroundings, members: Arc<Members>) -> Self {
        Self { policies, surroundings, members }
    }
}

impl Authorize for Access {
    fn request(&self, asked: &Asked<'_>) -> AccessRequest {
        let mut request = AccessRequest::of(asked);
        if let Some(profile) = self.members.found(&request.member) {
            request.class = profile.class;
            request.attributes = profile.attributes;
        }
        request.state = self.members.state(&request.member);
        self.surroundings.add_to(&mut request, asked.address);
        request
    }

    fn decide(&self, request: &AccessRequest) -> Result<Decision, Fault> {
        Ok(self.policies.decide(request)?)
    }
}

impl Surroundings {
    /// Reads what is configured.
    ///
    /// # Errors
    /// Every name used twice, block that is none, exemption that ends before it begins.
    pub fn new(
        networks: &[config::Network],
        exemptions: &[config::Exemption],
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut all = Self::default();
        for (index, network) in networks.iter().enumerate() {
            let at = format!("network[{index}]");
            if all.networks.iter().any(|known| *known.name == *network.name) {
                problems.push(Problem::new(format!("{at}.name"), "another network has this name"));
            }
            let mut blocks = Vec::new();
            for (index, block) in network.blocks.iter().enumerate() {
                match block.parse::<IpNet>() {
                    Ok(block) if block.trunc() == block => blocks.push(block),
                    Ok(block) => {
                        let says = format!("has bits behind its prefix; write {}", block.trunc());
                        problems.push(Problem::new(format!("{at}.blocks[{index}]"), says));
                    }
                    Err(_) => {
                        let says = "must be an address block such as 10.1.0.0/16 or fd00::/8";
                        problems.push(Problem::new(format!("{at}.blocks[{index}]"), says));
                    }
                }
            }
            all.networks.push(Network { name: network.name.as_str().into(), blocks });
        }
        for (index, exemption) in exemptions.iter().enumerate() {
            let at = format!("exemption[{index}]");
            if all.exemptions.iter().any(|known| *known.id == *exemption.id) {
                problems.push(Problem::new(format!("{at}.id"), "another exemption has this id"));
            }
            if exemption.from.is_some_and(|from| from >= exemption.until) {
                problems.push(Problem::new(format!("{at}.until"), "must be later than `from`"));
            }
            all.exemptions.push(Exemption {
                id: exemption.id.as_str().into(),
                members: exemption.members.clone(),
                services: exemption.services.clone(),
                from: exemption.from,
                until: exemption.until,
            });
        }
        all.networks.sort_by(|one, other| one.name.cmp(&other.name));
        all.exemptions.sort_by(|one, other| one.id.cmp(&other.id));
        if problems.is_empty() { Ok(all) } else { Err(problems) }
    }

    fn add_to(&self, request: &mut AccessRequest, address: Option<IpAddr>) {
        if let Some(address) = address {
            // An IPv4 client of a socket that takes both is in the network of its IPv4 address.
            let address = address.to_canonical();
            let holds =
                |network: &&Network| network.blocks.iter().any(|block| block.contains(&address));
            let holding = self.networks.iter().filter(holds);
            request.networks = holding.map(|network| network.name.clone()).collect();
        }
        let AccessRequest { member, service, time, .. } = &*request;
        let holds = |exemption: &&Exemption| exemption.holds(member, service, *time);
        let holding = self.exemptions.iter().filter(holds);
        request.exemptions = holding.map(|exemption| exemption.id.clone()).collect();
    }
}

impl Exemption {
    /// Whether it holds for a member and a service at a time. Its end is exclusive.
    fn holds(&self, member: &MemberId, service: &ServiceId, time: Timestamp) -> bool {
        let is_service = |named: &String| {
            named
                .split_once('/')
                .is_some_and(|(sector, code)| *sector == *service.sector && *code == *service.code)
        };
        time < self.until
            && self.from.is_none_or(|from| from <= time)
            && (self.members.is_empty() || self.members.iter().any(|id| **id == *member.0))
            && (self.services.is_empty() || self.services.iter().any(is_service))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{caller, envelope};

    const NAMED: &str = r#"
        network = [
            { name = "office", blocks = ["10.1.0.0/16", "fd00::/8"] },
            { name = "all-of-ten", blocks = ["10.0.0.0/8"] },
        ]
        exemption = [
            { id = "pilot", members = ["mohw"], services = ["practice/echo"],
              from = "2026-03-01T00:00:00Z", until = "2026-04-01T00:00:00Z" },
            { id = "for-all", until = "2027-01-01T00:00:00Z" },
        ]
    "#;

    #[derive(serde::Deserialize)]
    struct Named {
        network: Vec<config::Network>,
        exemption: Vec<config::Exemption>,
    }

    fn surroundings(text: &str) -> Result<Surroundings, Vec<String>> {
        let Named { network, exemption } = toml::from_str(text).unwrap();
        let read = Surroundings::new(&network, &exemption);
        read.map_err(|problems| problems.into_iter().map(|problem| problem.path).collect())
    }

    fn names(address: Option<&str>, member: &str, time: &str) -> (Vec<Arc<str>>, Vec<Arc<str>>) {
        let asked = Asked {
            caller: &caller(member),
            envelope: &envelope(),
            address: address.map(|address| address.parse().unwrap()),
            now: time.parse().unwrap(),
        };
        let mut request = AccessRequest::of(&asked);
        surroundings(NAMED).unwrap().add_to(&mut request, asked.address);
        (request.networks, request.exemptions)
    }

    #[test]
    fn an_address_is_in_every_network_that_holds_it() {
        let networks = |address| names(address, "a", "2026-03-02T00:00:00Z").0;
        assert_eq!(networks(Some("10.1.2.3")), ["all-of-ten".into(), "office".into()]);
        assert_eq!(networks(Some("::ffff:10.2.0.1")), ["all-of-ten".into()]);
        assert_eq!(networks(Some("fd00::1")), ["office".into()]);
        assert_eq!(networks(Some("192.0.2.1")), []);
        assert_eq!(networks(None), []);
    }

    #[test]
    fn an_exemption_holds_for_whom_and_when_it_says() {
        let exemptions = |member, time| names(None, member, time).1;
        assert_eq!(exemptions("mohw", "2026-03-31T23:59:59Z"), ["for-all".into(), "pilot".into()]);
        assert_eq!(exemptions("mohw", "2026-04-01T00:00:00Z"), ["for-all".into()]);
        assert_eq!(exemptions("mohw", "2026-02-28T23:59:59Z"), ["for-all".into()]);
        assert_eq!(exemptions("city-a", "2026-03-02T00:00:00Z"), ["for-all".into()]);
        assert_eq!(exemptions("mohw", "2027-01-01T00:00:00Z"), []);
    }

    #[test]
    fn every_bad_name_is_reported() {
        let bad = r#"
            network = [
                { name = "a", blocks = ["10.1.2.3/16", "ten"] },
                { name = "a", blocks = ["10.0.0.0/8"] },
            ]
            exemption = [
                { id = "x", from = "2026-04-01T00:00:00Z", until = "2026-03-01T00:00:00Z" },
                { id = "x", until = "2026-03-01T00:00:00Z" },
            ]
        "#;
        let wanted = [
            "network[0].blocks[0]",
            "network[0].blocks[1]",
            "network[1].name",
            "exemption[0].until",
            "exemption[1].id",
        ];
        assert_eq!(surroundings(bad).unwrap_err(), wanted);
    }
}
