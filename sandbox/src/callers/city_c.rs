//! City C: a mainframe's telegrams over TCP, EBCDIC with packed and binary numbers, each preceded by
//! its length as two bytes that count themselves.
//! Written from `mappings/catalog/welfare/city-c/v1/README.md`.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::CallError;
use crate::people::Person;

/// The bytes of the header.
const HEADER: usize = 118;
/// The bytes of the receipt at the end of every reply, in ASCII.
const RECEIPT: usize = 2048;
/// How long city C waits for a reply.
const PATIENCE: Duration = Duration::from_secs(30);
/// A space in EBCDIC.
const SPACE: u8 = 0x40;

/// What came back.
#[derive(Clone, Debug)]
pub struct MainframeReply {
    /// The result code, three digits.
    pub code: String,
    /// The body, as far as it is letters and digits.
    pub body: String,
    /// The receipt, when there is one.
    pub receipt: Option<String>,
}

/// `OVLP`: does the person hold a benefit of the group in the period? Days are `YYYY-MM-DD`.
///
/// # Errors
/// When a value does not fit its field.
pub fn overlap_check(
    key: &str,
    serial: u32,
    person: Person,
    group: char,
    (from, to): (&str, &str),
) -> Result<Vec<u8>, CallError> {
    let mut telegram = Vec::with_capacity(136);
    telegram.extend(text("transactionCode", "OVLP", 4)?);
    telegram.extend(text("kind", "Q", 1)?);
    telegram.extend(text("officeCode", "CC01", 4)?);
    telegram.extend(text("authKey", key, 64)?);
    telegram.extend(packed("sendDate", "20260302", 5)?);
    telegram.extend(serial.to_be_bytes());
    telegram.extend(text("resultCode", "000", 3)?);
    telegram.extend(text("resultText", "", 32)?);
    telegram.extend(text("filler", "", 1)?);
    telegram.extend(packed("residentNumber", person.resident_number, 7)?);
    telegram.extend(text("group", &group.to_string(), 1)?);
    telegram.extend(packed("startDate", &from.replace('-', ""), 5)?);
    telegram.extend(packed("endDate", &to.replace('-', ""), 5)?);
    Ok(telegram)
}

/// Sends one telegram over a connection of its own and reads the reply to it.
///
/// # Errors
/// When none comes within thirty seconds or it cannot be read.
pub async fn call(port: u16, telegram: &[u8]) -> Result<MainframeReply, CallError> {
    let late = |_| CallError::Late(PATIENCE.as_secs());
    timeout(PATIENCE, exchange(port, telegram)).await.map_err(late)?
}

async fn exchange(port: u16, telegram: &[u8]) -> Result<MainframeReply, CallError> {
    let unfit = |_| CallError::Unfit { field: "length", length: 2 };
    let length = u16::try_from(telegram.len() + 2).map_err(unfit)?;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(&[&length.to_be_bytes(), telegram].concat()).await?;
    let length = usize::from(stream.read_u16().await?);
    let mut reply = vec![0; length.checked_sub(2).ok_or(CallError::Missing("length"))?];
    stream.read_exact(&mut reply).await?;
    read(&reply)
}

impl MainframeReply {
    /// A field of the body: `length` bytes from `offset`, without its padding.
    pub fn field(&self, offset: usize, length: usize) -> &str {
        let field = self.body.get(offset..).unwrap_or_default();
        field.get(..length).unwrap_or(field).trim_end()
    }
}

fn read(reply: &[u8]) -> Result<MainframeReply, CallError> {
    let (header, rest) = reply.split_at_checked(HEADER).ok_or(CallError::Missing("header"))?;
    let body = rest.len().checked_sub(RECEIPT).ok_or(CallError::Missing("receipt"))?;
    let (body, receipt) = rest.split_at_checked(body).ok_or(CallError::Missing("receipt"))?;
    let receipt = String::from_utf8_lossy(receipt).trim_end().to_owned();
    Ok(MainframeReply {
        code: decode(header.get(82..85).unwrap_or_default()),
        body: decode(body),
        receipt: (!receipt.is_empty()).then_some(receipt),
    })
}

