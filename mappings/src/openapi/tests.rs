//! What the schemas say is what is enforced, by a validator not written here.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use gateway_core::{Pseudonym, Pseudonymize};
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::schema;
use crate::front::RestFront;
use crate::layout::json::JsonKind;
use crate::rows::Rows;
use crate::{Catalog, FrontEntry};

struct Nobody;

impl Pseudonymize for Nobody {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

static FRONT: LazyLock<Arc<RestFront>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
    let catalog = Catalog::load(&root, Arc::new(Nobody)).unwrap_or_else(|all| panic!("{all:?}"));
    match catalog.front("welfare/rest/v1") {
        Some(FrontEntry::Rest(front)) => front.clone(),
        _ => panic!("the mapping is in the catalog"),
    }
});

fn rows(operation: &str) -> &'static Rows<JsonKind> {
    &FRONT.calls.operations.named(operation).unwrap().request
}

fn validator(operation: &str) -> Validator {
    jsonschema::draft202012::new(&schema::request(rows(operation), |_| false)).unwrap()
}

/// Whether the gateway takes it.
fn is_taken(operation: &str, request: &Value) -> bool {
    let body = request.to_string();
    let record = rows(operation).parse(body.as_bytes());
    record.is_ok_and(|record| rows(operation).read(&record).is_ok())
}

