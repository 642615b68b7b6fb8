//! City A: fixed-length telegrams over TCP, EUC-KR, each preceded by its length as four digits.
//! Written from `mappings/catalog/welfare/city-a/v1/README.md`.

use std::time::Duration;

use encoding_rs::EUC_KR;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::CallError;
use crate::people::{Benefit, Person};

/// The bytes of the header.
const HEADER: usize = 176;
/// The bytes of the receipt at the end of every reply.
const RECEIPT: usize = 4096;
/// How long city A waits for a reply.
const PATIENCE: Duration = Duration::from_secs(30);

/// A telegram under construction: the bytes so far.
#[derive(Default)]
pub struct Telegram(Vec<u8>);

/// What came back.
#[derive(Clone, Debug)]
pub struct TelegramReply {
    /// `responseCode`.
    pub code: String,
    /// `responseMessage`.
    pub message: String,
    /// The receipt, when there is one.
    pub receipt: Option<String>,
    /// The bytes between header and receipt.
    pub body: Vec<u8>,
}

impl Telegram {
    /// A request header.
    ///
    /// # Errors
    /// When a value does not fit its field.
    pub fn request(transaction: &str, key: &str, serial: u32) -> Result<Self, CallError> {
        Self::default()
            .text("transactionCode", transaction, 6)?
            .text("messageType", "0200", 4)?
            .text("institutionCode", "CITYA001", 8)?
            .text("authKey", key, 64)?
            .digits("sendDate", "20260302", 8)?
            .digits("sendTime", "090000", 6)?
            .digits("serialNumber", &serial.to_string(), 10)?
            .text("responseCode", "0000", 4)?
            .text("responseMessage", "", 60)?
            .text("filler", "", 6)
    }

    /// `WLF001`: does the person hold a benefit of the group in the period?
    ///
    /// # Errors
    /// When a value does not fit its field.
    pub fn overlap_check(
        key: &str,
        serial: u32,
        person: Person,
        group: &str,
        (from, to): (&str, &str),
    ) -> Result<Self, CallError> {
        Self::request("WLF001", key, serial)?
            .digits("residentNumber", person.resident_number, 13)?
            .text("groupCode", group, 2)?
            .digits("startDate", &from.replace('-', ""), 8)?
            .digits("endDate", &to.replace('-', ""), 8)
    }

    /// `WLF003`: grant a benefit that nobody applied for.
    ///
    /// # Errors
    /// When a value does not fit its field.
    pub fn benefit_grant(key: &str, serial: u32, benefit: &Benefit) -> Result<Self, CallError> {
        Self::request("WLF003", key, serial)?
            .digits("residentNumber", benefit.person.resident_number, 13)?
            .text("name", benefit.person.name, 20)?
            .text("programmeCode", benefit.programme.city_a(), 2)?
            .digits("startDate", &benefit.from.replace('-', ""), 8)?
            .digits("endDate", &benefit.to.replace('-', ""), 8)?
            .digits("monthlyAmount", &benefit.monthly_amount.to_string(), 12)?
            .text("applicationId", "", 64)
    }

    /// The whole telegram as it goes over the wire, its length first.
    pub fn framed(&self) -> Vec<u8> {
        let mut framed = format!("{:04}", self.0.len()).into_bytes();
        framed.extend_from_slice(&self.0);
        framed
    }

    /// Text in EUC-KR, left-aligned, padded with spaces.
    fn text(mut self, field: &'static str, value: &str, length: usize) -> Result<Self, CallError> {
        let (bytes, _, unmappable) = EUC_KR.encode(value);
        if unmappable || bytes.len() > length {
            return Err(CallError::Unfit { field, length });
        }
        self.0.extend_from_slice(&bytes);
        self.0.extend(std::iter::repeat_n(b' ', length - bytes.len()));
        Ok(self)
    }

    /// Digits, right-aligned, padded with zeros.
    fn digits(
        mut self,
        field: &'static str,
        value: &str,
        length: usize,
    ) -> Result<Self, CallError> {
        if value.len() > length || !value.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CallError::Unfit { field, length });
        }
        self.0.extend(std::iter::repeat_n(b'0', length - value.len()));
        self.0.extend_from_slice(value.as_bytes());
        Ok(self)
    }
}

