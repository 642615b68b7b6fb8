use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use gateway_core::adapter::Operation;
use gateway_core::caller::{Assurance, Means};
use gateway_core::journal::{Record, RecordKind, Trail};
use gateway_core::policy::Decision;
use gateway_core::quota::{QuotaState, Renewal, Unit};
use gateway_core::{
    Call, Caller, ConsentUse, Content, Envelope, ExchangeId, LedgerProof, MemberId, Message,
    Pseudonym, Service, ServiceId, SubmissionKey, Value,
};
use uuid::Uuid;

use super::*;
use crate::commitment::{CommitmentKey, Part};
use crate::key::LogKey;
use crate::leaf;

/// A trail with every part present, and names as long as they are in practice.
fn full_trail() -> Trail {
    let service = Service {
        id: ServiceId { sector: "welfare".into(), code: "benefitGrant".into() },
        operation: Operation::Submit,
        subject: None,
        purpose: None,
        consent: None,
    };
    let envelope = Envelope {
        service: Arc::new(service),
        message: Message::new(),
        idempotency_key: Some("2026-000123".into()),
        credential: None,
        claimed_member: None,
        claimed_subsystem: None,
        endpoint: None,
        mapping: "welfare/city-a/v1".into(),
        echo: Message::new(),
    };
    Trail {
        configuration: Some("0123456789abcdef".into()),
        envelope: Some(Arc::new(envelope)),
        caller: Some(Caller {
            member: MemberId("city-a".into()),
            means: Means::Certificate,
            assurance: Assurance::Substantial,
        }),
        certificate: Some([3; 900].into()),
        access: None,
        decision: Some(Decision { allowed: true, policies: vec!["city-grants".into()] }),
        subject: Some(Pseudonym([1; 32])),
        consent: Some(ConsentUse {
            id: Uuid::from_u128(7),
            items: BTreeSet::from(["history".into()]),
            as_of: "2026-01-02T03:04:05.678Z".parse().unwrap(),
            counted: None,
        }),
        quota: vec![QuotaState {
            policy: "cities".into(),
            unit: Unit::Requests,
            renewal: Renewal::Rate,
            limit: 600,
            window: Some(Duration::from_secs(60)),
            remaining: 599,
            reset: Duration::from_secs(1),
            violated: false,
            shadow: false,
        }],
        route: Some("welfare-ledger".into()),
        mapping: Some("welfare/ledger/v1".into()),
        mirror: None,
        answered: true,
        call: Some(Call {
            operation: Operation::Submit,
            function: "benefitGrant".into(),
            content: Content::Arguments(vec![("amount".into(), Value::Integer(300_000))]),
            key: Some(SubmissionKey([2; 32])),
            repeatable: false,
        }),
        received: None,
        submitted: None,
        destroyed: None,
        act: None,
        losses: None,
        about: None,
        proof: Some(LedgerProof {
            network: "eip155:31337".into(),
            transaction: Some(format!("0x{}", "ab".repeat(32))),
            block: 12_345_678,
            block_hash: format!("0x{}", "cd".repeat(32)),
        }),
    }
}

fn full_leaf(key: &CommitmentKey) -> Vec<u8> {
    leaf_of(&full_trail(), key)
}

fn leaf_of(trail: &Trail, key: &CommitmentKey) -> Vec<u8> {
    let record = Record {
        exchange: ExchangeId(Uuid::from_u128(1)),
        kind: RecordKind::Exchange,
        received: "2026-11-02T03:04:05.678901Z".parse().unwrap(),
        finished: "2026-11-02T03:04:05.7Z".parse().unwrap(),
        front: "telegram",
        trail,
        request: b"request",
        reply: b"reply",
        fault: None,
    };
    leaf::encode(&record, key).unwrap()
}

