//! The bytes of one entry: compact JSON with its keys in the order of [`Leaf`], absent ones left out.
//!
//! The written specification, with test vectors, is `docs/evidence.md`; what it says of an entry and
//! of the parts that an entry commits to is exact, so a change there is a change of `v`.
//!
//! In the clear stand names of organizations, services, rules and formats, times and the outcome.
//! Whatever belongs to a person, or could join two entries about one person, is a commitment.

pub(crate) mod parts;

use std::fmt::Display;

use gateway_core::adapter::Operation;
use gateway_core::caller::Means;
use gateway_core::journal::{ActStep, Record, Trail};
use gateway_core::keys::Destroyed;
use gateway_core::quota::QuotaState;
use gateway_core::{Assurance, Envelope, ExchangeId, Fault, ServiceId};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::commitment::{CommitmentKey, Part, commit, kind_name};

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
    operation: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<Caller<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Decision<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    violated: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping: Option<Mapping<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mirror: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    #[serde(serialize_with = "outcome")]
    outcome: Option<&'a Fault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    losses: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<ExchangeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<Act<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destroyed: Option<Destroyed>,
    #[serde(serialize_with = "commitments")]
    commit: Vec<(Part, String)>,
}

#[derive(Serialize)]
struct Act<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    step: ActStep,
    #[serde(skip_serializing_if = "Option::is_none")]
    proposer: Option<&'a str>,
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
struct Mapping<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    front: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backend: Option<&'a str>,
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
    let purpose = envelope.and_then(|envelope| envelope.service.purpose.as_deref());
    let leaf = Leaf {
        v: 2,
        exchange: record.exchange,
        kind: kind_name(record.kind),
        received: record.received,
        finished: record.finished,
        configuration: trail.configuration.as_deref(),
        front: record.front,
        service: envelope.map(|envelope| &envelope.service.id),
        operation: envelope.map(|envelope| envelope.service.operation),
        purpose: purpose.map(|purpose| &*purpose.code),
        caller: trail.caller.as_ref().map(|caller| Caller {
            member: &caller.member.0,
            means: caller.means,
            assurance: caller.assurance,
        }),
        decision: trail.decision.as_ref().map(|decision| Decision { policies: &decision.policies }),
        quota: names(trail, |_| true),
        violated: names(trail, QuotaState::refuses),
        mapping: mapping(trail, envelope),
        mirror: trail.mirror.as_deref(),
        route: trail.route.as_deref(),
        outcome: record.fault,
        losses: trail.losses.as_deref(),
        about: trail.about,
        act: trail.act.as_ref().map(|act| Act {
            name: &act.name,
            target: act.target.as_deref(),
            step: act.step,
            proposer: act.proposer.as_deref(),
        }),
        destroyed: trail.destroyed,
        commit: committed(record, key)?,
    };
    let mut bytes = Vec::with_capacity(1024);
    serde_json::to_writer(&mut bytes, &leaf)?;
    Ok(bytes)
}

fn committed(
    record: &Record<'_>,
    key: &CommitmentKey,
) -> Result<Vec<(Part, String)>, serde_json::Error> {
    let mut commitments = Vec::with_capacity(Part::ALL.len());
    for part in Part::ALL {
        if let Some(bytes) = parts::bytes(record, part)? {
            let salt = key.salt(&record.exchange, kind_name(record.kind), part);
            commitments.push((part, commit(&salt, &bytes)));
        }
    }
    Ok(commitments)
}

/// The names of the quotas that are such, if there are any.
fn names(trail: &Trail, such: impl Fn(&QuotaState) -> bool) -> Option<Vec<&str>> {
    let names: Vec<&str> =
        trail.quota.iter().filter(|state| such(state)).map(|state| &*state.policy).collect();
    (!names.is_empty()).then_some(names)
}

fn mapping<'a>(trail: &'a Trail, envelope: Option<&'a Envelope>) -> Option<Mapping<'a>> {
    let front = envelope.map(|envelope| &*envelope.mapping);
    let backend = trail.mapping.as_deref();
    (front.is_some() || backend.is_some()).then_some(Mapping { front, backend })
}

fn commitments<S: Serializer>(list: &[(Part, String)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(list.iter().map(|(part, commitment)| (part.name(), commitment)))
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

#[cfg(test)]
mod tests;
