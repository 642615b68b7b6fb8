//! The tour of the main job, as `make run` takes it: every step must go as it should, and a reader
//! of tile logs that was not written here must find the same evidence.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use integration_tests::root;

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
