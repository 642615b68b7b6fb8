//! Evidence, checked by a program that was written from `docs/evidence.md` alone, in Python with
//! nothing but its standard library.

use std::path::Path;
use std::process::Command;

use integration_tests::{root, start};
use sandbox::people::HONG;
use serde_json::{Value, json};

/// Runs `evidence.py`: what it prints, or what it says does not hold.
fn evidence(arguments: &[&Path]) -> Result<Value, String> {
    let (command, files) = arguments.split_first().unwrap();
    let run = Command::new("python3")
        .arg(root().join("integration-tests/clients/evidence.py"))
        .arg(command)
        .args(files)
        .output()
        .unwrap();
    match run.status.success() {
        true => Ok(serde_json::from_slice(&run.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&run.stderr).into_owned()),
    }
}

#[test]
fn the_vectors_are_recomputed_from_the_specification() {
    let folder = root().join("integration-tests/vectors/evidence");
    let counted = evidence(&[Path::new("vectors"), &folder]).unwrap();
    assert_eq!(counted, json!({ "entries": 5, "receipts": 23 }));
}

/// A gateway's own receipts, of an answer and of refusals.
#[tokio::test(flavor = "multi_thread")]
async fn real_receipts_are_verified_from_the_specification() {
    let (world, folder) = start(None).await;
    let mut files = Vec::new();
    let good = json!({
        "residentNumber": HONG.resident_number, "group": "housing",
        "from": "2026-06-01", "to": "2026-06-30",
    });
    for (number, (key, body)) in [
        (world.api_keys().city_a.expose().to_owned(), good.clone()),
        ("nobody's".to_owned(), good),
        (world.api_keys().city_a.expose().to_owned(), json!({ "unknown": 1 })),
    ]
    .into_iter()
    .enumerate()
    {
        let response = reqwest::Client::new()
            .post(format!("{}/v1/welfare/overlapCheck", world.http_url()))
            .header("x-api-key", key)
            .json(&body)
            .send()
            .await
            .unwrap();
        let receipt = response.headers()["naru-receipt"].to_str().unwrap().to_owned();
        let file = folder.path().join(format!("{number}.receipt"));
        std::fs::write(&file, receipt).unwrap();
        files.push(file);
    }
    let key = world.layout().path("keys/log.key.pub");
    let arguments = |files: &[std::path::PathBuf]| {
        let paths = [Path::new("receipt").to_owned(), key.clone()].into_iter();
        let paths: Vec<_> = paths.chain(files.iter().cloned()).collect();
        evidence(&paths.iter().map(|path| path.as_path()).collect::<Vec<_>>())
    };
    let found = arguments(&files).unwrap();
    let outcomes: Vec<_> =
        found["receipts"].as_array().unwrap().iter().map(|one| &one["outcome"]).collect();
    assert_eq!(outcomes[0], "ok");
    assert!(outcomes[1].as_str().unwrap().starts_with("Unauthenticated/"), "{outcomes:?}");
    assert!(outcomes[2].as_str().unwrap().starts_with("Malformed/"), "{outcomes:?}");

    let receipt = std::fs::read_to_string(&files[0]).unwrap();
    let (before, after) = receipt.split_at(receipt.len() / 2);
    let spoiled =
        format!("{before}{}{}", if after.starts_with('x') { 'y' } else { 'x' }, &after[1..]);
    std::fs::write(&files[0], spoiled).unwrap();
    assert!(arguments(&files[..1]).unwrap_err().contains("Refused"));
    world.stop().await.unwrap();
}
