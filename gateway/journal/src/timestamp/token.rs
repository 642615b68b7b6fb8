//! The signed data of a token (RFC 5652), read as far as RFC 3161 and RFC 5816 have it. A token that
//! names its certificate by SHA-1 alone (RFC 2634) is refused.

use aws_lc_rs::digest;
use cmpv2::status::PkiStatus;
use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::asn1::{ObjectIdentifier, OctetString};
use der::{Any, Decode, Encode, Reader, Sequence};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use webpki::EndEntityCert;
use x509_cert::Certificate;
use x509_cert::ext::pkix::SubjectKeyIdentifier;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_tsp::{TimeStampResp, TstInfo};

use super::TimestampError::{self, Malformed, Signature};
use super::{LONGEST_RESPONSE, SHA_256};

const SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");

/// The signed data in a granted response.
pub(super) fn signed_data(response: &[u8]) -> Result<SignedData, TimestampError> {
    if response.len() > LONGEST_RESPONSE {
        return Err(Malformed("it is too long"));
    }
    let response =
        TimeStampResp::from_der(response).map_err(|_| Malformed("it is not its structure"))?;
    match response.status.status {
        PkiStatus::Accepted | PkiStatus::GrantedWithMods => {}
        status => {
            let said = response.status.status_string.unwrap_or_default();
            let said: Vec<String> = said
                .iter()
                .map(|text| text.as_str().chars().filter(|c| !c.is_control()).take(200).collect())
                .collect();
            return Err(TimestampError::Refused(format!("{status:?} {}", said.join("; "))));
        }
    }
    let ContentInfo { content_type, content } =
        response.time_stamp_token.ok_or(Malformed("there is no token in it"))?;
    if content_type != SIGNED_DATA {
        return Err(Malformed("its token is not signed data"));
    }
    content.decode_as().map_err(|_| Malformed("its token is not signed data"))
}

/// What was signed: its bytes, and what they say.
pub(super) fn content(signed: &SignedData) -> Result<(Vec<u8>, TstInfo), TimestampError> {
    let held = &signed.encap_content_info;
    if held.econtent_type != TST_INFO {
        return Err(Malformed("its content is not a TSTInfo"));
    }
    let bytes = held.econtent.as_ref().and_then(|any| any.decode_as::<OctetString>().ok());
    let bytes = bytes.ok_or(Malformed("it has no content"))?.into_bytes();
    let info = TstInfo::from_der(&bytes).map_err(|_| Malformed("its TSTInfo"))?;
    Ok((bytes, info))
}

/// The signer's certificate, and the others that came with it.
pub(super) fn certificates(
    signed: &SignedData,
    signer: &SignerInfo,
) -> Result<(Certificate, Vec<CertificateDer<'static>>), TimestampError> {
    let sent = signed.certificates.iter().flat_map(|set| set.0.iter());
    let (theirs, others): (Vec<_>, Vec<_>) = sent
        .filter_map(|choice| match choice {
            CertificateChoices::Certificate(certificate) => Some(certificate),
            CertificateChoices::Other(_) => None,
        })
        .partition(|certificate| is_of(&signer.sid, certificate));
    let theirs = theirs.first().ok_or(Signature("the signer's certificate is not in it"))?;
    let others = others.iter().filter_map(|other| Some(CertificateDer::from(other.to_der().ok()?)));
    Ok(((*theirs).clone(), others.collect()))
}

fn is_of(signer: &SignerIdentifier, certificate: &Certificate) -> bool {
    let certificate = &certificate.tbs_certificate;
    match signer {
        SignerIdentifier::IssuerAndSerialNumber(named) => {
            (&named.issuer, &named.serial_number)
                == (&certificate.issuer, &certificate.serial_number)
        }
        SignerIdentifier::SubjectKeyIdentifier(named) => {
            matches!(certificate.get::<SubjectKeyIdentifier>(), Ok(Some((_, id))) if id == *named)
        }
    }
}

