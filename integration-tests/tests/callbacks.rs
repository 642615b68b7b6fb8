//! Callbacks to a receiver not written here, whose library verifies the signatures: order, retries,
//! and what cannot be delivered.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use integration_tests::providers::{Provider, Way, start_with};
use integration_tests::{ask_gateway, configure, log_entries, naru, prepare, root, start};
use reqwest::Client;
use sandbox::people::HONG;
use sandbox::world::World;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

const PATIENCE: Duration = Duration::from_secs(60);

/// The receiver, killed when dropped.
struct Receiver {
    _child: Child,
    calls: Lines<BufReader<ChildStdout>>,
}

impl Receiver {
    async fn start(world: &World, behaviors: &str) -> Self {
        Self::start_with(world, behaviors, &[]).await
    }

    /// By https where there is a certificate with its key.
    async fn start_with(world: &World, behaviors: &str, certificate: &[PathBuf]) -> Self {
        let clients = root().join("integration-tests/clients");
        let port = world.ports().callbacks;
        let mut child = tokio::process::Command::new(clients.join(".venv/bin/python"))
            .arg(clients.join("receiver.py"))
            .arg(port.to_string())
            .arg(world.layout().path("keys/callbacks.secret"))
            .arg(behaviors)
            .args(certificate)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("`make deps` installs the receiver");
        let listening = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, listening).await.expect("the receiver listens");
        let calls = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { _child: child, calls }
    }

    /// The next call it gets.
    async fn call(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.calls.next_line()).await;
        let line = line.expect("a call comes").unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

/// City A asks and does not wait; answers with the exchange.
async fn ask(world: &World, key: &str) -> String {
    let check = json!({
        "residentNumber": "9001011234567",
        "group": "housing",
        "from": "2026-01-01",
        "to": "2026-12-31",
    });
    let request = Client::new()
        .post(format!("{}/v1/welfare/overlapCheck", world.http_url()))
        .header("x-api-key", key)
        .header("prefer", "respond-async")
        .json(&check);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 202);
    response.headers()["naru-exchange"].to_str().unwrap().to_owned()
}

/// Runs `naru letter` with the operator's key.
fn letter(world: &World, arguments: &[&str]) -> Result<Value, String> {
    let output = Command::new(naru())
        .args(["letter", "--admin", &world.admin_url(), "--key"])
        .arg(world.layout().path("keys/operator.api-key"))
        .args(arguments)
        .output()
        .unwrap();
    match output.status.success() {
        true => Ok(serde_json::from_slice(&output.stdout).unwrap()),
        false => Err(String::from_utf8(output.stderr).unwrap()),
    }
}

