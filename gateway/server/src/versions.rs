//! Two versions of one format side by side: which one a message is in is decided by whom it is from,
//! so that a caller moves to the next version on its own day and under the same address.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use gateway_core::front::{Draft, Exchange};
use gateway_core::{Envelope, Fault, Front, Inbound, MemberId, Message};
use mappings::{Catalog, FrontEntry};

use crate::authenticate::Members;
use crate::config::{Member, Problem};

/// The versions that members have of their own, by the mapping that is served to all others.
#[derive(Default)]
pub struct Versions(HashMap<String, Arc<Versioned>>);

/// A format, and other versions of it for some members.
struct Versioned {
    usual: Arc<dyn Front>,
    /// By the member's version's mapping, in order.
    others: BTreeMap<String, Arc<dyn Front>>,
    of: HashMap<MemberId, String>,
    members: Arc<Members>,
}

impl Versions {
    /// Reads which versions members have.
    ///
    /// # Errors
    /// Every mapping that is none of a front, and every second version of one system.
    pub fn new(
        configured: &[Member],
        catalog: &Catalog,
        members: &Arc<Members>,
    ) -> Result<Self, Vec<Problem>> {
        let (mut versions, mut problems) = (Self::default(), Vec::new());
        for (index, member) in configured.iter().enumerate() {
            let mut systems = Vec::new();
            for (place, id) in member.fronts.iter().enumerate() {
                let at = format!("member[{index}].fronts[{place}]");
                let system = system(id);
                if systems.contains(&system) {
                    problems
                        .push(Problem::new(&at, format!("another version of {system} is listed")));
                }
                systems.push(system);
                match catalog.front(id) {
                    Some(FrontEntry::Batch(_)) => {
                        let message = "a folder's format stands at its [[listen.batch]]";
                        problems.push(Problem::new(at, message));
                    }
                    Some(entry) => versions.add(member, id, entry, catalog, members),
                    None => problems.push(Problem::new(at, format!("no front mapping {id}"))),
                }
            }
        }
        if problems.is_empty() { Ok(versions) } else { Err(problems) }
    }

    /// Puts a member's version beside every other one of its system and format.
    fn add(
        &mut self,
        member: &Member,
        id: &str,
        entry: &FrontEntry,
        catalog: &Catalog,
        members: &Arc<Members>,
    ) {
        let is_sibling =
            |other: &FrontEntry| std::mem::discriminant(other) == std::mem::discriminant(entry);
        let siblings = catalog.fronts().filter(|(other, front)| {
            *other != id && system(other) == system(id) && is_sibling(front)
        });
        for (usual, front) in siblings {
            let versioned = self.0.entry(usual.to_owned()).or_insert_with(|| {
                let (others, of) = (BTreeMap::new(), HashMap::new());
                Arc::new(Versioned {
                    usual: front.as_front(),
                    others,
                    of,
                    members: members.clone(),
                })
            });
            if let Some(versioned) = Arc::get_mut(versioned) {
                versioned.others.insert(id.to_owned(), entry.as_front());
                versioned.of.insert(MemberId(member.id.as_str().into()), id.to_owned());
            }
        }
    }

    /// The same format, in the version of whoever a message turns out to be from.
    pub fn of(&self, front: Arc<dyn Front>) -> Arc<dyn Front> {
        match self.0.get(front.mapping()) {
            Some(versioned) => versioned.clone(),
            None => front,
        }
    }
}

/// `sector/system` of `sector/system/vN`.
fn system(id: &str) -> &str {
    id.rsplit_once('/').map_or(id, |(system, _)| system)
}

impl Versioned {
    /// The version of the member that the connection names; where it names none, the version in
    /// which the message names a member who has that one. Whether it is that member is found out
    /// later, as always: here it is only a question of how to read it.
    fn version(&self, inbound: &Inbound) -> &dyn Front {
        if let Some(member) = self.members.named_by(&inbound.evidence) {
            return self.of(member).unwrap_or(&*self.usual);
        }
        let names_one_of_its_own = |id: &str, front: &dyn Front| {
            let envelope = front.decode(inbound).ok();
            let claimed = envelope.and_then(|envelope| envelope.claimed_member);
            let claimed = claimed.map(|member| MemberId(member.as_str().into()));
            claimed.and_then(|member| self.of.get(&member)).is_some_and(|of| of == id)
        };
        let mut others = self.others.iter().map(|(id, front)| (id.as_str(), &**front));
        others
            .find(|(id, front)| names_one_of_its_own(id, *front))
            .map_or(&*self.usual, |one| one.1)
    }

    fn of(&self, member: &MemberId) -> Option<&dyn Front> {
        self.others.get(self.of.get(member)?).map(|front| &**front)
    }

    /// The version that a message was decoded in, or would have been.
    fn version_of(&self, exchange: &Exchange<'_>) -> &dyn Front {
        match exchange.envelope {
            Some(envelope) => {
                self.others.get(&*envelope.mapping).map_or(&*self.usual, |front| &**front)
            }
            None => self.version(exchange.inbound),
        }
    }
}

impl Front for Versioned {
    fn name(&self) -> &str {
        self.usual.name()
    }

    fn mapping(&self) -> &str {
        self.usual.mapping()
    }

    fn decode(&self, inbound: &Inbound) -> Result<Envelope, Fault> {
        self.version(inbound).decode(inbound)
    }

    fn encode(&self, exchange: &Exchange<'_>, answer: &Message) -> Result<Draft, Fault> {
        self.version_of(exchange).encode(exchange, answer)
    }

    fn refuse(&self, exchange: &Exchange<'_>, fault: &Fault) -> Draft {
        self.version_of(exchange).refuse(exchange, fault)
    }
}

#[cfg(test)]
mod tests;
