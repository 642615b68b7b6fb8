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
    let source = ["--sector=pension", "--system=register", "--wsdl", wsdl.to_str().unwrap()];
    assert!(run_import(&source, catalog.path()).starts_with(CANNOT_SAY));
    add_rest(catalog.path());
    std::fs::write(world.layout().path("policies/pension.cedar"), POLICY).unwrap();
    configure(&world, |table| {
        connect(table, "pension", &["findPensioner", "describe"], "soap", &url);
        serve(table, "soap", "pension/register/v1");
        serve(table, "rest", "pension/rest/v1");
    });
    world.start_gateway().await.unwrap();
    Imported { world, wsdl, _folders: (folder, catalog, documents) }
}

fn add_rest(catalog: &Path) {
    let rest = catalog.join("pension/rest/v1");
    std::fs::create_dir_all(&rest).unwrap();
    std::fs::write(rest.join("mapping.yaml"), REST).unwrap();
}

/// What a schema of the register says and a mapping cannot is counted.
const CANNOT_SAY: &str = "2 things of it the mapping CANNOT SAY:";

/// What the command says on standard error.
fn run_import(source: &[&str], catalog: &Path) -> String {
    let command = &mut Command::new(naru());
    let command = command.args(["mapping", "new", "--catalog"]).arg(catalog).args(source);
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{error}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("it loads"), "{said}");
    error
}

/// Route and backend of a new sector, and the key that every sector has.
fn connect(table: &mut toml::Table, sector: &str, services: &[&str], kind: &str, url: &str) {
    let services: Vec<String> =
        services.iter().map(|service| format!("\"{sector}/{service}\"")).collect();
    let added: toml::Table = format!(
        "[[route]]\nservices = [{}]\nmapping = \"{sector}/register-provider/v1\"\n\
         backend = \"imported\"\n\
         [[backend]]\nname = \"imported\"\nkind = \"{kind}\"\nurl = \"{url}\"\n",
        services.join(", ")
    )
    .parse()
    .unwrap();
    for (key, entries) in added {
        let list = table[&key].as_array_mut().unwrap();
        list.extend(entries.as_array().unwrap().iter().cloned());
    }
    let keys = table["secrets"]["pseudonyms"].as_table_mut().unwrap();
    keys.insert(sector.to_owned(), keys["welfare"].clone());
}

fn serve(table: &mut toml::Table, format: &str, mapping: &str) {
    table["fronts"][format].as_array_mut().unwrap().push(mapping.into());
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

/// What spyne knows of a person, as a REST caller gets it.
async fn is_found(world: &World) {
    let (status, body) = ask(world, "9001011234567").await;
    assert_eq!(status, 200, "{body}");
    let months: Vec<Value> = [1, 2, 12].iter().map(|month| json!({ "month": month })).collect();
    let pensioner = json!({
        "name": "홍길동", "status": "paid", "balance": "-1234567.89", "city": "서울", "months": months,
    });
    assert_eq!(body["pensioner"], pensioner, "{body}");
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

    is_found(&world).await;
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

/// The schemas of the same register, in files that import one another, and its documents without
/// envelopes.
#[tokio::test(flavor = "multi_thread")]
async fn schemas_of_spyne_become_a_backend_of_plain_xml() {
    let schemas = tempfile::tempdir().unwrap();
    let folder = root().join("integration-tests");
    let wrote = Command::new(folder.join("clients/.venv/bin/python"))
        .arg(folder.join("providers/pension.py"))
        .arg(schemas.path())
        .status();
    assert!(wrote.unwrap().success());
    let provider = Provider::start("pension.py");
    let (mut world, _folder, catalog) = editable(|_| {}).await;
    let schema = schemas.path().join("tns.xsd");
    let names = ["--sector=pension", "--system=register-provider", "--service=findPensioner"];
    let elements = ["--request=find_pensioner", "--reply=find_pensionerResponse"];
    let source = [&["--xsd", schema.to_str().unwrap()], &names[..], &elements[..]].concat();
    assert!(run_import(&source, catalog.path()).starts_with(CANNOT_SAY));
    add_rest(catalog.path());
    std::fs::write(world.layout().path("policies/pension.cedar"), POLICY).unwrap();
    let url = format!("http://127.0.0.1:{}/xml", provider.port);
    configure(&world, |table| {
        connect(table, "pension", &["findPensioner"], "xml", &url);
        serve(table, "rest", "pension/rest/v1");
    });
    world.start_gateway().await.unwrap();

    is_found(&world).await;
    let (status, body) = ask(&world, "0000000000000").await;
    assert_eq!((status, &body["kind"]), (503, &json!("BackendUnavailable")), "{body}");
    world.stop().await.unwrap();
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// The document that FastAPI makes of its own service: its callers call the gateway by the same
/// paths and get the same answers.
#[tokio::test(flavor = "multi_thread")]
async fn an_openapi_document_of_fastapi_is_served_and_called() {
    let provider = Provider::start("lending.py");
    let url = format!("http://127.0.0.1:{}", provider.port);
    let documents = tempfile::tempdir().unwrap();
    let document = documents.path().join("openapi.json");
    let text = Client::new().get(format!("{url}/openapi.json")).send().await.unwrap().text().await;
    std::fs::write(&document, text.unwrap()).unwrap();

    let (mut world, _folder, catalog) = editable(|_| {}).await;
    let source = ["--sector=library", "--system=register", "--openapi", document.to_str().unwrap()];
    run_import(&source, catalog.path());
    let policy = POLICY.replace("pension", "library");
    std::fs::write(world.layout().path("policies/library.cedar"), policy).unwrap();
    configure(&world, |table| {
        connect(table, "library", &["findLoan", "orderLoan"], "rest", &url);
        serve(table, "rest", "library/register/v1");
    });
    world.start_gateway().await.unwrap();
    let by_naru = format!("{}/v1/library", world.http_url());
    let key = world.api_keys().portal.expose().to_owned();
    let client = Client::new();

    let find = |at: &str| {
        let request = client.get(format!("{at}/loans/kim?late=true"));
        answer(request.header("x-api-key", &key))
    };
    let direct = find(&url).await;
    assert_eq!((direct.0, &direct.1["books"][1]["title"]), (200, &json!("나루")), "{direct:?}");
    assert_eq!(find(&by_naru).await, direct);

    let order = json!({ "reader": "김", "book": { "title": "a/b?c", "pages": 3 } });
    let put = |at: &str| {
        let request = client.post(format!("{at}/loans")).json(&order);
        answer(request.header("x-api-key", &key).header("idempotency-key", "\"l-1\""))
    };
    let direct = put(&url).await;
    assert_eq!(direct, (200, json!({ "receipt": "김/a/b?c/3/None" })));
    assert_eq!(put(&by_naru).await, direct);

    let nobody = client.get(format!("{by_naru}/loans/nobody")).header("x-api-key", &key);
    let (status, body) = answer(nobody).await;
    assert_eq!((status, &body["kind"]), (409, &json!("BackendRefused")), "{body}");
    world.stop().await.unwrap();
}
