//! The commands on the catalog, and on copies of it with one slip or change each.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

fn catalog() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// A copy of the catalog in which `file` was edited.
fn edited(file: &str, edits: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    copy(&catalog(), root.path());
    let path = root.path().join(file);
    let mut text = fs::read_to_string(&path).unwrap();
    for (from, to) in edits {
        assert!(text.contains(from), "{file} does not hold {from:?}");
        text = text.replacen(from, to, 1);
    }
    fs::write(path, text).unwrap();
    root
}

#[track_caller]
fn lints(file: &str, edits: &[(&str, &str)], wanted: &str) {
    let root = edited(file, edits);
    let found: Vec<String> = lint(root.path()).unwrap().iter().map(Finding::to_string).collect();
    assert!(found.iter().any(|one| one.contains(wanted)), "{wanted}\nnot in {found:#?}");
}

#[test]
fn lint_finds_slips() {
    let file = "welfare/city-a/v1/mapping.yaml";
    let table = "tables:\n  spare: { of: group, rows: { A: livelihood, B: housing, C: child } }\n";
    lints(file, &[("tables:\n", table)], "warning  welfare/city-a/v1: tables.spare: no row uses");
    lints(
        "welfare/services.yaml",
        &[("codes:\n", "codes:\n  colour: [red]\n")],
        "warning  welfare: codes.colour: no field and no table",
    );
    let applied = "- { from: requestNumber, type: string, max: 40, required: true }\n";
    lints(
        "welfare/mohw/v1/mapping.yaml",
        &[(applied, &format!("{applied}      - {{ from: remark, type: string }}\n"))],
        "`remark` is read and goes nowhere",
    );
    lints(
        "welfare/mohw/v1/mapping.yaml",
        &[("      - { from: applicationId, to: application, type: string }\n", "")],
        "note  welfare/mohw/v1: operations.benefitGrant.request: `application` of the service",
    );
    let root = tempfile::tempdir().unwrap();
    copy(&catalog(), root.path());
    fs::remove_dir_all(root.path().join("welfare/rest/v1/cases")).unwrap();
    let found = lint(root.path()).unwrap();
    let bare = |one: &&Finding| one.place == "welfare/rest/v1" && one.message == "no case shows it";
    assert_eq!(found.iter().filter(bare).count(), 10);
}

#[test]
fn the_catalog_has_no_slips_of_its_own() {
    let found = lint(&catalog()).unwrap();
    let warnings: Vec<_> = found.iter().filter(|one| one.is_warning).collect();
    assert!(warnings.is_empty(), "{warnings:#?}");
}

/// What changed when `file` was edited: with weights and paths.
fn changed(file: &str, edits: &[(&str, &str)]) -> Vec<String> {
    let root = edited(file, edits);
    let changes = diff(&catalog().join(file), &root.path().join(file)).unwrap();
    changes.iter().map(Change::to_string).collect()
}

#[test]
fn diff_says_what_breaks() {
    let file = "welfare/mohw/v1/mapping.yaml";
    assert!(changed(file, &[]).is_empty());
    let whom = "callers of welfare/mohw";
    for (from, to, wanted) in [
        (
            "to: benefitId, type: string }",
            "to: grantId, type: string }",
            "BREAKS  {}: operations.overlapCheck.reply.benefitId: is now `grantId`",
        ),
        (
            "max: 40, required: true }",
            "max: 20, required: true }",
            "BREAKS  {}: operations.benefitApply.request.requestNumber.max: is narrower: 20 after 40",
        ),
        (
            "max: 40, required: true }",
            "max: 50, required: true }",
            "change  {}: operations.benefitApply.request.requestNumber.max: is wider: 50 after 40",
        ),
        (
            "to: application, type: string }",
            "to: application, type: string, required: true }",
            "BREAKS  {}: operations.benefitGrant.request.applicationId: is required now",
        ),
        ("      HMC: home-care\n", "", "BREAKS  {}: tables.programme.rows.HMC: is gone"),
        (
            "      HMC: home-care\n",
            "      HMC: home-care\n      HM2: home-care\n",
            "change  {}: tables.programme.rows.HM2: is new",
        ),
        (
            "Malformed: \"3001\"",
            "Malformed: \"3002\"",
            "BREAKS  {}: faults.Malformed: was `3001` and is `3002`",
        ),
        ("urn:kr:go:mohw:welfare:v1", "urn:kr:go:mohw:welfare:v2", "BREAKS  {}: layout"),
    ] {
        let changes = changed(file, &[(from, to)]);
        let wanted = wanted.replace("{}", whom);
        assert!(changes.iter().any(|change| change.starts_with(&wanted)), "{wanted}\n{changes:#?}");
    }
    let telegram = changed(
        "welfare/city-a/v1/mapping.yaml",
        &[("type: AN, length: 16 }", "type: AN, length: 20 }")],
    );
    assert_eq!(
        telegram,
        [
            "BREAKS  callers of welfare/city-a: operations.WLF001.reply.providerId.length: was `16` and is `20`"
        ]
    );
}

