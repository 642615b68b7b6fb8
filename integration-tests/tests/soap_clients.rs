//! Clients not written here load the served WSDLs, of every style and version, and call a live
//! gateway by them: zeep, and npm's `soap`. An X-Road consumer calls it as its security server.

use std::path::Path;
use std::process::Command;

use integration_tests::{configure, prepare, root};
use sandbox::people::HONG;
use sandbox::world::World;
use serde_json::Value;
use tempfile::TempDir;

/// A gateway with a front of each style beside those of the catalog.
async fn styled() -> (World, TempDir, TempDir) {
    let catalog = tempfile::tempdir().unwrap();
    copy(&root().join("mappings/catalog"), catalog.path());
    copy(&root().join("integration-tests/fronts"), catalog.path());
    let (mut world, folder) = prepare(|options| options.catalog = catalog.path().to_owned()).await;
    configure(&world, |table| {
        table.remove("quota");
        let fronts = table["fronts"]["soap"].as_array_mut().unwrap();
        fronts
            .extend(["bare", "rpc", "unqualified"].map(|name| format!("welfare/{name}/v1").into()));
    });
    world.start_gateway().await.unwrap();
    (world, folder, catalog)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &to),
            false => drop(std::fs::copy(&path, &to).unwrap()),
        }
    }
}

fn client(program: &Path, script: &str, arguments: &[String]) -> Value {
    let script = root().join("integration-tests/clients").join(script);
    let output = Command::new(program).arg(script).args(arguments).output();
    let output = output.unwrap_or_else(|e| panic!("{}: {e}; `make deps`", program.display()));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn python() -> std::path::PathBuf {
    root().join("integration-tests/clients/.venv/bin/python")
}

fn arguments(world: &World, more: impl Iterator<Item = String>) -> Vec<String> {
    let key = world.api_keys().portal.expose().to_owned();
    [key, HONG.resident_number.to_owned()].into_iter().chain(more).collect()
}

/// Each WSDL with the ports that it must have. By the first, zeep addresses its messages
/// (WS-Addressing), since the WSDL says their actions.
const SERVED: [(&str, &[&str]); 4] = [
    ("welfare12", &["welfare12Port"]),
    ("bare", &["barePort", "barePort12"]),
    ("rpc", &["rpcPort", "rpcPort12"]),
    ("unqualified", &["unqualifiedPort", "unqualifiedPort12"]),
];

fn wsdls(world: &World) -> impl Iterator<Item = String> {
    let url = world.http_url();
    SERVED.into_iter().map(move |(name, _)| format!("{url}/soap/{name}?wsdl"))
}

#[tokio::test(flavor = "multi_thread")]
async fn zeep_and_npm_call_every_style_by_every_port() {
    let (world, _folder, _catalog) = styled().await;
    let zeep = client(&python(), "styles.py", &arguments(&world, wsdls(&world)));
    let npm = client(Path::new("node"), "styles.mjs", &arguments(&world, wsdls(&world)));
    for (name, ports) in SERVED {
        for port in ports {
            let is_12 = port.ends_with("12") || name == "welfare12";
            let called = &zeep[name][port];
            let answer = &called["answer"];
            assert!(
                answer == false || answer["overlapping"] == false,
                "zeep {name} {port}: {called}"
            );
            let refusal = &called["refusal"];
            let blame = if is_12 { "Sender" } else { "Client" };
            assert!(refusal["fault"].as_str().unwrap().ends_with(blame), "zeep {name}: {called}");
            assert!(
                refusal["detail"].to_string().contains("field-invalid"),
                "zeep {name}: {called}"
            );

            let called = &npm[name][port];
            let answer = called["answer"]["overlapping"].to_string();
            assert!(answer.contains("false"), "npm {name} {port}: {called}");
            let refusal = called["refusal"]["fault"].to_string();
            assert!(refusal.contains(blame), "npm {name} {port}: {called}");
            assert!(refusal.contains("field-invalid"), "npm {name} {port}: {called}");
        }
        let known: Vec<_> = zeep[name].as_object().unwrap().keys().collect();
        assert_eq!(known.len(), ports.len(), "{name}: {known:?}");
    }
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_x_road_consumer_calls_naru_as_its_security_server() {
    let (world, _folder, _catalog) = styled().await;
    let wsdl = format!("{}/soap/welfare-xroad?wsdl", world.http_url());
    let address = format!("{}/", world.http_url());
    let called = client(&python(), "xroad.py", &arguments(&world, [wsdl, address].into_iter()));
    let answer = &called["answer"];
    assert_eq!(answer["body"]["overlapping"], false, "{called:#}");
    let headers = &answer["header"];
    assert_eq!(headers["id"], "4894e35d-bf0f-44a6-867a-8e51f1daa7e0");
    assert_eq!(headers["client"]["subsystemCode"], "portal");
    assert_eq!(headers["service"]["serviceCode"], "overlapCheck");
    assert_eq!(called["version"]["fault"], "Client.InvalidProtocolVersion");
    assert_eq!(called["stranger"]["fault"], "Server.ClientProxy.UnknownMember");
    let all = ["benefitApply", "benefitEnd", "benefitGrant", "history", "overlapCheck"];
    assert_eq!(called["listMethods"], serde_json::json!(all));
    // The portal's policy lets it ask for overlaps only.
    assert_eq!(called["allowedMethods"], serde_json::json!(["overlapCheck"]));
    assert!(called["wsdl"].to_string().contains("overlapCheck"));
    assert_eq!(called["location"], serde_json::json!(["http://example.org/xroad-endpoint"]));
    assert!(called["empty"].as_str().unwrap().starts_with("Client."), "{called}");
    world.stop().await.unwrap();
}
