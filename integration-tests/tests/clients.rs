//! Programs not written here do the main job: zeep reads the served WSDL and calls SOAP, curl calls
//! REST, cast reads the ledger.

use std::path::Path;
use std::process::Command;

use integration_tests::{root, start};
use sandbox::people::HONG;
use sandbox::world::World;
use serde_json::Value;

fn run(program: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|e| panic!("{}: {e}; `make deps`", program.display()));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {arguments:?}: {error}", program.display());
    String::from_utf8(output.stdout).unwrap()
}

fn path(world: &World, relative: &str) -> String {
    world.layout().path(relative).to_str().unwrap().to_owned()
}

/// A grant by zeep over mutual TLS from the served WSDL, seen by cast on the ledger, by curl over
/// REST, and refused by the ledger the second time.
#[tokio::test(flavor = "multi_thread")]
async fn zeep_grants_curl_asks_and_cast_sees_it() {
    let (world, _folder) = start(None).await;
    let python = root().join("integration-tests/clients/.venv/bin/python");
    let script = root().join("integration-tests/clients/ministry.py");
    let wsdl = format!("{}/soap/welfare?wsdl", world.https_url());
    let printed = run(
        &python,
        &[
            script.to_str().unwrap(),
            &wsdl,
            &path(&world, "pki/mohw.pem"),
            &path(&world, "pki/mohw.key"),
            &path(&world, "pki/ca.pem"),
            HONG.resident_number,
            HONG.name,
        ],
    );
    let steps: Value = serde_json::from_str(&printed).unwrap();
    let codes: Vec<_> = steps.as_array().unwrap().iter().map(|step| &step["resultCode"]).collect();
    assert_eq!(codes, ["0000", "0000", "0000", "0000", "0002", "1000", "0000"], "{steps:#}");
    assert_eq!(steps[0]["overlapping"], false);
    assert_eq!(steps[3]["overlapping"], true);
    for step in steps.as_array().unwrap() {
        assert!(step["receipt"].as_str().unwrap().len() > 100, "{step}");
    }
    let benefit = steps[2]["benefitId"].as_str().unwrap();

    let asked = run(
        Path::new("curl"),
        &[
            "--silent",
            "--fail-with-body",
            "--header",
            &format!("x-api-key: {}", world.api_keys().city_a.expose()),
            "--json",
            &format!(
                r#"{{"residentNumber":"{}","group":"housing","from":"2026-06-01","to":"2026-06-30"}}"#,
                HONG.resident_number
            ),
            &format!("{}/v1/welfare/overlapCheck", world.http_url()),
        ],
    );
    let asked: Value = serde_json::from_str(&asked).unwrap();
    assert_eq!(asked["overlapping"], true);
    assert_eq!(asked["benefit"], benefit);
    assert_eq!(asked["provider"], "mohw");

    let cast = root().join("sandbox/contracts/node_modules/@foundry-rs/cast-linux-amd64/bin/cast");
    let logs = run(
        &cast,
        &[
            "logs",
            "--json",
            "--rpc-url",
            world.rpc_url(),
            "--from-block",
            "0",
            "--address",
            &world.contract().address,
            "BenefitGranted(bytes32 indexed,bytes32 indexed,bytes32,bytes32,bytes32,bytes32,uint32,uint32,uint64)",
        ],
    );
    let logs: Value = serde_json::from_str(&logs).unwrap();
    assert_eq!(logs.as_array().unwrap().len(), 1);
    assert_eq!(logs[0]["topics"][1], format!("0x{benefit}"));
    world.stop().await.unwrap();
}
