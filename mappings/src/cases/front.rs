//! Cases of fronts: wire → envelope, and answer → wire.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway_core::front::Exchange;
use gateway_core::quota::{QuotaState, Renewal, Unit};
use gateway_core::{Draft, Envelope, Evidence, ExchangeId, Fault, Front, Inbound, Receipt};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Case, Explainable, json, read};
use crate::catalog::FrontEntry;
use crate::front::{BatchError, BatchFront, BatchLimits};

/// When requests of cases arrive: 2026-11-22T10:00:00+09:00.
pub(super) const RECEIVED: i64 = 1_795_309_200;
/// Milliseconds until the reply.
const TAKEN: i64 = 250;

/// Wire → envelope, or the fault.
pub(super) fn request(front: &FrontEntry, input: &[u8]) -> Result<Vec<u8>, String> {
    let outcome = match front {
        FrontEntry::Batch(batch) => match opened(batch, input)? {
            Err(fault) => json::fault(&fault),
            Ok((attributes, records)) => {
                let decode =
                    |record| decoded(batch.decode(&inbound(front, attributes.clone(), record)));
                let records: Vec<_> = records.into_iter().map(decode).collect();
                json!({ "attributes": attributes, "records": records })
            }
        },
        _ => decoded(front.as_front().decode(&received(front, input, 0)?)),
    };
    Ok(json::pretty(&outcome))
}

/// The services that a request asks, as far as it is understood.
pub(super) fn services(front: &FrontEntry, input: &[u8]) -> Vec<String> {
    let decode = |inbound: &Inbound| {
        let envelope = front.as_front().decode(inbound).ok()?;
        Some(envelope.service.id.to_string())
    };
    match front {
        FrontEntry::Batch(batch) => match opened(batch, input) {
            Ok(Ok((attributes, records))) => {
                let inbounds =
                    records.into_iter().map(|record| inbound(front, attributes.clone(), record));
                inbounds.filter_map(|inbound| decode(&inbound)).collect()
            }
            _ => vec![],
        },
        _ => received(front, input, 0)
            .ok()
            .and_then(|inbound| decode(&inbound))
            .into_iter()
            .collect(),
    }
}

/// The message of a request, or of an answer to the request of another case. Of a file it is the
/// first record, or the one that an answer names.
pub(super) fn explainable(
    front: &FrontEntry,
    case: &Case,
    input: &[u8],
) -> Result<Explainable, String> {
    if !case.is_reply() {
        let decoded = front.as_front().decode(&received(front, input, 1)?);
        return Ok(match decoded {
            Err(fault) => Explainable::Refused(fault),
            Ok(Envelope { service, message, .. }) => Explainable::Message {
                service: service.id.code.to_string(),
                message,
                is_reply: false,
            },
        });
    }
    let input: Json = serde_json::from_slice(input).map_err(|error| error.to_string())?;
    let to = input.get("to").and_then(Json::as_str).ok_or("`to` names the case replied to")?;
    let record = input.get("record").and_then(Json::as_u64).unwrap_or(1);
    let asked = front.as_front().decode(&received(front, &read(&case.folder.join(to))?, record)?);
    let service = asked.map_err(|fault| fault.to_string())?.service.id.code.to_string();
    match (input.get("answer"), input.get("fault")) {
        (Some(answer), _) => {
            let message = json::read_message(answer)?;
            Ok(Explainable::Message { service, message, is_reply: true })
        }
        (None, Some(fault)) => json::read_fault(fault).map(Explainable::Refused),
        (None, None) => Err("neither `answer` nor `fault` is given".to_owned()),
    }
}

fn decoded(outcome: Result<Envelope, Fault>) -> Json {
    match outcome {
        Err(fault) => json::fault(&fault),
        Ok(envelope) => json!({
            "service": envelope.service.id.to_string(),
            "idempotencyKey": envelope.idempotency_key,
            "claimedMember": envelope.claimed_member,
            "credential": envelope.credential.as_ref().map(|credential| credential.as_str()),
            "message": json::message(&envelope.message),
            "echo": json::message(&envelope.echo),
        }),
    }
}

/// An answer or a fault → wire, in reply to the request of another case.
pub(super) fn reply(front: &FrontEntry, case: &Case, input: &[u8]) -> Result<Vec<u8>, String> {
    let input: Json = serde_json::from_slice(input).map_err(|error| error.to_string())?;
    let to = input.get("to").and_then(Json::as_str).ok_or("`to` names the case replied to")?;
    let record = input.get("record").and_then(Json::as_u64).unwrap_or(0);
    let inbound = received(front, &read(&case.folder.join(to))?, record)?;
    let front = front.as_front();
    let (envelope, fault) = match (front.decode(&inbound), input.get("fault")) {
        (Err(fault), None) => (None, Some(fault)),
        (Err(_), Some(fault)) => (None, Some(json::read_fault(fault)?)),
        (Ok(envelope), None) => (Some(Arc::new(envelope)), None),
        (Ok(envelope), Some(fault)) => (Some(Arc::new(envelope)), Some(json::read_fault(fault)?)),
    };
    let quota = input.get("quota").map(|_| QuotaState {
        policy: "minute".into(),
        unit: Unit::Requests,
        renewal: Renewal::Rate,
        limit: 60,
        window: Some(Duration::from_secs(60)),
        remaining: if fault.is_some() { 0 } else { 59 },
        reset: Duration::from_millis(1500),
        violated: fault.is_some(),
        shadow: false,
    });
    let exchange = Exchange {
        id: inbound.id,
        inbound: &inbound,
        envelope: envelope.as_ref(),
        quota: quota.as_slice(),
        now: at(TAKEN),
    };
    let draft = match fault {
        Some(fault) => front.refuse(&exchange, &fault),
        None => {
            let answer = input.get("answer").ok_or("neither `answer` nor `fault` is given")?;
            let answer = json::read_message(answer)?;
            let written = front.encode(&exchange, &answer);
            written.unwrap_or_else(|fault| front.refuse(&exchange, &fault))
        }
    };
    Ok(on_the_wire(&*front, draft))
}

