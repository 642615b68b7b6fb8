//! What the scenario tests share: a practice world of their own each, load on it, and a pipeline whose
//! stages are scripted. The scenarios are in `tests/`; read `tests/tour.rs` first.

pub mod load;
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
    let (mut world, folder) = prepare(|options| options.block_time = block_time).await;
    world.start_gateway().await.expect("the gateway starts");
    (world, folder)
}

/// The same without its gateway, made from what `change` leaves of the options: a test can edit the
/// configuration before it starts.
pub async fn prepare(change: impl FnOnce(&mut WorldOptions)) -> (World, TempDir) {
    let folder = tempfile::tempdir().expect("a folder for the world");
    let directory = folder.path().join("world");
    let mut options = WorldOptions {
        ports: PortChoice::Ephemeral,
        ..WorldOptions::in_tree(root(), directory, naru())
    };
    change(&mut options);
    let world = World::start(options).await.expect("the world starts; `make deps` installs it");
    (world, folder)
}

/// Changes the gateway's configuration as a table.
pub fn configure(world: &World, change: impl FnOnce(&mut toml::Table)) {
    let file = world.layout().path("naru.toml");
    let text = std::fs::read_to_string(&file).expect("the world has written its configuration");
    let mut table = text.parse().expect("it is TOML");
    change(&mut table);
    std::fs::write(&file, table.to_string()).expect("it can be written");
}
