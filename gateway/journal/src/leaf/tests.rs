//! The test vectors of `docs/evidence.md`, whose inputs become records and must lead to exactly the
//! entries that stand beside them. A program that was written from that page alone reads the same
//! file. `UPDATE_VECTORS=1` writes the results anew: read the difference.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gateway_core::caller::{Assurance, Means};
use gateway_core::journal::RecordKind;
use gateway_core::journal::{ActNote, ActStep};
use gateway_core::policy::Decision as Decided;
use gateway_core::purpose::{Bilingual, Retention};
use gateway_core::quota::{QuotaState, Renewal, Unit};
use gateway_core::wire::{Around, Encoded, Method, Received};
use gateway_core::{
    Call, Caller as Called, ConsentUse, Content, Kind, LedgerProof, MemberId, Message, Personal,
    Pseudonym, Purpose, ResidentNumber, Service, SubmissionKey, Value,
};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tlog_tiles::record_hash;

use super::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    exchange: ExchangeId,
    kind: String,
    received: Timestamp,
    finished: Timestamp,
    configuration: Option<String>,
    front: String,
    service: Option<String>,
    operation: Option<Operation>,
    purpose: Option<String>,
    caller: Option<CallerInput>,
    policies: Option<Vec<String>>,
    #[serde(default)]
    mapping: MappingInput,
    mirror: Option<String>,
    route: Option<String>,
    fault: Option<FaultInput>,
    losses: Option<String>,
    about: Option<ExchangeId>,
    act: Option<ActInput>,
}

#[derive(Deserialize)]
struct ActInput {
    name: String,
    target: Option<String>,
    step: ActStep,
    proposer: Option<String>,
}

#[derive(Deserialize)]
struct CallerInput {
    member: String,
    means: Means,
    assurance: Assurance,
}

#[derive(Default, Deserialize)]
struct MappingInput {
    front: Option<String>,
    backend: Option<String>,
}

