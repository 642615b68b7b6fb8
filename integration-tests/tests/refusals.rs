//! The refusal matrix: each kind of fault on each front, exact bytes on the wire.
//!
//! The expected bytes are in `refusals/<folder of the row>/<kind>`: status and headers or metadata (HTTP and gRPC), an
//! empty line, the body. `UPDATE_REFUSALS=1` writes what is there now; read the difference.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use gateway_core::quota::{ABNORMAL_USAGE, CONCURRENCY_EXCEEDED, RATE_EXCEEDED, REDUCED_CAPACITY};
use gateway_core::{Evidence, ExchangeId, Fault, Front, Inbound, Kind, Reply};
use integration_tests::root;
use integration_tests::scripted::{NOW, Scripted, refusing};
use mappings::Catalog;
use uuid::Uuid;

/// A request that the front can decode; most are from the cases of its mapping.
struct Row {
    front: &'static str,
    /// Where its replies are.
    folder: &'static str,
    request: Vec<u8>,
    attributes: BTreeMap<String, String>,
}

fn case(path: &str) -> Vec<u8> {
    std::fs::read(root().join("mappings/catalog/welfare").join(path)).unwrap()
}

fn rows() -> Vec<Row> {
    let attributes = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let json = &[("content-type", "application/json"), (":path", "/v1/welfare/overlapCheck")];
    let xml = &[("content-type", "application/xml"), (":path", "/xml/welfare/overlapCheck")];
    let xroad = &[
        (":method", "GET"),
        (":path", "/r1/KR/GOV/NARU/welfare/overlaps"),
        (":query", "residentNumber=9001011234567&group=housing&from=2026-01-01&to=2026-12-31"),
        ("x-road-client", "KR/COM/PORTAL/portal"),
        ("x-road-id", "refusals-1"),
    ];
    let record = &[(":file", "F-1"), (":institution", "CITYB001")];
    vec![
        Row {
            front: "welfare/mohw/v1",
            folder: "soap",
            request: case("mohw/v1/cases/overlap.in"),
            attributes: attributes(&[("content-type", "text/xml; charset=utf-8")]),
        },
        Row {
            front: "welfare/city-a/v1",
            folder: "telegram",
            request: case("city-a/v1/cases/overlap.in"),
            attributes: attributes(&[]),
        },
        Row {
            front: "welfare/city-b/v1",
            folder: "batch",
            request: "D,1,C,9001011234567,홍길동,주거급여,2026-01-01,2026-12-31,0".into(),
            attributes: attributes(record),
        },
        Row {
            front: "welfare/rest/v1",
            folder: "rest",
            request: br#"{"residentNumber":"9001011234567","group":"housing","from":"2026-01-01","to":"2026-12-31"}"#.to_vec(),
            attributes: attributes(json),
        },
        Row {
            front: "welfare/open-data/v1",
            folder: "xml",
            request: b"<overlapCheck><residentNumber>900101-1234567</residentNumber><groupCode>HOU</groupCode><startDate>20260101</startDate><endDate>20261231</endDate></overlapCheck>".to_vec(),
            attributes: attributes(xml),
        },
        Row {
            front: "welfare/xroad-rest/v1",
            folder: "xroad-rest",
            request: vec![],
            attributes: attributes(xroad),
        },
        Row {
            front: "welfare/xroad-soap/v1",
            folder: "xroad-soap",
            request: case("xroad-soap/v1/cases/overlap.in"),
            attributes: attributes(&[("content-type", "text/xml; charset=utf-8")]),
        },
        Row {
            front: "welfare/soap12/v1",
            folder: "soap12",
            request: case("soap12/v1/cases/overlap.in"),
            attributes: attributes(&[]),
        },
        Row {
            front: "grpc",
            folder: "grpc",
            request: std::fs::read(root().join("mappings/fuzz/corpus/grpc/overlap")).unwrap(),
            attributes: attributes(&[]),
        },
    ]
}

fn wire(front: &dyn Front, reply: Reply) -> Vec<u8> {
    let mut bytes = Vec::new();
    if matches!(front.name(), "soap" | "rest" | "xml" | "xroad-rest" | "grpc") {
        bytes.extend_from_slice(format!("{}\n", reply.status).as_bytes());
        for (name, value) in &reply.headers {
            bytes.extend_from_slice(format!("{name}: {value}\n").as_bytes());
        }
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(&reply.body);
    bytes
}

#[tokio::test]
async fn every_fault_on_every_front_has_its_exact_bytes() {
    let scripted = Arc::new(Scripted { fault: None });
    let catalog = Catalog::load(&root().join("mappings/catalog"), scripted).unwrap();
    let update = std::env::var_os("UPDATE_REFUSALS").is_some();
    let mut wrong = Vec::new();
    for row in rows() {
        let front: Arc<dyn Front> = match row.front {
            "grpc" => catalog.grpc().clone(),
            mapping => catalog.front(mapping).unwrap().as_front(),
        };
        for (kind, code) in faults() {
            let fault = Fault::new(kind, code, "the reason a caller reads")
                .context("what only the operator reads");
            let inbound = Inbound {
                id: ExchangeId(Uuid::nil()),
                front: front.clone(),
                evidence: Evidence::default(),
                attributes: row.attributes.clone(),
                body: row.request.clone().into(),
                received: NOW.parse().unwrap(),
                deadline: None,
            };
            let reply = refusing(fault).handle(inbound).await;
            let bytes = wire(&*front, reply);
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains("operator"), "{kind} on {}: context leaks", row.front);
            let file = expected(row.folder, kind, code);
            if update {
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(&file, &bytes).unwrap();
            } else if std::fs::read(&file).ok().as_deref() != Some(&bytes) {
                wrong.push(format!("{}:\n{text}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "not the expected bytes:\n{}", wrong.join("\n"));
}

fn expected(folder: &str, kind: Kind, code: &str) -> PathBuf {
    root().join("integration-tests/refusals").join(folder).join(name(kind, code))
}

/// Every kind, and the codes of a kind that formats tell apart.
fn faults() -> Vec<(Kind, &'static str)> {
    let mut faults: Vec<_> = Kind::ALL.into_iter().map(|kind| (kind, SCRIPTED)).collect();
    let limits = [RATE_EXCEEDED, CONCURRENCY_EXCEEDED, REDUCED_CAPACITY, ABNORMAL_USAGE];
    faults.extend(limits.map(|code| (Kind::RateLimited, code)));
    faults
}

const SCRIPTED: &str = "scripted";

fn name(kind: Kind, code: &str) -> String {
    if code == SCRIPTED { kind.to_string() } else { format!("{kind}.{code}") }
}

#[test]
fn no_refusal_is_missing_or_left_over() {
    for front in rows().iter().map(|row| row.folder) {
        let folder = root().join("integration-tests/refusals").join(front);
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        let mut kinds: Vec<_> = faults().into_iter().map(|(kind, code)| name(kind, code)).collect();
        kinds.sort();
        assert_eq!(names, kinds, "{front}");
    }
}
