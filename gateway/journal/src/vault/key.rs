//! Keys in memory, and wrapping one with another: AES-256-GCM with a random nonce before it, bound to
//! what is wrapped.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hmac, rand};
use zeroize::Zeroizing;

use super::VaultError;
use crate::commitment::CommitmentKey;

/// 32 secret bytes, wiped when dropped.
pub(super) struct Secret(Zeroizing<[u8; 32]>);

impl Secret {
    pub(super) fn random() -> Result<Self, VaultError> {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::fill(&mut *bytes).map_err(|_| VaultError::Cryptography)?;
        Ok(Self(bytes))
    }

    pub(super) fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    pub(super) fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Wraps another secret with this one.
    pub(super) fn wrap(&self, other: &Self, bound: &[u8]) -> Result<Vec<u8>, VaultError> {
        seal(&self.0, bound, other.0.as_slice())
    }

    /// Opens what [`Secret::wrap`] made.
    pub(super) fn unwrap(&self, wrapped: &[u8], bound: &[u8]) -> Result<Self, VaultError> {
        let opened = open(&self.0, bound, wrapped)?;
        let bytes: &[u8; 32] = opened.as_slice().try_into().map_err(|_| VaultError::Unopened)?;
        Ok(Self(Zeroizing::new(*bytes)))
    }

    /// A key for one use, so that none serves two.
    fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_slice());
        let mut derived = Zeroizing::new([0; 32]);
        derived.copy_from_slice(hmac::sign(&key, purpose.as_bytes()).as_ref());
        derived
    }
}

/// What seals the bodies of one holder and purpose, and salts the commitments to them.
pub(crate) struct DataKey {
    pub(crate) id: [u8; 16],
    /// The salts of entries whose bodies are sealed with this key: they go with it.
    pub(crate) salts: CommitmentKey,
    bodies: Zeroizing<[u8; 32]>,
}

impl DataKey {
    pub(super) fn new(id: [u8; 16], secret: &Secret) -> Self {
        Self {
            id,
            salts: CommitmentKey::new(&secret.derive("naru salts v1")),
            bodies: secret.derive("naru bodies v1"),
        }
    }

    /// Seals a body.
    pub(crate) fn seal(&self, bound: &[u8], body: &[u8]) -> Result<Vec<u8>, VaultError> {
        seal(&self.bodies, bound, body)
    }

    /// Opens what was sealed for the same place.
    pub(crate) fn open(
        &self,
        bound: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        open(&self.bodies, bound, sealed)
    }
}

pub(super) fn seal(key: &[u8; 32], bound: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| VaultError::Cryptography)?;
    let mut text = plain.to_vec();
    let nonce = key
        .seal_in_place_append_tag(Aad::from(bound), &mut text)
        .map_err(|_| VaultError::Cryptography)?;
    let mut sealed = Vec::with_capacity(NONCE_LEN + text.len());
    sealed.extend_from_slice(nonce.as_ref());
    sealed.append(&mut text);
    Ok(sealed)
}

pub(super) fn open(
    key: &[u8; 32],
    bound: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| VaultError::Cryptography)?;
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::Unopened)?;
    let mut plain = Zeroizing::new(rest.to_vec());
    let opened = key.open_in_place(Nonce::from(nonce), Aad::from(bound), &mut plain);
    let length = opened.map_err(|_| VaultError::Unopened)?.len();
    plain.truncate(length);
    Ok(plain)
}
