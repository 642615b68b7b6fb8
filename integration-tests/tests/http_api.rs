//! REST and X-Road over REST, used by programs not written here: openapi-core and schemathesis know
//! the services by the served document alone, and a consumer knows nothing but X-Road's own rules.

use std::path::{Path, PathBuf};
use std::time::Duration;

use integration_tests::{root, start};
use sandbox::people::{HONG, SAMPLE};
use sandbox::world::World;
use serde_json::{Value, json};
use tokio::process::Command;

fn client(name: &str) -> PathBuf {
    root().join("integration-tests/clients").join(name)
}

fn path(world: &World, relative: &str) -> String {
    world.layout().path(relative).to_str().unwrap().to_owned()
}

async fn run(program: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).kill_on_drop(true).output().await;
    let output = output.unwrap_or_else(|e| panic!("{}: {e}; `make deps`", program.display()));
    let (text, error) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{} {arguments:?}:\n{text}\n{error}", program.display());
    text.into_owned()
}

/// The certificate, key and authority of the ministry, which may do all of welfare.
fn ministry(world: &World) -> [String; 3] {
    ["pki/mohw.pem", "pki/mohw.key", "pki/ca.pem"].map(|file| path(world, file))
}

#[tokio::test(flavor = "multi_thread")]
async fn openapi_core_agrees_with_every_request_and_reply() {
    // Blocks take a while, so that a second request under a key meets the first.
    let (world, _folder) = start(Some(Duration::from_secs(1))).await;
    let [certificate, key, authority] = ministry(&world);
    let script = client("openapi_client.py");
    let url = format!("{}/v1/welfare", world.https_url());
    let arguments = [
        script.to_str().unwrap(),
        &url,
        &certificate,
        &key,
        &authority,
        HONG.resident_number,
        HONG.name,
    ];
    let printed = run(&client(".venv-openapi/bin/python"), &arguments).await;
    let steps: Value = serde_json::from_str(&printed).unwrap();
    let step = |name: &str| {
        let mut steps = steps.as_array().unwrap().iter();
        steps.find(|step| step["step"] == name).unwrap_or_else(|| panic!("{name}"))
    };
    for (name, status, code) in [
        ("free", 200, None),
        ("without a key", 400, Some("idempotency-key-missing")),
        ("grant", 200, None),
        ("grant again", 200, None),
        ("key reused", 422, Some("idempotency-key-reused")),
        ("refused", 409, Some("overlapping-benefit")),
        ("taken", 200, None),
        ("member missing", 400, Some("field-missing")),
        ("member unknown", 400, Some("field-unknown")),
        ("no such day", 400, Some("field-invalid")),
        ("fraction", 400, Some("field-invalid")),
        ("too large a number", 400, Some("field-invalid")),
        ("duplicate", 400, Some("field-repeated")),
        ("byte order mark", 400, Some("byte-order-mark")),
        ("not UTF-8", 400, Some("not-utf-8")),
        ("trailing", 400, Some("malformed-json")),
        ("cut off", 400, Some("malformed-json")),
        ("deep", 400, Some("malformed-json")),
        ("deep member", 400, Some("field-invalid")),
        ("empty", 400, Some("malformed-json")),
        ("media type", 415, Some("unsupported-media-type")),
        ("charset", 415, Some("unsupported-media-type")),
    ] {
        let step = step(name);
        assert_eq!(step["status"], status, "{step:#}");
        assert_eq!(step["code"], json!(code), "{step:#}");
        assert_eq!(step["reply"], Value::Null, "the reply is as documented: {step:#}");
        let media = if code.is_some() { "application/problem+json" } else { "application/json" };
        assert_eq!(step["media"], media);
    }
    for name in ["free", "grant", "key reused", "refused", "taken"] {
        assert_eq!(step(name)["request"], Value::Null, "the request is as documented");
    }
    for name in ["without a key", "member missing", "member unknown", "no such day", "fraction"] {
        assert_ne!(step(name)["request"], Value::Null, "{name} is not as documented");
    }
    assert_eq!(step("grant")["body"], step("grant again")["body"]);
    assert_eq!(step("taken")["body"]["benefit"], step("grant")["body"]["benefit"]);
    assert_eq!(step("at once")["status"], json!([200, 409]));
    world.stop().await.unwrap();
}

