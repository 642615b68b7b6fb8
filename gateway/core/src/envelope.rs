//! What came in: first as bytes, then decoded.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{Evidence, Front, Message, Service};

/// Identifies one exchange, in logs, the journal and the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExchangeId(pub Uuid);

impl fmt::Display for ExchangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// One request as a listener hands it in.
pub struct Inbound {
    /// Made by the listener, unique and ordered in time.
    pub id: ExchangeId,
    /// The format it is in.
    pub front: Arc<dyn Front>,
    /// What the listener saw of the caller.
    pub evidence: Evidence,
    /// What stood around the body: HTTP headers in lower case, the method (`:method`), the path and
    /// the query as they were sent (`:path`, `:query`), the record number of a batch (`:record`).
    pub attributes: BTreeMap<String, String>,
    /// The message.
    pub body: Bytes,
    /// When the last byte of it arrived.
    pub received: Timestamp,
}

/// One request, decoded.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The service asked for.
    pub service: Arc<Service>,
    /// The request in the service's terms.
    pub message: Message,
    /// The caller's own name for this request; a second request under it has no second effect.
    pub idempotency_key: Option<String>,
    /// A credential that the message itself carries, such as a telegram's key field.
    pub credential: Option<Zeroizing<String>>,
    /// The member the message says it comes from; must be the caller when present.
    pub claimed_member: Option<String>,
    /// Which mapping decoded it, e.g. `welfare/city-a/v1`.
    pub mapping: Arc<str>,
    /// Wire fields that the reply repeats. Only the front that made them reads them.
    pub echo: Message,
}
