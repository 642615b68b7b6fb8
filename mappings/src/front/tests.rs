//! Properties of all fronts: any bytes give an envelope or a fault, and any fault a reply that its
//! format can read.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use gateway_core::front::Exchange;
use gateway_core::{
    Draft, Evidence, ExchangeId, Fault, Front, Inbound, Kind, Message, Pseudonym, Pseudonymize,
    Value,
};
use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use crate::layout::xml_text::{Node, XmlReader};
use crate::{BatchLimits, Catalog, FrontEntry};

struct Nobody;

impl Pseudonymize for Nobody {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog")
}

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let loaded = Catalog::load(&root(), Arc::new(Nobody));
    loaded.unwrap_or_else(|problems| panic!("{problems:?}"))
});

/// The request cases of every front, to be mutated.
static SEEDS: LazyLock<Vec<(&'static str, Vec<u8>)>> = LazyLock::new(|| {
    let mut seeds = Vec::new();
    for (id, front) in CATALOG.fronts() {
        for entry in fs::read_dir(root().join(id).join("cases")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.ends_with(".in") && !name.ends_with(".reply.in") {
                let mut bytes = fs::read(&path).unwrap();
                if let FrontEntry::Rest(_) | FrontEntry::Xml(_) | FrontEntry::XRoadRest(_) = front {
                    let body = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap();
                    bytes.drain(..body + 2);
                }
                seeds.push((id, bytes));
            }
        }
    }
    seeds
});

fn inbound(front: &FrontEntry, service: &str, body: &[u8]) -> Inbound {
    let path = match front {
        FrontEntry::XRoadRest(_) => {
            let path = ["overlaps", "benefits", "benefits/applications", "benefits/a%2Fb/end"];
            let path = path.get(service.len() % 5).copied().unwrap_or(service);
            format!("/r1/KR/GOV/NARU/welfare/{path}")
        }
        FrontEntry::Xml(_) => format!("/xml/welfare/{service}"),
        _ => format!("/v1/welfare/{service}"),
    };
    let media_type = match front {
        FrontEntry::Xml(_) => "application/xml",
        _ => "application/json",
    };
    let attributes = [
        (":method", "POST"),
        (":path", path.as_str()),
        ("content-type", media_type),
        ("x-road-client", "KR/COM/PORTAL/portal"),
        (":file", "FILE"),
        (":institution", "CITYB001"),
    ];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Inbound {
        id: ExchangeId(Uuid::nil()),
        front: front.as_front(),
        evidence: Evidence::default(),
        attributes: BTreeMap::from(attributes),
        body: Bytes::copy_from_slice(body),
        received: Timestamp::UNIX_EPOCH,
        deadline: None,
    }
}

/// Decodes, and refuses what came, and checks that the refusal is one of its format.
fn try_request(id: &str, service: &str, body: &[u8]) {
    let entry = CATALOG.front(id).unwrap();
    let inbound = inbound(entry, service, body);
    let front = entry.as_front();
    let decoded = front.decode(&inbound);
    let fault = decoded.as_ref().err().cloned().unwrap_or_else(any_fault);
    let envelope = decoded.ok().map(Arc::new);
    let exchange = Exchange {
        id: inbound.id,
        inbound: &inbound,
        envelope: envelope.as_ref(),
        quota: &[],
        now: Timestamp::UNIX_EPOCH,
    };
    check_refusal(entry, &front.refuse(&exchange, &fault));
    if let FrontEntry::Batch(batch) = entry
        && let Ok(file) = batch.check("", &LIMITS, || Ok(body))
    {
        let mut records = batch.records(&file, &LIMITS, body).unwrap();
        let mut count = 0;
        while let Some(record) = records.next_record().unwrap() {
            try_record(&**batch, entry, &record.bytes);
            count += 1;
        }
        assert_eq!(count, file.count, "both readings see the same records");
    }
}

const LIMITS: BatchLimits = BatchLimits { content_bytes: 1 << 20, record_bytes: 1 << 10 };

fn try_record(front: &dyn Front, entry: &FrontEntry, record: &[u8]) {
    let inbound = inbound(entry, "", record);
    if let Err(fault) = front.decode(&inbound) {
        assert_ne!(fault.code, "unknown-record", "an opened file holds only data records");
    }
}

fn any_fault() -> Fault {
    Fault::new(Kind::Forbidden, "no", "not <this> & \u{1} 가 \u{1f600}\n, \"way\"")
}

