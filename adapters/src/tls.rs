//! TLS towards providers: whom to trust, and which certificate to show.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;

/// `tls` of a backend. The key of the certificate is not here: secrets come by reference and are
/// resolved by the server.
#[derive(Clone, Debug, Deserialize)]
pub struct TlsConfig {
    /// PEM: the authorities of the provider's certificate. No others are trusted.
    pub authority: PathBuf,
    /// PEM: the chain that the gateway shows, where the provider wants one.
    pub certificate: Option<PathBuf>,
}

/// Why TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("tls: {} cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not hold what it must.
    #[error("tls: {} holds no PEM certificate, or one that cannot be used", .0.display())]
    Certificate(PathBuf),
    /// There is a certificate without key, or a key without certificate.
    #[error("tls: `certificate` and `key` belong together")]
    Half,
    /// The private key is no PEM private key.
    #[error("tls: the key is no PEM private key")]
    Key,
    /// The certificate and its key do not go together, or are of a kind that is not supported.
    #[error("tls: {0}")]
    Rustls(#[from] rustls::Error),
}

impl TlsConfig {
    /// The same with its relative paths taken from `base`.
    #[must_use]
    pub fn based(mut self, base: &Path) -> Self {
        self.authority = base.join(self.authority);
        self.certificate = self.certificate.map(|path| base.join(path));
        self
    }

    /// Reads the files. `key` is the PEM text of the certificate's key.
    ///
    /// # Errors
    /// When a file or the key is of no use.
    pub(crate) fn load(&self, key: Option<&[u8]>) -> Result<ClientConfig, TlsError> {
        let mut authorities = RootCertStore::empty();
        for certificate in certificates(&self.authority)? {
            let unusable = |_| TlsError::Certificate(self.authority.clone());
            authorities.add(certificate).map_err(unusable)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(authorities);
        match (&self.certificate, key) {
            (None, None) => Ok(builder.with_no_client_auth()),
            (Some(path), Some(key)) => {
                let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::Key)?;
                Ok(builder.with_client_auth_cert(certificates(path)?, key)?)
            }
            _ => Err(TlsError::Half),
        }
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = fs::read(path).map_err(|source| TlsError::File { path: path.to_owned(), source })?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let read = read.ok().filter(|read| !read.is_empty());
    read.ok_or_else(|| TlsError::Certificate(path.to_owned()))
}