/// Waits until this many letters are dead.
async fn dead(world: &World, count: usize) -> Vec<Value> {
    let found = async {
        loop {
            let listed = letter(world, &["list"]).unwrap().as_array().unwrap().clone();
            if listed.len() == count {
                return listed;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("so many letters die")
}

fn exchange_of(call: &Value) -> String {
    let notice: Value = serde_json::from_str(call["body"].as_str().unwrap()).unwrap();
    assert_eq!(notice["type"], "exchange.completed");
    assert_eq!(notice["data"]["service"], "welfare/overlapCheck");
    assert_eq!(notice["data"]["fault"], Value::Null);
    notice["data"]["exchange"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_comes_until_it_is_taken_and_the_next_waits_for_it() {
    let (world, _folder) = start(None).await;
    let mut receiver = Receiver::start(&world, "500,redirect,slow,huge,ok").await;
    let city_a = world.api_keys().city_a.expose();
    let first = ask(&world, city_a).await;
    let mut calls = vec![receiver.call().await];
    let second = ask(&world, city_a).await;
    for _ in 0..4 {
        calls.push(receiver.call().await);
    }
    let behaviors: Vec<_> = calls.iter().map(|call| call["behavior"].as_str().unwrap()).collect();
    assert_eq!(behaviors, ["500", "redirect", "slow", "huge", "ok"]);
    for call in &calls {
        assert_eq!(call["path"], "/city-a", "no redirect is followed");
        assert_eq!(call["verified"], true, "signed, and not just anything: {call}");
        assert_eq!(call["contentType"], "application/json");
        assert!(!call["body"].as_str().unwrap().contains("9001011234567"));
    }
    for call in &calls[..4] {
        assert_eq!(exchange_of(call), first);
        assert_eq!(call["id"], calls[0]["id"], "one event has one id, however often it comes");
    }
    assert_eq!(exchange_of(&calls[4]), second);
    assert_ne!(calls[4]["id"], calls[0]["id"]);
    assert_eq!(letter(&world, &["list"]).unwrap(), json!([]));
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ministry_is_called_back_with_its_own_soap_reply() {
    let (world, _folder) = start(None).await;
    let mut receiver = Receiver::start(&world, "ok").await;
    let case = "mappings/catalog/welfare/mohw/v1/cases/overlap.in";
    let request = Client::new()
        .post(format!("{}/soap/welfare", world.http_url()))
        .header("x-api-key", world.api_keys().mohw.expose())
        .header("content-type", "text/xml; charset=utf-8")
        .header("prefer", "respond-async")
        .body(std::fs::read(root().join(case)).unwrap());
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 202);
    assert!(response.bytes().await.unwrap().is_empty());
    let call = receiver.call().await;
    assert_eq!((&call["path"], &call["verified"]), (&json!("/mohw"), &json!(true)));
    assert_eq!(call["contentType"], "text/xml; charset=utf-8");
    let envelope = call["body"].as_str().unwrap();
    for wanted in ["INT00001", "resultCode>0000<", "overlapping>false<", "receipt"] {
        assert!(envelope.contains(wanted), "{wanted}: {envelope}");
    }
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_delivered_is_replayed_or_dropped_by_command() {
    let (world, _folder) = start(None).await;
    let city_a = world.api_keys().city_a.expose();
    // Nobody listens: every try fails, and the letter is given up.
    let first = ask(&world, city_a).await;
    let listed = dead(&world, 1).await;
    let id = listed[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(listed[0]["task"], "delivery");
    assert_eq!(listed[0]["lane"], "city-a");
    assert_eq!(listed[0]["attempts"], 5);
    assert!(listed[0]["reason"].as_str().unwrap().starts_with("not reached"), "{listed:?}");
    assert_eq!(letter(&world, &["show", &id]).unwrap(), listed[0]);

    // 410: it wants nothing more, so it is not tried again.
    let mut receiver = Receiver::start(&world, "gone,ok").await;
    let second = ask(&world, city_a).await;
    assert_eq!(exchange_of(&receiver.call().await), second);
    let gone = dead(&world, 2).await;
    let other = gone.iter().find(|letter| letter["id"] != id.as_str()).unwrap();
    assert_eq!(other["attempts"], 1);
    assert!(other["reason"].as_str().unwrap().contains("410"));

    let replayed = letter(&world, &["replay", &id]).unwrap();
    assert!(
        replayed["receipt"].as_str().unwrap().len() > 100,
        "an act of an operator is on record"
    );
    let call = receiver.call().await;
    assert_eq!((call["id"].as_str(), exchange_of(&call)), (Some(&*id), first));
    let other = other["id"].as_str().unwrap();
    assert!(letter(&world, &["drop", other]).unwrap()["receipt"].as_str().unwrap().len() > 100);
    assert_eq!(dead(&world, 0).await, Vec::<Value>::new());
    for act in ["replay", "drop", "show"] {
        let refused = letter(&world, &[act, other]).unwrap_err();
        assert!(refused.contains("no such letter"), "{refused}");
    }
    world.stop().await.unwrap();
}

/// Every attempt at a callback is in the log: what it came to, to whom and of which exchange, and no
/// word of its content.
#[tokio::test(flavor = "multi_thread")]
async fn every_attempt_at_a_callback_is_on_record() {
    let (world, _folder) = start(None).await;
    let exchange = ask(&world, world.api_keys().city_a.expose()).await;
    let letter_id = dead(&world, 1).await[0]["id"].as_str().unwrap().to_owned();
    let mut receiver = Receiver::start(&world, "ok").await;
    letter(&world, &["replay", &letter_id]).unwrap();
    assert_eq!(receiver.call().await["id"], letter_id.as_str());
    let attempts = async {
        loop {
            let entries = deliveries(&world);
            if entries.last().is_some_and(|entry| entry["outcome"] == "ok") {
                return entries;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let attempts = tokio::time::timeout(PATIENCE, attempts).await.expect("it is published");
    let outcomes: Vec<_> =
        attempts.iter().map(|entry| entry["outcome"].as_str().unwrap()).collect();
    let failed = "BackendUnavailable/callback-failed";
    let given_up = "BackendUnavailable/callback-given-up";
    assert_eq!(outcomes, [failed, failed, failed, failed, given_up, "ok"]);
    for entry in &attempts {
        assert_eq!(entry["exchange"], letter_id.as_str());
        assert_eq!(entry["about"], exchange.as_str());
        assert_eq!((&entry["front"], &entry["route"]), (&json!("callback"), &json!("city-a")));
        assert_eq!(entry["commit"]["request"], attempts[0]["commit"]["request"], "the same bytes");
    }
    world.stop().await.unwrap();
}

fn deliveries(world: &World) -> Vec<Value> {
    let entries = log_entries(&world.layout().path("log"));
    let parsed = entries.iter().map(|entry| serde_json::from_str::<Value>(entry).unwrap());
    parsed.filter(|entry| entry["kind"] == "delivery").collect()
}

/// A provider that is away makes an exchange a dead letter; replayed when it is back, its caller
/// collects the answer, and is called back again.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_exchange_is_replayed_once_its_provider_is_back() {
    let provider = Provider::start("register.py");
    let way = Way {
        services: &["population/realNameCheck"],
        mapping: "population/mois-json/v1",
        backend: format!("kind = \"rest\"\nurl = \"http://127.0.0.1:{}\"", provider.port),
    };
    let (world, _folder) = start_with(&[way]).await;
    drop(provider);
    let mut receiver = Receiver::start(&world, "ok").await;
    let key = world.api_keys().mohw.expose();
    let request = Client::new()
        .post(format!("{}/v1/population/realNameCheck", world.http_url()))
        .header("x-api-key", key)
        .header("prefer", "respond-async")
        .json(&json!({ "residentNumber": HONG.resident_number, "name": HONG.name }));
    let taken = request.send().await.unwrap();
    assert_eq!(taken.status(), 202);
    let exchange = taken.headers()["naru-exchange"].to_str().unwrap().to_owned();
    let collect = async || {
        let url = format!("{}/exchanges/{exchange}", world.http_url());
        let reply = Client::new().get(url).header("x-api-key", key).send().await.unwrap();
        (reply.status().as_u16(), reply.text().await.unwrap())
    };
    let listed = dead(&world, 1).await;
    assert_eq!((&listed[0]["task"], &listed[0]["id"]), (&json!("exchange"), &json!(exchange)));
    assert_eq!(
        (&listed[0]["attempts"], &listed[0]["reason"]),
        (&json!(5), &json!("BackendUnavailable"))
    );
    assert_eq!(collect().await.0, 503, "its last refusal is its reply");
    assert!(receiver.call().await["body"].as_str().unwrap().contains("BackendUnavailable"));

    let back = Provider::start("register.py");
    configure(&world, |table| {
        let backends = table["backend"].as_array_mut().unwrap();
        let moved = backends.iter_mut().find(|one| one["name"].as_str() == Some("provider-0"));
        moved.unwrap()["url"] = format!("http://127.0.0.1:{}", back.port).into();
    });
    ask_gateway(&world, "reload").unwrap();
    letter(&world, &["replay", &exchange]).unwrap();
    let reply: Value =
        serde_json::from_str(receiver.call().await["body"].as_str().unwrap()).unwrap();
    assert_eq!(reply["matches"], true);
    let (status, body) = collect().await;
    assert_eq!((status, body.contains("\"matches\":true")), (200, true), "{body}");
    assert_eq!(letter(&world, &["list"]).unwrap(), json!([]));
    let again = letter(&world, &["replay", &exchange]).unwrap_err();
    assert!(again.contains("no such letter"), "{again}");
    world.stop().await.unwrap();
}

/// A receiver whose certificate is of an authority of its own is trusted where that is named, and
/// nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_has_an_authority_of_its_own() {
    let (mut world, _folder) = prepare(|_| {}).await;
    let port = world.ports().callbacks;
    let pki = world.layout().path("pki");
    configure(&world, |table| {
        for subscription in table["subscription"].as_array_mut().unwrap() {
            let subscription = subscription.as_table_mut().unwrap();
            let name = subscription["name"].as_str().unwrap().to_owned();
            subscription["url"] = format!("https://localhost:{port}/{name}").into();
            if name == "city-a" {
                let authority = pki.join("ca.pem").to_string_lossy().into_owned();
                subscription.insert("authority".into(), authority.into());
            }
        }
    });
    world.start_gateway().await.unwrap();
    let certificate = [pki.join("server.pem"), pki.join("server.key")];
    let mut receiver = Receiver::start_with(&world, "ok", &certificate).await;
    let trusted = ask(&world, world.api_keys().city_a.expose()).await;
    let call = receiver.call().await;
    assert_eq!((exchange_of(&call), &call["verified"]), (trusted, &json!(true)));
    ask(&world, world.api_keys().mohw.expose()).await;
    let listed = dead(&world, 1).await;
    assert_eq!(listed[0]["lane"], "mohw");
    assert!(listed[0]["reason"].as_str().unwrap().starts_with("not reached"), "{listed:?}");
    world.stop().await.unwrap();
}

/// The event is posted in the same step as the reply: killed in between, both are there or neither.
#[tokio::test(flavor = "multi_thread")]
async fn a_callback_outlives_the_gateway() {
    let (mut world, _folder) = start(None).await;
    let mohw = world.api_keys().mohw.expose().to_owned();
    let exchange = ask(&world, &mohw).await;
    world.kill_gateway().await.unwrap();
    let mut receiver = Receiver::start(&world, "ok").await;
    world.start_gateway().await.unwrap();
    let call = receiver.call().await;
    assert_eq!((&call["path"], &call["verified"]), (&json!("/mohw"), &json!(true)));
    let reply = Client::new()
        .get(format!("{}/exchanges/{exchange}", world.http_url()))
        .header("x-api-key", &mohw);
    let reply = reply.send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.text().await.unwrap(), call["body"].as_str().unwrap());
    world.stop().await.unwrap();
}
