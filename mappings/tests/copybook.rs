//! Copybooks → mappings that load, or a sentence that says what keeps one from being made.
#![cfg(test)]

use std::sync::Arc;

use gateway_core::{Pseudonym, Pseudonymize};
use mappings::Catalog;
use mappings::import::Scaffold;
use mappings::import::copybook::{CopybookError, CopybookScaffold, ScaffoldError};

struct Nobody;

impl Pseudonymize for Nobody {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

fn wanted() -> CopybookScaffold {
    CopybookScaffold {
        sector: "tax".into(),
        system: "host".into(),
        operation: "TX01".into(),
        service: "assess".into(),
        transaction: "TX-CODE".into(),
        result: Some("TX-RESULT".into()),
        encoding: "ebcdic-933".into(),
        overpunch: None,
        alternatives: vec![],
    }
}

#[track_caller]
fn loads(scaffold: &Scaffold) {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("tax/host/v1");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(root.path().join("tax/services.yaml"), &scaffold.services).unwrap();
    std::fs::write(folder.join("mapping.yaml"), &scaffold.mappings[0].text).unwrap();
    if let Err(problems) = Catalog::load(root.path(), Arc::new(Nobody)) {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        panic!("{}\n{}\n{}", problems.join("\n"), scaffold.services, scaffold.mappings[0].text);
    }
}

const HEADER: &str = "\
000100 01  TAX-RECORD.                                                  TAX00100
000200*    What every telegram begins with.
000300     05  TX-HEADER.                                               TAX00300
000400         10  TX-CODE        PIC X(4).                             TAX00400
000500         10  TX-RESULT      PIC 9(4).                             TAX00500
";

#[test]
fn a_record_of_every_clause_becomes_a_mapping_that_loads() {
    let copybook = format!(
        "{HEADER}\
000600     05  PERSON.
000700         10  NAME           PIC X(20) VALUE SPACES.
000800         10  FILLER         PIC X(02).
000900         10  STATUS-CODE    PIC X.
001000             88  STATUS-ACTIVE   VALUE 'A'.
001100             88  STATUS-CLOSED   VALUE 'C'.
001200         10  GRADE          PIC 9(2) COMP-3.
001300             88  GRADE-LOW       VALUE 1.
001400             88  GRADE-HIGH      VALUE 2 THRU 9.
001500         10  BIRTH.
001600             15  NAME       PIC X(10).
001700     05  AMOUNTS            USAGE COMP-3.
001800         10  BALANCE        PIC S9(9)V99.
001900         10  COUNT-X        PIC S9(4) USAGE IS COMPUTATIONAL.
002000     05  DELTA              PIC S9(5)
002010                            SIGN IS LEADING SEPARATE CHARACTER.
002100     05  NATIVE             PIC S9(9) COMP-5.
002200     05  PRINTED            PIC ZZZ,ZZ9.99.
002300     05  MONTHLY            PIC 9(5) OCCURS 12 TIMES.
002400     05  ENTRY-COUNT        PIC 9(2).
002500     05  ENTRIES            OCCURS 1 TO 10 TIMES
002510                            DEPENDING ON ENTRY-COUNT
002600                            INDEXED BY ENTRY-IX.
002700         10  ENTRY-NAME     PIC X(8).
002800         10  ENTRY-AMOUNT   PIC S9(7)V9(2) PACKED-DECIMAL.
002900     66  ALIAS RENAMES PERSON.
"
    );
    let scaffold = wanted().write(copybook.as_bytes()).unwrap();
    loads(&scaffold);
    for row in [
        "- { from: name, to: name, picture: \"X(20)\" }",
        "- { from: birthName, to: birthName, picture: \"X(10)\" }",
        "- { from: statusCode, to: statusCode, picture: \"X\", table: statusCode }",
        "- { from: grade, to: grade, picture: \"9(2)\", usage: comp-3, required: true }",
        "- { from: balance, to: balance, picture: \"S9(9)V99\", usage: comp-3, required: true }",
        "- { from: countX, to: countX, picture: \"S9(4)\", usage: comp, required: true }",
        "picture: \"S9(5)\", sign: leading-separate",
        "picture: \"S9(9)\", usage: comp-5",
        "picture: \"ZZZ,ZZ9.99\"",
        "depending-on: entryCount",
        "{ name: txCode, picture: \"X(4)\", required: true, request: operation, reply: echo }",
        "{ name: txResult, picture: \"9(4)\", reply: result-code }",
        "\"C\": status-closed",
    ] {
        assert!(scaffold.mappings[0].text.contains(row), "{row}\n{}", scaffold.mappings[0].text);
    }
    // The twelve months are a list of one field.
    assert!(scaffold.services.contains("max: 12"), "{}", scaffold.services);
}

#[test]
fn free_format_and_korean_comments_are_read() {
    let copybook = "\
*> 세금 시스템 전문
01 TAX-RECORD.
  05 TX-HEADER.
    10 TX-CODE pic x(4). *> 거래 코드
    10 TX-RESULT pic 9(4).
  05 NAME pic x(20) value 'it''s \"so\". '.
  05 AMOUNT pic s9(7)v99 comp-3 value 1.5.
";
    loads(&wanted().write(copybook.as_bytes()).unwrap());
    let (euc_kr, _, _) = encoding_rs::EUC_KR.encode(copybook);
    loads(&wanted().write(&euc_kr).unwrap());
}

#[test]
fn alternatives_want_to_be_told_apart() {
    let copybook = format!(
        "{HEADER}\
000600     05  KIND               PIC X.
000700     05  BY-CARD.
000800         10  CARD-NUMBER    PIC 9(16).
000900     05  BY-BANK REDEFINES BY-CARD.
001000         10  BANK-CODE      PIC 9(3).
001100         10  ACCOUNT        PIC X(14).
001200     05  TAIL               PIC X(3).
"
    );
    let refused = wanted().write(copybook.as_bytes()).unwrap_err();
    assert_eq!(refused, ScaffoldError::Alternatives { line: 7, name: "BY-CARD".into() });
    let when = |item: &str, code: &str| (item.to_owned(), "KIND".to_owned(), vec![code.to_owned()]);
    let told = CopybookScaffold {
        alternatives: vec![when("BY-CARD", "C"), when("BY-BANK", "B")],
        ..wanted()
    };
    let scaffold = told.write(copybook.as_bytes()).unwrap();
    loads(&scaffold);
    assert!(scaffold.mappings[0].text.contains("chosen-by: kind"), "{}", scaffold.mappings[0].text);
}

#[track_caller]
fn refused(rest: &str, wanted_error: CopybookError) {
    let copybook = format!("{HEADER}{rest}\n");
    assert_eq!(wanted().write(copybook.as_bytes()).unwrap_err(), wanted_error.into(), "{rest}");
}

#[test]
fn what_is_not_understood_is_refused_with_its_line() {
    let unsupported = |clause, why| CopybookError::Unsupported { line: 6, clause, why };
    refused("           COPY OTHER REPLACING ==:A:== BY ==B==.", CopybookError::Copy { line: 6 });
    refused("       05  :TAG:-NAME PIC X.", CopybookError::Copy { line: 6 });
    refused(
        "       05  F COMP-1.",
        unsupported("COMP-1 and COMP-2", "a floating-point number is not exact"),
    );
    refused(
        "       05  N PIC 9(4) COMP SYNC.",
        unsupported("SYNCHRONIZED", "it adds bytes that depend on the machine"),
    );
    refused(
        "       05  N PIC X(4) JUSTIFIED RIGHT.",
        unsupported("JUSTIFIED", "texts are left-aligned in mappings"),
    );
    refused(
        "       05  N PIC Q(4).",
        CopybookError::Picture {
            line: 6,
            picture: "Q(4)".into(),
            why: "is no picture of COBOL".into(),
        },
    );
    refused("       05  N PIC X(4) VALUE 'open.", CopybookError::OpenLiteral { line: 6 });
    refused("       05  N PIC X(4)", CopybookError::Unfinished { line: 6 });
    refused("      -    'continued'.", CopybookError::Continued { line: 6 });
    refused(
        "       05  N PIC X(4) SOMETIMES.",
        CopybookError::Unknown { line: 6, clause: "SOMETIMES".into() },
    );
    let structure = |why| CopybookError::Structure { line: 6, why };
    refused("       05  N.", structure("an item wants a picture, or items below it"));
    assert_eq!(
        wanted().write(b"       05  N PIC X.\n").unwrap_err(),
        ScaffoldError::NoItem("TX-CODE".into())
    );
    assert_eq!(wanted().write(b"").unwrap_err(), CopybookError::Empty.into());
    assert_eq!(wanted().write(b"\xff\xff").unwrap_err(), CopybookError::NotText.into());
}
