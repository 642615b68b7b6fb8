//! Contracts that were not written here become mappings by `naru mapping new`, and messages pass both
//! ways: a caller's by the front, a provider's by the backend. The WSDL is the one that spyne makes of
//! its own service, and zeep keeps it while the gateway stands between the two.

use std::path::{Path, PathBuf};
use std::process::Command;

use integration_tests::providers::Provider;
use integration_tests::{configure, editable, naru, root};
use reqwest::Client;
use sandbox::world::World;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A caller of another kind, in the services' own terms: written by hand, as after an import.
const REST: &str = r#"
naru: mapping/v1
sector: pension
system: rest
version: 1
layout: { rest: { key-max: 128 } }
operations:
  findPensioner:
    request:
      - { from: number, to: residentNumber, type: string, required: true }
    reply:
      - from: findPensionerResult
        to: pensioner
        type: record
        fields:
          - { from: name, to: name, type: string, required: true }
          - { from: status, to: status, type: string, required: true }
          - { from: balance, to: balance, type: string }
          - { from: address.city, to: city, type: string }
          - from: months
            to: months
            type: list
            fields: [{ from: value, to: month, type: integer }]
faults:
  Malformed: "400"
  Unauthenticated: "401"
  Forbidden: "403"
  ConsentMissing: "403"
  ConsentExpired: "403"
  RateLimited: "429"
  Unroutable: "404"
  Unmappable: "422"
  Unsupported: "501"
  BackendRefused: "409"
  BackendUnavailable: "503"
  OutcomeUnknown: "504"
  Internal: "500"
"#;

const POLICY: &str = r#"@id("everyone-asks-the-pension-register")
permit(principal, action, resource in Naru::Sector::"pension");
"#;

/// A world with the sector `pension`, all of it made of the WSDL but what a REST caller says.
struct Imported {
    world: World,
    wsdl: PathBuf,
    _folders: (TempDir, TempDir, TempDir),
}

async fn import(provider: &Provider, path: &str) -> Imported {
    let documents = tempfile::tempdir().unwrap();
    let url = format!("http://127.0.0.1:{}/{path}", provider.port);
    let text = Client::new().get(format!("{url}/?wsdl")).send().await.unwrap().text().await;
    let wsdl = documents.path().join("register.wsdl");
    std::fs::write(&wsdl, text.unwrap()).unwrap();

    let (mut world, folder, catalog) = editable(|_| {}).await;
    let said = run_import(&wsdl, catalog.path());
    assert!(said.contains("it loads"), "{said}");
    let rest = catalog.path().join("pension/rest/v1");
    std::fs::create_dir_all(&rest).unwrap();
    std::fs::write(rest.join("mapping.yaml"), REST).unwrap();
    std::fs::write(world.layout().path("policies/pension.cedar"), POLICY).unwrap();
    configure(&world, |table| connect(table, &url));
    world.start_gateway().await.unwrap();
    Imported { world, wsdl, _folders: (folder, catalog, documents) }
}

fn run_import(wsdl: &Path, catalog: &Path) -> String {
    let arguments = ["mapping", "new", "--sector=pension", "--system=register", "--wsdl"];
    let output = Command::new(naru())
        .args(arguments)
        .arg(wsdl)
        .arg("--catalog")
        .arg(catalog)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    // What the WSDL says and a mapping cannot is counted.
    assert!(said.starts_with("2 things of it the mapping CANNOT SAY:"), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Fronts, route and backend of the new sector.
fn connect(table: &mut toml::Table, url: &str) {
    let added: toml::Table = format!(
        "[[route]]\nservices = [\"pension/findPensioner\", \"pension/describe\"]\n\
         mapping = \"pension/register-provider/v1\"\nbackend = \"pensions\"\n\
         [[backend]]\nname = \"pensions\"\nkind = \"soap\"\nurl = \"{url}\"\n"
    )
    .parse()
    .unwrap();
    for (key, entries) in added {
        let list = table[&key].as_array_mut().unwrap();
        list.extend(entries.as_array().unwrap().iter().cloned());
    }
    let keys = table["secrets"]["pseudonyms"].as_table_mut().unwrap();
    keys.insert("pension".to_owned(), keys["welfare"].clone());
    let fronts = table["fronts"].as_table_mut().unwrap();
    fronts["soap"].as_array_mut().unwrap().push("pension/register/v1".into());
    fronts["rest"].as_array_mut().unwrap().push("pension/rest/v1".into());
}

async fn ask(world: &World, number: &str) -> (u16, Value) {
    let response = Client::new()
        .post(format!("{}/v1/pension/findPensioner", world.http_url()))
        .header("x-api-key", world.api_keys().portal.expose())
        .json(&json!({ "number": number }))
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// What zeep gets by the WSDL at an address.
fn zeep(world: &World, wsdl: &Path, address: &str) -> Value {
    let clients = root().join("integration-tests/clients");
    let output = Command::new(clients.join(".venv/bin/python"))
        .arg(clients.join("pension.py"))
        .arg(world.api_keys().portal.expose())
        .arg(wsdl)
        .arg(address)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{address}: {error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn both_ways(path: &str) {
    let provider = Provider::start("pension.py");
    let Imported { world, wsdl, _folders } = import(&provider, path).await;

    let (status, body) = ask(&world, "9001011234567").await;
    assert_eq!(status, 200, "{body}");
    let months: Vec<Value> = [1, 2, 12].iter().map(|month| json!({ "month": month })).collect();
    let pensioner = json!({
        "name": "홍길동", "status": "paid", "balance": "-1234567.89", "city": "서울", "months": months,
    });
    assert_eq!(body["pensioner"], pensioner, "{body}");
    // A fault that the WSDL declares is a refusal of that name; one that it does not is none.
    let (status, body) = ask(&world, "1111111111111").await;
    assert_eq!((status, &body["code"]), (409, &json!("no-pensioner")), "{body}");
    let (status, body) = ask(&world, "0000000000000").await;
    assert_eq!((status, &body["kind"]), (503, &json!("BackendUnavailable")), "{body}");

    let direct = zeep(&world, &wsdl, &format!("http://127.0.0.1:{}/{path}", provider.port));
    let by_naru = zeep(&world, &wsdl, &format!("{}/soap/register", world.http_url()));
    assert_eq!(direct["found"]["answer"]["name"], json!(["str", "홍길동"]), "{direct:#}");
    assert!(direct["full"]["answer"][1].as_str().unwrap().starts_with("-3|김<영>희"), "{direct:#}");
    for call in ["found", "full", "least"] {
        assert!(direct[call]["answer"].is_array() || direct[call]["answer"].is_object());
        assert_eq!(by_naru[call], direct[call], "{call}");
    }
    for (call, reason) in [
        ("missing", "no-pensioner"),
        ("broken", "provider-failed"),
        ("invalid", "value-too-long"),
        ("unknown", "unknown-code"),
    ] {
        assert!(direct[call]["fault"].is_string(), "{call}: {direct:#}");
        let detail = by_naru[call]["detail"].as_array().unwrap();
        assert!(detail.contains(&json!(reason)), "{call}: {by_naru:#}");
    }
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wsdl_of_spyne_is_served_and_called_over_soap_1_1() {
    both_ways("soap11").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wsdl_of_spyne_is_served_and_called_over_soap_1_2() {
    both_ways("soap12").await;
}
