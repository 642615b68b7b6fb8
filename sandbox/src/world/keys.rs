//! API keys, the sector's key and the gateway's ledger account.

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
use aws_lc_rs::rand;
use aws_lc_rs::signature::{ECDSA_P256K1_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

use super::layout::{Layout, LayoutError};

/// Why keys could not be made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The cryptographic library refused.
    #[error("the cryptographic library could not make a key")]
    Library(#[from] aws_lc_rs::error::Unspecified),
    /// They could not be written.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

/// An API key: 32 random bytes as base64url, 43 characters.
#[derive(Clone)]
pub struct ApiKey(String);

impl ApiKey {
    fn random() -> Result<Self, KeyError> {
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(random()?)))
    }

    /// The key as a caller presents it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the configuration holds of it: `sha256:` and the hash of its text.
    pub fn hash(&self) -> String {
        fingerprint(self.0.as_bytes())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey")
    }
}

/// `sha256:` and 64 hex digits.
pub fn fingerprint(bytes: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, bytes);
    format!("sha256:{}", hex::encode(hash.as_ref()))
}

/// The API keys of the world's members and of its operator.
#[derive(Clone, Debug)]
pub struct ApiKeys {
    /// Ministry of Health and Welfare.
    pub mohw: ApiKey,
    /// City A.
    pub city_a: ApiKey,
    /// City C.
    pub city_c: ApiKey,
    /// The welfare portal, a REST caller with a small quota.
    pub portal: ApiKey,
    /// The operator, for the admin API.
    pub operator: ApiKey,
}

impl ApiKeys {
    /// Makes the keys and writes each into `keys/<member>.api-key`.
    ///
    /// # Errors
    /// When they cannot be made or written.
    pub fn create(layout: &Layout) -> Result<Self, KeyError> {
        let create = |member: &str| {
            let key = ApiKey::random()?;
            layout.write_secret(&format!("keys/{member}.api-key"), key.expose())?;
            Ok::<_, KeyError>(key)
        };
        Ok(Self {
            mohw: create("mohw")?,
            city_a: create("city-a")?,
            city_c: create("city-c")?,
            portal: create("portal")?,
            operator: create("operator")?,
        })
    }

    /// Every key as text, for the search that must not find one.
    pub fn texts(&self) -> [&str; 5] {
        [&self.mohw, &self.city_a, &self.city_c, &self.portal, &self.operator].map(ApiKey::expose)
    }
}

/// Writes the gateway's symmetric keys, 32 bytes as hex each.
///
/// # Errors
/// When they cannot be made or written.
pub fn create_gateway_keys(layout: &Layout) -> Result<(), KeyError> {
    let keys = ["welfare", "population", "commitments", "queue", "consent-receipts"];
    for name in keys.map(|key| format!("keys/{key}.key")) {
        layout.write_secret(&name, hex::encode(random()?))?;
    }
    let callbacks = format!("whsec_{}", BASE64_STANDARD.encode(random()?));
    layout.write_secret("keys/callbacks.secret", callbacks)?;
    Ok(())
}

/// Makes the secp256k1 key by which the gateway signs transactions, writes it into
/// `keys/ledger.key`, and returns its public point (x and y, 64 bytes).
///
/// # Errors
/// When it cannot be made or written.
pub fn create_ledger_key(layout: &Layout) -> Result<Vec<u8>, KeyError> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256K1_SHA256_FIXED_SIGNING)?;
    let private: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes()?;
    layout.write_secret("keys/ledger.key", hex::encode(private.as_ref()))?;
    // SEC 1: an uncompressed point is the byte 4, then x, then y.
    let point = pair.public_key().as_ref();
    Ok(point.iter().skip(1).copied().collect())
}

fn random() -> Result<[u8; 32], KeyError> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_text() {
        let key = ApiKey("abc".into());
        assert_eq!(
            key.hash(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(format!("{key:?}"), "ApiKey");
    }

    #[test]
    fn a_ledger_key_is_a_scalar_and_its_point() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::create(&directory.path().join("world")).unwrap();
        let point = create_ledger_key(&layout).unwrap();
        assert_eq!(point.len(), 64);
        let written = std::fs::read_to_string(layout.path("keys/ledger.key")).unwrap();
        assert_eq!(hex::decode(written).unwrap().len(), 32);
    }
}
