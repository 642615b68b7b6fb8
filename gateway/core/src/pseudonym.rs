//! A person as ledgers and records name them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A keyed hash of a person's identifier: 32 bytes, different in every sector and domain.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pseudonym(pub [u8; 32]);

impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Makes pseudonyms. There is one implementation, which holds the sectors' keys.
pub trait Pseudonymize: Send + Sync {
    /// HMAC-SHA-256 of `identifier` under the key of `sector` and `domain`.
    ///
    /// `domain` keeps uses apart that must not be joined: one programme group from another, and
    /// ledgers from consent records.
    fn pseudonym(&self, sector: &str, domain: &str, identifier: &[u8]) -> Pseudonym;
}