/// HTTP replies with status and headers, others as they are.
fn on_the_wire(front: &dyn Front, draft: Draft) -> Vec<u8> {
    let reply = draft.seal(Some(&Receipt("RECEIPT".to_owned())));
    let mut out = Vec::new();
    if matches!(front.name(), "soap" | "rest" | "xml" | "xroad-rest") {
        let headers = reply.headers.iter().map(|(name, value)| format!("{name}: {value}\n"));
        out.extend(format!("{}\n{}\n", reply.status, headers.collect::<String>()).into_bytes());
    }
    out.extend_from_slice(&reply.body);
    out
}

/// What a listener makes of a case's bytes.
fn received(front: &FrontEntry, input: &[u8], record: u64) -> Result<Inbound, String> {
    let (attributes, body) = match front {
        FrontEntry::Soap(_) if input.starts_with(b"POST ") => http_request(input)?,
        FrontEntry::Soap(_) | FrontEntry::Telegram(_) => {
            (BTreeMap::new(), Bytes::copy_from_slice(input))
        }
        FrontEntry::Rest(_) | FrontEntry::Xml(_) | FrontEntry::XRoadRest(_) => http_request(input)?,
        FrontEntry::Batch(batch) => match opened(batch, input)? {
            Ok((attributes, records)) => {
                let index = usize::try_from(record).ok().and_then(|number| number.checked_sub(1));
                let record = index.and_then(|index| records.get(index));
                let record = record.ok_or("`record` is the number of a record of the file")?;
                (attributes, record.clone())
            }
            Err(_) => {
                let attributes = BTreeMap::from([(":whole-file".to_owned(), String::new())]);
                (attributes, Bytes::copy_from_slice(input))
            }
        },
    };
    Ok(inbound(front, attributes, body))
}

/// A file that is taken, as its attributes and records; or why it is refused.
type Opened = Result<(BTreeMap<String, String>, Vec<Bytes>), Fault>;

fn opened(front: &BatchFront, input: &[u8]) -> Result<Opened, String> {
    let limits = BatchLimits { content_bytes: 1 << 26, record_bytes: 1 << 16 };
    let read = || {
        let file = front.check("", &limits, || Ok(input))?;
        let mut reader = front.records(&file, &limits, input)?;
        let mut records = Vec::new();
        while let Some(record) = reader.next_record()? {
            records.push(record.bytes);
        }
        Ok((file.attributes().clone(), records))
    };
    match read() {
        Ok(opened) => Ok(Ok(opened)),
        Err(BatchError::Refused(fault)) => Ok(Err(*fault)),
        Err(error) => Err(error.to_string()),
    }
}

/// `METHOD /path?query`, header lines, an empty line, the body.
fn http_request(input: &[u8]) -> Result<(BTreeMap<String, String>, Bytes), String> {
    let end = input.windows(2).position(|pair| pair == b"\n\n").ok_or("no empty line")?;
    let (head, rest) = input.split_at_checked(end).ok_or("no empty line")?;
    let head = std::str::from_utf8(head).map_err(|error| error.to_string())?;
    let mut lines = head.lines();
    let line = lines.next().and_then(|line| line.split_once(' '));
    let (method, target) = line.ok_or("the first line is a method and a path")?;
    let headers = lines.filter_map(|line| line.split_once(": "));
    let mut attributes: BTreeMap<_, _> =
        headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    let (path, query) = target.split_once('?').map_or((target, None), |(p, q)| (p, Some(q)));
    attributes.insert(":method".to_owned(), method.to_owned());
    attributes.insert(":path".to_owned(), path.to_owned());
    attributes.extend(query.map(|query| (":query".to_owned(), query.to_owned())));
    let body = rest.strip_prefix(b"\n\n").unwrap_or(rest);
    Ok((attributes, Bytes::copy_from_slice(body)))
}

fn inbound(front: &FrontEntry, attributes: BTreeMap<String, String>, body: Bytes) -> Inbound {
    Inbound {
        id: ExchangeId(Uuid::nil()),
        front: front.as_front(),
        evidence: Evidence::default(),
        attributes,
        body,
        received: at(0),
        deadline: None,
    }
}

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(RECEIVED * 1000 + milliseconds).unwrap_or_default()
}