#[test]
fn diff_says_what_a_change_of_services_breaks() {
    let file = "welfare/services.yaml";
    for (from, to, wanted) in [
        (
            "      provider: { type: text, max: 32 }\n",
            "",
            "BREAKS  everyone of welfare: services.overlapCheck.reply.provider: is gone",
        ),
        (
            "provider: { type: text, max: 32 }",
            "provider: { type: text, max: 40 }",
            "BREAKS  everyone of welfare: services.overlapCheck.reply.provider.max: is wider",
        ),
        (
            "provider: { type: text, max: 32 }",
            "provider: { type: text, max: 30 }",
            "change  everyone of welfare: services.overlapCheck.reply.provider.max: is narrower",
        ),
        (
            "application: { type: bytes, length: 32 }\n",
            "application: { type: bytes, length: 32 }\n      office: { type: text, max: 8, required: true }\n",
            "BREAKS  everyone of welfare: services.benefitGrant.request.office: is new and required",
        ),
        (
            "status: [applied, granted, ended]",
            "status: [applied, granted]",
            "BREAKS  everyone of welfare: codes.status: `ended` is gone",
        ),
    ] {
        let changes = changed(file, &[(from, to)]);
        assert!(changes.iter().any(|change| change.starts_with(wanted)), "{wanted}\n{changes:#?}");
    }
    let other = catalog().join("welfare/mohw/v1");
    assert!(diff(&catalog().join("welfare"), &other).is_err());
}

#[test]
fn explain_shows_each_field_and_no_secret() {
    let case = |name: &str| catalog().join("welfare/mohw/v1/cases").join(name);
    let explained = explain(&catalog(), "welfare/mohw/v1", &case("grant.in")).unwrap();
    let shown = explained.to_string();
    assert!(shown.starts_with("benefitGrant: welfare/benefitGrant request\n"), "{shown}");
    let line = |from: &str| explained.lines.iter().find(|line| line.from == from).unwrap();
    assert_eq!(line("residentNumber").to, "person");
    assert!(line("residentNumber").value.ends_with("******"), "{shown}");
    assert!(line("name").value.contains('*'));
    assert_eq!(
        line("programmeCode").rule,
        "operations.benefitGrant.request[3]: type string, table programme, required"
    );
    assert_eq!(line("requestNumber").to, "-");

    let answer = explain(&catalog(), "welfare/mohw/v1", &case("history.reply.in")).unwrap();
    assert!(answer.lines.iter().any(|line| line.from == "count" && line.to == "count"), "{answer}");

    let file = catalog().join("welfare/rest/v1/cases/grant-name-too-long.in");
    let refused = explain(&catalog(), "welfare/rest/v1", &file).unwrap();
    assert!(refused.outcome.starts_with("refused: Malformed/value-too-long"), "{refused}");
    assert!(refused.lines.iter().all(|line| line.value.is_empty() && line.from == "name"));

    let call = catalog().join("welfare/ledger/v1/cases/grant.in");
    let call = explain(&catalog(), "welfare/ledger/v1", &call).unwrap();
    let person = call.lines.iter().find(|line| line.to == "person").unwrap();
    assert!(person.value.ends_with("******") && person.rule.contains("pseudonym"), "{call}");
    assert!(explain(&catalog(), "welfare/none/v1", &file).is_err());
}