/// Requests made up from the schemas, good and bad, against the running gateway: what comes back is
/// what the document says, a bad request is refused and a good one is not, and nothing fails.
#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_nothing() {
    let (world, _folder) = start(None).await;
    let [certificate, key, authority] = ministry(&world);
    let document = format!("{}/v1/welfare/openapi.json", world.https_url());
    let settings = client("schemathesis.toml");
    let arguments = [
        "--config-file",
        settings.to_str().unwrap(),
        "run",
        &document,
        "--request-cert",
        &certificate,
        "--request-cert-key",
        &key,
        "--tls-verify",
        &authority,
        "--phases",
        "coverage,fuzzing",
        "--max-examples",
        "25",
        "--seed",
        "1",
        "--no-color",
        "--continue-on-failure",
    ];
    run(&client(".venv-openapi/bin/schemathesis"), &arguments).await;
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_xroad_consumer_calls_unchanged() {
    let (world, _folder) = start(None).await;
    let script = client("xroad_consumer.py");
    let arguments = [
        script.to_str().unwrap(),
        &world.http_url(),
        world.api_keys().city_a.expose(),
        SAMPLE.resident_number,
        SAMPLE.name,
    ];
    let printed = run(&client(".venv-openapi/bin/python"), &arguments).await;
    let steps: Value = serde_json::from_str(&printed).unwrap();
    for name in ["get", "grant", "grant again", "post", "end", "encoded"] {
        let step = &steps[name];
        assert_eq!(step["status"], 200, "{name}: {step:#}");
        assert_eq!(step["error"], Value::Null);
        assert_eq!(step["hash"], true, "{name}: {step:#}");
        assert_eq!(step["receipt"], true);
        assert_eq!(step["headers"]["X-Road-Client"], "KR/MUN/CITYA/welfare");
    }
    assert_eq!(steps["grant"]["headers"]["X-Road-Service"], "KR/GOV/NARU/welfare/benefits");
    assert_eq!(steps["grant"]["body"], steps["grant again"]["body"], "one X-Road-Id, one effect");
    let id = "f92591a3-6bf0-49b1-987b-0dd78c034cc3";
    assert_eq!(steps["grant"]["headers"]["X-Road-Id"], id);
    assert_eq!(steps["get"]["body"]["overlapping"], false);
    assert_eq!(steps["post"]["body"]["overlapping"], true);
    for (name, status, error) in [
        ("no client", 400, "Client.BadRequest"),
        ("other client", 500, "Server.ClientProxy.SslAuthenticationFailed"),
        ("unknown client", 500, "Server.ClientProxy.UnknownMember"),
        ("unknown service", 500, "Server.ServerProxy.UnknownService"),
        ("path benefits/../overlaps", 500, "Server.ServerProxy.UnknownService"),
        ("path benefits/%2e%2e/overlaps", 500, "Server.ServerProxy.UnknownService"),
        ("path benefits/%2e%2e%2foverlaps", 500, "Server.ServerProxy.UnknownService"),
        ("path %2e%2e/welfare/overlaps", 400, "Client.BadRequest"),
        ("path /overlaps", 400, "Client.BadRequest"),
        ("path benefits%2Fapplications", 500, "Server.ServerProxy.UnknownService"),
    ] {
        let step = &steps[name];
        assert_eq!((&step["status"], &step["error"]), (&json!(status), &json!(error)), "{name}");
        assert_eq!(step["body"]["type"], error);
        assert!(step["body"]["message"].is_string() && step["body"]["detail"].is_string());
    }
    assert_eq!(steps["method"]["status"], 405, "the provider's own, so no X-Road-Error");
    assert_eq!(steps["method"]["error"], Value::Null);
    assert!(steps["xml error"]["body"].as_str().unwrap().contains("<type>Server.ServerProxy."));
    let codes = |name: &str| {
        let services = steps[name]["body"]["service"].as_array().unwrap();
        services.iter().map(|one| one["service_code"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(codes("listMethods"), ["benefits", "history", "overlaps"]);
    assert_eq!(codes("allowedMethods"), ["benefits", "history", "overlaps"]);
    assert_eq!(steps["getOpenAPI"]["body"]["openapi"], "3.1.0");
    assert_eq!(steps["listClients"]["root"], "{http://x-road.eu/xsd/xroad.xsd}clientList");
    assert_eq!(steps["listClients"]["subsystems"].as_array().unwrap().len(), 4);
    assert_eq!(steps["listClientsJson"]["member"].as_array().unwrap().len(), 8);
    world.stop().await.unwrap();
}
