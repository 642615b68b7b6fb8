//! Evidence, checked by a program that was written from `docs/evidence.md` alone, in Python with
//! nothing but its standard library.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use integration_tests::{naru, root, start};
use sandbox::people::HONG;
use sandbox::world::World;
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
    assert!(counted["entries"].as_u64().unwrap() >= 5, "{counted}");
    assert!(counted["receipts"].as_u64().unwrap() >= 23, "{counted}");
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

/// Runs `naru exchange` as the operator.
fn exchange(world: &World, arguments: &[&str]) -> Result<String, String> {
    let run = Command::new(naru())
        .args(["exchange", "--admin", &world.admin_url(), "--key"])
        .arg(world.layout().path("keys/operator.api-key"))
        .args(arguments)
        .output()
        .unwrap();
    match run.status.success() {
        true => Ok(String::from_utf8(run.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&run.stderr).into_owned()),
    }
}

async fn ask(world: &World, key: &str) -> String {
    let response = reqwest::Client::new()
        .post(format!("{}/v1/welfare/overlapCheck", world.http_url()))
        .header("x-api-key", key)
        .json(&json!({
            "residentNumber": HONG.resident_number, "group": "housing",
            "from": "2026-06-01", "to": "2026-06-30",
        }))
        .send()
        .await
        .unwrap();
    response.headers()["naru-receipt"].to_str().unwrap().to_owned()
}

/// Operational records: every exchange once, by filter and page, also over a kill, and nothing
/// personal in them or in the archive's file.
#[tokio::test(flavor = "multi_thread")]
async fn records_survive_a_kill_and_are_not_personal() {
    let (mut world, _folder) = start(None).await;
    let city_a = world.api_keys().city_a.expose().to_owned();
    for key in [&*city_a, "nobody's", &*city_a] {
        ask(&world, key).await;
    }
    world.kill_gateway().await.unwrap();
    world.start_gateway().await.unwrap();

    let list = exchange(&world, &["list", "--service", "welfare/overlapCheck"]).unwrap();
    let records: Vec<Value> =
        list.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len(), 3, "{list}");
    assert_eq!(records[0]["member"], "city-a");
    assert_eq!(records[0]["outcome"], "ok");
    assert!(records[0]["requestBytes"].as_u64().unwrap() > 50);
    let refused = exchange(&world, &["list", "--outcome", "Unauthenticated"]).unwrap();
    assert_eq!(refused.lines().count(), 1, "{refused}");
    let id = records[2]["exchange"].as_str().unwrap();
    assert!(exchange(&world, &["show", id]).unwrap().contains(id));
    let missing = exchange(&world, &["show", "00000000-0000-0000-0000-000000000000"]);
    assert!(missing.unwrap_err().contains("there is no exchange"));
    let csv = exchange(&world, &["export", "--format", "csv"]).unwrap();
    assert!(csv.starts_with("index,exchange,kind,received"), "{csv}");
    assert_eq!(csv.matches("welfare/overlapCheck").count(), 3, "{csv}");
    let unknown = ask_gateway_url(&world, "exchanges?whose=all").await;
    assert_eq!(unknown, 400);

    let layout = world.layout().clone();
    world.stop().await.unwrap();
    for file in ["archive.sqlite", "naru.sqlite"] {
        let bytes = std::fs::read(layout.path("state").join(file)).unwrap();
        for personal in [HONG.resident_number, &HONG.resident_number.replace('-', ""), HONG.name] {
            assert!(!bytes.windows(personal.len()).any(|window| window == personal.as_bytes()));
        }
    }
}

async fn ask_gateway_url(world: &World, path: &str) -> u16 {
    let key = std::fs::read_to_string(world.layout().path("keys/operator.api-key")).unwrap();
    let request = reqwest::Client::new().get(format!("{}/admin/{path}", world.admin_url()));
    request.bearer_auth(key.trim()).send().await.unwrap().status().as_u16()
}

/// The world with bodies kept.
async fn keeping() -> (World, tempfile::TempDir) {
    let (mut world, folder) = integration_tests::prepare(|_| {}).await;
    integration_tests::configure(&world, |table| {
        let bodies = "keep = ['request', 'reply', 'call']\nroot = 'file:keys/bodies.key'";
        table.insert("bodies".to_owned(), bodies.parse::<toml::Table>().unwrap().into());
    });
    world.start_gateway().await.unwrap();
    (world, folder)
}

