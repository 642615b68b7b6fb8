//! Receipts: base64url (no padding) of a C2SP [tlog-proof] whose `extra` is the entry itself
//! (`docs/evidence.md`, section 6).
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra <base64 of the entry>
//! index <decimal>
//! <base64 of a hash>            one line per level, from the entry's sibling to the root's child
//!
//! <origin>                      the signed checkpoint
//! <tree size>
//! <base64 of the root>
//!
//! — <origin> <base64 of key id and signature>
//! ```
//!
//! # Length
//!
//! A field of 4,096 characters holds a text of 3,072 bytes. At 2^31 entries the parts other than
//! the entry take, for an origin of 30 characters: first line 23; index 6 + 10 + 1; proof
//! 31 × 45 = 1,395; empty line 1; checkpoint 31 + 11 + 45; empty line 1; signature line
//! 3 + 1 + 30 + 1 + 92 + 1: together 1,652. That leaves 1,420 for `extra `, the base64 of the
//! entry and the newline, so an entry may have 1,059 bytes. A submit under a consent, with every part
//! there is and names as long as usual, has less.
//!
//! [tlog-proof]: https://c2sp.org/tlog-proof

use std::fmt::Write;

use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use tlog_tiles::{Hash, check_record, record_hash};

use crate::key::{CheckpointError, VerifierKey};
use crate::writer::Placed;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1\n";
/// No receipt is longer: 65,535 bytes of entry and 64 hashes, twice in base64.
const LONGEST: usize = 128 << 10;

/// What a receipt proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The entry: see [`crate::leaf`].
    pub leaf: String,
    /// Its place in the log, from 0.
    pub index: u64,
    /// The size of the tree that the checkpoint signed.
    pub tree_size: u64,
    /// The log.
    pub origin: String,
}

/// Why a receipt proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Not base64url without padding.
    #[error("not a receipt: not base64url without padding")]
    Encoding,
    /// Not the text of a proof, or not in its one canonical form.
    #[error("not a receipt: not a canonical c2sp.org/tlog-proof@v1 with an entry")]
    Malformed,
    /// The checkpoint is not the log's.
    #[error("the checkpoint does not count: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The entry is not at this place of the tree that was signed.
    #[error("the entry is not in the tree that was signed")]
    NotIncluded,
}

/// The receipt for an entry.
pub(crate) fn encode(placed: &Placed) -> String {
    let text = proof_text(&placed.entry, placed.index, &placed.proof, &placed.checkpoint);
    URL_SAFE_NO_PAD.encode_to_string(text)
}

pub(crate) fn proof_text(entry: &[u8], index: u64, proof: &[Hash], checkpoint: &str) -> String {
    let mut text = String::with_capacity(128 + entry.len() * 4 / 3 + proof.len() * 45 + 256);
    text.push_str(FIRST_LINE);
    text.push_str("extra ");
    STANDARD.encode_append(entry, &mut text);
    // Writing to a string cannot fail.
    let _ = write!(text, "\nindex {index}\n");
    for hash in proof {
        STANDARD.encode_append(hash.0, &mut text);
        text.push('\n');
    }
    text.push('\n');
    text.push_str(checkpoint);
    text
}

/// Verifies a receipt offline against the log's public key.
///
/// Strict: there is exactly one text for each receipt, and every other is refused.
///
/// # Errors
/// Any [`VerifyError`].
pub fn verify(receipt: &str, key: &VerifierKey) -> Result<Verified, VerifyError> {
    verify_text(&text(receipt)?, key)
}

/// The text of a receipt, a C2SP tlog-proof; nothing is verified by this.
///
/// # Errors
/// [`VerifyError::Encoding`], [`VerifyError::Malformed`].
pub fn text(receipt: &str) -> Result<String, VerifyError> {
    if receipt.len() > LONGEST {
        return Err(VerifyError::Malformed);
    }
    let text = URL_SAFE_NO_PAD.decode_to_vec(receipt).map_err(|_| VerifyError::Encoding)?;
    String::from_utf8(text).map_err(|_| VerifyError::Malformed)
}

/// As [`verify`], of a receipt in its text form.
///
/// # Errors
/// As [`verify`].
pub fn verify_text(text: &str, key: &VerifierKey) -> Result<Verified, VerifyError> {
    let Parts { entry, index, proof, note } = parse(text).ok_or(VerifyError::Malformed)?;

    let checkpoint = key.open(note.as_bytes())?;
    let (size, root) = (checkpoint.size(), *checkpoint.hash());
    check_record(&proof, size, root, index, record_hash(&entry))
        .map_err(|_| VerifyError::NotIncluded)?;
    Ok(Verified {
        leaf: String::from_utf8(entry).map_err(|_| VerifyError::Malformed)?,
        index,
        tree_size: size,
        origin: checkpoint.origin().to_owned(),
    })
}

struct Parts<'a> {
    entry: Vec<u8>,
    index: u64,
    proof: Vec<Hash>,
    note: &'a str,
}

/// Takes the text apart, and puts it together again to see that it was the canonical one.
fn parse(text: &str) -> Option<Parts<'_>> {
    let (head, note) = text.strip_prefix(FIRST_LINE)?.split_once("\n\n")?;
    let mut lines = head.split('\n');
    let entry = lines.next()?.strip_prefix("extra ")?;
    let entry = STANDARD.decode_to_vec(entry).ok()?;
    let index = lines.next()?.strip_prefix("index ")?.parse().ok()?;
    let proof = lines.map(Hash::parse_hash).collect::<Result<_, _>>().ok()?;
    let parts = Parts { entry, index, proof, note };
    let again = proof_text(&parts.entry, parts.index, &parts.proof, parts.note);
    (again == text).then_some(parts)
}

#[cfg(test)]
mod tests;
