//! What is kept beside the evidence log: what an entry must not hold and its owner may still need. It
//! becomes durable together with its entry and is handed on to the [`Archive`] afterwards, in order.
//!
//! An archive is not evidence: what it says of an exchange is worth what the entry's commitments make
//! of it.

use std::fmt;

/// What is kept beside one entry. Bodies in it are sealed; nothing here is personal data in the clear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    /// The part `details` of the entry.
    pub details: Vec<u8>,
    /// The part `consent`.
    pub consent: Option<Vec<u8>>,
    /// The part `ledger`.
    pub ledger: Option<Vec<u8>>,
    /// SHA-256 of the part `certificate`.
    pub certificate: Option<[u8; 32]>,
    /// The part `certificate` itself, where it was not handed on before.
    pub certificate_der: Option<Vec<u8>>,
    /// What is sealed.
    pub sealed: Option<Sealed>,
}

/// Bodies under one data key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// The key they are sealed under; the entry's salts come from it too.
    pub key: [u8; 16],
    /// The key itself, wrapped, where it was not handed on before.
    pub new_key: Option<NewKey>,
    /// Until when they are kept, in milliseconds since 1970.
    pub keep_until: i64,
    /// Each sealed body with the name of its part.
    pub bodies: Vec<(String, Vec<u8>)>,
}

/// A data key that nobody keeps yet.
#[derive(Clone, PartialEq, Eq)]
pub struct NewKey {
    /// Whom it is for: the person's pseudonym, or what stands for a member.
    pub holder: [u8; 32],
    /// The purpose that it is for.
    pub purpose: String,
    /// The shard whose key wraps it.
    pub shard: u32,
    /// It, wrapped.
    pub wrapped: Vec<u8>,
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey").field("purpose", &self.purpose).finish_non_exhaustive()
    }
}

/// An entry of the log with its attachment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its index.
    pub index: u64,
    /// The entry.
    pub entry: Vec<u8>,
    /// Its attachment, encoded.
    pub attachment: Vec<u8>,
}

/// Why an archive does not keep what it was handed.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be written or read.
    #[error("the archive cannot be used: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What it was handed is not what an archive keeps.
    #[error("entry {0} or its attachment is not what was written")]
    Unreadable(u64),
}

/// Keeps attachments. It is called from one thread of the log's, which may block.
pub trait Archive: Send + Sync {
    /// The index up to which it has been handed everything: what comes before is never handed in
    /// again, and would be ignored.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`].
    fn next(&self) -> Result<u64, ArchiveError>;

    /// Keeps these, all or none. What it keeps already it ignores.
    ///
    /// # Errors
    /// Any [`ArchiveError`]; then it is asked again later.
    fn keep(&self, entries: &[Kept]) -> Result<(), ArchiveError>;

    /// Returns once everything kept is on disk: the log gives up its own copy then.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`].
    fn sync(&self) -> Result<(), ArchiveError>;
}

const DETAILS: u8 = 1;
const CONSENT: u8 = 2;
const LEDGER: u8 = 3;
const CERTIFICATE: u8 = 4;
const CERTIFICATE_DER: u8 = 5;
const KEY: u8 = 6;
const NEW_KEY: u8 = 7;
const KEEP_UNTIL: u8 = 8;
const BODY: u8 = 9;

