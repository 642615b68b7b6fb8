//! That a person or an office did one act: what consents, step-up checks and links demand. Those who
//! verify evidence make it (the bridges, `identity`, an agency's desk); the domain takes it as it is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Assurance, MemberId};

/// That one act was done, by whom, and how sure that is. It holds no personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// By what the act was shown to be theirs.
    pub means: ProofMeans,
    /// How much that is worth.
    pub assurance: Assurance,
    /// When it was done.
    pub time: Timestamp,
    /// SHA-256 of the act that it covers; it proves no other.
    #[serde(with = "hex_digest")]
    pub act: [u8; 32],
    /// Where the evidence is kept: a document number, a credential's id. A reference, never the
    /// evidence itself.
    pub evidence: String,
}

/// By what an act was shown to be that of the person, or of who acts for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum ProofMeans {
    /// A signature with the person's certificate.
    Certificate,
    /// An assertion of the person's passkey.
    Passkey,
    /// A presentation of the person's wallet.
    Wallet,
    /// An office holds the act on paper, signed by the person.
    AgencyPaper {
        /// The office.
        office: MemberId,
    },
    /// The person acted in a session that an office opened for them after identifying them.
    AgencySession {
        /// The office.
        office: MemberId,
    },
}

/// 32 bytes as 64 lower-case hex digits.
pub(crate) mod hex_digest {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(digest: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&crate::Pseudonym(*digest))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(from)?;
        let digit = |place: usize| {
            let pair = text.get(place * 2..place * 2 + 2)?;
            let plain = pair.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            plain.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
        };
        let mut digest = [0; 32];
        for (place, byte) in digest.iter_mut().enumerate() {
            *byte = digit(place).ok_or_else(|| D::Error::custom("64 hex digits wanted"))?;
        }
        match text.len() {
            64 => Ok(digest),
            _ => Err(D::Error::custom("64 hex digits wanted")),
        }
    }
}
