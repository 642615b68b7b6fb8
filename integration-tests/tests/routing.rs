//! Versions side by side, a mirror, and failover between providers, in a running gateway and by its
//! configuration alone.

use std::fs;
use std::path::Path;
use std::time::Duration;

use integration_tests::load::{metric, post, query_as};
use integration_tests::{ask_gateway, configure, editable};
use reqwest::Client;
use sandbox::people::HONG;
use sandbox::world::World;
use serde_json::{Value, json};

/// Adds `v2` of a system: `v1` with each of these replaced once.
fn second_version(catalog: &Path, system: &str, changes: &[(&str, &str)]) {
    let system = catalog.join("welfare").join(system);
    let mut text = fs::read_to_string(system.join("v1/mapping.yaml")).unwrap();
    for (from, to) in changes.iter().chain(&[("\nversion: 1\n", "\nversion: 2\n")]) {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    fs::create_dir(system.join("v2")).unwrap();
    fs::write(system.join("v2/mapping.yaml"), text).unwrap();
}

fn table(text: &str) -> toml::Table {
    text.parse().unwrap()
}

async fn grant(world: &World, key: &str) -> u16 {
    let request = json!({
        "residentNumber": HONG.resident_number, "name": HONG.name, "programme": "youth-rent",
        "from": "2026-01-01", "to": "2026-12-31", "monthlyAmount": 200_000,
    });
    post(world, "benefitGrant", Some(key), &request).await.0
}

fn check(group: &str) -> Value {
    json!({
        "residentNumber": HONG.resident_number, group: "housing",
        "from": "2026-01-01", "to": "2026-12-31",
    })
}

async fn until(world: &World, name: &str, wanted: u64) {
    while metric(world, name).await < wanted {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_versions_stand_side_by_side_and_their_answers_are_compared() {
    let (mut world, _folder, catalog) = editable(|_| {}).await;
    world.start_gateway().await.unwrap();
    assert_eq!(grant(&world, "one").await, 200);

    let provider =
        "      - { from: provider, type: bytes32, to: provider, convert: ascii, zeros: none }\n";
    second_version(catalog.path(), "ledger", &[(provider, "")]);
    second_version(catalog.path(), "rest", &[("{ from: group,", "{ from: category,")]);
    configure(&world, |configuration| {
        let members = configuration["member"].as_array_mut().unwrap();
        let city_a = members.iter_mut().find(|member| member["id"].as_str() == Some("city-a"));
        let fronts = vec!["welfare/rest/v2".into()];
        city_a.unwrap().as_table_mut().unwrap().insert("fronts".into(), toml::Value::Array(fronts));
        let routes = configuration["route"].as_array_mut().unwrap();
        let mirror = table("percent = 100\nmapping = \"welfare/ledger/v2\"");
        routes[0].as_table_mut().unwrap().insert("mirror".into(), mirror.into());
        let of_city_a = "services = [\"welfare/overlapCheck\"]\nmembers = [\"city-a\"]\n\
                         mapping = \"welfare/ledger/v2\"\nbackend = \"welfare-ledger\"";
        routes.push(table(of_city_a).into());
    });
    ask_gateway(&world, "reload").unwrap();

    let (status, new) = post(&world, "overlapCheck", None, &check("category")).await;
    assert_eq!((status, &new["overlapping"]), (200, &json!(true)), "{new}");
    assert_eq!(new.get("provider"), None, "the new version of the ledger's mapping");
    assert_eq!(post(&world, "overlapCheck", None, &check("group")).await.0, 400);

    let mohw = world.api_keys().mohw.expose();
    let (status, old) = query_as(&world, mohw, "overlapCheck", &check("group")).await;
    assert_eq!((status, &old["provider"]), (200, &json!("city-a")), "the old one: {old}");
    until(&world, "naru_mirrored_total{", 1).await;
    until(&world, "naru_mirror_differences_total{", 1).await;
    let differences = ask_gateway(&world, "mirror").unwrap();
    let difference = &differences[0];
    assert_eq!(difference["fields"], json!(["provider"]));
    assert_eq!(difference["mapping"], "welfare/ledger/v2");
    assert_eq!(differences.as_array().unwrap().len(), 1, "city A's own route has no mirror");
    let text = differences.to_string();
    assert!(!text.contains(HONG.resident_number) && !text.contains("city-a"), "{text}");
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_is_left_alone_and_the_next_one_answers() {
    let (mut world, _folder, _catalog) = editable(|_| {}).await;
    world.start_gateway().await.unwrap();
    assert_eq!(grant(&world, "before").await, 200);
    configure(&world, |configuration| {
        let backends = configuration["backend"].as_array_mut().unwrap();
        let mut away = backends[0].clone();
        let keys = away.as_table_mut().unwrap();
        keys.insert("name".into(), "away".into());
        keys.insert("url".into(), "http://127.0.0.1:1".into());
        let breaker = table("failures = 2\nopen_seconds = 600");
        keys.insert("circuit_breaker".into(), breaker.into());
        backends.push(away);
        let route = configuration["route"][0].as_table_mut().unwrap();
        route.insert("backend".into(), "away".into());
        route.insert("failover".into(), toml::Value::Array(vec!["welfare-ledger".into()]));
    });
    ask_gateway(&world, "reload").unwrap();

    for _ in 0..5 {
        let (status, answer) = post(&world, "overlapCheck", None, &check("group")).await;
        assert_eq!((status, &answer["overlapping"]), (200, &json!(true)), "{answer}");
    }
    assert_eq!(metric(&world, "naru_backend_circuit{backend=\"away\"}").await, 2, "open");
    let calls = "naru_backend_calls_total{backend=\"away\",operation=\"query\"";
    assert_eq!(metric(&world, calls).await, 2, "left alone after two failures");
    // A submit goes to the first that takes calls; its repeat is answered from the outbox.
    let submits = "naru_backend_calls_total{backend=\"away\",operation=\"submit\"";
    assert_eq!(grant(&world, "before").await, 200, "as it was answered before");
    assert_eq!(grant(&world, "after").await, 409, "the contract itself: it would overlap");
    assert_eq!(metric(&world, submits).await, 0);

    let ready = Client::new().get(format!("{}/readyz", world.admin_url())).send().await.unwrap();
    assert_eq!(ready.status(), 503);
    let missing = ready.text().await.unwrap();
    assert!(missing.contains("backend away") && missing.contains("circuit-open"), "{missing}");
    world.stop().await.unwrap();
}