impl Attachment {
    /// As the log keeps it: fields of tag (1 byte) ‖ length (4 bytes, big-endian) ‖ content.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.details.len());
        put(&mut out, DETAILS, &[&self.details]);
        let optional = [(CONSENT, &self.consent), (LEDGER, &self.ledger)];
        for (tag, bytes) in optional {
            bytes.iter().for_each(|bytes| put(&mut out, tag, &[bytes]));
        }
        self.certificate.iter().for_each(|hash| put(&mut out, CERTIFICATE, &[hash]));
        self.certificate_der.iter().for_each(|der| put(&mut out, CERTIFICATE_DER, &[der]));
        if let Some(sealed) = &self.sealed {
            sealed.encode(&mut out);
        }
        out
    }

    /// Reads what [`Attachment::encode`] wrote; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut read = Self::default();
        let mut sealed = Sealed::default();
        let mut rest = bytes;
        let mut last = 0;
        while let Some((tag, tail)) = rest.split_first() {
            let (field, tail) = counted(tail)?;
            rest = tail;
            if *tag < last || (*tag == last && *tag != BODY) {
                return None;
            }
            last = *tag;
            match *tag {
                DETAILS => read.details = field.to_vec(),
                CONSENT => read.consent = Some(field.to_vec()),
                LEDGER => read.ledger = Some(field.to_vec()),
                CERTIFICATE => read.certificate = Some(field.try_into().ok()?),
                CERTIFICATE_DER => read.certificate_der = Some(field.to_vec()),
                KEY => {
                    sealed.key = field.try_into().ok()?;
                    read.sealed = Some(Sealed::default());
                }
                _ if read.sealed.is_none() => return None,
                NEW_KEY => sealed.new_key = Some(NewKey::decode(field)?),
                KEEP_UNTIL => sealed.keep_until = i64::from_be_bytes(field.try_into().ok()?),
                BODY => {
                    let (name, body) = counted(field)?;
                    sealed.bodies.push((str::from_utf8(name).ok()?.to_owned(), body.to_vec()));
                }
                _ => return None,
            }
        }
        read.sealed = read.sealed.map(|_| sealed);
        Some(read)
    }
}

impl Sealed {
    fn encode(&self, out: &mut Vec<u8>) {
        put(out, KEY, &[&self.key]);
        if let Some(NewKey { holder, purpose, shard, wrapped }) = &self.new_key {
            put(
                out,
                NEW_KEY,
                &[holder, &shard.to_be_bytes(), &length(purpose), purpose.as_bytes(), wrapped],
            );
        }
        put(out, KEEP_UNTIL, &[&self.keep_until.to_be_bytes()]);
        for (part, sealed) in &self.bodies {
            put(out, BODY, &[&length(part), part.as_bytes(), sealed]);
        }
    }
}

impl NewKey {
    fn decode(field: &[u8]) -> Option<Self> {
        let (holder, rest) = field.split_first_chunk()?;
        let (shard, rest) = rest.split_first_chunk()?;
        let (purpose, wrapped) = counted(rest)?;
        Some(Self {
            holder: *holder,
            purpose: str::from_utf8(purpose).ok()?.to_owned(),
            shard: u32::from_be_bytes(*shard),
            wrapped: wrapped.to_vec(),
        })
    }
}

fn length(text: &str) -> [u8; 4] {
    (text.len() as u32).to_be_bytes()
}

fn put(out: &mut Vec<u8>, tag: u8, pieces: &[&[u8]]) {
    let total: usize = pieces.iter().map(|piece| piece.len()).sum();
    out.push(tag);
    out.extend_from_slice(&(total as u32).to_be_bytes());
    pieces.iter().for_each(|piece| out.extend_from_slice(piece));
}

/// Takes a length of four bytes and that many bytes off the front.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Attachment {
        Attachment {
            details: b"{}".to_vec(),
            consent: Some(b"c".to_vec()),
            ledger: Some(vec![]),
            certificate: Some([1; 32]),
            certificate_der: Some(vec![2; 300]),
            sealed: Some(Sealed {
                key: [3; 16],
                new_key: Some(NewKey {
                    holder: [4; 32],
                    purpose: "목적".into(),
                    shard: 7,
                    wrapped: vec![5; 60],
                }),
                keep_until: -1,
                bodies: vec![("request".into(), vec![6; 20]), ("reply".into(), vec![])],
            }),
        }
    }

    #[test]
    fn an_attachment_survives_its_bytes() {
        for attachment in [Attachment::default(), full()] {
            assert_eq!(Attachment::decode(&attachment.encode()), Some(attachment));
        }
    }

    #[test]
    fn nothing_else_is_an_attachment_and_nothing_panics() {
        let bytes = full().encode();
        let ends = (0..bytes.len()).filter(|end| Attachment::decode(&bytes[..*end]).is_some());
        assert!(ends.count() <= 10, "only at the ends of fields");
        for position in 0..bytes.len() {
            for wrong in [0, 1, 9, 255] {
                let mut changed = bytes.clone();
                changed[position] ^= wrong;
                if let Some(read) = Attachment::decode(&changed) {
                    assert_eq!(read.encode(), changed, "there is one encoding of each");
                }
            }
        }
    }
}
