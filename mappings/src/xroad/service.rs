//! Services of a member or subsystem.

use std::fmt;

use super::{ClientId, IdentifierError, decode_part, encode_part};

/// A service and who provides it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceId {
    /// Who provides it.
    pub provider: ClientId,
    /// Its code.
    pub service_code: String,
    /// Over SOAP only.
    pub service_version: Option<String>,
}

impl ServiceId {
    /// Reads what follows `/r1/` in a path: `INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE[/path]`.
    /// Answers with the service and the rest of the path, undecoded and with its slash.
    ///
    /// PR-REST 4.1 calls the subsystem optional and gives no means to tell a path without it from one
    /// with it; like X-Road's own server, this wants it.
    ///
    /// # Errors
    /// When a part is missing, or none that an identifier may have.
    pub fn from_path(path: &str) -> Result<(Self, &str), IdentifierError> {
        let mut boundaries = path.match_indices('/').map(|(at, _)| at);
        let (id, rest) = match boundaries.nth(4) {
            Some(at) => path.split_at_checked(at).unwrap_or((path, "")),
            None => (path, ""),
        };
        let mut parts = id.split('/').map(decode_part).collect::<Result<Vec<_>, _>>()?;
        let found = parts.len();
        match parts.pop() {
            Some(service_code) if found == 5 => {
                let provider = ClientId::from_parts(parts)?;
                Ok((Self { provider, service_code, service_version: None }, rest))
            }
            _ => Err(IdentifierError::Parts { wanted: "five", found }),
        }
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, encode_part(&self.service_code))?;
        match &self.service_version {
            Some(version) => write!(f, "/{}", encode_part(version)),
            None => Ok(()),
        }
    }
}
