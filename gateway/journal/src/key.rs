//! The log's Ed25519 key pair in the text forms of [signed-note], and the checkpoints it signs.
//!
//! [signed-note]: https://c2sp.org/signed-note

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::rand;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64_simd::STANDARD;
use signed_note::{Note, Verifier, VerifierList};
use tlog_tiles::{Checkpoint, Hash};
use zeroize::Zeroizing;

/// The signature type of Ed25519, which precedes every key (signed-note, "Signature types").
const TYPE_ED25519: u8 = 0x01;
const SECRET_PREFIX: &str = "PRIVATE+KEY+";

/// Why a text is not a key. It does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not the text form of an Ed25519 key.
    #[error("not an Ed25519 note key: `[PRIVATE+KEY+]name+hash+base64` is expected")]
    Malformed,
    /// The name is empty or holds a space or a plus.
    #[error("a key name must not be empty and must not hold spaces or `+`")]
    Name,
    /// The hash in the text is not the key's.
    #[error("the key and its hash do not belong together; part of the text was changed")]
    Hash,
    /// The operating system gave no random bytes.
    #[error("no random bytes to be had from the operating system")]
    Random,
}

/// Signs checkpoints. Its name is the origin of the log.
pub struct LogKey {
    pair: Ed25519KeyPair,
    seed: Zeroizing<[u8; 32]>,
    verifier: VerifierKey,
}

impl LogKey {
    /// A new key for the log named `name`.
    ///
    /// # Errors
    /// [`KeyError::Name`], [`KeyError::Random`].
    pub fn generate(name: &str) -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        rand::fill(&mut *seed).map_err(|_| KeyError::Random)?;
        Self::from_seed(name, seed)
    }

    fn from_seed(name: &str, seed: Zeroizing<[u8; 32]>) -> Result<Self, KeyError> {
        if !signed_note::is_key_name_valid(name) || name.chars().any(char::is_control) {
            return Err(KeyError::Name);
        }
        let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).map_err(|_| KeyError::Malformed)?;
        let public = [&[TYPE_ED25519], pair.public_key().as_ref()].concat();
        let id = signed_note::key_id(name, &public);
        let verifier = format!("{name}+{id:08x}+{}", STANDARD.encode_to_string(public)).parse()?;
        Ok(Self { pair, seed, verifier })
    }

    /// The secret as `PRIVATE+KEY+name+hash+base64`. Whoever has it can forge this log.
    pub fn secret(&self) -> Zeroizing<String> {
        let typed = Zeroizing::new([&[TYPE_ED25519], self.seed.as_slice()].concat());
        let encoded = Zeroizing::new(STANDARD.encode_to_string(&*typed));
        let (name, id) = (&self.verifier.name, self.verifier.id);
        Zeroizing::new(format!("{SECRET_PREFIX}{name}+{id:08x}+{}", *encoded))
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The signed checkpoint of the tree of `size` entries whose root is `root`.
    pub(crate) fn checkpoint(&self, size: u64, root: Hash) -> String {
        let VerifierKey { name, id, .. } = &self.verifier;
        let text = format!("{name}\n{size}\n{root}\n");
        let signature = self.pair.sign(text.as_bytes());
        let signed = [&id.to_be_bytes(), signature.as_ref()].concat();
        format!("{text}\n— {name} {}\n", STANDARD.encode_to_string(signed))
    }
}

impl FromStr for LogKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let rest = text.strip_prefix(SECRET_PREFIX).ok_or(KeyError::Malformed)?;
        let (name, rest) = rest.split_once('+').ok_or(KeyError::Malformed)?;
        let (_, encoded) = rest.split_once('+').ok_or(KeyError::Malformed)?;
        let typed =
            STANDARD.decode_to_vec(encoded).map(Zeroizing::new).map_err(|_| KeyError::Malformed)?;
        let seed = match typed.split_first() {
            Some((&TYPE_ED25519, seed)) => seed.try_into().map_err(|_| KeyError::Malformed)?,
            _ => return Err(KeyError::Malformed),
        };
        let key = Self::from_seed(name, Zeroizing::new(seed))?;
        if *key.secret() == text { Ok(key) } else { Err(KeyError::Hash) }
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogKey").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

/// Verifies checkpoints; public. Its text form is `name+hash+base64` ("vkey").
#[derive(Clone)]
pub struct VerifierKey {
    name: String,
    id: u32,
    text: String,
    public: UnparsedPublicKey<Vec<u8>>,
}

impl Verifier for VerifierKey {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.id
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        self.public.verify(text, signature).is_ok()
    }
}

impl VerifierKey {
    /// The name of the key, which is the origin of its log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads a signed checkpoint of this key's log. There must be exactly one signature, and it
    /// must be this key's: nobody else has said anything about the tree that counts here.
    pub(crate) fn open(&self, note: &[u8]) -> Result<Checkpoint, CheckpointError> {
        let (checkpoint, others) = self.open_among_others(note)?;
        if others > 0 { Err(CheckpointError::Signature) } else { Ok(checkpoint) }
    }

    /// Reads a checkpoint that this key has signed, and perhaps others too: witnesses add their
    /// cosignatures to what a log publishes. What they say is read by [`crate::Witnesses`].
    ///
    /// # Errors
    /// Any [`CheckpointError`].
    pub fn open_cosigned(&self, note: &[u8]) -> Result<Checkpoint, CheckpointError> {
        Ok(self.open_among_others(note)?.0)
    }

