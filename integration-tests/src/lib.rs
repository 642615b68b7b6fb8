//! What the scenario tests share: a practice world of their own each, load on it, and a pipeline whose
//! stages are scripted. The scenarios are in `tests/`; read `tests/tour.rs` first.

pub mod echo;
pub mod load;
pub mod providers;
pub mod scripted;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sandbox::world::ports::PortChoice;
use sandbox::world::{World, WorldOptions};
use serde_json::Value;
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
        ports: PortChoice::Free,
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

/// A world as [`prepare`] makes it, whose catalog the test may edit: the second folder. No quota is
/// in the way.
pub async fn editable(change: impl FnOnce(&mut WorldOptions)) -> (World, TempDir, TempDir) {
    let catalog = tempfile::tempdir().expect("a folder for the catalog");
    copy(&root().join("mappings/catalog"), catalog.path()).expect("the catalog can be copied");
    let path = catalog.path().to_owned();
    let (world, folder) = prepare(|options| {
        options.catalog = path;
        change(options);
    })
    .await;
    configure(&world, |table| {
        table.remove("quota");
    });
    (world, folder, catalog)
}

/// Copies a folder with everything in it.
///
/// # Errors
/// When something cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &to)?,
            false => drop(std::fs::copy(entry.path(), to)?),
        }
    }
    Ok(())
}

/// Runs a command of `naru` that asks the running gateway as its operator: what it prints, or what
/// it says went wrong.
///
/// # Errors
/// When the command fails.
pub fn ask_gateway(world: &World, command: &str) -> Result<Value, String> {
    let output = Command::new(naru())
        .args([command, "--admin", &world.admin_url(), "--key"])
        .arg(world.layout().path("keys/operator.api-key"))
        .output()
        .expect("naru runs");
    match output.status.success() {
        true => Ok(serde_json::from_slice(&output.stdout).expect("it prints JSON")),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Every entry of a log's tiles, read by the layout alone (tlog-tiles, "Log entries").
pub fn log_entries(log: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for tile in 0.. {
        let full = log.join(format!("tile/entries/{tile:03}"));
        let bundle = if full.is_file() {
            full
        } else if let Ok(partials) = std::fs::read_dir(full.with_extension("p")) {
            let paths = partials.map(|entry| entry.expect("an entry of a folder").path());
            let width = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
            paths.max_by_key(width).expect("a partial bundle")
        } else {
            break;
        };
        let bytes = std::fs::read(bundle).expect("a bundle can be read");
        let mut rest = bytes.as_slice();
        while let Some((length, tail)) = rest.split_first_chunk::<2>() {
            let (entry, tail) = tail.split_at(usize::from(u16::from_be_bytes(*length)));
            all.push(String::from_utf8(entry.to_vec()).expect("an entry is text"));
            rest = tail;
        }
    }
    all
}
