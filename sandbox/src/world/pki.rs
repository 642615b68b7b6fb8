//! The test authority and the certificates it issues, and one that it did not issue.

use std::net::{IpAddr, Ipv4Addr};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};

use super::keys::fingerprint;
use super::layout::{Layout, LayoutError};

/// Why certificates could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// The library refused.
    #[error("a certificate could not be issued")]
    Issue(#[from] rcgen::Error),
    /// They could not be written.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

/// What the configuration needs of the certificates written into `pki/`:
/// `ca.pem`, `server`, `mohw`, `unregistered` (right authority, unknown to the gateway) and
/// `stranger` (its own authority), each of the four as `.pem` and `.key`.
#[derive(Clone, Debug)]
pub struct Pki {
    /// `sha256:` and the hash of the ministry's certificate (DER).
    pub mohw_fingerprint: String,
}

impl Pki {
    /// Issues all certificates.
    ///
    /// # Errors
    /// When one cannot be issued or written.
    pub fn create(layout: &Layout) -> Result<Self, PkiError> {
        let (authority, issuer) = authority("Naru practice authority")?;
        layout.write("pki/ca.pem", authority.pem())?;
        let mut server = subject("localhost");
        server.subject_alt_names = vec![
            SanType::DnsName("localhost".try_into()?),
            SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        ];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        issue(layout, "server", server, &issuer)?;

        let mohw = issue(layout, "mohw", client("MOHW0001"), &issuer)?;
        issue(layout, "unregistered", client("NOBODY01"), &issuer)?;
        let (_, elsewhere) = self::authority("Another authority")?;
        issue(layout, "stranger", client("MOHW0001"), &elsewhere)?;
        Ok(Self { mohw_fingerprint: fingerprint(mohw.der()) })
    }
}

fn authority(name: &str) -> Result<(Certificate, Issuer<'static, KeyPair>), PkiError> {
    let mut params = subject(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate, Issuer::new(params, key)))
}

fn client(name: &str) -> CertificateParams {
    let mut params = subject(name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn subject(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    params
}

fn issue(
    layout: &Layout,
    name: &str,
    params: CertificateParams,
    issuer: &Issuer<'_, KeyPair>,
) -> Result<Certificate, PkiError> {
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    layout.write(&format!("pki/{name}.pem"), certificate.pem())?;
    layout.write_secret(&format!("pki/{name}.key"), key.serialize_pem())?;
    Ok(certificate)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// OpenSSL, which has no code of ours, says which certificate chains to which authority.
    #[test]
    fn openssl_accepts_the_authority_s_certificates_only() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::create(&directory.path().join("world")).unwrap();
        Pki::create(&layout).unwrap();
        let verifies = |name: &str, purpose: &str| {
            Command::new("openssl")
                .args(["verify", "-purpose", purpose, "-CAfile"])
                .arg(layout.path("pki/ca.pem"))
                .arg(layout.path(&format!("pki/{name}.pem")))
                .output()
                .unwrap()
                .status
                .success()
        };
        assert!(verifies("server", "sslserver"));
        assert!(verifies("mohw", "sslclient"));
        assert!(verifies("unregistered", "sslclient"));
        assert!(!verifies("stranger", "sslclient"));
        assert!(!verifies("mohw", "sslserver"));
    }
}
