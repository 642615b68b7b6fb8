//! A service is added, changed and removed while hundreds of requests are in flight on four fronts,
//! and none of them is lost or refused; a bad configuration changes nothing and says all of why.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use integration_tests::load::{Load, metric, post};
use integration_tests::{ask_gateway, configure, editable, log_entries, naru};
use sandbox::people::SAMPLE;
use sandbox::world::World;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A block only every two seconds: grants stay in flight for as long.
const BLOCK_TIME: Duration = Duration::from_secs(2);

const SERVICE: &str = "
services:
  residenceCheck:
    operation: query
    subject: person
    request:
      person: { type: resident-number, required: true }
      group: { type: code, of: group, required: true }
      from: { type: date, required: true }
      to: { type: date, required: true }
    reply:
      overlapping: { type: flag, required: true }
";

const LEDGER: &str = "
operations:
  residenceCheck:
    function: overlapCheck
    request:
      - { to: person, type: bytes32, from: person, convert: pseudonym, domain: { from: group } }
      - { to: group, type: bytes32, from: group, convert: ascii }
      - { to: from, type: uint32, from: from, convert: day-number }
      - { to: to, type: uint32, from: to, convert: day-number }
    reply:
      - { from: overlapping, type: bool, to: overlapping, required: true }
";

const REST: &str = "
operations:
  residenceCheck:
    request:
      - { from: residentNumber, to: person, type: string, required: true }
      - { from: group, to: group, type: string, required: true }
      - { from: from, to: from, type: string, required: true }
      - { from: to, to: to, type: string, required: true }
    reply:
      - { from: overlapping, to: overlapping, type: boolean, required: true }
";

/// A world whose catalog the test may edit, with room for the load.
async fn busy() -> (World, TempDir, TempDir) {
    let (mut world, folder, catalog) =
        editable(|options| options.block_time = Some(BLOCK_TIME)).await;
    configure(&world, |table| {
        let backend = table["backend"][0].as_table_mut().unwrap();
        backend.insert("concurrency".into(), 512.into());
        backend.insert("deadline_seconds".into(), 60.into());
    });
    world.start_gateway().await.unwrap();
    (world, folder, catalog)
}

fn edit(catalog: &TempDir, file: &str, from: &str, to: &str) {
    let file = catalog.path().join("welfare").join(file);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{} has {from}", file.display());
    std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
}

fn routed(world: &World, is: bool) {
    configure(world, |table| {
        let services = table["route"][0]["services"].as_array_mut().unwrap();
        services.retain(|service| service.as_str() != Some("welfare/residenceCheck"));
        if is {
            services.push("welfare/residenceCheck".into());
        }
    });
}

fn reload(world: &World) -> Result<Value, String> {
    ask_gateway(world, "reload")
}

/// The status of the new service when its group is sent under this name.
async fn residence_check(world: &World, group: &str) -> u16 {
    let request = json!({
        "residentNumber": SAMPLE.resident_number, group: "housing",
        "from": "2026-01-01", "to": "2026-12-31",
    });
    post(world, "residenceCheck", None, &request).await.0
}