/// Letters, digits and a few signs, left-aligned, padded with spaces.
fn text(field: &'static str, value: &str, length: usize) -> Result<Vec<u8>, CallError> {
    let bytes: Option<Vec<u8>> = value.bytes().map(encode).collect();
    let mut bytes =
        bytes.filter(|bytes| bytes.len() <= length).ok_or(CallError::Unfit { field, length })?;
    bytes.resize(length, SPACE);
    Ok(bytes)
}

/// Packed decimal without a sign: two digits to a byte, the last half byte says F.
fn packed(field: &'static str, digits: &str, length: usize) -> Result<Vec<u8>, CallError> {
    let unfit = || CallError::Unfit { field, length };
    let wanted = length * 2 - 1;
    if digits.len() > wanted {
        return Err(unfit());
    }
    hex::decode(format!("{digits:0>wanted$}f")).map_err(|_| unfit())
}

/// The ranges of letters and digits: the first character, its byte in EBCDIC, and how many follow.
const RANGES: [(u8, u8, u8); 7] = [
    (b'a', 0x81, 9),
    (b'j', 0x91, 9),
    (b's', 0xa2, 8),
    (b'A', 0xc1, 9),
    (b'J', 0xd1, 9),
    (b'S', 0xe2, 8),
    (b'0', 0xf0, 10),
];
/// Signs of keys and names.
const SIGNS: [(u8, u8); 3] = [(b' ', SPACE), (b'-', 0x60), (b'_', 0x6d)];

fn encode(ascii: u8) -> Option<u8> {
    let letter = RANGES.iter().find_map(|(first, ebcdic, count)| {
        let offset = ascii.checked_sub(*first).filter(|offset| offset < count)?;
        Some(ebcdic + offset)
    });
    letter.or_else(|| SIGNS.iter().find(|(known, _)| *known == ascii).map(|(_, byte)| *byte))
}

/// The text, with `?` for what it does not know.
fn decode(bytes: &[u8]) -> String {
    let character = |byte: &u8| {
        let ascii = (b' '..=b'z').find(|ascii| encode(*ascii) == Some(*byte));
        char::from(ascii.unwrap_or(b'?'))
    };
    bytes.iter().map(character).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::HONG;

    #[test]
    fn a_check_is_these_bytes() {
        let bytes = overlap_check("a-Z_9", 7, HONG, 'H', ("2026-01-01", "2026-12-31")).unwrap();
        assert_eq!(bytes.len(), 136);
        assert_eq!(&bytes[..14], b"\xd6\xe5\xd3\xd7\xd8\xc3\xc3\xf0\xf1\x81\x60\xe9\x6d\xf9");
        assert_eq!(&bytes[73..85], b"\x02\x02\x60\x30\x2f\0\0\0\x07\xf0\xf0\xf0");
        assert_eq!(&bytes[118..126], b"\x90\x01\x01\x12\x34\x56\x7f\xc8");
        assert_eq!(&bytes[126..], b"\x02\x02\x60\x10\x1f\x02\x02\x61\x23\x1f");
    }

    #[test]
    fn what_does_not_fit_is_not_cut() {
        let check = |key, number| {
            let person = Person { name: "가", resident_number: number };
            overlap_check(key, 1, person, 'H', ("2026-01-01", "2026-12-31"))
        };
        let long = "k".repeat(65);
        assert!(matches!(
            check(&long, "9001011234567"),
            Err(CallError::Unfit { field: "authKey", .. })
        ));
        assert!(check("한", "9001011234567").is_err());
        assert!(check("key", "90010112345678").is_err());
        assert!(check("key", "900101-123456").is_err());
    }

    #[test]
    fn a_reply_is_read() {
        let mut bytes = vec![SPACE; HEADER];
        bytes[82..85].copy_from_slice(&[0xf0, 0xf0, 0xf0]);
        bytes.extend(text("body", &format!("Y{:64}mohw", ""), 81).unwrap());
        let mut receipt = vec![b' '; RECEIPT];
        receipt[0] = b'r';
        bytes.extend(receipt);
        let reply = read(&bytes).unwrap();
        assert_eq!(reply.code, "000");
        assert_eq!((reply.field(0, 1), reply.field(65, 16)), ("Y", "mohw"));
        assert_eq!((reply.field(1, 64), reply.field(90, 1)), ("", ""));
        assert_eq!(reply.receipt.as_deref(), Some("r"));
        assert!(read(&bytes[..HEADER]).is_err());
    }
}
