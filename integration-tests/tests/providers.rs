//! Any caller reaches any provider: REST callers, a SOAP caller and a telegram caller, in front of
//! SOAP by npm, X-Road and REST and XML by Python with lxml, and a telegram server on sockets.

use std::io::Write;
use std::process::{Command, Stdio};

use integration_tests::providers::{Provider, Way, start_with};
use integration_tests::{log_entries, naru};
use reqwest::Client;
use sandbox::callers::Identity;
use sandbox::callers::city_a::{CityA, Telegram};
use sandbox::people::HONG;
use sandbox::world::World;
use serde_json::{Value, json};

async fn rest(world: &World, service: &str, body: Value, key: Option<&str>) -> (u16, Value) {
    let mut request = Client::new()
        .post(format!("{}/v1/population/{service}", world.http_url()))
        .header("x-api-key", world.api_keys().portal.expose())
        .json(&body);
    if let Some(key) = key {
        request = request.header("idempotency-key", format!("\"{key}\""));
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    assert!(response.headers().contains_key("naru-receipt"), "{status}");
    (status, response.json().await.unwrap())
}

fn person(number: &str, name: &str) -> Value {
    json!({ "residentNumber": number, "name": name })
}

fn moving(address: &str) -> Value {
    json!({
        "residentNumber": HONG.resident_number, "name": HONG.name,
        "address": address, "from": "2026-11-01",
    })
}

/// The same three questions, whatever stands behind.
async fn names_are_checked(world: &World) {
    let (status, body) =
        rest(world, "realNameCheck", person(HONG.resident_number, HONG.name), None).await;
    assert_eq!((status, &body["matches"]), (200, &json!(true)), "{body}");
    let (status, body) =
        rest(world, "realNameCheck", person(HONG.resident_number, "김철수"), None).await;
    assert_eq!((status, &body["matches"]), (200, &json!(false)), "{body}");
    let (status, body) =
        rest(world, "realNameCheck", person("7001011234567", "박없음"), None).await;
    assert_eq!((status, &body["code"]), (409, &json!("no-such-resident")), "{body}");
}

fn soap_provider(port: u16) -> Way<'static> {
    Way {
        services: &["population/realNameCheck", "population/moveReport"],
        mapping: "population/mois-soap/v1",
        backend: format!("kind = \"soap\"\nurl = \"http://127.0.0.1:{port}/services/resident\""),
    }
}

/// A REST caller and an eGovFrame SOAP provider by npm. A report whose answer is lost is asked after
/// under its key, and done once.
#[tokio::test(flavor = "multi_thread")]
async fn rest_in_front_of_soap() {
    let provider = Provider::start("resident.mjs");
    let (world, _folder) = start_with(&[soap_provider(provider.port)]).await;
    names_are_checked(&world).await;

    let (status, first) = rest(&world, "moveReport", moving("서울"), Some("m-1")).await;
    assert_eq!((status, &first["receiptNumber"]), (200, &json!("R-1")), "{first}");
    assert_eq!(first["from"], "2026-11-01");
    let (_, again) = rest(&world, "moveReport", moving("서울"), Some("m-1")).await;
    assert_eq!(again, first);
    let (status, body) = rest(&world, "moveReport", moving("거절"), Some("m-2")).await;
    assert_eq!((status, &body["code"]), (409, &json!("refused-by-register")), "{body}");

    let (status, body) = rest(&world, "moveReport", moving("유실"), Some("m-3")).await;
    assert_eq!((status, &body["kind"]), (504, &json!("OutcomeUnknown")), "{body}");
    let (status, body) = rest(&world, "moveReport", moving("유실"), Some("m-3")).await;
    assert_eq!((status, &body["receiptNumber"]), (200, &json!("R-2")), "{body}");
    let count = format!("http://127.0.0.1:{}/count", provider.port);
    let count = Client::new().get(count).send().await.unwrap().text().await.unwrap();
    assert_eq!(count, "2", "each report was taken once");

    drop(provider);
    let (status, body) =
        rest(&world, "realNameCheck", person(HONG.resident_number, HONG.name), None).await;
    assert_eq!((status, &body["kind"]), (503, &json!("BackendUnavailable")), "{body}");
    let (status, body) = rest(&world, "moveReport", moving("부산"), Some("m-4")).await;
    assert_eq!((status, &body["kind"]), (503, &json!("BackendUnavailable")), "{body}");
    world.stop().await.unwrap();
}

