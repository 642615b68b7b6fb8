//! TLS as the configuration has it, for every listener and for connections to switches.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::config::{SwitchTls, Tls};
use crate::secret::SecretRef;

/// TLS that asks for a client certificate, verifies one that is sent, and lets a client without one
/// in: it may still authenticate by API key.
///
/// # Errors
/// A sentence for the operator, beginning with the key.
pub fn server_config(base: &Path, tls: &Tls) -> Result<ServerConfig, String> {
    let authorities = authorities(&base.join(&tls.client_authority), "client_authority")?;
    let key = private_key(base, &tls.key)?;
    let verifier = WebPkiClientVerifier::builder_with_provider(authorities.into(), provider())
        .allow_unauthenticated()
        .build()
        .map_err(|error| format!("client_authority: {error}"))?;
    ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificates(&base.join(&tls.certificate))?, key)
        .map_err(|error| format!("certificate and key: {error}"))
}

/// TLS toward a switch, and the name that its certificate must have.
///
/// # Errors
/// As [`server_config`].
pub fn client_config(
    base: &Path,
    tls: &SwitchTls,
) -> Result<(Arc<ClientConfig>, ServerName<'static>), String> {
    let name = ServerName::try_from(tls.name.clone()).map_err(|error| format!("name: {error}"))?;
    let authorities = authorities(&base.join(&tls.authority), "authority")?;
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(authorities);
    let config = match (&tls.certificate, &tls.key) {
        (None, None) => config.with_no_client_auth(),
        (Some(certificate), Some(key)) => config
            .with_client_auth_cert(certificates(&base.join(certificate))?, private_key(base, key)?)
            .map_err(|error| format!("certificate and key: {error}"))?,
        _ => return Err("certificate and key: give both or neither".to_owned()),
    };
    Ok((Arc::new(config), name))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let say = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = File::open(path).map_err(|error| say(&error))?;
    let read = CertificateDer::pem_reader_iter(BufReader::new(file));
    read.collect::<Result<_, _>>().map_err(|error| say(&error))
}

fn authorities(path: &Path, key: &str) -> Result<RootCertStore, String> {
    let mut authorities = RootCertStore::empty();
    for certificate in certificates(path)? {
        authorities.add(certificate).map_err(|error| format!("{key}: {error}"))?;
    }
    Ok(authorities)
}

fn private_key(base: &Path, key: &SecretRef) -> Result<PrivateKeyDer<'static>, String> {
    let key = key.resolve(base).map_err(|error| error.to_string())?;
    PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|error| format!("key: not a PEM private key: {error}"))
}
