//! The search for personal data and keys where none may be.

use std::fs;
use std::io;
use std::path::Path;

use encoding_rs::EUC_KR;

use crate::people::Person;

/// Something that may appear nowhere, in one of the forms it could have there.
pub(super) struct Needle {
    /// What it is, without saying it: `홍** 900101-1******, number in hex`.
    pub(super) label: String,
    bytes: Vec<u8>,
}

/// Every form of a person's number and name: as text in UTF-8 and EUC-KR, that in hex, and the
/// number as an integer of the ledger.
pub(super) fn of_person(person: Person) -> Vec<Needle> {
    let texts = [
        ("number", person.resident_number.to_owned()),
        ("number", person.hyphenated()),
        ("name", person.name.to_owned()),
    ];
    let mut needles = Vec::new();
    for (what, text) in texts {
        let label = format!("{}, {what}", person.masked());
        let korean = EUC_KR.encode(&text).0.into_owned();
        if korean != text.as_bytes() {
            needles.extend(forms(&format!("{label} in EUC-KR"), korean));
        }
        needles.extend(forms(&label, text.into_bytes()));
    }
    if let Ok(number) = person.resident_number.parse::<u64>() {
        let label = format!("{}, number as an integer", person.masked());
        needles.push(Needle { label, bytes: format!("{number:x}").into_bytes() });
    }
    needles
}

/// A key as it is and in hex.
pub(super) fn of_key(key: &str) -> Vec<Needle> {
    forms("an API key", key.as_bytes().to_vec())
}

fn forms(label: &str, bytes: Vec<u8>) -> Vec<Needle> {
    let digits = hex::encode(&bytes);
    let upper = digits.to_uppercase();
    vec![
        Needle { label: label.to_owned(), bytes },
        Needle { label: format!("{label} in hex"), bytes: digits.into_bytes() },
        Needle { label: format!("{label} in upper-case hex"), bytes: upper.into_bytes() },
    ]
}

/// What a search went through and found.
#[derive(Default)]
pub(super) struct Search {
    /// Files read.
    pub(super) files: usize,
    /// Bytes read.
    pub(super) bytes: usize,
    /// What was found where.
    pub(super) found: Vec<String>,
}

impl Search {
    /// Searches a file, or every file under a folder.
    pub(super) fn path(&mut self, path: &Path, needles: &[Needle]) -> io::Result<()> {
        if path.is_dir() {
            for entry in fs::read_dir(path)? {
                self.path(&entry?.path(), needles)?;
            }
            return Ok(());
        }
        let content = fs::read(path)?;
        self.files += 1;
        self.bytes += content.len();
        let contained = needles.iter().filter(|needle| contains(&content, &needle.bytes));
        self.found
            .extend(contained.map(|needle| format!("{} in {}", needle.label, path.display())));
        Ok(())
    }
}

fn contains(content: &[u8], wanted: &[u8]) -> bool {
    content.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::HONG;

    fn found(content: &[u8]) -> usize {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("sub")).unwrap();
        fs::write(directory.path().join("sub/file"), content).unwrap();
        let mut search = Search::default();
        search.path(directory.path(), &of_person(HONG)).unwrap();
        assert_eq!((search.files, search.bytes), (1, content.len()));
        search.found.len()
    }

    #[test]
    fn each_form_is_found() {
        assert_eq!(found("x홍길동x".as_bytes()), 1);
        assert_eq!(found(&[b'x', 0xc8, 0xab, 0xb1, 0xe6, 0xb5, 0xbf]), 1);
        assert_eq!(found(b"c8abb1e6b5bf"), 1);
        assert_eq!(found(b"C8ABB1E6B5BF"), 1);
        assert_eq!(found(b"\"9001011234567\""), 1);
        assert_eq!(found(b"900101-1234567"), 1);
        assert_eq!(found(format!("0x{:064x}", 9_001_011_234_567_u64).as_bytes()), 1);
        assert_eq!(found(b"900101-1****** pays 9001011234566 won"), 0);
    }
}
