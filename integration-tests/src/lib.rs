//! What the scenario tests share: a practice world of their own each, and a pipeline whose stages
//! are scripted. The scenarios are in `tests/`; read `tests/tour.rs` first.

pub mod scripted;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sandbox::world::ports::PortChoice;
use sandbox::world::{World, WorldOptions};
use tempfile::TempDir;

/// The root of the source tree.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The `naru` program that was built with these tests.
pub fn naru() -> PathBuf {
    let test = std::env::current_exe().expect("the test program has a path");
    let build = test.ancestors().nth(2).expect("it lies in deps/ of the build folder");
    let naru = build.join("naru");
    assert!(naru.exists(), "{} is missing: cargo build -p naru", naru.display());
    naru
}

/// Starts a world on free ports, in a folder that lives as long as the second value. Its ledger mines
/// every `block_time`, or with each transaction.
pub async fn start(block_time: Option<Duration>) -> (World, TempDir) {
    let folder = tempfile::tempdir().expect("a folder for the world");
    let options = WorldOptions {
        ports: PortChoice::Ephemeral,
        block_time,
        ..WorldOptions::in_tree(root(), folder.path().join("world"), naru())
    };
    let mut world = World::start(options).await.expect("the world starts; `make deps` installs it");
    world.start_gateway().await.expect("the gateway starts");
    (world, folder)
}
