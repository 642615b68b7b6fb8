//! What came in: first as bytes, then decoded.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{Endpoint, Evidence, Fault, Front, Kind, Message, Origin, Service};

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
    /// When the caller stops waiting, where its protocol says so. No backend is asked after it, and
    /// none is waited for beyond it.
    pub deadline: Option<Timestamp>,
}

impl Inbound {
    /// How long the caller still waits, where it said so.
    ///
    /// # Errors
    /// `BackendUnavailable` when the caller has stopped waiting already.
    pub(crate) fn patience(&self, now: Timestamp) -> Result<Option<Duration>, Fault> {
        let Some(deadline) = self.deadline else {
            return Ok(None);
        };
        match Duration::try_from(deadline.duration_since(now)) {
            Ok(left) if !left.is_zero() => Ok(Some(left)),
            _ => {
                let says = "the deadline passed before the provider was asked; nothing was done";
                let mut fault = Fault::new(Kind::BackendUnavailable, "deadline-passed", says);
                fault.origin = Origin::Caller;
                Err(fault)
            }
        }
    }
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
    /// The system of that member that it says it comes from.
    pub claimed_subsystem: Option<String>,
    /// Where it was called, for REST.
    pub endpoint: Option<Arc<Endpoint>>,
    /// Which mapping decoded it, e.g. `welfare/city-a/v1`.
    pub mapping: Arc<str>,
    /// Wire fields that the reply repeats. Only the front that made them reads them.
    pub echo: Message,
}