/// A REST caller and X-Road providers of either protocol, a JSON service and plain XML.
#[tokio::test(flavor = "multi_thread")]
async fn rest_in_front_of_x_road_json_and_xml() {
    let provider = Provider::start("register.py");
    let url = format!("http://127.0.0.1:{}", provider.port);
    for (mapping, backend) in [
        ("population/mois-xroad/v1", format!("kind = \"xroad\"\nurl = \"{url}/xroad\"")),
        ("population/mois-xroad-rest/v1", format!("kind = \"xroad\"\nurl = \"{url}\"")),
        ("population/mois-json/v1", format!("kind = \"rest\"\nurl = \"{url}\"")),
        ("population/mois-xml/v1", format!("kind = \"xml\"\nurl = \"{url}/plain\"")),
    ] {
        let services = &["population/realNameCheck"];
        let (world, _folder) = start_with(&[Way { services, mapping, backend }]).await;
        names_are_checked(&world).await;
        world.stop().await.unwrap();
    }
}

/// A provider that knows a report by its key may be sent it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_with_a_key_is_sent_again_and_done_once() {
    let provider = Provider::start("register.py");
    let way = Way {
        services: &["population/moveReport"],
        mapping: "population/mois-json/v1",
        backend: format!("kind = \"rest\"\nurl = \"http://127.0.0.1:{}\"", provider.port),
    };
    let (world, _folder) = start_with(&[way]).await;
    let (status, body) = rest(&world, "moveReport", moving("유실"), Some("j-1")).await;
    assert_eq!((status, &body["kind"]), (504, &json!("OutcomeUnknown")), "{body}");
    let (status, body) = rest(&world, "moveReport", moving("유실"), Some("j-1")).await;
    assert_eq!((status, &body["receiptNumber"]), (200, &json!("J-1")), "{body}");
    let (_, other) = rest(&world, "moveReport", moving("서울"), Some("j-2")).await;
    assert_eq!(other["receiptNumber"], "J-2", "the first was counted once");
    world.stop().await.unwrap();
}