fn grant() -> Map<String, Value> {
    let members = [
        ("residentNumber", json!("900101-1234567")),
        ("name", json!("홍길동")),
        ("programme", json!("youth-rent")),
        ("from", json!("2026-01-01")),
        ("to", json!("2026-12-31")),
        ("monthlyAmount", json!(200_000)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// One member of a good request changed, and whether it is good then.
const TABLE: &[(&str, &str, bool)] = &[
    ("residentNumber", r#""9001011234567""#, true),
    ("residentNumber", r#""000229-3123456""#, true),
    ("residentNumber", r#""000229-1123456""#, false),
    ("residentNumber", r#""040229-1123456""#, true),
    ("residentNumber", r#""010229-1123456""#, false),
    ("residentNumber", r#""901301-1234567""#, false),
    ("residentNumber", r#""9001-011234567""#, false),
    ("residentNumber", r#""900101--1234567""#, false),
    ("residentNumber", r#""９001011234567""#, false),
    ("residentNumber", "9001011234567", false),
    ("residentNumber", r#""""#, false),
    ("residentNumber", "null", false),
    ("name", r#""가""#, true),
    ("name", r#""a\nb""#, false),
    ("name", r#""a\u0085b""#, false),
    ("name", r#"" ""#, true),
    ("name", r#""""#, false),
    ("name", "[]", false),
    ("name", "{}", false),
    ("name", "true", false),
    ("programme", r#""home-care""#, true),
    ("programme", r#""Home-care""#, false),
    ("programme", r#""home-care ""#, false),
    ("from", r#""2024-02-29""#, true),
    ("from", r#""2026-02-29""#, false),
    ("from", r#""1900-02-29""#, false),
    ("from", r#""2000-02-29""#, true),
    ("from", r#""2026-04-31""#, false),
    ("from", r#""2026-00-10""#, false),
    ("from", r#""2026-1-01""#, false),
    ("from", r#""20260101""#, false),
    ("from", r#""2026-01-01T00:00:00""#, false),
    ("from", r#""2026-01-01 ""#, false),
    ("from", r#""+02026-01-01""#, false),
    ("from", r#""0000-02-29""#, true),
    ("monthlyAmount", "0", true),
    ("monthlyAmount", "-0", true),
    ("monthlyAmount", "-0.0", true),
    ("monthlyAmount", "-1", false),
    ("monthlyAmount", "1.0", true),
    ("monthlyAmount", "2e5", true),
    ("monthlyAmount", "0.5", false),
    ("monthlyAmount", "999999999999", true),
    ("monthlyAmount", "1000000000000", false),
    ("monthlyAmount", "18446744073709551616", false),
    ("monthlyAmount", "1e300", false),
    ("monthlyAmount", r#""1""#, false),
    ("monthlyAmount", "false", false),
    ("application", "null", true),
    ("application", r#""""#, true),
    ("application", r#""7f""#, false),
    ("application", "1", false),
    ("other", "1", false),
    ("other", "null", false),
];

#[test]
fn each_good_and_bad_request_is_so_to_both() {
    let validator = validator("benefitGrant");
    for (name, value, good) in TABLE {
        let value: Value = serde_json::from_str(value).unwrap();
        let mut request = grant();
        request.insert((*name).to_owned(), value.clone());
        let request = Value::Object(request);
        assert_eq!(validator.is_valid(&request), *good, "schema: {name} {value}");
        assert_eq!(is_taken("benefitGrant", &request), *good, "gateway: {name} {value}");
    }
    for name in grant().keys() {
        let mut request = grant();
        request.remove(name);
        let request = Value::Object(request);
        assert!(!validator.is_valid(&request) && !is_taken("benefitGrant", &request), "{name}");
    }
    for request in [json!([]), json!(null), json!("{}"), json!(1), json!([grant()])] {
        assert!(!validator.is_valid(&request) && !is_taken("benefitGrant", &request));
    }
}

#[test]
fn names_are_as_long_in_both() {
    let validator = validator("benefitGrant");
    for (length, good) in [(100, true), (101, false)] {
        for character in ["a", "가", "\u{1f600}"] {
            let mut request = grant();
            request.insert("name".to_owned(), json!(character.repeat(length)));
            let request = Value::Object(request);
            assert_eq!(validator.is_valid(&request), good);
            assert_eq!(is_taken("benefitGrant", &request), good);
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let texts = "[0-9]{6}-?[0-9]{7}|[0-9]{2}0229-?[0-9]{7}|[0-9]{4}-[01][0-9]-[0-3][0-9]\
                 |[0-9]{2}[0-9][048]-02-29|[0-9a-f]{64}|housing|child|moved|\\PC{0,3}|.{0,110}";
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-10_i64..10).prop_map(Value::from),
        texts.prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_request_is_good_to_both_or_to_neither(
        operation in proptest::sample::select(
            vec!["overlapCheck", "benefitApply", "benefitGrant", "benefitEnd", "history"]),
        values in proptest::collection::vec(value(), 8),
        chosen in any::<u8>(),
    ) {
        let mut request = grant();
        for (name, value) in [("group", "child"), ("end", "2026-01-01"), ("reason", "moved")] {
            request.insert(name.to_owned(), json!(value));
        }
        request.insert("benefit".to_owned(), json!("7f".repeat(32)));
        request.retain(|name, _| rows(operation).position(name).is_some());
        let names: Vec<_> = rows(operation).0.iter().map(|row| row.name.to_string()).collect();
        for (bit, (name, value)) in names.into_iter().zip(values).enumerate() {
            if chosen >> bit & 1 == 1 {
                request.insert(name, value);
            }
        }
        let request = Value::Object(request);
        let valid = validator(operation).is_valid(&request);
        prop_assert_eq!(valid, is_taken(operation, &request), "{}", request);
    }
}

#[test]
fn every_operation_and_status_is_described() {
    let document: Value = serde_json::from_str(&FRONT.open_api("http://x/v1/welfare", 7)).unwrap();
    assert_eq!(document["servers"][0]["url"], "http://x/v1/welfare");
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 5);
    let grant = &paths["/benefitGrant"]["post"];
    let statuses: Vec<_> = grant["responses"].as_object().unwrap().keys().collect();
    let wanted = [
        "200", "400", "401", "403", "404", "405", "409", "413", "415", "422", "429", "500", "501",
        "502", "503", "504",
    ];
    assert_eq!(statuses, wanted);
    let has_key = |operation: &Value| operation["parameters"].to_string().contains("Idempotency");
    assert!(has_key(grant) && !has_key(&paths["/history"]["post"]));
    let key = &document["components"]["parameters"]["Idempotency-Key"];
    assert!(key["description"].as_str().unwrap().contains("7 days"));
}