/// RFC 5652, section 5.4, and the attributes that RFC 3161 and RFC 5816 want.
pub(super) fn check_signature(
    signer: &SignerInfo,
    certificate: &Certificate,
    content: &[u8],
) -> Result<(), TimestampError> {
    let hash = hash_of(signer.digest_alg.oid)?;
    let attributes =
        signer.signed_attrs.as_ref().ok_or(Signature("it has no signed attributes"))?;
    let one = |oid| {
        let mut found = attributes.iter().filter(move |attribute| attribute.oid == oid);
        match (found.next().map(|attribute| attribute.values.as_slice()), found.next()) {
            (Some([value]), None) => Some(value),
            _ => None,
        }
    };
    let kind = one(CONTENT_TYPE).and_then(|value| value.decode_as::<ObjectIdentifier>().ok());
    if kind != Some(TST_INFO) {
        return Err(Signature("it does not sign the type of the content"));
    }
    let signed = one(MESSAGE_DIGEST).and_then(|value| value.decode_as::<OctetString>().ok());
    let is_its = signed.is_some_and(|d| d.as_bytes() == digest::digest(hash, content).as_ref());
    if !is_its {
        return Err(Signature("it does not sign this content"));
    }
    let der = certificate.to_der().map_err(|_| Malformed("a certificate"))?;
    if !one(SIGNING_CERTIFICATE_V2).is_some_and(|value| names_certificate(value, &der)) {
        return Err(Signature("it does not name the certificate it is made with"));
    }
    let message = attributes.to_der().map_err(|_| Malformed("its attributes"))?;
    let certificate = CertificateDer::from(der);
    let key = EndEntityCert::try_from(&certificate)
        .map_err(|_| Signature("its certificate cannot be read"))?;
    let right = algorithms(signer)?.iter().any(|algorithm| {
        key.verify_signature(*algorithm, &message, signer.signature.as_bytes()).is_ok()
    });
    if right { Ok(()) } else { Err(Signature("the key of its certificate did not make it")) }
}

fn hash_of(oid: ObjectIdentifier) -> Result<&'static digest::Algorithm, TimestampError> {
    match oid {
        SHA_256 => Ok(&digest::SHA256),
        SHA_384 => Ok(&digest::SHA384),
        SHA_512 => Ok(&digest::SHA512),
        _ => Err(Signature("its hash is none of SHA-256, SHA-384, SHA-512")),
    }
}

type Algorithm = &'static dyn SignatureVerificationAlgorithm;

/// What the signature may be, by its algorithm and hash; the certificate's key decides among them.
fn algorithms(signer: &SignerInfo) -> Result<Vec<Algorithm>, TimestampError> {
    use webpki::aws_lc_rs as a;
    /// rsaEncryption, which leaves the hash to the signer's digest algorithm.
    const RSA: &str = "1.2.840.113549.1.1.1";
    let hash = match (&*signer.signature_algorithm.oid.to_string(), signer.digest_alg.oid) {
        ("1.2.840.113549.1.1.11" | "1.2.840.10045.4.3.2", _) | (RSA, SHA_256) => SHA_256,
        ("1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3", _) | (RSA, SHA_384) => SHA_384,
        ("1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4", _) | (RSA, SHA_512) => SHA_512,
        ("1.3.101.112", _) => return Ok(vec![a::ED25519]),
        _ => return Err(Signature("its algorithm is none of RSA, ECDSA, Ed25519 with SHA-2")),
    };
    Ok(match hash {
        SHA_256 => vec![a::RSA_PKCS1_2048_8192_SHA256, a::ECDSA_P256_SHA256, a::ECDSA_P384_SHA256],
        SHA_384 => vec![a::RSA_PKCS1_2048_8192_SHA384, a::ECDSA_P256_SHA384, a::ECDSA_P384_SHA384],
        _ => vec![a::RSA_PKCS1_2048_8192_SHA512, a::ECDSA_P256_SHA512, a::ECDSA_P384_SHA512],
    })
}

/// RFC 5035: `SigningCertificateV2 ::= SEQUENCE { certs SEQUENCE OF ESSCertIDv2, policies … OPTIONAL }`.
#[derive(Sequence)]
struct SigningCertificate {
    certificates: Vec<Any>,
    #[asn1(optional = "true")]
    policies: Option<Any>,
}

/// The first certificate named, by its hash; SHA-256 unless it says otherwise.
fn names_certificate(value: &Any, certificate: &[u8]) -> bool {
    let named = value.decode_as::<SigningCertificate>();
    let Some(Ok(first)) = named.ok().and_then(|named| Some(named.certificates.first()?.to_der()))
    else {
        return false;
    };
    let read = Any::from_der(&first).and_then(|id| {
        id.sequence(|fields| {
            let (mut hash, mut algorithm) = (Any::decode(fields)?, SHA_256);
            if let Ok(given) = hash.decode_as::<AlgorithmIdentifierOwned>() {
                algorithm = given.oid;
                hash = Any::decode(fields)?;
            }
            while !fields.is_finished() {
                Any::decode(fields)?;
            }
            Ok((algorithm, hash.decode_as::<OctetString>()?))
        })
    });
    read.is_ok_and(|(algorithm, hash)| {
        hash_of(algorithm)
            .is_ok_and(|of| digest::digest(of, certificate).as_ref() == hash.as_bytes())
    })
}