impl TelegramReply {
    /// Reads a reply without its length prefix.
    ///
    /// # Errors
    /// When it is shorter than header and receipt.
    pub fn parse(bytes: &[u8]) -> Result<Self, CallError> {
        let (header, rest) = bytes.split_at_checked(HEADER).ok_or(CallError::Missing("header"))?;
        let body = rest.len().checked_sub(RECEIPT).ok_or(CallError::Missing("receipt"))?;
        let (body, receipt) = rest.split_at_checked(body).ok_or(CallError::Missing("receipt"))?;
        let receipt = decode(receipt);
        Ok(Self {
            code: decode(header.get(106..110).unwrap_or_default()),
            message: decode(header.get(110..170).unwrap_or_default()),
            receipt: (!receipt.is_empty()).then_some(receipt),
            body: body.to_vec(),
        })
    }

    /// A field of the body: `length` bytes from `offset`, without its padding.
    pub fn field(&self, offset: usize, length: usize) -> String {
        let bytes = self.body.get(offset..offset.saturating_add(length));
        decode(bytes.unwrap_or_default())
    }
}

/// City A's connection to the gateway.
pub struct CityA {
    stream: TcpStream,
}

impl CityA {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn connect(port: u16) -> Result<Self, CallError> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        Ok(Self { stream })
    }

    /// Sends one telegram and reads the reply to it.
    ///
    /// # Errors
    /// When none comes within thirty seconds or it cannot be read.
    pub async fn call(&mut self, telegram: &Telegram) -> Result<TelegramReply, CallError> {
        let late = |_| CallError::Late(PATIENCE.as_secs());
        timeout(PATIENCE, self.exchange(telegram)).await.map_err(late)?
    }

    async fn exchange(&mut self, telegram: &Telegram) -> Result<TelegramReply, CallError> {
        self.stream.write_all(&telegram.framed()).await?;
        let mut prefix = [0; 4];
        self.stream.read_exact(&mut prefix).await?;
        let length = std::str::from_utf8(&prefix).ok().and_then(|digits| digits.parse().ok());
        let mut reply = vec![0; length.ok_or(CallError::Missing("length"))?];
        self.stream.read_exact(&mut reply).await?;
        TelegramReply::parse(&reply)
    }
}

fn decode(bytes: &[u8]) -> String {
    EUC_KR.decode(bytes).0.trim_end_matches(' ').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::{HONG, Programme};

    #[test]
    fn a_grant_is_these_bytes() {
        let benefit = Benefit {
            person: HONG,
            programme: Programme::YouthRent,
            from: "2026-06-01",
            to: "2027-05-31",
            monthly_amount: 200_000,
        };
        let bytes = Telegram::benefit_grant("key", 7, &benefit).unwrap().framed();
        let mut expected = b"0303WLF0030200CITYA001key".to_vec();
        expected.extend([b' '; 61]);
        expected.extend(b"2026030209000000000000070000");
        expected.extend([b' '; 66]);
        expected.extend(b"9001011234567");
        // 홍길동 in EUC-KR.
        expected.extend([0xc8, 0xab, 0xb1, 0xe6, 0xb5, 0xbf]);
        expected.extend([b' '; 14]);
        expected.extend(b"032026060120270531000000200000");
        expected.extend([b' '; 64]);
        assert_eq!(bytes, expected);
    }

    #[test]
    fn a_value_that_does_not_fit_is_not_cut() {
        let long = Telegram::request("WLF0011", "key", 1);
        assert!(matches!(long, Err(CallError::Unfit { field: "transactionCode", .. })));
        let unmappable = Telegram::default().text("name", "😀", 20);
        assert!(matches!(unmappable, Err(CallError::Unfit { field: "name", .. })));
    }

    #[test]
    fn a_refusal_is_read() {
        let mut bytes = vec![b' '; HEADER];
        bytes[106..110].copy_from_slice(b"2001");
        bytes.extend([b' '; RECEIPT]);
        bytes[HEADER] = b'r';
        let reply = TelegramReply::parse(&bytes).unwrap();
        assert_eq!((reply.code.as_str(), reply.receipt.as_deref()), ("2001", Some("r")));
        assert!(reply.body.is_empty());
        assert!(TelegramReply::parse(&bytes[..HEADER]).is_err());
    }
}
