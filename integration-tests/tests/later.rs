//! Requests whose callers do not wait: taken, handled later by every stage, collected, and never
//! handled twice, whatever dies.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use integration_tests::{naru, start};
use reqwest::{Client, RequestBuilder, Response};
use sandbox::people::HONG;
use sandbox::world::World;
use serde_json::{Value, json};

const BLOCK_TIME: Duration = Duration::from_millis(200);

fn benefit(number: u32) -> Value {
    json!({
        "residentNumber": format!("9001{:02}1{number:06}", 1 + number % 28),
        "name": "가나다",
        "programme": "youth-rent",
        "from": "2026-01-01",
        "to": "2026-12-31",
        "monthlyAmount": 200_000,
    })
}

/// A request of city A's: it may change something by API key, which the ministry may not.
fn post(world: &World, service: &str, body: &Value) -> RequestBuilder {
    post_as(world.api_keys().city_a.expose(), world, service, body)
}

fn post_as(key: &str, world: &World, service: &str, body: &Value) -> RequestBuilder {
    Client::new()
        .post(format!("{}/v1/welfare/{service}", world.http_url()))
        .header("x-api-key", key)
        .header("prefer", "respond-async")
        .json(body)
}

fn grant(world: &World, number: u32) -> RequestBuilder {
    let key = format!("\"later-{number}\"");
    post(world, "benefitGrant", &benefit(number)).header("idempotency-key", key)
}

fn stranger(world: &World) -> RequestBuilder {
    Client::new()
        .post(format!("{}/v1/welfare/benefitGrant", world.http_url()))
        .header("prefer", "respond-async")
        .header("idempotency-key", "\"later-3\"")
        .json(&benefit(3))
}

fn header(response: &Response, name: &str) -> String {
    let value = response.headers().get(name).unwrap_or_else(|| panic!("no {name}: {response:?}"));
    value.to_str().unwrap().to_owned()
}

/// Has a request taken, and answers with where its reply will be.
async fn taken(request: RequestBuilder) -> String {
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 202, "{response:?}");
    assert_eq!(header(&response, "preference-applied"), "respond-async");
    assert!(header(&response, "naru-receipt").len() > 100);
    let location = header(&response, "location");
    assert_eq!(location, format!("/exchanges/{}", header(&response, "naru-exchange")));
    assert!(response.bytes().await.unwrap().is_empty());
    location
}

async fn look(world: &World, location: &str, key: Option<&str>) -> Response {
    let mut request = Client::new().get(format!("{}{location}", world.http_url()));
    if let Some(key) = key {
        request = request.header("x-api-key", key);
    }
    request.send().await.unwrap()
}

/// Asks until there is a reply.
async fn collected(world: &World, location: &str) -> (u16, Value) {
    collected_as(world.api_keys().city_a.expose(), world, location).await
}