#[derive(Deserialize)]
struct FaultInput {
    kind: Kind,
    code: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    request: Bytes,
    reply: Bytes,
    subject: Option<Bytes>,
    consent: Option<ConsentInput>,
    #[serde(default)]
    quota: Vec<QuotaInput>,
    key: Option<Bytes>,
    certificate: Option<Bytes>,
    call: Option<CallInput>,
    answer: Option<AnswerInput>,
    ledger: Option<LedgerInput>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Bytes {
    Hex(String),
    Text(String),
}

#[derive(Deserialize)]
struct ConsentInput {
    id: uuid::Uuid,
    items: BTreeSet<String>,
    #[serde(rename = "asOf")]
    as_of: Timestamp,
}

#[derive(Deserialize)]
struct QuotaInput {
    policy: String,
    limit: u64,
    window: Option<u64>,
    remaining: u64,
    #[serde(default)]
    violated: bool,
    #[serde(default)]
    shadow: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallInput {
    function: String,
    arguments: Option<BTreeMap<String, Typed>>,
    http: Option<HttpInput>,
}

#[derive(Deserialize)]
struct HttpInput {
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

#[derive(Deserialize)]
struct AnswerInput {
    status: Option<u16>,
    headers: BTreeMap<String, String>,
    body: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LedgerInput {
    network: String,
    transaction: Option<String>,
    block: u64,
    block_hash: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Typed {
    Text(String),
    Integer(String),
    Decimal(String),
    Flag(bool),
    Date(jiff::civil::Date),
    Time(jiff::civil::Time),
    Moment(Timestamp),
    Bytes(String),
    Resident(String),
    Personal(String),
    Record(BTreeMap<String, Typed>),
    List(Vec<BTreeMap<String, Typed>>),
}

impl Bytes {
    fn vec(&self) -> Vec<u8> {
        match self {
            Self::Hex(text) => hex::decode(text).unwrap(),
            Self::Text(text) => text.clone().into_bytes(),
        }
    }

    fn array(&self) -> [u8; 32] {
        self.vec().try_into().unwrap()
    }
}

impl Typed {
    fn value(self) -> Value {
        match self {
            Self::Text(text) => Value::Text(text),
            Self::Integer(text) => Value::Integer(text.parse().unwrap()),
            Self::Decimal(text) => Value::Decimal(gateway_core::Decimal::parse(&text).unwrap()),
            Self::Flag(flag) => Value::Flag(flag),
            Self::Date(date) => Value::Date(date),
            Self::Time(time) => Value::Time(time),
            Self::Moment(moment) => Value::DateTime(moment),
            Self::Bytes(text) => Value::Bytes(hex::decode(text).unwrap()),
            Self::Resident(text) => Value::Resident(ResidentNumber::parse(&text).unwrap()),
            Self::Personal(text) => Value::Personal(Personal::new(text)),
            Self::Record(fields) => Value::Record(message(fields)),
            Self::List(records) => Value::List(records.into_iter().map(message).collect()),
        }
    }
}

fn message(fields: BTreeMap<String, Typed>) -> Message {
    fields.into_iter().map(|(name, typed)| (name, typed.value())).collect()
}

fn kind(name: &str) -> RecordKind {
    let kinds = [
        RecordKind::Exchange,
        RecordKind::Acceptance,
        RecordKind::Settlement,
        RecordKind::Administration,
        RecordKind::Delivery,
    ];
    kinds.into_iter().find(|kind| kind_name(*kind) == name).unwrap()
}

fn envelope(input: &Input) -> Option<Arc<Envelope>> {
    let (sector, code) = input.service.as_ref()?.split_once('/').unwrap();
    let purpose = input.purpose.as_deref().map(|code| Arc::new(purpose(sector, code)));
    Some(Arc::new(Envelope {
        service: Arc::new(Service {
            id: ServiceId { sector: sector.into(), code: code.into() },
            operation: input.operation.unwrap(),
            subject: None,
            purpose,
            consent: None,
        }),
        message: Message::new(),
        idempotency_key: None,
        credential: None,
        claimed_member: None,
        claimed_subsystem: None,
        endpoint: None,
        mapping: input.mapping.front.as_deref().unwrap().into(),
        echo: Message::new(),
    }))
}

fn quota(given: QuotaInput) -> QuotaState {
    QuotaState {
        policy: given.policy.into(),
        unit: Unit::Requests,
        renewal: Renewal::Rate,
        limit: given.limit,
        window: given.window.map(Duration::from_secs),
        remaining: given.remaining,
        reset: Duration::ZERO,
        violated: given.violated,
        shadow: given.shadow,
    }
}

fn purpose(sector: &str, code: &str) -> Purpose {
    let nothing = || Bilingual { ko: String::new(), en: String::new() };
    let retention = || Retention::parse("P1Y").unwrap();
    Purpose {
        sector: sector.into(),
        code: code.into(),
        title: nothing(),
        legal_basis: nothing(),
        notice: nothing(),
        items: BTreeMap::new(),
        controllers: vec![],
        recipients: BTreeSet::new(),
        storage: vec![],
        jurisdiction: String::new(),
        retention: retention(),
        keep_record: retention(),
        assurance: Assurance::Low,
    }
}

fn call(input: CallInput, key: Option<SubmissionKey>) -> Call {
    let content = match (input.arguments, input.http) {
        (Some(fields), None) => {
            Content::Arguments(fields.into_iter().map(|(n, typed)| (n, typed.value())).collect())
        }
        (None, Some(HttpInput { method, path, headers, body })) => {
            let around = Around::Http { method, path, headers };
            let body = zeroize::Zeroizing::new(body.into_bytes());
            Content::Message { message: Encoded { around, body }, inquiry: None }
        }
        _ => panic!("a call has arguments or a message"),
    };
    let operation = if key.is_some() { Operation::Submit } else { Operation::Query };
    Call { operation, function: input.function, content, key, repeatable: false }
}

fn trail(input: &Input, parts: &mut Parts) -> Trail {
    let key = parts.key.as_ref().map(|key| SubmissionKey(key.array()));
    Trail {
        answered: false,
        configuration: input.configuration.as_deref().map(Into::into),
        envelope: envelope(input),
        caller: input.caller.as_ref().map(|caller| Called {
            member: MemberId(caller.member.as_str().into()),
            means: caller.means,
            assurance: caller.assurance,
        }),
        certificate: parts.certificate.as_ref().map(|der| der.vec().into()),
        access: None,
        decision: input.policies.clone().map(|policies| Decided { allowed: true, policies }),
        subject: parts.subject.as_ref().map(|subject| Pseudonym(subject.array())),
        consent: parts.consent.take().map(|used| ConsentUse {
            id: used.id,
            items: used.items,
            as_of: used.as_of,
            counted: None,
        }),
        quota: parts.quota.drain(..).map(quota).collect(),
        route: input.route.as_deref().map(Into::into),
        mapping: input.mapping.backend.clone(),
        mirror: input.mirror.clone(),
        call: parts.call.take().map(|input| call(input, key)),
        received: parts.answer.take().map(|answer| Received {
            status: answer.status,
            headers: answer.headers,
            body: answer.body.into_bytes().into(),
        }),
        submitted: key.map(|key| (key, gateway_core::journal::Submitted::Repeated)),
        destroyed: None,
        proof: parts.ledger.take().map(|ledger| LedgerProof {
            network: ledger.network,
            transaction: ledger.transaction,
            block: ledger.block,
            block_hash: ledger.block_hash,
        }),
        about: input.about,
        act: input.act.as_ref().map(|act| ActNote {
            name: act.name.clone().into(),
            target: act.target.clone(),
            step: act.step,
            proposer: act.proposer.clone(),
        }),
        losses: input.losses.clone(),
    }
}

/// What a case leads to: the bytes of each part, its salt, the entry and its leaf hash.
fn result(case: &Json) -> Json {
    let mut secret = [0; 32];
    hex::decode_to_slice(case["saltKey"].as_str().unwrap(), &mut secret).unwrap();
    let key = CommitmentKey::new(&secret);
    let input: Input = serde_json::from_value(case["input"].clone()).unwrap();
    let mut parts: Parts = serde_json::from_value(case["parts"].clone()).unwrap();
    let trail = trail(&input, &mut parts);
    let fault = input.fault.as_ref().map(|fault| Fault::new(fault.kind, fault.code.clone(), ""));
    let (request, reply) = (parts.request.vec(), parts.reply.vec());
    let record = Record {
        exchange: input.exchange,
        kind: kind(&input.kind),
        received: input.received,
        finished: input.finished,
        front: &input.front,
        trail: &trail,
        request: &request,
        reply: &reply,
        fault: fault.as_ref(),
    };
    let (mut bytes, mut salts) = (BTreeMap::new(), BTreeMap::new());
    for part in Part::ALL {
        if let Some(found) = super::parts::bytes(&record, part).unwrap() {
            bytes.insert(part.name(), hex::encode(&*found));
            let salt = key.salt(&record.exchange, &input.kind, part);
            salts.insert(part.name(), hex::encode(salt));
        }
    }
    let entry = String::from_utf8(encode(&record, &key).unwrap()).unwrap();
    let hash = hex::encode(record_hash(entry.as_bytes()).0);
    json!({ "bytes": bytes, "salts": salts, "entry": entry, "leafHash": hash })
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../integration-tests/vectors/evidence")
}

#[test]
fn the_vectors_of_the_specification_hold() {
    let file = folder().join("entries.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut cases: Vec<Json> = serde_json::from_str(&text).unwrap();
    let update = std::env::var_os("UPDATE_VECTORS").is_some();
    for case in &mut cases {
        let result = result(case);
        if update {
            case["result"] = result;
        } else {
            assert_eq!(case["result"], result, "{}", case["name"]);
        }
    }
    if update {
        std::fs::write(&file, serde_json::to_string_pretty(&cases).unwrap() + "\n").unwrap();
    }
    assert_eq!(cases.len(), 7);
}
