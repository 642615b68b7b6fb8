//! Every mistake that loading finds, made one at a time in a copy of the catalog.

mod backends;
mod batch;
mod fronts;
mod language;
mod providers;
mod telegrams;
mod xml;

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

const FILES: [&str; 10] = [
    "purposes.yaml",
    "services.yaml",
    "mohw/v1/mapping.yaml",
    "city-a/v1/mapping.yaml",
    "city-b/v1/mapping.yaml",
    "city-d/v1/mapping.yaml",
    "rest/v1/mapping.yaml",
    "open-data/v1/mapping.yaml",
    "xroad-rest/v1/mapping.yaml",
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
    finds_after(&[(file, from, to)], path, message);
}

/// Checks that several edits of one file together make this problem.
#[track_caller]
fn finds_after(edits: &[(&str, &str, &str)], path: &str, message: &str) {
    let problems = load(edits);
    let file = edits.first().map_or("", |edit| edit.0);
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
fn purposes() {
    let file = "purposes.yaml";
    let at = |key: &str| format!("purposes.welfare-eligibility.{key}");
    finds(file, "purposes/v1", "purposes/v2", "naru", "purposes/v1");
    finds(file, "sector: welfare", "sector: health", "sector", "the sector of the services");
    finds(file, "    assurance: low", "    assurance: low\n    fee: 1", "", "unknown field");
    finds(file, "assurance: low", "assurance: none", "", "unknown variant");
    finds(file, "retention: P1Y", "retention: a year", &at("retention"), "ISO 8601");
    finds(file, "storage: [KR]", "storage: [korea]", &at("storage"), "no country code");
    finds(file, "storage: [KR]", "storage: []", &at("storage"), "at least one");
    finds(file, "ko: 급여 건수", "ko: ' '", &at("items.benefit-count.ko"), "says nothing");
    let long = "The-Name";
    finds(file, "benefit-count", long, &at("items.The-Name"), "is made of");
    let services = "services.yaml";
    let purpose = "    purpose: welfare-eligibility\n";
    finds(services, purpose, "", "services.history", "needs a `purpose`");
    finds(services, purpose, "    purpose: x\n", "services.history.purpose", "purposes.yaml");
    let (from, to) = ("count: benefit-count", "count: benefit-counts");
    finds(services, from, to, "services.history.consent.items.count", "not an item of the purpose");
}

#[test]
fn services() {
    let file = "services.yaml";
    let group = "      group: { type: code, of: group, required: true }";
    finds(
        file,
        group,
        "      group: { type: code, of: grp }",
        "services.overlapCheck.request.group.of",
        "not a set of codes",
    );
    finds(
        file,
        group,
        "      group: { type: flag, max: 3 }",
        "services.overlapCheck.request.group.max",
        "means nothing for this type",
    );
    finds(
        file,
        group,
        "      group: { type: text }",
        "services.overlapCheck.request.group",
        "wants `max`",
    );
    finds(
        file,
        "    subject: person",
        "    subject: group",
        "services.overlapCheck.subject",
        "resident-number",
    );
    finds(
        file,
        "count: benefit-count",
        "counts: benefit-count",
        "services.history.consent.items.counts",
        "not a field of the reply",
    );
    finds(
        file,
        "count: { type: integer, min: 0, max: 9999 }",
        "count: { type: integer, min: 0, max: 9999, required: true }",
        "services.history.consent.items.count",
        "held back",
    );
    finds(
        file,
        "home-care: child",
        "home-care: children",
        "tables.group-of-programme.rows.home-care",
        "not a group",
    );
    finds(
        file,
        "      home-care: child\n",
        "",
        "tables.group-of-programme.rows",
        "nothing for `home-care`",
    );
    finds(
        file,
        "group: [livelihood, housing, child]",
        "group: [livelihood, housing, child, child]",
        "codes.group",
        "twice",
    );
}

#[test]
fn field_tables() {
    let file = "rest/v1/mapping.yaml";
    let end = "      - { from: reason, to: reason, type: string, required: true }\n";
    finds(file, end, "", "operations.benefitEnd.request", "the service requires `reason`");
    finds(
        file,
        end,
        &end.replace("to: reason", "to: reasons"),
        "operations.benefitEnd.request[2]",
        "no field `reasons`",
    );
    finds(
        file,
        end,
        &end.replace(", required: true", ""),
        "operations.benefitEnd.request[2]",
        "must say `required: true`",
    );
    finds(
        file,
        end,
        &end.replace("from: reason, ", ""),
        "operations.benefitEnd.request[2]",
        "names no field of the wire",
    );
    finds(
        file,
        end,
        &end.replace("from: reason", "from: end"),
        "operations.benefitEnd.request[2]",
        "stands there twice",
    );
    finds(
        file,
        end,
        &end.replace("to: reason", "to: end"),
        "operations.benefitEnd.request[2]",
        "mapped twice",
    );
    finds(
        file,
        end,
        &end.replace("type: string", "type: strng"),
        "operations.benefitEnd.request[2].type",
        "must be `string`",
    );
    finds(
        file,
        end,
        &end.replace("type: string", "type: integer"),
        "operations.benefitEnd.request[2].type",
        "does not go with",
    );
    finds(
        file,
        end,
        &end.replace("type: string", "type: string, convert: rot13"),
        "operations.benefitEnd.request[2].convert",
        "no converter `rot13`",
    );
    finds(
        file,
        end,
        &end.replace("type: string", "type: string, table: reasons"),
        "operations.benefitEnd.request[2].table",
        "no table `reasons`",
    );
    finds(
        file,
        end,
        &end.replace("type: string", "type: string, via: group-of-programme"),
        "operations.benefitEnd.request[2].via",
        "a reason is wanted",
    );
    finds(
        file,
        end,
        &end.replace("type: string", "type: string, length: 3"),
        "operations.benefitEnd.request[2].length",
        "means nothing",
    );
    finds(
        file,
        end,
        &end.replace("type: string", "type: string, zeros: none"),
        "operations.benefitEnd.request[2].zeros",
        "means nothing",
    );
    finds(
        file,
        end,
        &end.replace("type: string", "type: string, default: nothing"),
        "operations.benefitEnd.request[2].default",
        "not a value",
    );
    finds(
        file,
        "  benefitEnd:",
        "  benefitStop:",
        "operations.benefitStop",
        "no service `benefitStop`",
    );
}
