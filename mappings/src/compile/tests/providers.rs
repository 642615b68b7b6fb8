//! Mistakes in the mappings of providers.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::Nobody;
use crate::{Catalog, Problem};

/// Loads the population sector with one provider in which `from` became `to`.
#[track_caller]
fn finds(system: &str, from: &str, to: &str, path: &str, message: &str) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog/population");
    let root = tempfile::tempdir().unwrap();
    let file = format!("{system}/v1/mapping.yaml");
    for name in ["purposes.yaml", "services.yaml", &file] {
        let mut text = fs::read_to_string(source.join(name)).unwrap();
        if name == file {
            assert!(text.contains(from), "{file} does not hold {from:?}");
            text = text.replacen(from, to, 1);
        }
        let target = root.path().join("population").join(name);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(target, text).unwrap();
    }
    let problems = Catalog::load(root.path(), Arc::new(Nobody)).err().unwrap_or_default();
    let shown: Vec<_> = problems.iter().map(Problem::to_string).collect();
    let is_it = |problem: &Problem| problem.path == path && problem.message.contains(message);
    assert!(problems.iter().any(is_it), "{path}: {message}\nnot among:\n{}", shown.join("\n"));
}

#[test]
fn what_no_provider_has() {
    let zone = "zone: \"+09:00\"\n";
    let soap = "mois-soap";
    finds(soap, zone, &format!("{zone}idempotency-key: [a]\n"), "idempotency-key", "means nothing");
    finds(soap, zone, &format!("{zone}success: {{ code: OK }}\n"), "success", "means nothing");
    finds(soap, zone, "", "layout.provider.soap.header", "wants a `zone`");
    finds(
        soap,
        "    function: checkRealName\n",
        "",
        "operations.realNameCheck.function",
        "is missing",
    );
}

#[test]
fn requests() {
    let to = "{ from: name, to: name, type: string, required: true }";
    for (row, path, message) in [
        (
            "{ from: nam, to: name, type: string }",
            "operations.realNameCheck.request[1]",
            "no field `nam`",
        ),
        (
            "{ to: name, from: name, type: integer }",
            "operations.realNameCheck.request[1].type",
            "does not go",
        ),
        (
            "{ from: $kye, to: name, type: string }",
            "operations.realNameCheck.request[1]",
            "no field `$kye`",
        ),
    ] {
        finds("mois-json", to, row, path, message);
    }
}

#[test]
fn answers() {
    let reply = "{ from: matches, to: matches, type: boolean, required: true }";
    let at = "operations.realNameCheck.reply";
    finds("mois-json", reply, "{ from: matches, type: boolean }", at, "no row maps it");
    let repeated = "{ from: $request.name, to: matches, required: true }";
    finds("mois-json", reply, repeated, "operations.realNameCheck.reply[0].from", "same type");
}

#[test]
fn submits() {
    let sends_key = "      - { from: $key, to: requestId, type: string, required: true }\n";
    let at = "operations.moveReport.call.repeatable";
    finds("mois-json", sends_key, "", at, "by which the provider knows it");
    let query = "call: { path: /realname/checks }";
    let wrong = "call: { path: /realname/checks, repeatable: true }";
    finds("mois-json", query, wrong, "operations.realNameCheck.call.repeatable", "means nothing");
    // An inquiry is kept on disk, so nothing of the request may be in it.
    let inquiry =
        "- { from: $original, to: originalSerialNumber, type: N, length: 8, required: true }";
    let personal =
        "- { from: person, to: originalSerialNumber, type: N, length: 13, required: true }";
    let at = "operations.moveReport.call.inquiry.request[0]";
    finds("mois-telegram", inquiry, personal, at, "no field `person`");
}

#[test]
fn paths() {
    let path = "path: /moves";
    let at = "operations.moveReport.call.path";
    finds("mois-json", path, "path: moves", at, "must begin with");
    finds("mois-json", path, "path: \"/moves/{numer}\"", at, "no row gives `numer`");
    finds(
        "mois-soap",
        "call: { action: \"urn:kr:go:mois:resident:v1#checkRealName\" }",
        "call: { method: GET }",
        "operations.realNameCheck.call.method",
        "means nothing",
    );
}

#[test]
fn soap() {
    let at = |key: &str| format!("layout.provider.soap{key}");
    let namespace = "namespace: urn:kr:go:mois:resident:v1";
    let version = format!("{namespace}\n      version: \"1.3\"");
    finds("mois-soap", namespace, &version, &at(".version"), "must be");
    finds("mois-soap", "      header-element: header\n", "", &at(""), "belong together");
    let field = "result: { field: resultCode";
    finds("mois-soap", field, "result: { field: code", &at(".result.field"), "not a field");
    let client = "client: KR/GOV/1741000/naru";
    finds("mois-xroad", client, "client: KR/GOV", &at(".x-road.client"), "must be instance");
}

#[test]
fn telegrams() {
    let at = |key: &str| format!("layout.provider.telegram.{key}");
    let length = "header-length: 50";
    finds("mois-telegram", length, "header-length: 49", &at("header"), "add up to 50");
    let serial = "length: 8, from: $serial }";
    finds("mois-telegram", serial, "length: 8, constant: \"0\" }", &at("header"), "one field from");
}