/// What an operator has found out with the provider settles a submit whose answer was lost: it is on
/// record with who said so, and the caller gets that outcome.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_settles_what_nobody_answered() {
    let provider = Provider::start("resident.mjs");
    let (world, _folder) = start_with(&[soap_provider(provider.port)]).await;
    for key in ["o-1", "o-2", "o-3"] {
        let (status, body) = rest(&world, "moveReport", moving("유실"), Some(key)).await;
        assert_eq!((status, &body["kind"]), (504, &json!("OutcomeUnknown")), "{body}");
    }
    // Now it cannot be asked any more, so the gateway finds nothing out by itself.
    drop(provider);
    let listed = submit(&world, &["list"], "").unwrap();
    let open: Vec<_> = listed.as_array().unwrap().iter().collect();
    assert_eq!(open.len(), 3, "{listed}");
    for one in &open {
        assert_eq!(one["service"], "population/moveReport");
        assert_eq!(one["mapping"], "population/mois-soap/v1");
    }
    let exchange = |index: usize| open[index]["exchange"].as_str().unwrap();
    let [first, second, third] = [exchange(0), exchange(1), exchange(2)];

    let missing = submit(&world, &["settle", first, "--done"], "{}").unwrap_err();
    assert!(missing.contains("`receiptNumber` is missing"), "{missing}");
    let unknown = r#"{ "receiptNumber": "R-7", "more": 1 }"#;
    let unknown = submit(&world, &["settle", first, "--done"], unknown).unwrap_err();
    assert!(unknown.contains("does not know"), "{unknown}");
    assert!(submit(&world, &["settle", first], "").is_err(), "what has been found is to be said");
    let settle = |exchange: &str, how: &[&str], said: &str| {
        // The gateway looks for itself from time to time; then it is not an operator's turn.
        let arguments = [&["settle", exchange], how].concat();
        let mut settled = submit(&world, &arguments, said);
        while settled.as_ref().is_err_and(|error| error.contains("worked on")) {
            settled = submit(&world, &arguments, said);
        }
        settled.unwrap()
    };
    let done = settle(first, &["--done"], r#"{ "receiptNumber": "R-7" }"#);
    assert!(done["receipt"].as_str().unwrap().len() > 100);
    settle(second, &["--refused", "0002"], "");
    settle(third, &["--not-done"], "");
    assert_eq!(submit(&world, &["list"], "").unwrap(), json!([]));
    let again = submit(&world, &["settle", first, "--not-done"], "").unwrap_err();
    assert!(again.contains("no submit open"), "{again}");

    let (status, body) = rest(&world, "moveReport", moving("유실"), Some("o-1")).await;
    assert_eq!((status, &body["receiptNumber"]), (200, &json!("R-7")), "{body}");
    assert_eq!(body["from"], "2026-11-01", "what the reply repeats of the request is there");
    let (status, body) = rest(&world, "moveReport", moving("유실"), Some("o-2")).await;
    assert_eq!((status, &body["code"]), (409, &json!("refused-by-register")), "{body}");
    // It is sent as if for the first time, and the provider is away.
    let (status, body) = rest(&world, "moveReport", moving("유실"), Some("o-3")).await;
    assert_eq!((status, &body["kind"]), (503, &json!("BackendUnavailable")), "{body}");

    let log = world.layout().path("log");
    world.stop().await.unwrap();
    let entries: Vec<Value> =
        log_entries(&log).iter().map(|entry| serde_json::from_str(entry).unwrap()).collect();
    let acts: Vec<_> = entries.iter().filter(|entry| entry["front"] == "operator").collect();
    let said: Vec<_> = acts
        .iter()
        .map(|act| (act["exchange"].as_str().unwrap(), act["outcome"].as_str().unwrap()))
        .collect();
    let [refused, not_done] = ["BackendRefused/0002", "BackendUnavailable/not-done"];
    assert_eq!(said, [(first, "ok"), (second, refused), (third, not_done)]);
    for act in acts {
        assert_eq!(
            (&act["kind"], &act["caller"]["member"]),
            (&json!("settlement"), &json!("operator"))
        );
        assert!(act["commit"]["details"].is_string(), "{act}");
    }
}

