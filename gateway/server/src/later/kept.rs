//! What is kept of a request and of its reply, before it is sealed: a JSON head, then the bytes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use bytes::Bytes;
use gateway_core::{Caller, Fault, Kind, Reply};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::seal::{Part, Seal};

/// A request that is to be handled later.
pub(super) struct KeptRequest {
    pub(super) head: RequestHead,
    pub(super) body: Bytes,
}

/// What a request needs besides its body. Who called was found out, so no credential is kept but what
/// stands in the message itself or its query.
#[derive(Serialize, Deserialize)]
pub(super) struct RequestHead {
    /// The front's mapping.
    pub(super) mapping: String,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) caller: Caller,
    /// Where it came from: policies may ask for that again.
    #[serde(default)]
    pub(super) address: Option<IpAddr>,
}

/// The reply as it would have left.
#[derive(Serialize, Deserialize)]
struct ReplyHead {
    front: String,
    status: u16,
    headers: Vec<(String, String)>,
}

/// A reply that was kept for whoever asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptReply {
    /// The format it is in, which is asked for where that is spoken.
    pub front: String,
    /// HTTP or gRPC status.
    pub status: u16,
    /// HTTP headers or gRPC metadata.
    pub headers: Vec<(String, String)>,
    /// The bytes.
    pub body: Bytes,
}

impl KeptRequest {
    pub(super) fn close(self, id: Uuid, seal: &Seal) -> Result<Vec<u8>, Fault> {
        close(id, Part::Content, &self.head, &self.body, seal)
    }

    pub(super) fn open(id: Uuid, sealed: &[u8], seal: &Seal) -> Result<Self, Fault> {
        let (head, body) = open(id, Part::Content, sealed, seal)?;
        Ok(Self { head, body })
    }
}

impl KeptReply {
    pub(super) fn of(front: &str, reply: &Reply) -> Self {
        let headers = reply.headers.iter();
        let headers = headers.map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Self { front: front.to_owned(), status: reply.status, headers, body: reply.body.clone() }
    }

    pub(super) fn close(&self, id: Uuid, seal: &Seal) -> Result<Vec<u8>, Fault> {
        let Self { front, status, headers, body } = self;
        let (front, headers) = (front.clone(), headers.clone());
        let head = ReplyHead { front, status: *status, headers };
        close(id, Part::Outcome, &head, body, seal)
    }

    pub(super) fn open(id: Uuid, sealed: &[u8], seal: &Seal) -> Result<Self, Fault> {
        let (head, body) = open(id, Part::Outcome, sealed, seal)?;
        let ReplyHead { front, status, headers } = head;
        Ok(Self { front, status, headers, body })
    }
}

pub(super) fn close(
    id: Uuid,
    part: Part,
    head: &impl Serialize,
    body: &[u8],
    seal: &Seal,
) -> Result<Vec<u8>, Fault> {
    let head = serde_json::to_vec(head).map_err(unusable)?;
    let length = u32::try_from(head.len()).map_err(unusable)?;
    let parts = [&length.to_be_bytes()[..], &head, body];
    seal.close(id, part, parts.concat())
}

pub(super) fn open<H: DeserializeOwned>(
    id: Uuid,
    part: Part,
    sealed: &[u8],
    seal: &Seal,
) -> Result<(H, Bytes), Fault> {
    let plain = seal.open(id, part, sealed)?;
    let cut = || unusable(CutOff);
    let (length, rest) = plain.split_first_chunk::<4>().ok_or_else(cut)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(unusable)?;
    let (head, body) = rest.split_at_checked(length).ok_or_else(cut)?;
    let head = serde_json::from_slice(head).map_err(unusable)?;
    Ok((head, Bytes::copy_from_slice(body)))
}

#[derive(Debug, thiserror::Error)]
#[error("it ends too soon")]
struct CutOff;

fn unusable(error: impl std::error::Error) -> Fault {
    Fault::new(Kind::Internal, "letter-unusable", "what was kept of this request is of no use")
        .context(error)
}
