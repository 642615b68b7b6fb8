//! A caller's wire format, in both directions.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use crate::quota::QuotaState;
use crate::{Envelope, ExchangeId, Fault, Inbound, Kind, Message, Receipt, Retry};

/// Decodes one system's requests and writes replies in the same format. Pure and total: any bytes
/// give an envelope or a fault, and any fault gives a reply.
pub trait Front: Send + Sync {
    /// The format, for logs and records: `soap`, `telegram`, `batch`, `rest`, `grpc`.
    fn name(&self) -> &str;

    /// The mapping it reads and writes by, e.g. `welfare/rest/v1`. Members may have another version
    /// of it; a front that names none has one version only.
    fn mapping(&self) -> &str {
        ""
    }

    /// Bytes → envelope.
    ///
    /// # Errors
    /// `Malformed`, `Unroutable` or `Unmappable`, naming the field.
    fn decode(&self, inbound: &Inbound) -> Result<Envelope, Fault>;

    /// How long the caller's side lets the call take, where it says so; the route's own deadline
    /// holds as well.
    fn patience(&self, _envelope: &Envelope) -> Option<Duration> {
        None
    }

    /// Answer → bytes.
    ///
    /// # Errors
    /// `Unmappable` when the caller's format cannot hold the answer, naming the field.
    fn encode(&self, exchange: &Exchange<'_>, answer: &Message) -> Result<Draft, Fault>;

    /// Fault → bytes, in the format's own codes.
    fn refuse(&self, exchange: &Exchange<'_>, fault: &Fault) -> Draft;
}

/// A front whose request is refused before it is decoded: too large, cut off, or sent by a method
/// the format does not have. It passes through the pipeline like any other and is journaled.
pub struct Refusing {
    front: Arc<dyn Front>,
    fault: Fault,
}

impl Refusing {
    /// Refuses with `fault`, in the format of `front`.
    pub fn new(front: Arc<dyn Front>, fault: Fault) -> Self {
        Self { front, fault }
    }
}

impl Front for Refusing {
    fn name(&self) -> &str {
        self.front.name()
    }

    fn mapping(&self) -> &str {
        self.front.mapping()
    }

    fn decode(&self, _inbound: &Inbound) -> Result<Envelope, Fault> {
        Err(self.fault.clone())
    }

    fn patience(&self, envelope: &Envelope) -> Option<Duration> {
        self.front.patience(envelope)
    }

    fn encode(&self, exchange: &Exchange<'_>, answer: &Message) -> Result<Draft, Fault> {
        self.front.encode(exchange, answer)
    }

    fn refuse(&self, exchange: &Exchange<'_>, fault: &Fault) -> Draft {
        self.front.refuse(exchange, fault)
    }
}

/// What a reply is written from besides its content.
pub struct Exchange<'a> {
    /// Its id.
    pub id: ExchangeId,
    /// What came in. Personal, and raw: a refusal repeats only header fields of it.
    pub inbound: &'a Inbound,
    /// What was decoded of it, when that went well.
    pub envelope: Option<&'a Arc<Envelope>>,
    /// The quotas that apply, when it came so far; those that only count are among them.
    pub quota: &'a [QuotaState],
    /// When the reply is written.
    pub now: Timestamp,
}

/// A reply complete but for its receipt, which exists only once the journal holds the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// HTTP or gRPC status; other listeners ignore it.
    pub status: u16,
    /// HTTP headers, content type included, or gRPC metadata; other listeners ignore them.
    pub headers: Vec<(&'static str, String)>,
    /// The bytes, with the receipt's place empty.
    pub body: Vec<u8>,
    /// Where the receipt goes.
    pub receipt: Slot,
}

/// Where a format carries the receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// In the HTTP header `Naru-Receipt`.
    Header,
    /// In the gRPC metadata `naru-receipt`, and appended to the body as a length-delimited field of
    /// Protocol Buffers with this key byte.
    Appended(u8),
    /// Inserted into the body at this offset.
    Insert(usize),
    /// Written over the spaces of a fixed field of the body.
    Field {
        /// Where the field begins.
        offset: usize,
        /// Its width in bytes. A receipt that is longer is left out, never cut.
        width: usize,
    },
}