/// Runs `naru submit` with the operator's key, and this on its standard input.
fn submit(world: &World, arguments: &[&str], said: &str) -> Result<Value, String> {
    let mut command = Command::new(naru())
        .args(["submit", "--admin", &world.admin_url(), "--key"])
        .arg(world.layout().path("keys/operator.api-key"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have refused its arguments before it reads.
    let _ = command.stdin.take().unwrap().write_all(said.as_bytes());
    let output = command.wait_with_output().unwrap();
    match output.status.success() {
        true => Ok(serde_json::from_slice(&output.stdout).unwrap()),
        false => Err(String::from_utf8(output.stderr).unwrap()),
    }
}

/// A REST caller and a telegram server. A lost report is asked after by its serial number, by the
/// gateway that sent it and by one that starts after a crash; one that never arrived is refused for
/// good, because the register promises that it never will be done.
#[tokio::test(flavor = "multi_thread")]
async fn rest_in_front_of_telegrams() {
    let provider = Provider::start("telegrams.py");
    let way = Way {
        services: &["population/realNameCheck", "population/moveReport"],
        mapping: "population/mois-telegram/v1",
        backend: format!(
            "kind = \"telegram\"\naddress = \"127.0.0.1:{}\"\n\
             framing = {{ length_digits = 4, max = 4096 }}\nmultiplex = 8\nback_off_ms = [10, 100]",
            provider.port
        ),
    };
    let (mut world, _folder) = start_with(&[way]).await;
    names_are_checked(&world).await;
    let (status, body) = rest(&world, "moveReport", moving("서울"), Some("t-1")).await;
    assert_eq!((status, &body["receiptNumber"]), (200, &json!("T-1")), "{body}");

    let (status, body) = rest(&world, "moveReport", moving("유실"), Some("t-2")).await;
    assert_eq!((status, &body["kind"]), (504, &json!("OutcomeUnknown")), "{body}");
    let (status, body) = rest(&world, "moveReport", moving("유실"), Some("t-2")).await;
    assert_eq!((status, &body["receiptNumber"]), (200, &json!("T-2")), "{body}");

    let (status, _) = rest(&world, "moveReport", moving("유실"), Some("t-3")).await;
    assert_eq!(status, 504);
    world.kill_gateway().await.unwrap();
    world.start_gateway().await.unwrap();
    let (status, body) = rest(&world, "moveReport", moving("유실"), Some("t-3")).await;
    assert_eq!((status, &body["receiptNumber"]), (200, &json!("T-3")), "{body}");

    let (status, _) = rest(&world, "moveReport", moving("무응답"), Some("t-4")).await;
    assert_eq!(status, 504);
    let (status, body) = rest(&world, "moveReport", moving("무응답"), Some("t-4")).await;
    assert_eq!((status, &body["code"]), (409, &json!("never-done")), "{body}");
    let unencodable = moving("서울 😀");
    let (status, body) = rest(&world, "moveReport", unencodable, Some("t-5")).await;
    assert_eq!((status, &body["code"]), (422, &json!("call-unwritable")), "{body}");
    world.stop().await.unwrap();
}

/// The ministry's eGovFrame SOAP in front of a REST provider, and city A's telegrams in front of a
/// SOAP 1.2 provider in rpc style: the callers are those of every other test.
#[tokio::test(flavor = "multi_thread")]
async fn soap_in_front_of_rest_and_telegrams_in_front_of_soap() {
    let provider = Provider::start("register.py");
    let url = format!("http://127.0.0.1:{}", provider.port);
    for (mapping, backend) in [
        ("welfare/register-json/v1", format!("kind = \"rest\"\nurl = \"{url}\"")),
        ("welfare/register-soap/v1", format!("kind = \"soap\"\nurl = \"{url}/benefits\"")),
    ] {
        let services = &["welfare/overlapCheck"];
        let (world, _folder) = start_with(&[Way { services, mapping, backend }]).await;
        let period = ("2026-01-01", "2026-12-31");
        let fields = [
            ("residentNumber", HONG.resident_number.to_owned()),
            ("groupCode", "HOU".to_owned()),
            ("startDate", period.0.to_owned()),
            ("endDate", period.1.to_owned()),
        ];
        let ministry = world.ministry(Identity::Mohw).unwrap();
        let reply = ministry.call("overlapCheck", &fields).await.unwrap();
        assert_eq!(reply.code, "0000", "{}", reply.message);
        assert_eq!(reply.field("overlapping"), Some("true"));
        assert_eq!(reply.field("providerId"), Some("mohw"));

        let mut city = CityA::connect(world.ports().telegram).await.unwrap();
        let key = world.api_keys().city_a.expose();
        let asked = Telegram::overlap_check(key, 1, HONG, "20", period).unwrap();
        let reply = city.call(&asked).await.unwrap();
        assert_eq!(reply.code, "0000");
        assert_eq!(reply.field(0, 1), "Y");
        world.stop().await.unwrap();
    }
}

/// A mapping in another format than the backend carries is refused when it is loaded.
#[test]
fn a_mapping_that_the_backend_cannot_carry_is_found_by_check() {
    use std::process::Command;

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (world, _world_folder) = runtime.block_on(start_with(&[]));
    let file = world.layout().path("naru.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let wrong = text
        + "\n[[backend]]\nname = \"wrong\"\nkind = \"rest\"\nurl = \"http://127.0.0.1:1\"\n\
           [[route]]\nservices = [\"population/realNameCheck\"]\n\
           mapping = \"population/mois-soap/v1\"\nbackend = \"wrong\"\n";
    let changed = file.with_file_name("wrong.toml");
    std::fs::write(&changed, wrong).unwrap();
    let output = Command::new(world.naru()).arg("check").arg(&changed).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success());
    assert!(
        said.contains("route[2].backend: the backend does not carry messages of Soap"),
        "{said}"
    );
    runtime.block_on(world.stop()).unwrap();
}
