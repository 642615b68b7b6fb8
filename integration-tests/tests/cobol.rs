//! A copybook compiled by GnuCOBOL: its program writes a record that Naru reads by the mapping that
//! `naru mapping new` made of the same copybook, and reads a record that Naru wrote. The values are
//! compared on both sides, for both ways in which an ASCII digit carries a sign.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use gateway_core::front::Exchange;
use gateway_core::{Evidence, ExchangeId, Front, Inbound, Message, Value};
use integration_tests::scripted::{NOW, Scripted};
use integration_tests::{naru, root};
use mappings::Catalog;
use uuid::Uuid;

fn run(program: &Path, arguments: &[&str]) -> Vec<u8> {
    let folder = root().join("integration-tests/cobol");
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|e| panic!("{}: {e}; `make deps`", program.display()));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {arguments:?}: {said}", program.display());
    output.stdout
}

/// Compiles a program of the copybook; binary numbers of two, four or eight bytes as on a host.
fn compile(program: &str, sign: &str, folder: &Path) -> PathBuf {
    let executable = folder.join(program);
    let sign = format!("-fsign={sign}");
    let target = executable.to_str().unwrap();
    let source = format!("{program}.cob");
    run(Path::new("cobc"), &["-x", "-fbinary-size=2-4-8", &sign, "-o", target, &source]);
    executable
}

/// The catalog that the command makes of the copybook.
fn import(overpunch: &str, folder: &Path) -> Arc<dyn Front> {
    let catalog = folder.join("catalog");
    std::fs::create_dir(&catalog).unwrap();
    run(
        &naru(),
        &[
            "mapping",
            "new",
            "--copybook=PENSION.cpy",
            "--sector=pension",
            "--system=host",
            "--service=status",
            "--operation=PN01",
            "--transaction=PN-TRANSACTION",
            "--result=PN-RESULT",
            "--overpunch",
            overpunch,
            "--when=PN-CARD=PN-PAID-BY:C",
            "--when=PN-ACCOUNT=PN-PAID-BY:B",
            "--catalog",
            catalog.to_str().unwrap(),
        ],
    );
    let catalog = Catalog::load(&catalog, Arc::new(Scripted { fault: None }));
    let catalog = catalog.unwrap_or_else(|problems| panic!("{problems:?}"));
    catalog.front("pension/host/v1").unwrap().as_front()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn list(records: &[&[(&str, Value)]]) -> Value {
    let record = |fields: &&[(&str, Value)]| {
        fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    };
    Value::List(records.iter().map(record).collect())
}

/// What `WRITER.cob` moves into its record.
fn written_by_cobol() -> Message {
    let month = |amount: &str| [("pnMonths", text(amount))];
    let child = |name, share| [("pnChildName", text(name)), ("pnChildShare", text(share))];
    Message::from_iter([
        ("pnName", text("홍길동")),
        ("pnStatus", text("pn-status-paid")),
        ("pnBalance", text("-1234567.89")),
        ("pnDelta", Value::Integer(-12_340)),
        ("pnLeading", Value::Integer(-54_321)),
        ("pnSeparate", text("-12.5")),
        ("pnBinary", Value::Integer(-321)),
        ("pnLong", Value::Integer(123_456_789_012_345_678)),
        ("pnNative", Value::Integer(-987_654_321)),
        ("pnPaidBy", text("B")),
        ("pnBank", Value::Integer(88)),
        ("pnNumber", text("110-222-33333")),
        ("pnMonths", list(&[&month("1.25"), &month("0"), &month("999.99")])),
        ("pnCount", Value::Integer(2)),
        ("pnChildren", list(&[&child("김철수", "50.25"), &child("LEE", "-0.75")])),
    ])
}

/// What `READER.cob` displays of it.
const DISPLAYED: [&str; 18] = [
    "PN01|0000",
    "12345678",
    "홍길동",
    "PAID",
    "-1234567.89",
    "-12340",
    "-54321",
    "-12.5",
    "-321",
    "123456789012345678",
    "-987654321",
    "B|088|110-222-33333",
    "1.25",
    "0.00",
    "999.99",
    "02",
    "김철수|50.25",
    "LEE|-0.75",
];

fn both_ways(sign: &str, overpunch: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (writer, reader) =
        (compile("WRITER", sign, folder.path()), compile("READER", sign, folder.path()));
    let front = import(overpunch, folder.path());
    let record = folder.path().join("record");
    run(&writer, &[record.to_str().unwrap()]);
    // GnuCOBOL puts the length before each record of a file whose records vary.
    let written = std::fs::read(&record).unwrap().split_off(4);

    let inbound = Inbound {
        id: ExchangeId(Uuid::nil()),
        front: front.clone(),
        evidence: Evidence::default(),
        attributes: Default::default(),
        body: written.clone().into(),
        received: NOW.parse().unwrap(),
        deadline: None,
    };
    let envelope = front.decode(&inbound).unwrap();
    assert_eq!(envelope.message, written_by_cobol(), "{sign}");

    let envelope = Arc::new(envelope);
    let exchange = Exchange {
        id: inbound.id,
        inbound: &inbound,
        envelope: Some(&envelope),
        quota: &[],
        now: inbound.received,
    };
    let reply = front.encode(&exchange, &written_by_cobol()).unwrap().body;
    let mut wanted = written;
    // The host leaves binary zeros in its filler, and we write spaces.
    wanted[32..34].copy_from_slice(b"  ");
    assert_eq!(reply, wanted, "{sign}: byte for byte");

    std::fs::write(&record, reply).unwrap();
    let shown = run(&reader, &[record.to_str().unwrap()]);
    let shown = from_euc_kr(&shown);
    assert_eq!(shown.lines().collect::<Vec<_>>(), DISPLAYED, "{sign}");
}

/// EUC-KR as `iconv` reads it.
fn from_euc_kr(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shown");
    std::fs::write(&file, bytes).unwrap();
    let arguments = ["-f", "UHC", "-t", "UTF-8", file.to_str().unwrap()];
    String::from_utf8(run(Path::new("iconv"), &arguments)).unwrap()
}

#[test]
fn cobol_and_naru_read_what_the_other_wrote() {
    both_ways("ASCII", "ascii");
    both_ways("EBCDIC", "translated");
}