    /// With the number of signatures beside this key's own.
    fn open_among_others(&self, note: &[u8]) -> Result<(Checkpoint, usize), CheckpointError> {
        let note = Note::from_bytes(note).map_err(|_| CheckpointError::Malformed)?;
        let checkpoint =
            Checkpoint::from_bytes(note.text()).map_err(|_| CheckpointError::Malformed)?;
        let keys = VerifierList::new(vec![Box::new(self.clone())]);
        let others = match note.verify(&keys) {
            Ok((verified, unknown)) if verified.len() == 1 => unknown.len(),
            _ => return Err(CheckpointError::Signature),
        };
        if checkpoint.origin() != self.name || !checkpoint.extension().is_empty() {
            return Err(CheckpointError::Origin);
        }
        Ok((checkpoint, others))
    }
}

/// Why a checkpoint is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a signed note that holds a checkpoint.
    #[error("it is not a signed checkpoint")]
    Malformed,
    /// Not signed by the key, or by others too.
    #[error("it is not signed by the given key, and by it alone")]
    Signature,
    /// Of another log, or with lines that are not known.
    #[error("it is a checkpoint of another log")]
    Origin,
    /// A line in the name of a witness that is not the witness's.
    #[error("a cosignature in it is not its witness's")]
    Cosignature,
    /// Too few of the witnesses that count have cosigned it.
    #[error("{found} of the witnesses have cosigned it, {wanted} are wanted")]
    Quorum {
        /// How many have.
        found: usize,
        /// How many must.
        wanted: usize,
    },
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let VKey { name, id, public } = VKey::parse(text, TYPE_ED25519)?;
        let public = UnparsedPublicKey::new(&ED25519, public);
        Ok(Self { name, id, text: text.to_owned(), public })
    }
}

/// The parts of a verifier key's text, `name+hash+base64` (signed-note, "Verifier keys").
pub(crate) struct VKey {
    pub(crate) name: String,
    pub(crate) id: u32,
    pub(crate) public: Vec<u8>,
}

impl VKey {
    /// Takes a text apart whose key has 32 bytes and is of signature type `of`.
    pub(crate) fn parse(text: &str, of: u8) -> Result<Self, KeyError> {
        let mut parts = text.splitn(3, '+');
        let mut part = || parts.next().ok_or(KeyError::Malformed);
        let (name, hash, encoded) = (part()?, part()?, part()?);
        if !signed_note::is_key_name_valid(name) || name.chars().any(char::is_control) {
            return Err(KeyError::Name);
        }
        let typed = STANDARD.decode_to_vec(encoded).map_err(|_| KeyError::Malformed)?;
        let id = signed_note::key_id(name, &typed);
        match typed.split_first() {
            Some((kind, public)) if *kind == of && public.len() == 32 => {
                let right = format!("{id:08x}") == hash;
                let key = Self { name: name.to_owned(), id, public: public.to_vec() };
                if right { Ok(key) } else { Err(KeyError::Hash) }
            }
            _ => Err(KeyError::Malformed),
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the documentation of signed-note's reference implementation.
    const SECRET: &str =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    #[test]
    fn keys_of_the_reference_implementation_are_read() {
        let key: LogKey = SECRET.parse().unwrap();
        assert_eq!(key.secret().as_str(), SECRET);
        assert_eq!(key.verifier().to_string(), PUBLIC);
    }

    #[test]
    fn a_generated_key_survives_its_text() {
        let key = LogKey::generate("log.example").unwrap();
        let again: LogKey = key.secret().parse().unwrap();
        assert_eq!(again.verifier().to_string(), key.verifier().to_string());
        let note = again.checkpoint(3, tlog_tiles::record_hash(b"x"));
        let checkpoint = key.verifier().open(note.as_bytes()).unwrap();
        assert_eq!((checkpoint.origin(), checkpoint.size()), ("log.example", 3));
    }

    #[test]
    fn a_changed_key_text_is_refused() {
        let other_name = SECRET.replace("Peter", "Paula");
        assert_eq!(other_name.parse::<LogKey>().unwrap_err(), KeyError::Hash);
        let upper_hash = SECRET.replace("c74f", "C74F");
        assert_eq!(upper_hash.parse::<LogKey>().unwrap_err(), KeyError::Hash);
        assert_eq!(PUBLIC.parse::<LogKey>().unwrap_err(), KeyError::Malformed);
        assert_eq!(LogKey::generate("a b").unwrap_err(), KeyError::Name);
        assert_eq!(LogKey::generate("").unwrap_err(), KeyError::Name);
        assert!(SECRET.parse::<VerifierKey>().is_err());
    }

    #[test]
    fn debug_shows_no_secret() {
        let key: LogKey = SECRET.parse().unwrap();
        assert!(!format!("{key:?}").contains("AYEKFALV"));
    }

    #[test]
    fn only_this_keys_checkpoints_are_opened() {
        let (key, other) =
            (LogKey::generate("log.example").unwrap(), LogKey::generate("log.example").unwrap());
        let root = tlog_tiles::record_hash(b"x");
        let note = key.checkpoint(1, root);
        let open = |text: &str| key.verifier().open(text.as_bytes()).map(|_| ());
        assert_eq!(open(&note), Ok(()));
        assert_eq!(open(&other.checkpoint(1, root)), Err(CheckpointError::Signature));
        let (_, signature) = other.checkpoint(1, root).split_once("\n\n").map(own).unwrap();
        assert_eq!(open(&format!("{note}{signature}")), Err(CheckpointError::Signature));
        assert_eq!(open(note.trim_end_matches('\n')), Err(CheckpointError::Malformed));
    }

    fn own((a, b): (&str, &str)) -> (String, String) {
        (a.to_owned(), b.to_owned())
    }
}
