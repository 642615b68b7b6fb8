//! HTTP clients: with the world's authority as only root, and one per client certificate.

use std::time::Duration;

use reqwest::{Certificate, Client};

use super::CallError;
use crate::world::Layout;

/// By which certificate a client presents itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// None.
    Anonymous,
    /// The ministry's.
    Mohw,
    /// From the right authority, registered nowhere.
    Unregistered,
    /// From another authority, with the ministry's name.
    Stranger,
}

/// Makes clients from the certificates of one world.
#[derive(Clone, Debug)]
pub struct HttpClients {
    layout: Layout,
}

impl HttpClients {
    /// Clients for the world in this directory.
    pub fn new(layout: Layout) -> Self {
        Self { layout }
    }

    /// A client with this identity.
    ///
    /// # Errors
    /// When a certificate or key cannot be read.
    pub fn client(&self, identity: Identity) -> Result<Client, CallError> {
        let authority = Certificate::from_pem(&std::fs::read(self.layout.path("pki/ca.pem"))?)?;
        let builder = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .tls_certs_only([authority]);
        let builder = match identity.file() {
            None => builder,
            Some(name) => {
                let mut pem = std::fs::read(self.layout.path(&format!("pki/{name}.pem")))?;
                pem.extend(std::fs::read(self.layout.path(&format!("pki/{name}.key")))?);
                builder.identity(reqwest::Identity::from_pem(&pem)?)
            }
        };
        Ok(builder.build()?)
    }
}

impl Identity {
    fn file(self) -> Option<&'static str> {
        match self {
            Self::Anonymous => None,
            Self::Mohw => Some("mohw"),
            Self::Unregistered => Some("unregistered"),
            Self::Stranger => Some("stranger"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::pki::Pki;

    #[test]
    fn every_identity_makes_a_client() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::create(&directory.path().join("world")).unwrap();
        Pki::create(&layout).unwrap();
        let clients = HttpClients::new(layout);
        for identity in
            [Identity::Anonymous, Identity::Mohw, Identity::Unregistered, Identity::Stranger]
        {
            clients.client(identity).unwrap();
        }
    }
}