async fn collected_as(key: &str, world: &World, location: &str) -> (u16, Value) {
    loop {
        let response = look(world, location, Some(key)).await;
        match response.status().as_u16() {
            202 => {
                assert_eq!(header(&response, "retry-after"), "1");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            status => {
                assert!(header(&response, "naru-receipt").len() > 100);
                return (status, response.json().await.unwrap());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_taken_and_its_reply_collected_by_the_one_who_asked() {
    let (world, _folder) = start(None).await;
    let location = taken(grant(&world, 1)).await;
    let (status, reply) = collected(&world, &location).await;
    assert_eq!(status, 200, "{reply}");
    let benefit_id = reply["benefit"].as_str().unwrap();
    assert_eq!(benefit_id.len(), 64);
    assert_eq!(collected(&world, &location).await.1["benefit"], benefit_id, "it is kept");

    assert_eq!(taken(grant(&world, 1)).await, location, "the same key is the same exchange");
    let waited_for = Client::new()
        .post(format!("{}/v1/welfare/benefitGrant", world.http_url()))
        .header("x-api-key", world.api_keys().city_a.expose())
        .header("idempotency-key", "\"later-1\"")
        .json(&benefit(1));
    let waited_for: Value = waited_for.send().await.unwrap().json().await.unwrap();
    assert_eq!(waited_for["benefit"], benefit_id, "also when the caller waits");

    assert_eq!(look(&world, &location, None).await.status(), 401);
    let other = look(&world, &location, Some(world.api_keys().mohw.expose())).await;
    assert_eq!(other.status(), 404, "nobody else learns that there is one");
    let none = format!("/exchanges/{}", uuid::Uuid::nil());
    assert_eq!(look(&world, &none, Some(world.api_keys().mohw.expose())).await.status(), 404);

    for (request, status, code) in [
        (post(&world, "benefitGrant", &benefit(9)), 400, "idempotency-key-missing"),
        (
            post(&world, "benefitGrant", &benefit(9)).header("idempotency-key", "\"later-1\""),
            422,
            "idempotency-key-reused",
        ),
        (post(&world, "benefitGrant", &json!({ "amount": 1 })), 400, "field-unknown"),
        (post(&world, "noSuchService", &json!({})), 404, "unknown-service"),
        (stranger(&world), 401, "credentials-missing"),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status);
        assert!(header(&response, "naru-receipt").len() > 100, "a refusal is journaled at once");
        assert_eq!(response.json::<Value>().await.unwrap()["code"], code);
    }
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_waits_or_is_kept_can_be_read_on_disk() {
    let (world, _folder) = start(None).await;
    let location = taken(grant(&world, 1)).await;
    assert_eq!(collected(&world, &location).await.0, 200);
    let layout = world.layout().clone();
    world.stop().await.unwrap();
    let secrets = [benefit(1)["residentNumber"].as_str().unwrap().to_owned(), "가나다".to_owned()];
    let mut read = 0;
    let entries = std::fs::read_dir(layout.path("state")).unwrap().map(Result::unwrap);
    for file in entries.filter(|entry| entry.file_type().unwrap().is_file()) {
        let bytes = std::fs::read(file.path()).unwrap();
        read += bytes.len();
        for secret in &secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in the store");
        }
    }
    assert!(read > 10_000, "there is a store");
}

/// The workers are held up by grants that wait for their blocks; behind them waits a question whose
/// consent is withdrawn before its turn comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_consent_withdrawn_while_it_waits_refuses_it() {
    let (world, _folder) = start(Some(Duration::from_secs(2))).await;
    let mohw = world.api_keys().mohw.expose();
    let operator = world.operator().unwrap();
    let consent = operator.grant_consent(HONG, "mohw").await.unwrap().id.unwrap();

    let question = json!({ "residentNumber": HONG.resident_number, "group": "housing" });
    let asked = taken(post_as(mohw, &world, "history", &question)).await;
    assert_eq!(
        collected_as(mohw, &world, &asked).await.0,
        200,
        "it is allowed as long as it holds"
    );

    let mut held = Vec::new();
    for number in 0..8 {
        held.push(taken(grant(&world, number)).await);
    }
    let asked = taken(post_as(mohw, &world, "history", &question)).await;
    operator.withdraw_consent(&consent).await.unwrap();
    let waiting = look(&world, &asked, Some(mohw)).await;
    assert_eq!(waiting.status(), 202, "it has not had its turn when the consent ends");
    let (status, reply) = collected_as(mohw, &world, &asked).await;
    assert_eq!((status, &reply["code"]), (403, &json!("consent-withdrawn")), "{reply}");
    for location in held {
        assert_eq!(collected(&world, &location).await.0, 200);
    }
    world.stop().await.unwrap();
}

/// The same with a member that is suspended while its question waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_suspended_while_its_question_waits_is_refused() {
    let (world, _folder) = start(Some(Duration::from_secs(2))).await;
    let portal = world.api_keys().portal.expose();
    let mut held = Vec::new();
    for number in 0..8 {
        held.push(taken(grant(&world, number)).await);
    }
    let question = json!({
        "residentNumber": HONG.resident_number, "group": "housing",
        "from": "2026-06-01", "to": "2026-06-30",
    });
    let asked = taken(post_as(portal, &world, "overlapCheck", &question)).await;
    let suspended = Command::new(naru())
        .args(["member", "suspend", "portal", "--admin", &world.admin_url(), "--key"])
        .arg(world.layout().path("keys/operator.api-key"))
        .output()
        .unwrap();
    assert!(suspended.status.success(), "{suspended:?}");
    let waiting = look(&world, &asked, Some(portal)).await;
    assert_eq!(waiting.status(), 202, "it has not had its turn when its member is suspended");
    let (status, reply) = collected_as(portal, &world, &asked).await;
    assert_eq!((status, &reply["code"]), (403, &json!("member-suspended")), "{reply}");
    for location in held {
        assert_eq!(collected(&world, &location).await.0, 200);
    }
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_nothing_taken_is_lost_or_done_twice() {
    let (mut world, _folder) = start(Some(BLOCK_TIME)).await;
    let mut locations = Vec::new();
    for round in 0..12_u32 {
        for number in 0..4 {
            locations.push(taken(grant(&world, round * 4 + number)).await);
        }
        tokio::time::sleep(Duration::from_millis(u64::from(round * 37 % 12) * 50)).await;
        world.kill_gateway().await.unwrap();
        world.start_gateway().await.unwrap();
    }
    let mut benefits = BTreeSet::new();
    for location in &locations {
        let (status, reply) = collected(&world, location).await;
        assert_eq!(status, 200, "{reply}");
        benefits.insert(reply["benefit"].as_str().unwrap().to_owned());
    }
    assert_eq!(benefits.len(), locations.len());
    assert_eq!(granted_on_the_ledger(&world).await, benefits);
    world.stop().await.unwrap();
}

/// Every grant there is on the ledger.
async fn granted_on_the_ledger(world: &World) -> BTreeSet<String> {
    let granted =
        "BenefitGranted(bytes32,bytes32,bytes32,bytes32,bytes32,bytes32,uint32,uint32,uint64)";
    let event = format!("0x{}", world.rpc().keccak(granted.as_bytes()).await.unwrap());
    let filter = json!([{ "fromBlock": "0x0", "address": world.contract().address }]);
    let logs = world.rpc().call("eth_getLogs", filter).await.unwrap();
    let logs = logs.as_array().unwrap().clone();
    let granted: Vec<_> = logs.iter().filter(|log| log["topics"][0] == event.as_str()).collect();
    let ids: BTreeSet<String> =
        granted.iter().map(|log| log["topics"][1].as_str().unwrap()[2..].to_owned()).collect();
    assert_eq!(ids.len(), granted.len(), "none was granted twice");
    ids
}
