//! Every mistake that loading finds, made one at a time in a copy of the catalog.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use gateway_core::{Pseudonym, Pseudonymize};

use crate::{Catalog, Problem};

struct Nobody;

impl Pseudonymize for Nobody {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

const FILES: [&str; 6] = [
    "services.yaml",
    "mohw/v1/mapping.yaml",
    "city-a/v1/mapping.yaml",
    "city-b/v1/mapping.yaml",
    "rest/v1/mapping.yaml",
    "ledger/v1/mapping.yaml",
];

/// Loads a copy of the catalog in which `edits` were made: file, text, replacement.
fn load(edits: &[(&str, &str, &str)]) -> Vec<Problem> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog/welfare");
    let root = tempfile::tempdir().unwrap();
    for file in FILES {
        let mut text = fs::read_to_string(source.join(file)).unwrap();
        for (_, from, to) in edits.iter().filter(|edit| edit.0 == file) {
            assert!(text.contains(from), "{file} does not hold {from:?}");
            text = text.replacen(from, to, 1);
        }
        let target = root.path().join("welfare").join(file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(target, text).unwrap();
    }
    Catalog::load(root.path(), Arc::new(Nobody)).err().unwrap_or_default()
}

#[track_caller]
fn finds(file: &str, from: &str, to: &str, path: &str, message: &str) {
    let problems = load(&[(file, from, to)]);
    let shown: Vec<_> = problems.iter().map(Problem::to_string).collect();
    let is_it = |problem: &Problem| {
        problem.file == format!("welfare/{file}")
            && problem.path == path
            && problem.message.contains(message)
    };
    assert!(problems.iter().any(is_it), "{path}: {message}\nnot among:\n{}", shown.join("\n"));
}

#[test]
fn the_catalog_itself_loads() {
    assert_eq!(load(&[]), []);
}

#[test]
fn all_problems_are_reported_at_once() {
    let problems = load(&[
        ("services.yaml", "of: status", "of: states"),
        ("mohw/v1/mapping.yaml", "  Internal: \"1006\"", ""),
        ("city-a/v1/mapping.yaml", "header-length: 176", "header-length: 175"),
    ]);
    for file in ["services.yaml", "mohw/v1/mapping.yaml", "city-a/v1/mapping.yaml"] {
        let name = format!("welfare/{file}");
        assert!(problems.iter().any(|problem| problem.file == name), "nothing in {file}");
    }
}

#[test]
fn unknown_and_repeated_keys() {
    finds("rest/v1/mapping.yaml", "version: 1", "version: 1\nvresion: 1", "", "unknown field");
    finds("rest/v1/mapping.yaml", "version: 1", "version: 1\nversion: 1", "", "duplicate");
    let (from, to) = ("type: boolean, required", "type: boolean, requird");
    finds("rest/v1/mapping.yaml", from, to, "", "unknown field");
    finds("rest/v1/mapping.yaml", "key-max: 128", "key-max: many", "", "invalid");
    finds("rest/v1/mapping.yaml", "naru: mapping/v1", "naru: mapping/v2", "naru", "mapping/v1");
    finds("rest/v1/mapping.yaml", "system: rest", "system: soap", "", "as the folders are named");
    finds("services.yaml", "sector: welfare", "sector: health", "sector", "name of the folder");
}

#[test]
fn services() {
    let file = "services.yaml";
    let group = "      group: { type: code, of: group, required: true }";
    finds(file, group, "      group: { type: code, of: grp }",
        "services.overlapCheck.request.group.of", "not a set of codes");
    finds(file, group, "      group: { type: flag, max: 3 }",
        "services.overlapCheck.request.group.max", "means nothing for this type");
    finds(file, group, "      group: { type: text }",
        "services.overlapCheck.request.group", "wants `max`");
    finds(file, "    subject: person", "    subject: group", "services.overlapCheck.subject", "resident-number");
    finds(file, "count: benefit-count", "counts: benefit-count",
        "services.history.consent.items.counts", "not a field of the reply");
    finds(file, "count: { type: integer, min: 0, max: 9999 }",
        "count: { type: integer, min: 0, max: 9999, required: true }",
        "services.history.consent.items.count", "held back");
    finds(file, "home-care: child", "home-care: children",
        "tables.group-of-programme.rows.home-care", "not a group");
    finds(file, "      home-care: child\n", "", "tables.group-of-programme.rows", "nothing for `home-care`");
    finds(file, "group: [livelihood, housing, child]", "group: [livelihood, housing, child, child]",
        "codes.group", "twice");
}

#[test]
fn field_tables() {
    let file = "rest/v1/mapping.yaml";
    let end = "      - { from: reason, to: reason, type: string, required: true }\n";
    finds(file, end, "", "operations.benefitEnd.request", "the service requires `reason`");
    finds(file, end, &end.replace("to: reason", "to: reasons"),
        "operations.benefitEnd.request[2]", "no field `reasons`");
    finds(file, end, &end.replace(", required: true", ""),
        "operations.benefitEnd.request[2]", "must say `required: true`");
    finds(file, end, &end.replace("from: reason, ", ""),
        "operations.benefitEnd.request[2]", "names no field of the wire");
    finds(file, end, &end.replace("from: reason", "from: end"),
        "operations.benefitEnd.request[2]", "stands there twice");
    finds(file, end, &end.replace("to: reason", "to: end"),
        "operations.benefitEnd.request[2]", "mapped twice");
    finds(file, end, &end.replace("type: string", "type: strng"),
        "operations.benefitEnd.request[2].type", "must be `string`");
    finds(file, end, &end.replace("type: string", "type: integer"),
        "operations.benefitEnd.request[2].type", "does not go with");
    finds(file, end, &end.replace("type: string", "type: string, convert: rot13"),
        "operations.benefitEnd.request[2].convert", "no converter `rot13`");
    finds(file, end, &end.replace("type: string", "type: string, table: reasons"),
        "operations.benefitEnd.request[2].table", "no table `reasons`");
    finds(file, end, &end.replace("type: string", "type: string, via: group-of-programme"),
        "operations.benefitEnd.request[2].via", "a reason is wanted");
    finds(file, end, &end.replace("type: string", "type: string, length: 3"),
        "operations.benefitEnd.request[2].length", "means nothing");
    finds(file, end, &end.replace("type: string", "type: string, zeros: none"),
        "operations.benefitEnd.request[2].zeros", "means nothing");
    finds(file, end, &end.replace("type: string", "type: string, default: nothing"),
        "operations.benefitEnd.request[2].default", "not a value");
    finds(file, "  benefitEnd:", "  benefitStop:", "operations.benefitStop", "no service `benefitStop`");
    finds(file, "  benefitEnd:", "  benefitStop:\n    service: benefitEnd",
        "operations.benefitStop", "name of its service");
}

#[test]
fn code_tables() {
    let file = "city-a/v1/mapping.yaml";
    let status = "{ A: applied, G: granted, E: ended }";
    finds(file, status, "{ A: applied, G: granted }", "tables.status.rows", "no code for `ended`");
    finds(file, status, "{ A: applied, G: granted, E: over }", "tables.status.rows.E", "not a status");
    finds(file, status, "{ A: applied, G: granted, E: ended, X: ended }",
        "operations.WLF005.reply[1].fields[6]", "two codes stand for one name");
    finds(file, status, "{ A: applied, G: granted, EN: ended }",
        "operations.WLF005.reply[1].fields[6]", "cannot hold `EN`");
    finds(file, "of: status", "of: states", "tables.status.of", "not a set of codes");
    finds(file, "length: 2, table: group,", "length: 2, table: reason,",
        "operations.WLF001.request[1].table", "is of reason");
}

#[test]
fn fixed_lengths() {
    let file = "city-a/v1/mapping.yaml";
    finds(file, "header-length: 176", "header-length: 180", "layout.telegram.header-length", "add up to 176");
    let day = "{ from: startDate, to: from, type: N, length: 8, convert: yyyymmdd, required: true }";
    finds(file, day, &day.replace("length: 8", "length: 7"), "operations.WLF001.request[2]", "cannot hold `99991231`");
    finds(file, day, &day.replace(", convert: yyyymmdd", ""), "operations.WLF001.request[2]", "digits alone");
    finds(file, day, &day.replace(", length: 8", ""), "operations.WLF001.request[2].length", "from 1 to");
    let amount = "{ from: monthlyAmount, to: monthlyAmount, type: N, length: 12, required: true }";
    finds(file, amount, &amount.replace("12", "11"), "operations.WLF002.request[5]", "cannot hold `999999999999`");
    finds(file, "occurs: 20", "occurs: 19", "operations.WLF005.reply[1].occurs", "allows 20 records");
    finds(file, "        occurs: 20\n", "", "operations.WLF005.reply[1]", "wants `occurs`");
    finds(file, "receipt-length: 4096", "receipt-length: 9000", "layout.telegram.framing.length-digits", "has");
    finds(file, "max: 9999", "max: 200", "layout.telegram.framing.max", "has 303 bytes");
    finds(file, "constant: \"0210\"", "constant: \"02100\"", "layout.telegram.header[1]", "cannot hold `02100`");
    finds(file, "Internal: \"9999\"", "Internal: \"99999\"", "layout.telegram.header[7]", "cannot hold `99999`");
}

#[test]
fn headers_keys_and_faults() {
    let file = "mohw/v1/mapping.yaml";
    finds(file, "zone: \"+09:00\"\n", "", "layout.soap", "wants a `zone`");
    finds(file, "zone: \"+09:00\"", "zone: KST", "layout.soap", "must be an offset");
    finds(file, "Forbidden/wrong-provider }", "wrong-provider }",
        "layout.soap.header[1].request.expect.otherwise", "Kind/code");
    finds(file, "organizations: { MOHW0001: mohw }\n", "", "layout.soap", "belong together");
    finds(file, "idempotency-key: [requestNumber]", "idempotency-key: [requestNo]",
        "operations.benefitGrant", "idempotency key is not in it");
    finds(file, "  Internal: \"1006\"", "", "faults", "no code for Internal");
    finds(file, "  Internal: ", "  Internel: ", "faults.Internel", "must be a kind of fault");
    finds(file, "success: { code: \"0000\", message: OK }", "", "success", "is missing");
    finds("rest/v1/mapping.yaml", "\"404\"", "\"teapot\"", "faults.Unroutable", "HTTP status");
    let file = "city-b/v1/mapping.yaml";
    finds(file, "idempotency-key: [fileId, recordNumber]", "idempotency-key: [fileId]",
        "layout.batch", "must be [fileId, recordNumber]");
    finds(file, "total: monthlyAmount", "total: sum", "layout.batch.total", "not one of the columns");
    finds(file, "files: WELFARE_*.csv", "files: WELFARE.csv", "layout.batch.files", "one `*`");
    finds(file, "{ from: startDate, to: from", "{ from: begin, to: from",
        "operations.A.request[3]", "none of the columns");
}

#[test]
fn backends() {
    let file = "ledger/v1/mapping.yaml";
    let grant = "operations.benefitApply.request";
    finds(file, "    function: overlapCheck\n", "", "operations.overlapCheck.function", "is missing");
    finds(file, "type: uint64, from: monthlyAmount", "type: uint32, from: monthlyAmount",
        &format!("{grant}[7].type"), "does not hold 0 to 999999999999");
    finds(file, "from: $caller, convert: ascii", "from: caller, convert: ascii",
        &format!("{grant}[4].from"), "no request field `caller`");
    finds(file, "domain: { from: programme, via: group-of-programme }", "domain: { from: name }",
        &format!("{grant}[1].domain.from"), "must be a `code`");
    finds(file, "domain: { from: programme, via: group-of-programme }", "domain: { from: programme, via: x }",
        &format!("{grant}[1].domain.via"), "no table `x`");
    finds(file, "from: programme, convert: ascii }", "from: programme }",
        &format!("{grant}[3]"), "no way from a code");
    finds(file, "type: bytes32, from: $key", "type: uint64, from: $key",
        &format!("{grant}[0].type"), "bytes32");
    finds(file, "from: application, zeros: none", "from: application",
        "operations.benefitGrant.request[1]", "for a field that may be absent");
    finds(file, "from: $request.end", "from: $request.reason",
        "operations.benefitEnd.reply[1].from", "request field of the same type");
    finds(file, "\"3\": ended", "three: ended",
        "operations.history.reply[1].fields[6].table", "not a number");
    finds(file, "      - { from: $request.end, to: end, required: true }\n", "",
        "operations.benefitEnd.reply", "requires `end`");
    let services = "services.yaml";
    let problems = load(&[(services, "group: [livelihood", "group: [consent, livelihood")]);
    assert!(problems.iter().any(|problem| problem.message.contains("domain of the gateway's own")));
}