/// Waits for the deployment of this number.
async fn generation(world: &World, wanted: u64) {
    while metric(world, "naru_configuration{").await != wanted {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_comes_changes_and_goes_under_load_and_no_request_is_lost() {
    let (world, _folder, catalog) = busy().await;
    let load = Load::start(&world).await;
    load.in_flight(&world, 200).await;
    assert_eq!(residence_check(&world, "group").await, 404, "there is no such service yet");

    edit(&catalog, "services.yaml", "\nservices:\n", SERVICE);
    edit(&catalog, "ledger/v1/mapping.yaml", "\noperations:\n", LEDGER);
    edit(&catalog, "rest/v1/mapping.yaml", "\noperations:\n", REST);
    routed(&world, true);
    let added = reload(&world).unwrap();
    assert_eq!(added["generation"], 2);
    assert_eq!(residence_check(&world, "group").await, 200, "added");

    load.in_flight(&world, 200).await;
    let renamed = REST.replace("{ from: group,", "{ from: programmeGroup,");
    edit(&catalog, "rest/v1/mapping.yaml", REST, &renamed);
    world.hang_up_gateway().await.unwrap();
    generation(&world, 3).await;
    assert_eq!(residence_check(&world, "programmeGroup").await, 200, "changed");
    assert_eq!(residence_check(&world, "group").await, 400, "the field has another name now");

    load.in_flight(&world, 200).await;
    edit(&catalog, "services.yaml", SERVICE, "\nservices:\n");
    edit(&catalog, "ledger/v1/mapping.yaml", LEDGER, "\noperations:\n");
    edit(&catalog, "rest/v1/mapping.yaml", &renamed, "\noperations:\n");
    routed(&world, false);
    let removed = reload(&world).unwrap();
    assert_eq!(removed["generation"], 4);
    assert_eq!(residence_check(&world, "group").await, 404, "removed");

    load.in_flight(&world, 200).await;
    let answered = load.stop().await;
    assert!(answered.iter().all(|(_, count)| *count > 0), "{answered:?}");
    let sent: u64 = answered.iter().map(|(_, count)| count).sum();
    // Besides the load there were two answers and three refusals of the service in question.
    assert_eq!(metric(&world, "naru_exchanges_total{").await, sent + 5, "{answered:?}");
    let layout = world.layout().clone();
    world.stop().await.unwrap();

    // Every record says which configuration decided it: the first one, two others, and the first
    // one again, which is what the file says now.
    let records = log_entries(&layout.path("log"));
    let records = records.iter().map(|entry| serde_json::from_str::<Value>(entry).unwrap());
    let records: Vec<Value> = records.collect();
    let digest = |record: &Value| record["configuration"].as_str().unwrap().to_owned();
    let digests: BTreeSet<String> = records.iter().map(digest).collect();
    assert_eq!(digests.len(), 3, "{digests:?}");
    let reloads: Vec<&Value> = records.iter().filter(|r| r["front"] == "admin/reload").collect();
    assert_eq!(reloads.len(), 3);
    assert_eq!(reloads[0]["caller"]["member"], "operator");
    assert_eq!(reloads[1].get("caller"), None, "that one was a signal");
    assert_eq!(digest(reloads[2]), digest(&records[0]));
    let check = Command::new(naru()).arg("check").arg(layout.path("naru.toml")).output().unwrap();
    let checked = String::from_utf8(check.stdout).unwrap();
    assert!(checked.contains(&digest(&records[0])), "{checked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_configuration_changes_nothing_and_says_every_problem() {
    let (world, _folder, catalog) = busy().await;
    let request = json!({
        "residentNumber": SAMPLE.resident_number, "group": "housing",
        "from": "2026-01-01", "to": "2026-12-31",
    });
    let works = async || post(&world, "overlapCheck", None, &request).await.0 == 200;

    edit(
        &catalog,
        "rest/v1/mapping.yaml",
        "{ from: group, to: group,",
        "{ from: group, to: groop,",
    );
    configure(&world, |table| {
        table["member"][0]["api_keys"][0] = "plain".into();
        table["route"][0]["backend"] = "nowhere".into();
    });
    let refused = reload(&world).unwrap_err();
    for said in ["groop", "member[0].api_keys[0]", "route[0].backend: no backend nowhere"] {
        assert!(refused.contains(said), "{said}: {refused}");
    }
    assert!(works().await);
    world.hang_up_gateway().await.unwrap();
    while metric(&world, "naru_reloads_total{outcome=\"refused\"}").await < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(works().await);

    // Mended, but now with what only a restart can do.
    edit(&catalog, "rest/v1/mapping.yaml", "to: groop,", "to: group,");
    configure(&world, |table| {
        table["member"][0]["api_keys"] = toml::Value::Array(vec![]);
        table["route"][0]["backend"] = "welfare-ledger".into();
        table["gateway"]["state"] = "elsewhere".into();
        table["admin"]["address"] = "127.0.0.1:1".into();
    });
    std::fs::write(world.layout().path("keys/welfare.key"), "11".repeat(32)).unwrap();
    let refused = reload(&world).unwrap_err();
    for said in ["admin.address", "gateway.state", "secrets.pseudonyms.welfare"] {
        assert!(refused.contains(&format!("{said}: this cannot change")), "{said}: {refused}");
    }
    assert!(works().await);
    assert_eq!(metric(&world, "naru_configuration{").await, 1);
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_taken_off_is_refused_from_the_next_request_on() {
    let (world, _folder, _catalog) = busy().await;
    let request = json!({
        "residentNumber": SAMPLE.resident_number, "group": "housing",
        "from": "2026-01-01", "to": "2026-12-31",
    });
    assert_eq!(post(&world, "overlapCheck", None, &request).await.0, 200);
    configure(&world, |table| {
        table["member"].as_array_mut().unwrap().retain(|m| m["id"].as_str() != Some("city-a"));
        let subscriptions = table["subscription"].as_array_mut().unwrap();
        subscriptions.retain(|one| one["member"].as_str() != Some("city-a"));
    });
    reload(&world).unwrap();
    assert_eq!(post(&world, "overlapCheck", None, &request).await.0, 401);
    world.stop().await.unwrap();
}
