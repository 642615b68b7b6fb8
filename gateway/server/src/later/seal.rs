//! What lies in the queue is sealed: requests and replies are personal, and the store's file is read
//! by backups. AES-256-GCM with a random nonce before it, bound to the letter and the part.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use gateway_core::{Fault, Kind};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Which part of a letter is sealed; the one cannot stand for the other.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// What is to be done.
    Content,
    /// What came of it.
    Outcome,
}

/// The key of the queue.
pub struct Seal(RandomizedNonceKey);

impl Seal {
    /// Seals with `key`.
    ///
    /// # Errors
    /// Never with a key of this length; the library cannot know.
    pub fn new(key: &[u8; 32]) -> Result<Self, aws_lc_rs::error::Unspecified> {
        RandomizedNonceKey::new(&AES_256_GCM, key).map(Self)
    }

    /// Nonce, ciphertext and tag.
    pub(super) fn close(&self, id: Uuid, part: Part, mut plain: Vec<u8>) -> Result<Vec<u8>, Fault> {
        let sealed = self.0.seal_in_place_append_tag(bound_to(id, part), &mut plain);
        let nonce = sealed.map_err(|_| unusable("it could not be sealed"))?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut plain);
        Ok(sealed)
    }

    /// What was sealed for this letter and part.
    pub(super) fn open(
        &self,
        id: Uuid,
        part: Part,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let changed = || unusable("it was sealed under another key, or changed");
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(changed)?;
        let mut plain = Zeroizing::new(rest.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.0.open_in_place(nonce, bound_to(id, part), &mut plain);
        let length = opened.map_err(|_| changed())?.len();
        plain.truncate(length);
        Ok(plain)
    }
}

fn bound_to(id: Uuid, part: Part) -> Aad<[u8; 17]> {
    let mut bound = [0; 17];
    bound[..16].copy_from_slice(id.as_bytes());
    bound[16] = part as u8;
    Aad::from(bound)
}

fn unusable(why: &str) -> Fault {
    Fault::new(Kind::Internal, "letter-unusable", "what was kept of this request is of no use")
        .context(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_as_itself() {
        let seal = Seal::new(&[7; 32]).unwrap();
        let (id, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let sealed = seal.close(id, Part::Content, b"personal".to_vec()).unwrap();
        assert_eq!(&seal.open(id, Part::Content, &sealed).unwrap()[..], b"personal");
        assert!(!sealed.windows(8).any(|window| window == b"personal"));
        assert!(seal.open(other, Part::Content, &sealed).is_err());
        assert!(seal.open(id, Part::Outcome, &sealed).is_err());
        assert!(Seal::new(&[8; 32]).unwrap().open(id, Part::Content, &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(seal.open(id, Part::Content, &changed).is_err(), "byte {at}");
            assert!(seal.open(id, Part::Content, &sealed[..at]).is_err(), "cut at {at}");
        }
    }
}