fn check_refusal(entry: &FrontEntry, draft: &Draft) {
    match entry {
        FrontEntry::Soap(front) => {
            let mut xml = XmlReader::new(&draft.body, &front.namespace).unwrap();
            while !matches!(xml.next().unwrap(), Node::Eof) {}
        }
        FrontEntry::Xml(_) => {
            // Whatever it is in, it says so.
            let text = match std::str::from_utf8(&draft.body) {
                Ok(text) => text.to_owned(),
                Err(_) => encoding_rs::EUC_KR.decode(&draft.body).0.into_owned(),
            };
            let mut xml = XmlReader::of_text(&text, "").unwrap();
            while !matches!(xml.next().unwrap(), Node::Eof) {}
            assert_eq!(draft.status, 200);
        }
        FrontEntry::Telegram(front) => {
            assert_eq!(draft.body.len(), front.header.rows.width() + front.receipt.length);
        }
        FrontEntry::Batch(_) if draft.body.starts_with(b"30") || draft.body.starts_with(b"99") => {
            assert!(draft.body.len() > 2 + 4 + 60 && draft.body.ends_with(b"\n"));
        }
        FrontEntry::Batch(_) => {
            let text = std::str::from_utf8(&draft.body).unwrap();
            assert!(text.ends_with(",\n"), "{text}");
            let fields = crate::layout::csv::split(text.trim_end_matches('\n')).unwrap();
            assert_eq!(fields.len(), 6);
        }
        FrontEntry::Rest(_) => {
            let problem: serde_json::Value = serde_json::from_slice(&draft.body).unwrap();
            assert_eq!(problem["status"], draft.status);
        }
        FrontEntry::XRoadRest(_) => {
            let error: serde_json::Value = serde_json::from_slice(&draft.body).unwrap();
            let header = draft.headers.iter().find(|(name, _)| *name == "x-road-error");
            match header {
                Some((_, name)) => assert_eq!(error["type"], **name),
                None => assert_eq!(error["status"], draft.status),
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Change {
    Set(u8),
    Insert(u8),
    Remove,
    Cut,
    Repeat,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        any::<u8>().prop_map(Change::Set),
        any::<u8>().prop_map(Change::Insert),
        Just(Change::Remove),
        Just(Change::Cut),
        Just(Change::Repeat),
    ]
}

fn apply(bytes: &mut Vec<u8>, at: usize, change: &Change) {
    let at = at % (bytes.len() + 1);
    match change {
        Change::Set(byte) if at < bytes.len() => bytes[at] = *byte,
        Change::Insert(byte) => bytes.insert(at, *byte),
        Change::Remove if at < bytes.len() => drop(bytes.remove(at)),
        Change::Cut => bytes.truncate(at),
        Change::Repeat => bytes.extend_from_within(at..),
        _ => {}
    }
}

fn services() -> impl Strategy<Value = &'static str> {
    let codes: Vec<&str> = CATALOG.services().map(|service| &*service.id.code).collect();
    proptest::sample::select(codes)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        ".{0,20}".prop_map(Value::Text),
        any::<i64>().prop_map(|number| Value::Integer(number.into())),
        any::<bool>().prop_map(Value::Flag),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        Just(Value::Bytes(vec![7; 32])),
        Just(Value::Date(jiff::civil::Date::MIN)),
        Just(Value::Date(jiff::civil::Date::MAX)),
    ];
    leaf.prop_recursive(2, 40, 25, |inner| {
        let fields = proptest::sample::select(FIELDS.to_vec());
        let record = proptest::collection::btree_map(fields, inner, 0..8);
        proptest::collection::vec(record, 0..25)
            .prop_map(|list| Value::List(list.into_iter().map(Message::from_iter).collect()))
    })
}

const FIELDS: [&str; 12] = [
    "overlapping",
    "benefit",
    "provider",
    "application",
    "end",
    "count",
    "benefits",
    "programme",
    "from",
    "to",
    "monthlyAmount",
    "status",
];

#[test]
fn any_fault_of_any_length_can_be_written() {
    for id in CATALOG.fronts().map(|(id, _)| id) {
        let entry = CATALOG.front(id).unwrap();
        for kind in Kind::ALL {
            for text in ["", "가", "\u{1f600}", "\u{0}", "a\r\nb", "=1", "</x>", &"긴".repeat(200)]
            {
                let inbound = inbound(entry, "", b"");
                let exchange = Exchange {
                    id: inbound.id,
                    inbound: &inbound,
                    envelope: None,
                    quota: &[],
                    now: Timestamp::UNIX_EPOCH,
                };
                let fault = Fault::new(kind, "code", text);
                check_refusal(entry, &entry.as_front().refuse(&exchange, &fault));
            }
        }
    }
}

#[test]
fn a_batch_front_takes_files_of_its_name() {
    let Some(FrontEntry::Batch(front)) = CATALOG.front("welfare/city-b/v1") else {
        panic!("not a batch front");
    };
    assert!(front.takes("WELFARE_20261122.csv"));
    for name in ["WELFARE_1.csv.part", "welfare_1.csv", "OTHER_1.csv", "WELFARE.csv"] {
        assert!(!front.takes(name), "{name}");
    }
    let content = "H,CITYB001,F-1,20261122\nT,0,0\n".as_bytes();
    let file = front.check("", &LIMITS, || Ok(content)).unwrap();
    assert_eq!(front.result_header(&file), b"H,CITYB001,F-1,20261122\n");
    assert_eq!(front.result_trailer(3, 2, 1), b"T,3,2,1\n");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_bytes_are_answered(
        body in proptest::collection::vec(any::<u8>(), 0..400),
        service in services(),
    ) {
        for (id, _) in CATALOG.fronts() {
            try_request(id, service, &body);
        }
    }

    #[test]
    fn changed_requests_are_answered(
        seed in any::<proptest::sample::Index>(),
        changes in proptest::collection::vec((any::<usize>(), change()), 1..6),
        service in services(),
    ) {
        let (id, bytes) = seed.get(&SEEDS);
        let mut bytes = bytes.clone();
        for (at, change) in &changes {
            apply(&mut bytes, *at, change);
        }
        try_request(id, service, &bytes);
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_answer_is_written_or_refused(
        seed in any::<proptest::sample::Index>(),
        service in services(),
        answer in proptest::collection::btree_map(
            proptest::sample::select(FIELDS.to_vec()), value(), 0..12),
    ) {
        let (id, bytes) = seed.get(&SEEDS);
        let entry = CATALOG.front(id).unwrap();
        let front = entry.as_front();
        let inbound = inbound(entry, service, bytes);
        let envelope = front.decode(&inbound).ok().map(Arc::new);
        let exchange = Exchange {
            id: inbound.id,
            inbound: &inbound,
            envelope: envelope.as_ref(),
            quota: &[],
            now: Timestamp::UNIX_EPOCH,
        };
        if let Err(fault) = front.encode(&exchange, &Message::from_iter(answer)) {
            check_refusal(entry, &front.refuse(&exchange, &fault));
        }
    }
}
