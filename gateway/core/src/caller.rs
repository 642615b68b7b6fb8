//! Who calls, and by what evidence that is known.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{Envelope, Fault};

/// A member organization as configured, e.g. `mohw`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MemberId(pub Arc<str>);

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a listener saw of the caller besides the message.
#[derive(Clone, Default)]
pub struct Evidence {
    /// The address it came from; none for a file.
    pub address: Option<IpAddr>,
    /// DER of the client certificate, whose chain the TLS listener has verified.
    pub certificate: Option<Arc<[u8]>>,
    /// An API key as presented, from a header or a message field.
    pub api_key: Option<Zeroizing<String>>,
    /// The member a watched folder belongs to: the operating system decides who writes there.
    pub folder: Option<MemberId>,
    /// Who sent it when it was accepted, for a request that is handled later. The queue vouches for it:
    /// what it keeps is sealed, and credentials are not kept.
    pub accepted: Option<Caller>,
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence")
            .field("certificate", &self.certificate.is_some())
            .field("api_key", &self.api_key.is_some())
            .field("folder", &self.folder)
            .field("accepted", &self.accepted)
            .finish_non_exhaustive()
    }
}

/// By what means the caller was authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// Mutual TLS with a registered certificate.
    Certificate,
    /// A registered API key.
    ApiKey,
    /// A file in a folder that belongs to the member.
    Folder,
}

/// How much the means is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assurance {
    /// A shared secret or an operating-system permission.
    Low,
    /// Possession of a registered private key.
    Substantial,
}

/// An authenticated caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The member organization.
    pub member: MemberId,
    /// By what means this is known.
    pub means: Means,
    /// How much that is worth.
    pub assurance: Assurance,
}

/// Evidence → caller. Implementations: certificate and API key in `naru`; more in the bridges.
#[async_trait]
pub trait Authenticate: Send + Sync {
    /// Says who sent `envelope`.
    ///
    /// # Errors
    /// [`crate::Kind::Unauthenticated`] when the evidence names nobody, or two different members.
    async fn authenticate(&self, evidence: &Evidence, envelope: &Envelope)
    -> Result<Caller, Fault>;
}