#[test]
fn a_leaf_opens_part_by_part() {
    let key = CommitmentKey::new(&[9; 32]);
    let text = String::from_utf8(full_leaf(&key)).unwrap();
    // Whoever is given one salt can open that part by hashing, and no other.
    let leaf: serde_json::Value = serde_json::from_str(&text).unwrap();
    let salt = key.salt(&ExchangeId(Uuid::from_u128(1)), "exchange", Part::Reply);
    let opened =
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &[&salt[..], b"reply"].concat());
    let opened = BASE64_URL_SAFE_NO_PAD.encode(opened);
    assert_eq!(leaf["commit"]["reply"], opened);
    assert_ne!(leaf["commit"]["request"], opened);
}

/// The arithmetic of the module's documentation.
#[test]
fn a_receipt_fits_its_field_at_two_billion_entries() {
    let log = LogKey::generate("naru.example.go.kr/log/welfare").unwrap();
    assert_eq!(log.verifier().name().len(), 30);
    let mut placed = Placed {
        entry: vec![b'x'; 1059],
        index: (1 << 31) - 1,
        proof: vec![Hash([7; 32]); 31],
        checkpoint: log.checkpoint(1 << 31, Hash([8; 32])).into(),
    };
    assert!(encode(&placed).len() <= 4096);
    placed.entry.push(b'x');
    assert!(encode(&placed).len() > 4096);

    let key = CommitmentKey::new(&[9; 32]);
    assert!(full_leaf(&key).len() <= 1059, "{}", full_leaf(&key).len());
}

#[test]
fn there_is_one_text_for_each_receipt() {
    let log = LogKey::generate("log.example").unwrap();
    let entry = b"{\"v\":2}".to_vec();
    let root = record_hash(&entry);
    let checkpoint = log.checkpoint(1, root);
    let text = proof_text(&entry, 0, &[], &checkpoint);
    let check = |text: &str| verify(&BASE64_URL_SAFE_NO_PAD.encode(text), log.verifier());
    assert_eq!(
        check(&text),
        Ok(Verified {
            leaf: "{\"v\":2}".into(),
            index: 0,
            tree_size: 1,
            origin: "log.example".into(),
        })
    );
    for (from, to) in [
        ("index 0", "index 00"),
        ("index 0", "index +0"),
        ("index 0", "index  0"),
        ("index 0\n", "index 0\r\n"),
        ("\nindex", "\nextra \nindex"),
        ("@v1\n", "@v1\n\n"),
        ("@v1", "@v2"),
        ("log.example\n1\n", "log.example\n01\n"),
        ("\n\n— ", "\nextension\n\n— "),
    ] {
        assert!(text.contains(from), "{from:?}");
        assert!(check(&text.replacen(from, to, 1)).is_err(), "{to:?}");
    }
    assert!(check(&format!("{text}\n")).is_err());
    assert!(check(&format!("{text}{}", checkpoint.lines().last().unwrap())).is_err());
    let padded = base64::prelude::BASE64_URL_SAFE.encode(format!("{text} "));
    assert_eq!(verify(&padded, log.verifier()), Err(VerifyError::Encoding));
    assert_eq!(verify("", log.verifier()), Err(VerifyError::Malformed));
    assert_eq!(verify(&"A".repeat(LONGEST + 1), log.verifier()), Err(VerifyError::Malformed));
}

#[test]
fn a_receipt_counts_only_with_its_logs_key() {
    let log = LogKey::generate("log.example").unwrap();
    let entry = b"{}".to_vec();
    let checkpoint = log.checkpoint(1, record_hash(&entry));
    let receipt = BASE64_URL_SAFE_NO_PAD.encode(proof_text(&entry, 0, &[], &checkpoint));
    for stranger in ["log.example", "other.example"] {
        let key = LogKey::generate(stranger).unwrap();
        assert_eq!(
            verify(&receipt, key.verifier()),
            Err(VerifyError::Checkpoint(CheckpointError::Signature))
        );
    }
    let elsewhere = LogKey::generate("log.example").unwrap().checkpoint(1, record_hash(b"[]"));
    let moved = BASE64_URL_SAFE_NO_PAD.encode(proof_text(&entry, 0, &[], &elsewhere));
    assert!(verify(&moved, log.verifier()).is_err());
    let other_entry = log.checkpoint(1, record_hash(b"[]"));
    let swapped = BASE64_URL_SAFE_NO_PAD.encode(proof_text(&entry, 0, &[], &other_entry));
    assert_eq!(verify(&swapped, log.verifier()), Err(VerifyError::NotIncluded));
}

