//! The tour of the main job, as `make run` takes it: every step must go as it should, and a reader
//! of tile logs that was not written here must find the same evidence. Other policies decide its traffic again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use integration_tests::{copy, naru, root};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_goes_as_it_should() {
    let (world, _folder) = integration_tests::start(Some(Duration::from_millis(200))).await;
    let mut printed = Vec::new();
    let toured = sandbox::tour::run(&world, &mut printed).await;
    let printed = String::from_utf8(printed).unwrap();
    assert!(toured.is_ok(), "{}\n{printed}", toured.unwrap_err());
    let root = world.layout().root().to_owned();
    world.stop().await.unwrap();
    read_by_another(&root);
    // Each reply to the portal's checks is printed with its limit.
    replayed_by_other_policies(&root, printed.matches("RateLimit: ").count());
}

/// What would have been decided otherwise if the portal's policy were another: its checks, and the one
/// grant that it was refused.
fn replayed_by_other_policies(world: &Path, checks: usize) {
    let proposed = world.join("proposed");
    copy(&world.join("policies"), &proposed).unwrap();
    assert_eq!(replay(world, &proposed)["changed"], json!([]), "the same policies decide the same");

    let welfare = proposed.join("welfare.cedar");
    let text = std::fs::read_to_string(&welfare).unwrap();
    let (before, rest) = text.split_once("@id(\"portal-overlap-check\")").unwrap();
    let (_, after) = rest.split_once(");").unwrap();
    let grants = r#"@id("portal-grants") permit(principal == Naru::Member::"portal", action,
        resource == Naru::Service::"welfare/benefitGrant");"#;
    std::fs::write(&welfare, [before, grants, after].concat()).unwrap();
    let found = replay(world, &proposed);
    let mut changed: Vec<_> = found["changed"].as_array().unwrap().iter().map(row).collect();
    changed.sort_unstable();
    let check = ("portal", "welfare/overlapCheck", false);
    let all = [vec![("portal", "welfare/benefitGrant", true)], vec![check; checks]].concat();
    assert_eq!(changed, all);
    let counted = json!({ "newly_refused": checks, "newly_allowed": 1 });
    assert_eq!(found["members"], json!({ "portal": counted }));
}

fn replay(world: &Path, policies: &Path) -> Value {
    let replayed = Command::new(naru())
        .args(["policy", "replay", "--json", "--policies"])
        .args([policies, Path::new("--archive"), &world.join("state/archive.sqlite")])
        .output()
        .unwrap();
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    serde_json::from_slice(&replayed.stdout).unwrap()
}

/// Who, what, and whether it would be allowed.
fn row(changed: &Value) -> (&str, &str, bool) {
    let text = |name: &str| changed[name].as_str().unwrap();
    (text("member"), text("service"), changed["would_be"]["allowed"].as_bool().unwrap())
}

/// Checks the log and every receipt of the tour with `aics-tlog`. Debian 12 has no Python that is
/// new enough for it; `scripts/install` says so, and then this is left out.
fn read_by_another(world: &Path) {
    let python = root().join("integration-tests/clients/.venv-tlog/bin/python");
    if !python.exists() {
        return;
    }
    let receipts = std::fs::read_dir(world.join("receipts")).unwrap();
    let text = |path: PathBuf| std::fs::read_to_string(path).unwrap().trim().to_owned();
    let receipts: Vec<_> = receipts.map(|entry| text(entry.unwrap().path())).collect();
    assert!(receipts.len() > 20, "{}", receipts.len());
    let read = Command::new(python)
        .arg(root().join("gateway/journal/tests/tiles.py"))
        .arg(world.join("log"))
        .arg(text(world.join("keys/log.key.pub")))
        .args(receipts)
        .output()
        .unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
}
