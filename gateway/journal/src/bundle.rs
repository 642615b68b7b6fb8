//! Evidence of one exchange in one file, which is verified with nothing but public keys
//! (`docs/evidence.md`, section 8). It is JSON in one form only: one changed byte, and it is refused.

use base64_simd::URL_SAFE_NO_PAD;
use gateway_core::ExchangeId;
use serde::{Deserialize, Serialize};

use crate::commitment::{Part, commit};
use crate::key::VerifierKey;
use crate::published::{self, Published, ReadError, SignedTree};
use crate::receipt::{Verified, VerifyError, proof_text, verify_text};
use crate::wal;

const FORMAT: &str = "naru-evidence-bundle-v1";
/// Longer than any bundle that a gateway writes.
const LONGEST: usize = 1 << 30;

/// A bundle. Keys are in the order of the alphabet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    entries: Vec<BundledEntry>,
    format: String,
}

/// An entry with its proof, and parts of it that are opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundledEntry {
    /// Opened parts, in the order of [`Part::ALL`].
    pub openings: Vec<Opening>,
    /// The receipt as a tlog-proof text.
    pub receipt: String,
}

/// One part, opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    bytes: String,
    part: String,
    salt: String,
}

impl Opening {
    /// Opens `part` with its salt.
    pub fn new(part: Part, salt: &[u8; 32], bytes: &[u8]) -> Self {
        Self {
            bytes: URL_SAFE_NO_PAD.encode_to_string(bytes),
            part: part.name().to_owned(),
            salt: URL_SAFE_NO_PAD.encode_to_string(salt),
        }
    }
}

/// Why a bundle proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Not a bundle, or not in its one form.
    #[error("not a {FORMAT}, or changed")]
    Malformed,
    /// An entry is not in the log.
    #[error("entry {0}: {1}")]
    Entry(usize, VerifyError),
    /// An entry does not commit to what is opened of it.
    #[error("entry {0}: its part {1} is not what the entry commits to")]
    Opening(usize, String),
    /// The entries are of several exchanges.
    #[error("the entries are not of one exchange")]
    Mixed,
}

/// What a bundle proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedEntry {
    /// The entry and its place.
    pub entry: Verified,
    /// What was opened: the part's name and its bytes.
    pub opened: Vec<(Part, Vec<u8>)>,
}

/// What is read of an entry.
#[derive(Deserialize)]
struct Leaf {
    exchange: ExchangeId,
    commit: serde_json::Map<String, serde_json::Value>,
}

impl Bundle {
    /// A bundle of these entries of one exchange.
    pub fn new(entries: Vec<BundledEntry>) -> Self {
        Self { entries, format: FORMAT.to_owned() }
    }

    /// Verifies a bundle offline.
    ///
    /// # Errors
    /// Any [`BundleError`].
    pub fn verify(text: &str, key: &VerifierKey) -> Result<Vec<VerifiedEntry>, BundleError> {
        if text.len() > LONGEST {
            return Err(BundleError::Malformed);
        }
        let bundle: Self = serde_json::from_str(text).map_err(|_| BundleError::Malformed)?;
        let again = serde_json::to_string(&bundle).map_err(|_| BundleError::Malformed)?;
        let right = text.strip_suffix('\n') == Some(&*again)
            && bundle.format == FORMAT
            && !bundle.entries.is_empty();
        if !right {
            return Err(BundleError::Malformed);
        }
        let mut exchanges = Vec::new();
        let mut verified = Vec::new();
        for (number, entry) in bundle.entries.iter().enumerate() {
            let (exchange, entry) = entry.verify(number, key)?;
            exchanges.push(exchange);
            verified.push(entry);
        }
        exchanges.dedup();
        if exchanges.len() == 1 { Ok(verified) } else { Err(BundleError::Mixed) }
    }
}

impl BundledEntry {
    fn verify(
        &self,
        number: usize,
        key: &VerifierKey,
    ) -> Result<(ExchangeId, VerifiedEntry), BundleError> {
        let entry = verify_text(&self.receipt, key);
        let entry = entry.map_err(|error| BundleError::Entry(number, error))?;
        let leaf: Leaf = serde_json::from_str(&entry.leaf).map_err(|_| BundleError::Malformed)?;
        let mut opened: Vec<(Part, Vec<u8>)> = Vec::new();
        for opening in &self.openings {
            let part = Part::named(&opening.part).ok_or(BundleError::Malformed)?;
            if opened.last().is_some_and(|(last, _)| *last >= part) {
                return Err(BundleError::Malformed);
            }
            let bytes = opening.open(leaf.commit.get(part.name()));
            let bytes = bytes.ok_or_else(|| BundleError::Opening(number, opening.part.clone()))?;
            opened.push((part, bytes));
        }
        Ok((leaf.exchange, VerifiedEntry { entry, opened }))
    }
}

