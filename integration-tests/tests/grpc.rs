//! gRPC, called by clients in another language: stubs that grpcio generates from the published
//! .proto, and frames that lie.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use integration_tests::{root, start};
use sandbox::people::HONG;
use sandbox::world::World;
use serde_json::{Value, json};

fn python(script: &str, arguments: &[&str]) -> Value {
    let clients = root().join("integration-tests/clients");
    let mut command = Command::new(clients.join(".venv/bin/python"));
    let output = command.arg(clients.join(script)).args(arguments).output();
    let output = output.expect("`make deps` installs the clients");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {error}");
    serde_json::from_slice(&output.stdout).expect("the script prints JSON")
}

fn path(world: &World, relative: &str) -> String {
    world.layout().path(relative).to_str().unwrap().to_owned()
}

fn protos() -> String {
    root().join("mappings/proto").to_str().unwrap().to_owned()
}

fn bank(world: &World) -> Value {
    python(
        "bank.py",
        &[
            &protos(),
            &world.grpc_target(),
            &path(world, "pki/ca.pem"),
            &path(world, "pki/mohw.pem"),
            &path(world, "pki/mohw.key"),
            world.api_keys().city_a.expose(),
            HONG.resident_number,
            HONG.name,
        ],
    )
}

/// The status of a step, with kind and code of the refusal as the details have them.
fn status(step: &Value) -> String {
    let info = &step["ErrorInfo"]["metadata"];
    match info["kind"].as_str() {
        None => step["status"].as_str().unwrap().to_owned(),
        Some(kind) => {
            let code = info["code"].as_str().unwrap();
            assert_eq!(step["ErrorInfo"]["domain"], "naru.v1.Gateway");
            assert_eq!(step["ErrorInfo"]["reason"], code.to_uppercase().replace('-', "_"));
            assert_eq!(info["exchange"], step["metadata"]["naru-exchange"]);
            format!("{} {kind}/{code}", step["status"].as_str().unwrap())
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_does_the_main_job_with_generated_stubs() {
    let (world, _folder) = start(None).await;
    let steps = bank(&world);

    let services = steps["reflection"]["services"].as_array().unwrap();
    for service in ["naru.v1.Gateway", "grpc.health.v1.Health"] {
        assert!(services.contains(&json!(service)), "{services:?}");
    }
    assert_eq!(steps["reflection"]["input"], "naru.v1.ExchangeRequest");
    let fields = json!(["sector", "service", "message", "idempotency_key"]);
    assert_eq!(steps["reflection"]["fields"], fields);
    assert_eq!(steps["health"], json!(["SERVING", "SERVING"]));

    assert_eq!(steps["free"]["message"]["overlapping"], false);
    let benefit = steps["granted"]["message"]["benefit"].as_str().unwrap();
    assert_eq!(benefit.len(), 64);
    assert_eq!(steps["repeated"]["message"]["benefit"], benefit, "one effect for one key");
    assert_eq!(steps["taken"]["message"]["overlapping"], true);
    assert_eq!(steps["taken"]["message"]["benefit"], benefit);
    assert_eq!(steps["taken"]["message"]["provider"], "mohw");
    assert_eq!(steps["ended"]["message"], json!({ "benefit": benefit, "end": "2026-06-30" }));
    for (name, wanted) in [
        ("reused", "FAILED_PRECONDITION Malformed/idempotency-key-reused"),
        ("overlapping", "FAILED_PRECONDITION BackendRefused/overlapping-benefit"),
        ("keyless", "INVALID_ARGUMENT Malformed/idempotency-key-missing"),
        ("unconsented", "PERMISSION_DENIED ConsentMissing/consent-missing"),
        ("stranger", "UNAUTHENTICATED Unauthenticated/credentials-missing"),
        ("wrong-key", "UNAUTHENTICATED Unauthenticated/credentials-unknown"),
    ] {
        assert_eq!(status(&steps[name]), wanted, "{name}");
        assert!(steps[name]["metadata"]["naru-receipt"].as_str().unwrap().len() > 100, "{name}");
    }
    check_later(&steps);
    check_quota(&steps["quota"]);
    check_receipt(&steps["granted"], &world);
    check_bad(&steps["bad"]);
    assert_eq!(status(&steps["still-there"]), "OK");
    world.stop().await.unwrap();
}

/// A call that is not waited for, and collected as it would have been answered.
fn check_later(steps: &Value) {
    let taken = &steps["taken-for-later"];
    assert_eq!((status(taken), &taken["pending"]), ("OK".to_owned(), &json!(true)));
    assert!(taken["receipt"].as_str().unwrap().len() > 100);
    let collected = &steps["collected"];
    assert_eq!(collected["message"]["overlapping"], true);
    assert_eq!(
        (&collected["exchange"], &collected["pending"]),
        (&taken["exchange"], &json!(false))
    );
    assert_eq!(collected["metadata"]["naru-receipt"], collected["receipt"]);
    let refused = status(&steps["collected-refusal"]);
    assert_eq!(refused, "PERMISSION_DENIED ConsentMissing/consent-missing");
    for name in ["not-ones-own", "no-exchange"] {
        assert_eq!(status(&steps[name]), "NOT_FOUND", "{name}");
    }
}

fn check_quota(steps: &Value) {
    let steps = steps.as_array().unwrap();
    let (refused, let_through) = steps.split_last().unwrap();
    for (step, remaining) in let_through.iter().zip(["2", "1", "0"]) {
        assert_eq!(status(step), "OK");
        let quota = &step["quota"][0];
        assert_eq!(
            (&quota["policy"], &quota["unit"]),
            (&"city-a-checks".into(), &"requests".into())
        );
        assert_eq!((&quota["limit"], &quota["window"]), (&"3".into(), &"60s".into()));
        assert_eq!(quota["remaining"].as_str().unwrap_or("0"), remaining);
        let policy = step["metadata"]["ratelimit-policy"].as_str().unwrap();
        assert_eq!(policy, "\"city-a-checks\";q=3;w=60");
    }
    assert_eq!(status(refused), "RESOURCE_EXHAUSTED RateLimited/rate-exceeded");
    assert_eq!(refused["QuotaFailure"]["violations"][0]["subject"], "city-a-checks");
    let wait = refused["RetryInfo"]["retryDelay"].as_str().unwrap();
    assert!(wait.trim_end_matches('s').parse::<f64>().unwrap() > 0.0, "{wait}");
    assert!(refused["metadata"]["ratelimit"].as_str().unwrap().contains("r=0"));
}

/// The reply and its metadata carry the same receipt, and the command verifies it.
fn check_receipt(step: &Value, world: &World) {
    let receipt = step["receipt"].as_str().unwrap();
    assert_eq!(step["metadata"]["naru-receipt"], receipt);
    assert_eq!(step["metadata"]["naru-exchange"], step["exchange"]);
    let file = world.layout().path("grpc-receipt.txt");
    std::fs::write(&file, receipt).unwrap();
    let key = path(world, "keys/log.key.pub");
    let run = Command::new(integration_tests::naru());
    let run = { run }.args(["verify", "--key", &key]).arg(&file).output().unwrap();
    let printed = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && printed.contains(step["exchange"].as_str().unwrap()));
    assert!(printed.contains("\"front\":\"grpc\""), "{printed}");
}

fn check_bad(steps: &Value) {
    let wanted = BTreeMap::from([
        ("date-as-number", "INVALID_ARGUMENT Malformed/field-invalid"),
        ("no-such-day", "INVALID_ARGUMENT Malformed/field-invalid"),
        ("unknown-field", "INVALID_ARGUMENT Malformed/field-unknown"),
        ("missing-field", "INVALID_ARGUMENT Malformed/field-missing"),
        ("list-for-text", "INVALID_ARGUMENT Malformed/field-invalid"),
        ("fraction", "INVALID_ARGUMENT Malformed/field-invalid"),
        ("too-large-number", "INVALID_ARGUMENT Unmappable/value-out-of-range"),
        ("not-a-resident", "INVALID_ARGUMENT Malformed/field-invalid"),
        ("no-service", "NOT_FOUND Unroutable/unknown-service"),
        ("no-sector", "NOT_FOUND Unroutable/unknown-service"),
        ("empty", "NOT_FOUND Unroutable/unknown-service"),
        ("not-protobuf", "INVALID_ARGUMENT Malformed/malformed-protobuf"),
        ("huge", "RESOURCE_EXHAUSTED Malformed/too-large"),
        ("no-method", "UNIMPLEMENTED"),
        ("no-such-grpc-service", "UNIMPLEMENTED"),
    ]);
    let steps = steps.as_object().unwrap();
    let came: BTreeMap<_, _> = steps.iter().map(|(name, step)| (&**name, status(step))).collect();
    let came: BTreeMap<_, _> = came.iter().map(|(name, status)| (*name, &**status)).collect();
    assert_eq!(came, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_lie_are_refused_one_by_one() {
    let (world, _folder) = start(None).await;
    let port = world.ports().grpc.to_string();
    let request = root().join("mappings/fuzz/corpus/grpc/overlap");
    let arguments = [
        "127.0.0.1",
        &port,
        &path(&world, "pki/ca.pem"),
        world.api_keys().mohw.expose(),
        request.to_str().unwrap(),
    ];
    let outcomes = python("frames.py", &arguments);
    const REACHED: &str = "0";
    for (name, wanted, journaled) in [
        ("good", REACHED, true),
        ("no-message", "3", true),
        ("two-messages", "3", true),
        ("compressed", "3", true),
        ("unknown-flag", "3", true),
        ("longer-than-said", "3", true),
        ("shorter-than-said", "3", true),
        ("huge-length", "8", true),
        ("deadline-invalid", "3", true),
        ("unknown-compression", "12", false),
        ("still-there", REACHED, true),
    ] {
        let outcome = &outcomes[name];
        assert_eq!(outcome["grpc"], wanted, "{name}: {outcome}");
        assert_eq!(outcome["receipt"], journaled, "{name}: {outcome}");
        assert_eq!(outcome["message"] == "", wanted == REACHED, "{name}: {outcome}");
    }
    // Ours is DEADLINE_EXCEEDED; when the library's own timer is first, it says CANCELLED.
    let passed = outcomes["deadline-passed"]["grpc"].as_str().unwrap();
    assert!(["4", "1"].contains(&passed), "{outcomes}");
    assert_eq!(outcomes["garbage"], json!(["closed", "closed", "closed"]));
    world.stop().await.unwrap();
}

/// A grant whose caller gives up: by a deadline shorter than a block, and by hanging up.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_given_up_still_runs_to_its_end() {
    let (world, _folder) = start(Some(Duration::from_secs(2))).await;
    let outcomes = python(
        "giving_up.py",
        &[
            &protos(),
            &world.grpc_target(),
            &path(&world, "pki/ca.pem"),
            world.api_keys().city_a.expose(),
            world.api_keys().mohw.expose(),
            HONG.resident_number,
            HONG.name,
        ],
    );
    // At a deadline the client's own timer and the server's race: the one says DEADLINE_EXCEEDED,
    // the other CANCELLED.
    let ways =
        [("deadline", &["DEADLINE_EXCEEDED", "CANCELLED"][..]), ("cancelled", &["CANCELLED"])];
    for (way, statuses) in ways {
        let outcome = &outcomes[way];
        let first = outcome["first"].as_str().unwrap();
        assert!(statuses.contains(&first), "{outcomes}");
        assert_eq!(outcome["benefit"].as_str().unwrap().len(), 64, "{outcomes}");
    }
    world.stop().await.unwrap();
}
