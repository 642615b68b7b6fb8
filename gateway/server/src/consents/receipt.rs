//! The receipt a person keeps: the record of the consent as a signed JWS (RFC 7515, EdDSA with
//! Ed25519, RFC 8037), with the receipt of its last revision in the evidence log. Whoever has the
//! public key can check it, with any JOSE library.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateway_core::{Fault, Kind};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Desk;
use crate::authenticate::sha256;

/// The type of such a JWS.
pub const TYPE: &str = "consent-receipt+jwt";

/// Signs receipts.
pub struct ReceiptSigner {
    key: Ed25519KeyPair,
    issuer: String,
    /// RFC 7638.
    thumbprint: String,
}

/// The key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no Ed25519 seed: 32 random bytes as 64 hex digits are wanted")]
pub struct InvalidReceiptKey;

impl ReceiptSigner {
    /// Signs with the key of this seed, in the name of `issuer`.
    ///
    /// # Errors
    /// [`InvalidReceiptKey`].
    pub fn new(seed: &[u8; 32], issuer: &str) -> Result<Self, InvalidReceiptKey> {
        let key = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| InvalidReceiptKey)?;
        let mut signer = Self { key, issuer: issuer.to_owned(), thumbprint: String::new() };
        // The required members in lexical order without white space (RFC 7638, section 3.3).
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, signer.x());
        signer.thumbprint = URL_SAFE_NO_PAD.encode(sha256(canonical.as_bytes()));
        Ok(signer)
    }

    fn x(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key.public_key().as_ref())
    }

    /// The public key, as a JWK set.
    pub fn keys(&self) -> Value {
        json!({ "keys": [{
            "kty": "OKP",
            "crv": "Ed25519",
            "x": self.x(),
            "kid": self.thumbprint,
            "use": "sig",
            "alg": "EdDSA",
        }] })
    }

    fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "EdDSA", "kid": self.thumbprint, "typ": TYPE });
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

impl Desk {
    /// The signed receipt of a consent as it is now.
    ///
    /// # Errors
    /// `Unroutable` when it is not there; `Unsupported` where no key is configured.
    pub async fn receipt(&self, id: Uuid) -> Result<String, Fault> {
        let signer = self.resources.receipts.as_ref().ok_or_else(|| {
            let says = "receipts are signed where consent.receipt_key is configured";
            Fault::new(Kind::Unsupported, "receipts-not-configured", says)
        })?;
        let record = self.iso_record(id).await?;
        let events = record.get("events").and_then(Value::as_array);
        let last = events.and_then(|events| events.last()?.get("receipt")).cloned();
        Ok(signer.sign(&json!({
            "iss": signer.issuer,
            "iat": self.resources.clock.now().as_second(),
            "evidence": last,
            "record": record,
        })))
    }
}
