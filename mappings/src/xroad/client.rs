//! Members and subsystems, which call and are called.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::{IdentifierError, decode_part, encode_part};

/// A member, or a subsystem of one. Compared part by part, after decoding.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId {
    /// The X-Road instance, e.g. `KR`.
    pub instance: String,
    /// The class of the member, e.g. `GOV`.
    pub member_class: String,
    /// The code of the member within its class.
    pub member_code: String,
    /// The subsystem, where it is one.
    pub subsystem_code: Option<String>,
}

impl ClientId {
    /// Takes the decoded parts, three or four.
    ///
    /// # Errors
    /// When there are fewer or more.
    pub fn from_parts(parts: Vec<String>) -> Result<Self, IdentifierError> {
        let found = parts.len();
        let mut parts = parts.into_iter();
        match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(instance), Some(member_class), Some(member_code), subsystem_code, None) => {
                Ok(Self { instance, member_class, member_code, subsystem_code })
            }
            _ => Err(IdentifierError::Parts { wanted: "three or four", found }),
        }
    }

    /// `objectType` of the identifier.
    pub fn object_type(&self) -> &'static str {
        if self.subsystem_code.is_some() { "SUBSYSTEM" } else { "MEMBER" }
    }
}

impl FromStr for ClientId {
    type Err = IdentifierError;

    /// Reads `INSTANCE/CLASS/MEMBER[/SUBSYSTEM]`, as in the header `X-Road-Client`.
    fn from_str(path: &str) -> Result<Self, IdentifierError> {
        Self::from_parts(path.split('/').map(decode_part).collect::<Result<_, _>>()?)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { instance, member_class, member_code, subsystem_code } = self;
        f.write_str(&encode_part(instance))?;
        for part in [member_class, member_code].into_iter().chain(subsystem_code) {
            write!(f, "/{}", encode_part(part))?;
        }
        Ok(())
    }
}

/// The clients that a mapping knows, each with the member of this gateway that it is.
#[derive(Debug, Default)]
pub struct Clients(BTreeMap<ClientId, String>);

impl Clients {
    /// Reads `organizations` of a mapping. Answers with every key that is no client identifier too.
    pub fn new(organizations: &BTreeMap<String, String>) -> (Self, Vec<(&str, IdentifierError)>) {
        let (mut clients, mut refused) = (BTreeMap::new(), Vec::new());
        for (path, member) in organizations {
            match path.parse() {
                Ok(client) => drop(clients.insert(client, member.clone())),
                Err(error) => refused.push((path.as_str(), error)),
            }
        }
        (Self(clients), refused)
    }

    /// The member that a client is.
    pub fn member(&self, client: &ClientId) -> Option<&str> {
        self.0.get(client).map(String::as_str)
    }

    /// Every client with its member, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&ClientId, &str)> {
        self.0.iter().map(|(client, member)| (client, member.as_str()))
    }
}