/// Runs a command of `naru` as the operator, with this on its standard input.
fn operate(world: &World, arguments: &[&str], input: &str) -> Result<String, String> {
    let mut child = Command::new(naru())
        .args(arguments)
        .args(["--admin", &world.admin_url(), "--key"])
        .arg(world.layout().path("keys/operator.api-key"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let run = child.wait_with_output().unwrap();
    match run.status.success() {
        true => Ok(String::from_utf8(run.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&run.stderr).into_owned()),
    }
}

fn verify(world: &World, bundle: &Path) -> Result<String, String> {
    let run = Command::new(naru())
        .args(["verify", "--bundle"])
        .arg(bundle)
        .arg("--key")
        .arg(world.layout().path("keys/log.key.pub"))
        .output()
        .unwrap();
    match run.status.success() {
        true => Ok(String::from_utf8(run.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&run.stderr).into_owned()),
    }
}

/// One exchange for a court: one part opened and the others closed, verified by the command and by the
/// program written from the specification, refused with any byte changed; and after the person is
/// erased it opens no more, while the exchange can still be shown.
#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_opens_one_part_until_the_person_is_erased() {
    let (world, folder) = keeping().await;
    let city_a = world.api_keys().city_a.expose().to_owned();
    ask(&world, &city_a).await;
    // What is archived is listed within the publication interval; a bundle waits for it itself.
    let id = loop {
        let list = exchange(&world, &["list", "--service", "welfare/overlapCheck"]).unwrap();
        if let Some(line) = list.lines().next() {
            let record: Value = serde_json::from_str(line).unwrap();
            break record["exchange"].as_str().unwrap().to_owned();
        }
    };
    let file = folder.path().join("bundle.json");
    let bundle =
        exchange(&world, &["bundle", &id, "--part", "request", "--part", "details"]).unwrap();
    std::fs::write(&file, &bundle).unwrap();
    let verified = verify(&world, &file).unwrap();
    assert!(verified.contains("opened: request") && verified.contains("opened: details"));
    assert!(verified.contains(HONG.resident_number), "{verified}");
    let key = world.layout().path("keys/log.key.pub");
    let read = evidence(&[Path::new("bundle"), &key, &file]).unwrap();
    let opened = &read["entries"][0]["opened"];
    assert!(opened["request"].as_str().unwrap().contains(HONG.resident_number));
    assert!(opened.get("reply").is_none());

    // The library that the command uses, over every byte; the command itself, over a few.
    let spoiled = folder.path().join("spoiled.json");
    for position in (0..bundle.len()).step_by(bundle.len() / 12) {
        let mut bytes = bundle.clone().into_bytes();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        std::fs::write(&spoiled, bytes).unwrap();
        assert!(verify(&world, &spoiled).is_err(), "byte {position}");
        assert!(evidence(&[Path::new("bundle"), &key, &spoiled]).is_err(), "byte {position}");
    }

    let held = operate(&world, &["hold", "place", "--reason", "2026가합1"], HONG.resident_number);
    let held: Value = serde_json::from_str(&held.unwrap()).unwrap();
    let refused = operate(&world, &["erase", "person"], HONG.resident_number).unwrap_err();
    assert!(refused.contains("legal hold"), "{refused}");
    let id_of_hold = held["id"].as_str().unwrap();
    assert!(operate(&world, &["hold", "list"], "").unwrap().contains(id_of_hold));
    operate(&world, &["hold", "lift", id_of_hold], "").unwrap();

    let erased = operate(&world, &["erase", "person"], HONG.resident_number).unwrap();
    let erased: Value = serde_json::from_str(&erased).unwrap();
    assert_eq!((&erased["keys"], &erased["backupsErased"]), (&json!(1), &json!(true)), "{erased}");
    assert!(exchange(&world, &["bundle", &id, "--part", "request"]).is_err());
    let closed = exchange(&world, &["bundle", &id]).unwrap();
    std::fs::write(&file, closed).unwrap();
    assert!(!verify(&world, &file).unwrap().contains("opened"));
    let acts = exchange(&world, &["list", "--kind", "administration"]).unwrap();
    for act in ["admin/exchange-bundle", "admin/hold-place", "admin/person-erase", "admin/erasure"]
    {
        assert!(acts.contains(act), "{act}: {acts}");
    }
    world.stop().await.unwrap();
}
