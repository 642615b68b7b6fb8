//! Time-stamp tokens ([RFC 3161]): that a checkpoint existed at a time, said by an authority whose
//! clock is not the gateway's. A token lies beside the log as the authority's whole answer, so that
//! `openssl ts -verify` reads it too.
//!
//! Only what evidence needs: SHA-256 imprints, one signer, a chain to the configured authority that
//! was valid at the time stated. Whether a certificate on it was revoked is not asked.
//!
//! [RFC 3161]: https://www.rfc-editor.org/rfc/rfc3161

mod token;

use aws_lc_rs::{digest, rand};
use der::asn1::{Int, ObjectIdentifier, OctetString};
use der::{Any, Encode};
use jiff::Timestamp;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_cert::Certificate;
use x509_cert::ext::pkix::ExtendedKeyUsage;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_tsp::{MessageImprint, TimeStampReq, TspVersion};

const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");
/// The same, as the content octets that `webpki` asks for.
const TIME_STAMPING_OCTETS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];

/// No answer of an authority is longer.
pub const LONGEST_RESPONSE: usize = 64 << 10;

/// Why an answer is no time stamp.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// The authority refused.
    #[error("the authority refused: {0}")]
    Refused(String),
    /// Not the structure that the standards describe.
    #[error("it is not a time-stamp response as RFC 3161 has it: {0}")]
    Malformed(&'static str),
    /// It is for something else.
    #[error("it stamps something else")]
    OtherMessage,
    /// It answers another request.
    #[error("it answers another request: its nonce is not the one that was sent")]
    OtherRequest,
    /// The signature, or what it binds, is not right.
    #[error("its signature does not hold: {0}")]
    Signature(&'static str),
    /// The signer is nobody that the configured authority vouches for.
    #[error("its signer does not lead to the configured authority: {0}")]
    Authority(String),
    /// The authority's certificates cannot be read.
    #[error("the authority's certificates cannot be read: {0}")]
    Certificates(String),
    /// The operating system gave no random bytes.
    #[error("no random bytes to be had from the operating system")]
    Random,
}

use TimestampError::Malformed;

/// A request for a token.
#[derive(Debug)]
pub struct Request {
    der: Vec<u8>,
    nonce: Int,
}

impl Request {
    /// Asks for a token over the SHA-256 of `message`, with a fresh nonce, and for the signer's
    /// certificate in it.
    ///
    /// # Errors
    /// [`TimestampError::Random`].
    pub fn new(message: &[u8]) -> Result<Self, TimestampError> {
        let mut random = [0; 16];
        rand::fill(&mut random).map_err(|_| TimestampError::Random)?;
        // Positive and without leading zeros, as DER wants an integer.
        random[0] = random[0] & 0x7f | 0x40;
        let nonce = Int::new(&random).map_err(|_| TimestampError::Random)?;
        let request = TimeStampReq {
            version: TspVersion::V1,
            message_imprint: imprint(message)?,
            req_policy: None,
            nonce: Some(nonce.clone()),
            cert_req: true,
            extensions: None,
        };
        let der = request.to_der().map_err(|_| Malformed("the request"))?;
        Ok(Self { der, nonce })
    }

    /// Its bytes, `application/timestamp-query`.
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

/// That something existed at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When, by the authority's clock.
    pub time: Timestamp,
    /// The policy under which it says so, an object identifier.
    pub policy: String,
    /// The token's serial number, hexadecimal.
    pub serial: String,
}

/// The authorities that may say when something was.
#[derive(Clone, Debug)]
pub struct Authority(Vec<TrustAnchor<'static>>);

impl Authority {
    /// Reads the certificates, PEM, at which a signer's chain may end.
    ///
    /// # Errors
    /// [`TimestampError::Certificates`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, TimestampError> {
        let failed =
            |error: &dyn std::fmt::Display| TimestampError::Certificates(error.to_string());
        let anchors = CertificateDer::pem_slice_iter(pem).map(|certificate| {
            let certificate = certificate.map_err(|error| failed(&error))?;
            let anchor = anchor_from_trusted_cert(&certificate).map_err(|error| failed(&error))?;
            Ok(anchor.to_owned())
        });
        match anchors.collect::<Result<Vec<_>, _>>()? {
            none if none.is_empty() => Err(failed(&"there is no certificate in it")),
            anchors => Ok(Self(anchors)),
        }
    }

    /// Reads the answer to `request` for `message`.
    ///
    /// # Errors
    /// Any [`TimestampError`].
    pub fn accept(
        &self,
        request: &Request,
        response: &[u8],
        message: &[u8],
    ) -> Result<Stamp, TimestampError> {
        let (stamp, nonce) = self.read(response, message)?;
        if nonce.as_ref() != Some(&request.nonce) {
            return Err(TimestampError::OtherRequest);
        }
        Ok(stamp)
    }

    /// Verifies offline an answer for `message` that was kept.
    ///
    /// # Errors
    /// As [`Authority::accept`].
    pub fn verify(&self, response: &[u8], message: &[u8]) -> Result<Stamp, TimestampError> {
        Ok(self.read(response, message)?.0)
    }

    fn read(
        &self,
        response: &[u8],
        message: &[u8],
    ) -> Result<(Stamp, Option<Int>), TimestampError> {
        let signed = token::signed_data(response)?;
        let (content, info) = token::content(&signed)?;
        if info.message_imprint != imprint(message)? {
            return Err(TimestampError::OtherMessage);
        }
        let [signer] = signed.signer_infos.0.as_slice() else {
            return Err(Malformed("it must have exactly one signature"));
        };
        let (certificate, others) = token::certificates(&signed, signer)?;
        token::check_signature(signer, &certificate, &content)?;
        let seconds = info.gen_time.to_unix_duration();
        self.check_chain(&certificate, &others, seconds)?;
        let time = Timestamp::new(
            i64::try_from(seconds.as_secs()).unwrap_or(i64::MAX),
            i32::try_from(seconds.subsec_nanos()).unwrap_or_default(),
        );
        let stamp = Stamp {
            time: time.map_err(|_| Malformed("its time"))?,
            policy: info.policy.to_string(),
            serial: hex::encode(info.serial_number.as_bytes()),
        };
        Ok((stamp, info.nonce))
    }

    fn check_chain(
        &self,
        signer: &Certificate,
        others: &[CertificateDer<'_>],
        time: std::time::Duration,
    ) -> Result<(), TimestampError> {
        only_for_stamping(signer)?;
        let failed = |error: webpki::Error| TimestampError::Authority(error.to_string());
        let der = CertificateDer::from(signer.to_der().map_err(|_| Malformed("a certificate"))?);
        let signer = EndEntityCert::try_from(&der).map_err(failed)?;
        signer
            .verify_for_usage(
                ALL_VERIFICATION_ALGS,
                &self.0,
                others,
                UnixTime::since_unix_epoch(time),
                KeyUsage::required(TIME_STAMPING_OCTETS),
                None,
                None,
            )
            .map(drop)
            .map_err(failed)
    }
}

fn imprint(message: &[u8]) -> Result<MessageImprint, TimestampError> {
    let hash = digest::digest(&digest::SHA256, message);
    Ok(MessageImprint {
        hash_algorithm: AlgorithmIdentifierOwned { oid: SHA_256, parameters: Some(Any::null()) },
        hashed_message: OctetString::new(hash.as_ref()).map_err(|_| Malformed("a hash"))?,
    })
}

/// RFC 3161, section 2.3: the extension must be there once, critical, and name nothing else.
fn only_for_stamping(certificate: &Certificate) -> Result<(), TimestampError> {
    match certificate.tbs_certificate.get::<ExtendedKeyUsage>() {
        Ok(Some((true, ExtendedKeyUsage(uses)))) if uses == [TIME_STAMPING] => Ok(()),
        _ => Err(TimestampError::Authority(
            "its certificate is not, critically and alone, for time stamping".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests;