/// The receipts of `docs/evidence.md`, section 7, good and bad. `UPDATE_VECTORS=1` writes them anew.
#[test]
fn the_vectors_of_the_specification_hold() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../integration-tests/vectors/evidence/receipts.json");
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(&file, serde_json::to_string_pretty(&vectors()).unwrap() + "\n").unwrap();
    }
    let text = std::fs::read_to_string(&file).unwrap();
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(cases, vectors());
    for case in cases {
        let key: VerifierKey = case["key"].as_str().unwrap().parse().unwrap();
        let verified = verify(case["receipt"].as_str().unwrap(), &key);
        assert_eq!(verified.is_ok(), case["holds"], "{}", case["name"]);
        if let Ok(verified) = verified {
            assert_eq!(verified.leaf, case["entry"].as_str().unwrap());
            assert_eq!(verified.index, case["index"].as_u64().unwrap());
        }
    }
}

fn vectors() -> Vec<serde_json::Value> {
    const SECRET: &str =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    let key: LogKey = SECRET.parse().unwrap();
    let stranger = "PeterNeumann+49ab3f6b+AQMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMD";
    let entry = |n: u64| format!(r#"{{"v":2,"exchange":"{n}"}}"#);
    let text = |index: u64, size: u64, said: &str| {
        let mut tree = crate::tree::Tree::default();
        (0..size).for_each(|n| tree.push(record_hash(entry(n).as_bytes())));
        let proof = tree.proofs(index).unwrap().swap_remove(0);
        let checkpoint = key.checkpoint(size, tree.root().unwrap());
        proof_text(said.as_bytes(), index, &proof, &checkpoint)
    };
    let case = |name: &str, receipt: String, holds: Option<u64>| {
        let mut case = serde_json::json!({
            "name": name, "key": key.verifier().to_string(), "receipt": receipt, "holds": holds.is_some(),
        });
        if let Some(index) = holds {
            case["index"] = index.into();
            case["entry"] = entry(index).into();
        }
        case
    };
    let encode = |text: String| BASE64_URL_SAFE_NO_PAD.encode(text);
    let good = |index, size| text(index, size, &entry(index));
    let places = [(0, 1), (0, 2), (1, 2), (6, 7), (3, 11), (8, 11), (10, 11), (255, 257)];
    let mut cases: Vec<_> = places
        .map(|(index, size)| {
            case(&format!("{index} of {size}"), encode(good(index, size)), Some(index))
        })
        .into();
    let third = good(3, 11);
    let changed = |from: &str, to: &str| {
        assert!(third.contains(from), "{from:?}");
        encode(third.replacen(from, to, 1))
    };
    let lines: Vec<_> = third.lines().collect();
    cases.extend([
        case("another entry", encode(text(3, 11, &entry(4))), None),
        case("another index", changed("index 3", "index 4"), None),
        case("an index with a zero in front", changed("index 3", "index 03"), None),
        case("an index beyond the tree", changed("index 3", "index 11"), None),
        case("a hash too few", changed(&format!("{}\n", lines[5]), ""), None),
        case("a hash too many", changed(lines[5], &format!("{0}\n{0}", lines[5])), None),
        case(
            "two hashes in another order",
            changed(&lines[3..5].join("\n"), &[lines[4], lines[3]].join("\n")),
            None,
        ),
        case("another size", changed("\n11\n", "\n12\n"), None),
        case("another origin", changed("\n\nPeterNeumann\n", "\n\nPaulaNeumann\n"), None),
        case("no signature", changed(&lines[lines.len() - 1..].join(""), ""), None),
        case("line ends of two characters", changed("index 3\n", "index 3\r\n"), None),
        case("another version", changed("proof@v1", "proof@v2"), None),
        case("padded", format!("{}=", encode(third.clone())), None),
        case("nothing", String::new(), None),
    ]);
    let mut other = case("a key of the same name", encode(third.clone()), None);
    other["key"] = stranger.into();
    cases.push(other);
    cases
}