impl Opening {
    /// The bytes, if `commitment` is one to them.
    fn open(&self, commitment: Option<&serde_json::Value>) -> Option<Vec<u8>> {
        let salt = URL_SAFE_NO_PAD.decode_to_vec(&self.salt).ok()?;
        let bytes = URL_SAFE_NO_PAD.decode_to_vec(&self.bytes).ok()?;
        let made = commit(salt.as_slice().try_into().ok()?, &bytes);
        (commitment?.as_str()? == made).then_some(bytes)
    }
}

/// The receipt of the entry at `index`, as a tlog-proof text against the published checkpoint of a log.
///
/// # Errors
/// Any [`ReadError`]; [`ReadError::Missing`] when the entry is not published.
pub fn prove(log: &dyn Published, key: &VerifierKey, index: u64) -> Result<String, ReadError> {
    let note = published::checkpoint(log)?;
    let changed = || ReadError::Changed("checkpoint".to_owned());
    let checkpoint = key.open_cosigned(&note).map_err(|_| changed())?;
    let (size, root) = (checkpoint.size(), *checkpoint.hash());
    let missing = || ReadError::Missing(format!("entry {index}"));
    if index >= size {
        return Err(missing());
    }
    let proof = SignedTree::new(log, size, root).inclusion(index)?;
    let first = index - index % 256;
    let width = u32::try_from((size - first).min(256)).map_err(|_| missing())?;
    let bundle = published::bundle(log, index / 256, width)?;
    let entries = wal::entries(&bundle).ok_or_else(missing)?;
    let entry = usize::try_from(index - first).ok().and_then(|at| entries.get(at).copied());
    let note = str::from_utf8(&note).map_err(|_| changed())?;
    let text = proof_text(entry.ok_or_else(missing)?, index, &proof, &signed_by(note, key));
    // What is handed out is verified first: a changed tile must not become a useless bundle.
    verify_text(&text, key).map_err(|_| ReadError::Changed(format!("entry {index}")))?;
    Ok(text)
}

/// A checkpoint with the signature of its log alone, as receipts have it: witnesses sign the published
/// one besides.
fn signed_by(note: &str, key: &VerifierKey) -> String {
    let ours = format!("— {} ", key.name());
    let (text, signatures) = note.split_once("\n\n").unwrap_or((note, ""));
    let signatures = signatures.lines().filter(|line| line.starts_with(&ours));
    signatures.fold(format!("{text}\n\n"), |note, line| note + line + "\n")
}

#[cfg(test)]
mod tests {
    use tlog_tiles::record_hash;

    use super::*;
    use crate::key::LogKey;

    fn sample(key: &LogKey) -> String {
        let salt = [9; 32];
        let bytes = "답신 \"0000\"".as_bytes();
        let entry = format!(
            r#"{{"v":2,"exchange":"0192f0a4-5c1e-7d3a-8b4f-00000000abcd","commit":{{"reply":"{}"}}}}"#,
            commit(&salt, bytes)
        );
        let checkpoint = key.checkpoint(1, record_hash(entry.as_bytes()));
        let receipt = proof_text(entry.as_bytes(), 0, &[], &checkpoint);
        let openings = vec![Opening::new(Part::Reply, &salt, bytes)];
        let bundle = Bundle::new(vec![BundledEntry { openings, receipt }]);
        serde_json::to_string(&bundle).unwrap() + "\n"
    }

    #[test]
    fn a_bundle_opens_what_its_entry_commits_to() {
        let key = LogKey::generate("log.example").unwrap();
        let verified = Bundle::verify(&sample(&key), key.verifier()).unwrap();
        let opened = &verified.first().unwrap().opened;
        assert_eq!(*opened, [(Part::Reply, "답신 \"0000\"".as_bytes().to_vec())]);
        let stranger = LogKey::generate("log.example").unwrap();
        assert!(Bundle::verify(&sample(&key), stranger.verifier()).is_err());
    }

    #[test]
    fn one_changed_byte_spoils_a_bundle() {
        let key = LogKey::generate("log.example").unwrap();
        let text = sample(&key);
        for position in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            let right = bytes[position];
            for wrong in [right ^ 1, right ^ 0x20, b'A', b'0', b' ', b'"', b'\\', b'/'] {
                bytes[position] = wrong;
                let Ok(changed) = str::from_utf8(&bytes) else { continue };
                let refused = Bundle::verify(changed, key.verifier()).is_err();
                assert!(refused || wrong == right, "{wrong} at {position} was accepted");
            }
            assert!(
                Bundle::verify(&text[..text.floor_char_boundary(position)], key.verifier())
                    .is_err()
            );
        }
        assert!(Bundle::verify(&format!("{text}\n"), key.verifier()).is_err());
        assert!(Bundle::verify("", key.verifier()).is_err());
    }
}
