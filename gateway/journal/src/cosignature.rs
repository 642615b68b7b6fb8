//! What witnesses say about a checkpoint: [cosignatures], each by a party of its own that has seen
//! every tree of the log grow out of the one before.
//!
//! Only the Ed25519 kind is read. Signatures by keys that are not asked for are ignored, as the
//! specification wants; one by a key that is asked for must be right.
//!
//! [cosignatures]: https://c2sp.org/tlog-cosignature

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use jiff::Timestamp;
use signed_note::{Note, NoteError, Signature, Verifier, VerifierList};

use crate::key::{CheckpointError, KeyError, VKey};

/// The signature type of Ed25519 cosignatures (tlog-cosignature, "Format").
const TYPE_COSIGNATURE: u8 = 0x04;

/// A witness's public key. Its text form is a vkey of type 0x04.
#[derive(Clone)]
pub struct CosignerKey {
    name: String,
    id: u32,
    public: UnparsedPublicKey<Vec<u8>>,
}

impl CosignerKey {
    /// The witness's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for CosignerKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let VKey { name, id, public } = VKey::parse(text, TYPE_COSIGNATURE)?;
        Ok(Self { name, id, public: UnparsedPublicKey::new(&ED25519, public) })
    }
}

impl fmt::Debug for CosignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CosignerKey({})", self.name)
    }
}

impl Verifier for CosignerKey {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.id
    }

    /// `signature` is the time, 8 bytes, and the signature over two lines of header and the note's
    /// text (tlog-cosignature, "Ed25519 signed message").
    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        let Some((time, signature)) = split(signature) else {
            return false;
        };
        let header = format!("cosignature/v1\ntime {time}\n");
        self.public.verify(&[header.as_bytes(), text].concat(), signature).is_ok()
    }
}

fn split(signature: &[u8]) -> Option<(u64, &[u8])> {
    let (time, signature) = signature.split_first_chunk()?;
    let time = u64::from_be_bytes(*time);
    (time > 0 && signature.len() == 64).then_some((time, signature))
}

/// That a witness has seen a tree grow out of all those it had seen before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// Who.
    pub witness: String,
    /// When, by the witness's clock.
    pub time: Timestamp,
    /// The signature line, with its newline.
    pub(crate) line: String,
}

/// The witnesses that count, and how many of them are needed.
#[derive(Clone, Debug, Default)]
pub struct Witnesses {
    /// Their keys.
    pub keys: Vec<CosignerKey>,
    /// How many must have cosigned a checkpoint.
    pub quorum: usize,
}

impl Witnesses {
    /// Who of them has cosigned `note`, each once.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`]; [`CheckpointError::Cosignature`] when a line names one of
    /// them and is not theirs; [`CheckpointError::Quorum`] when fewer than the quorum have.
    pub fn check(&self, note: &[u8]) -> Result<Vec<Cosignature>, CheckpointError> {
        let found = self.cosignatures(note)?;
        if found.len() < self.quorum {
            return Err(CheckpointError::Quorum { found: found.len(), wanted: self.quorum });
        }
        Ok(found)
    }

    pub(crate) fn cosignatures(&self, note: &[u8]) -> Result<Vec<Cosignature>, CheckpointError> {
        let note = Note::from_bytes(note).map_err(|_| CheckpointError::Malformed)?;
        let keys = self.keys.iter().map(|key| Box::new(key.clone()) as Box<dyn Verifier>);
        match note.verify(&VerifierList::new(keys.collect())) {
            Ok((theirs, _)) => theirs.iter().map(cosignature).collect(),
            Err(NoteError::UnverifiedNote) => Ok(Vec::new()),
            Err(_) => Err(CheckpointError::Cosignature),
        }
    }
}

fn cosignature(signature: &Signature) -> Result<Cosignature, CheckpointError> {
    let seconds = split(signature.signature()).and_then(|(time, _)| time.try_into().ok());
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let line = String::from_utf8(signature.to_bytes());
    match (time, line) {
        (Some(time), Ok(line)) => {
            Ok(Cosignature { witness: signature.name().to_owned(), time, line })
        }
        _ => Err(CheckpointError::Cosignature),
    }
}
