//! The one place where pseudonyms are made, with the sectors' keys.

use std::collections::HashMap;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use gateway_core::{Pseudonym, Pseudonymize};
use zeroize::Zeroizing;

/// A key for each sector; the key of a domain is derived from it.
pub struct Pseudonyms {
    sectors: HashMap<String, Key>,
    /// For a sector without a key, which start-up refuses: pseudonyms that match nothing.
    none: Key,
}

impl Pseudonyms {
    /// Takes one key per sector.
    pub fn new(keys: impl IntoIterator<Item = (String, Zeroizing<[u8; 32]>)>) -> Self {
        let key = |bytes: &[u8]| Key::new(HMAC_SHA256, bytes);
        let sectors = keys.into_iter().map(|(sector, bytes)| (sector, key(bytes.as_slice())));
        Self { sectors: sectors.collect(), none: key(uuid::Uuid::new_v4().as_bytes()) }
    }

    /// True when the sector has a key.
    pub fn has(&self, sector: &str) -> bool {
        self.sectors.contains_key(sector)
    }
}

impl Pseudonymize for Pseudonyms {
    fn pseudonym(&self, sector: &str, domain: &str, identifier: &[u8]) -> Pseudonym {
        let sector = self.sectors.get(sector).unwrap_or(&self.none);
        let domain = Key::new(HMAC_SHA256, sign(sector, domain.as_bytes()).as_ref());
        let mut pseudonym = [0; 32];
        pseudonym.copy_from_slice(sign(&domain, identifier).as_ref());
        Pseudonym(pseudonym)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sectors_and_domains_cannot_be_joined() {
        let keys = [("a", 1), ("b", 2)].map(|(s, byte)| (s.to_owned(), Zeroizing::new([byte; 32])));
        let pseudonyms = Pseudonyms::new(keys);
        let name = |sector, domain| pseudonyms.pseudonym(sector, domain, b"9001011234567");
        assert_eq!(name("a", "housing"), name("a", "housing"));
        assert_ne!(name("a", "housing"), name("a", "child"));
        assert_ne!(name("a", "housing"), name("b", "housing"));
    }
}