/// A finished reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP or gRPC status; other listeners ignore it.
    pub status: u16,
    /// HTTP headers or gRPC metadata; other listeners ignore them.
    pub headers: Vec<(&'static str, String)>,
    /// The bytes.
    pub body: Bytes,
    /// How long to wait before the same request makes sense again, for a listener that can.
    pub retry_after: Option<Duration>,
    /// What kind of fault it tells of; none for an answer.
    pub fault: Option<Kind>,
}

/// The header by which a draft tells what its mappings lost, as they declare. Every front sets it;
/// only replies over HTTP show it as such.
pub const LOSS_HEADER: &str = "naru-loss";

impl Draft {
    /// The header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, text)| text.as_str())
    }

    /// Puts the receipt in its place. Without one (the journal is broken) the place stays empty.
    pub fn seal(self, receipt: Option<&Receipt>) -> Reply {
        let Self { status, mut headers, mut body, receipt: slot } = self;
        if let Some(receipt) = receipt {
            match slot {
                Slot::Header => headers.push(("naru-receipt", receipt.0.clone())),
                Slot::Appended(key) => {
                    headers.push(("naru-receipt", receipt.0.clone()));
                    append_field(&mut body, key, receipt.0.as_bytes());
                }
                Slot::Insert(offset) => {
                    let at = offset.min(body.len());
                    let tail = body.split_off(at);
                    body.reserve(receipt.0.len() + tail.len());
                    body.extend_from_slice(receipt.0.as_bytes());
                    body.extend_from_slice(&tail);
                }
                Slot::Field { offset, width } => {
                    let end = offset.saturating_add(receipt.0.len());
                    if receipt.0.len() <= width
                        && let Some(field) = body.get_mut(offset..end)
                    {
                        field.copy_from_slice(receipt.0.as_bytes());
                    }
                }
            }
        }
        Reply { status, headers, body: body.into(), retry_after: None, fault: None }
    }
}

/// A field of wire type 2: key, length as a variable-length integer, bytes.
fn append_field(body: &mut Vec<u8>, key: u8, bytes: &[u8]) {
    body.push(key);
    let mut length = bytes.len();
    while length > 0x7f {
        body.push(0x80 | (length & 0x7f) as u8);
        length >>= 7;
    }
    body.push(length as u8);
    body.extend_from_slice(bytes);
}

impl Reply {
    /// Says when the request makes sense again, as `fault` has it.
    #[must_use]
    pub(crate) fn retry(mut self, fault: Option<&Fault>) -> Self {
        self.fault = fault.map(|fault| fault.kind);
        self.retry_after = fault.and_then(|fault| match fault.retry {
            Retry::After(wait) => Some(wait),
            Retry::Never => None,
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(slot: Slot) -> Reply {
        let draft =
            Draft { status: 200, headers: vec![], body: b"ab    cd".to_vec(), receipt: slot };
        draft.seal(Some(&Receipt("XYZ".into())))
    }

    #[test]
    fn the_receipt_goes_where_the_format_carries_it() {
        assert_eq!(sealed(Slot::Header).headers, [("naru-receipt", "XYZ".to_owned())]);
        assert_eq!(&sealed(Slot::Insert(2)).body[..], b"abXYZ    cd");
        assert_eq!(&sealed(Slot::Field { offset: 2, width: 4 }).body[..], b"abXYZ cd");
    }

    #[test]
    fn a_protobuf_message_gets_the_receipt_as_its_last_field() {
        let draft =
            Draft { status: 0, headers: vec![], body: vec![8, 1], receipt: Slot::Appended(0x22) };
        let reply = draft.seal(Some(&Receipt("r".repeat(300))));
        assert_eq!(reply.body.get(..6), Some(&[8, 1, 0x22, 0xac, 2, b'r'][..]));
        assert_eq!(reply.body.len(), 305);
        assert_eq!(reply.headers, [("naru-receipt", "r".repeat(300))]);
    }

    #[test]
    fn a_receipt_that_does_not_fit_is_left_out_whole() {
        assert_eq!(&sealed(Slot::Field { offset: 2, width: 2 }).body[..], b"ab    cd");
        assert_eq!(&sealed(Slot::Field { offset: 7, width: 4 }).body[..], b"ab    cd");
    }
}
