//! The bytes of one entry: compact JSON, keys in the order below, absent parts left out.
//!
//! | key | value |
//! |---|---|
//! | `v` | 1 |
//! | `exchange` | id of the exchange (UUID) |
//! | `kind` | `exchange`; `acceptance` of a request to be handled later; `settlement` of a submit whose own exchange was cut off; `administration`; `delivery` of a callback |
//! | `received`, `finished` | RFC 3339, UTC, milliseconds |
//! | `configuration` | what decided it: the digest that `naru check` prints |
//! | `front` | the format it came in |
//! | `service` | `sector/code` |
//! | `caller` | `member`, `means`, `assurance` |
//! | `decision` | `policies`: ids of those that allowed it |
//! | `consent` | `id`, `items` |
//! | `quota` | `policy`, `remaining` |
//! | `mapping` | `front`, `backend`: ids |
//! | `mirror` | the mapping by which a query was also asked elsewhere, to compare |
//! | `route`, `operation` | its name; `query` or `submit` |
//! | `key` | the submission key, 64 hex digits |
//! | `outcome` | `ok`, or kind and code of the fault: `Forbidden/member-mismatch` |
//! | `proof` | `network`, `transaction`, `block`, `blockHash` |
//! | `losses` | what the mappings lost, as they declare: `field;kind`, commas between |
//! | `about` | of a delivery: the exchange that it tells of |
//! | `commit` | `request`, `reply`, `subject`, `call`, `answer`: see [`crate::commitment`] |
//!
//! There is no personal data in it. A reader ignores keys it does not know; verification hashes
//! the bytes and does not look inside.

use std::collections::BTreeSet;
use std::fmt::Display;

use gateway_core::adapter::Operation;
use gateway_core::caller::Means;
use gateway_core::journal::{Record, Trail};
use gateway_core::{Assurance, Call, Content, Envelope, ExchangeId, Fault, Proof, ServiceId};
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use crate::commitment::{CommitmentKey, Part, kind_name};

#[derive(Serialize)]
struct Leaf<'a> {
    v: u8,
    exchange: ExchangeId,
    kind: &'static str,
    #[serde(serialize_with = "milliseconds")]
    received: Timestamp,
    #[serde(serialize_with = "milliseconds")]
    finished: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<&'a str>,
    front: &'a str,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "text")]
    service: Option<&'a ServiceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<Caller<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Decision<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consent: Option<Consent<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<Quota<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping: Option<Mapping<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mirror: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(serialize_with = "outcome")]
    outcome: Option<&'a Fault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<LedgerProof<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    losses: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<ExchangeId>,
    commit: Commitments,
}

#[derive(Serialize)]
struct Caller<'a> {
    member: &'a str,
    means: Means,
    assurance: Assurance,
}

#[derive(Serialize)]
struct Decision<'a> {
    policies: &'a [String],
}

#[derive(Serialize)]
struct Consent<'a> {
    id: uuid::Uuid,
    items: &'a BTreeSet<String>,
}

#[derive(Serialize)]
struct Quota<'a> {
    policy: &'a str,
    remaining: u32,
}

#[derive(Serialize)]
struct Mapping<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    front: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backend: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LedgerProof<'a> {
    network: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<&'a str>,
    block: u64,
    block_hash: &'a str,
}

#[derive(Serialize)]
struct Commitments {
    request: String,
    reply: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
}

/// The entry for `record`.
///
/// # Errors
/// Never in practice: nothing in an entry can fail to be JSON.
pub(crate) fn encode(
    record: &Record<'_>,
    key: &CommitmentKey,
) -> Result<Vec<u8>, serde_json::Error> {
    let trail = record.trail;
    let envelope = trail.envelope.as_deref();
    let leaf = Leaf {
        v: 1,
        exchange: record.exchange,
        kind: kind_name(record.kind),
        received: record.received,
        finished: record.finished,
        configuration: trail.configuration.as_deref(),
        front: record.front,
        service: envelope.map(|envelope| &envelope.service.id),
        caller: trail.caller.as_ref().map(|caller| Caller {
            member: &caller.member.0,
            means: caller.means,
            assurance: caller.assurance,
        }),
        decision: trail.decision.as_ref().map(|decision| Decision { policies: &decision.policies }),
        consent: trail.consent.as_ref().map(|used| Consent { id: used.id, items: &used.items }),
        quota: trail
            .quota
            .as_ref()
            .map(|quota| Quota { policy: &quota.policy, remaining: quota.remaining }),
        mapping: mapping(trail, envelope),
        mirror: trail.mirror.as_deref(),
        route: trail.route.as_deref(),
        operation: envelope.map(|envelope| envelope.service.operation),
        key: submission_key(trail),
        outcome: record.fault,
        proof: trail.proof.as_ref().map(ledger_proof),
        losses: trail.losses.as_deref(),
        about: trail.about,
        commit: commitments(record, key),
    };
    let mut bytes = Vec::with_capacity(1024);
    serde_json::to_writer(&mut bytes, &leaf)?;
    Ok(bytes)
}

fn mapping<'a>(trail: &'a Trail, envelope: Option<&'a Envelope>) -> Option<Mapping<'a>> {
    let front = envelope.map(|envelope| &*envelope.mapping);
    let backend = trail.mapping.as_deref();
    (front.is_some() || backend.is_some()).then_some(Mapping { front, backend })
}

fn submission_key(trail: &Trail) -> Option<String> {
    let submitted = trail.submitted.as_ref().map(|(key, _)| key);
    let key = submitted.or_else(|| trail.call.as_ref()?.key.as_ref());
    key.map(|key| hex::encode(key.0))
}

fn ledger_proof(proof: &Proof) -> LedgerProof<'_> {
    LedgerProof {
        network: &proof.network,
        transaction: proof.transaction.as_deref(),
        block: proof.block,
        block_hash: &proof.block_hash,
    }
}

fn commitments(record: &Record<'_>, key: &CommitmentKey) -> Commitments {
    let commit = |part, bytes: &[u8]| key.commit(&record.exchange, record.kind, part, bytes);
    let trail = record.trail;
    Commitments {
        request: commit(Part::Request, record.request),
        reply: commit(Part::Reply, record.reply),
        subject: trail.subject.map(|subject| commit(Part::Subject, &subject.0)),
        call: trail.call.as_ref().map(|call| commit(Part::Call, &call_bytes(call))),
        answer: trail.received.as_ref().map(|got| commit(Part::Answer, &got.canonical())),
    }
}

/// Function ‖ 0x1f ‖ content in canonical form. Personal values are in it in the clear.
fn call_bytes(call: &Call) -> Zeroizing<Vec<u8>> {
    let content = match &call.content {
        Content::Arguments(arguments) => {
            arguments.iter().cloned().collect::<gateway_core::Message>().canonical()
        }
        Content::Message { message, .. } => message.canonical(),
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(call.function.len() + 1 + content.len()));
    bytes.extend_from_slice(call.function.as_bytes());
    bytes.push(0x1f);
    bytes.extend_from_slice(&content);
    bytes
}

fn milliseconds<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{time:.3}"))
}

fn text<S: Serializer, T: Display>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => to.collect_str(value),
        None => to.serialize_none(),
    }
}

fn outcome<S: Serializer>(fault: &Option<&Fault>, to: S) -> Result<S::Ok, S::Error> {
    match fault {
        Some(fault) => to.collect_str(&format_args!("{}/{}", fault.kind, fault.code)),
        None => to.serialize_str("ok"),
    }
}
