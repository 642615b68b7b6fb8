//! SIGTERM finishes what is in flight: a submit that was sent is answered before the program ends.

use std::time::Duration;

use integration_tests::start;
use reqwest::Client;
use sandbox::people::HONG;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_submit_in_flight_is_answered_before_the_gateway_stops() {
    // A block only every two seconds: the stop comes while the submit waits for one.
    let (world, _folder) = start(Some(Duration::from_secs(2))).await;
    let granting = Client::new()
        .post(format!("{}/v1/welfare/benefitGrant", world.http_url()))
        .header("x-api-key", world.api_keys().city_a.expose())
        .header("idempotency-key", "\"stop\"")
        .json(&json!({
            "residentNumber": HONG.resident_number, "name": HONG.name, "programme": "youth-rent",
            "from": "2026-01-01", "to": "2026-12-31", "monthlyAmount": 200_000,
        }))
        .send();
    let granting = tokio::spawn(granting);
    let metrics = format!("{}/metrics", world.admin_url());
    loop {
        let text = Client::new().get(&metrics).send().await.unwrap().text().await.unwrap();
        if text.contains("naru_exchanges_in_flight 1") {
            break;
        }
        assert!(!granting.is_finished(), "answered before it could be interrupted");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world.stop().await.unwrap();
    let response = granting.await.unwrap().unwrap();
    assert_eq!(response.status(), 200);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["benefit"].as_str().map(str::len), Some(64), "{body}");
}
