//! The bytes of the parts that an entry commits to (`docs/evidence.md`, "Parts"). Personal values are
//! in them in the clear: what is made here is wiped when dropped.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::time::Duration;

use gateway_core::AccessRequest;
use gateway_core::journal::{Record, Trail};
use gateway_core::quota::QuotaState;
use gateway_core::{Call, ConsentUse, Content, LedgerProof, Message, SubmissionKey};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::commitment::Part;

/// The bytes of one part.
pub(crate) enum PartBytes<'a> {
    /// They are at hand.
    Borrowed(&'a [u8]),
    /// They were put together for this.
    Made(Zeroizing<Vec<u8>>),
}

impl Deref for PartBytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Made(bytes) => bytes,
        }
    }
}

/// The bytes of `part`, where the exchange came so far as to have it.
///
/// # Errors
/// Never in practice: nothing in a part can fail to be JSON.
pub(crate) fn bytes<'a>(
    record: &'a Record<'_>,
    part: Part,
) -> Result<Option<PartBytes<'a>>, serde_json::Error> {
    let trail = record.trail;
    Ok(match part {
        Part::Request => Some(PartBytes::Borrowed(record.request)),
        Part::Reply => Some(PartBytes::Borrowed(record.reply)),
        Part::Subject => trail.subject.as_ref().map(|subject| PartBytes::Borrowed(&subject.0)),
        Part::Call => trail.call.as_ref().map(|call| PartBytes::Made(call_bytes(call))),
        Part::Answer => trail.received.as_ref().map(|got| PartBytes::Made(got.canonical())),
        Part::Consent => json(trail.consent.as_ref().map(Consent::from))?,
        Part::Ledger => json(trail.proof.as_ref().map(Ledger::from))?,
        Part::Certificate => trail.certificate.as_deref().map(PartBytes::Borrowed),
        Part::Details => json(Some(details(record)))?,
    })
}

fn json<'a>(value: Option<impl Serialize>) -> Result<Option<PartBytes<'a>>, serde_json::Error> {
    let bytes = value.map(|value| serde_json::to_vec(&value)).transpose()?;
    Ok(bytes.map(|bytes| PartBytes::Made(Zeroizing::new(bytes))))
}

fn submission_key(trail: &Trail) -> Option<&SubmissionKey> {
    let submitted = trail.submitted.as_ref().map(|(key, _)| key);
    submitted.or_else(|| trail.call.as_ref()?.key.as_ref())
}

/// Function ‖ 0x1f ‖ content in canonical form.
fn call_bytes(call: &Call) -> Zeroizing<Vec<u8>> {
    let content = match &call.content {
        Content::Arguments(arguments) => arguments.iter().cloned().collect::<Message>().canonical(),
        Content::Message { message, .. } => message.canonical(),
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(call.function.len() + 1 + content.len()));
    bytes.extend_from_slice(call.function.as_bytes());
    bytes.push(0x1f);
    bytes.extend_from_slice(&content);
    bytes
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Consent<'a> {
    id: uuid::Uuid,
    items: &'a BTreeSet<String>,
    #[serde(serialize_with = "super::milliseconds")]
    as_of: jiff::Timestamp,
}

impl<'a> From<&'a ConsentUse> for Consent<'a> {
    fn from(used: &'a ConsentUse) -> Self {
        Self { id: used.id, items: &used.items, as_of: used.as_of }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Details<'a> {
    request_bytes: usize,
    reply_bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    quota: Vec<Quota<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<&'a AccessRequest>,
}

fn details<'a>(record: &'a Record<'_>) -> Details<'a> {
    Details {
        request_bytes: record.request.len(),
        reply_bytes: record.reply.len(),
        key: submission_key(record.trail).map(|key| hex::encode(key.0)),
        quota: record.trail.quota.iter().map(Quota::from).collect(),
        access: record.trail.access.as_ref(),
    }
}

#[derive(Serialize)]
struct Quota<'a> {
    policy: &'a str,
    limit: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<u64>,
    remaining: u64,
    #[serde(skip_serializing_if = "is_false")]
    violated: bool,
    #[serde(skip_serializing_if = "is_false")]
    shadow: bool,
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

impl<'a> From<&'a QuotaState> for Quota<'a> {
    fn from(state: &'a QuotaState) -> Self {
        let QuotaState { policy, limit, window, remaining, violated, shadow, .. } = state;
        Self {
            policy,
            limit: *limit,
            window: window.as_ref().map(Duration::as_secs),
            remaining: *remaining,
            violated: *violated,
            shadow: *shadow,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ledger<'a> {
    network: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<&'a str>,
    block: u64,
    block_hash: &'a str,
}

impl<'a> From<&'a LedgerProof> for Ledger<'a> {
    fn from(proof: &'a LedgerProof) -> Self {
        Self {
            network: &proof.network,
            transaction: proof.transaction.as_deref(),
            block: proof.block,
            block_hash: &proof.block_hash,
        }
    }
}
