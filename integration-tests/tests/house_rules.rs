//! Rules of the house that no compiler checks.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use integration_tests::root;

fn tracked(ending: &str) -> Vec<PathBuf> {
    let listed = Command::new("git").arg("-C").arg(root()).args(["ls-files", "-z"]).output();
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    let files = listed.split('\0').filter(|file| file.ends_with(ending) && !file.is_empty());
    files.map(|file| root().join(file)).filter(|file| file.is_file()).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// The workspace packages that a package is built from.
fn workspace_dependencies(folder: &str) -> BTreeSet<String> {
    const OURS: [&str; 10] = [
        "gateway-core",
        "gateway-store",
        "gateway-journal",
        "naru",
        "adapters",
        "mappings",
        "identity",
        "pki-bridge",
        "fido-bridge",
        "sandbox",
    ];
    let manifest: toml::Table = read(&root().join(folder).join("Cargo.toml")).parse().unwrap();
    let sections = ["dependencies", "build-dependencies"];
    let tables = sections.iter().filter_map(|section| manifest.get(*section)?.as_table());
    let names = tables.flat_map(|table| table.keys()).filter(|name| OURS.contains(&name.as_str()));
    names.cloned().collect()
}

#[test]
fn dependencies_point_one_way() {
    let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(workspace_dependencies("gateway/core"), of(&[]));
    assert_eq!(workspace_dependencies("sandbox"), of(&[]), "a fake shares none of our codecs");
    for part in ["gateway/store", "gateway/journal", "adapters", "mappings"] {
        assert_eq!(workspace_dependencies(part), of(&["gateway-core"]), "{part}");
    }
    for part in ["identity", "pki-bridge", "fido-bridge"] {
        assert!(workspace_dependencies(part).is_subset(&of(&["gateway-core"])), "{part}");
    }
}

#[test]
fn the_core_opens_no_socket_reads_no_clock_and_does_no_cryptography() {
    let manifest: toml::Table = read(&root().join("gateway/core/Cargo.toml")).parse().unwrap();
    let named: BTreeSet<_> = manifest["dependencies"].as_table().unwrap().keys().cloned().collect();
    let allowed = [
        "async-trait",
        "bytes",
        "futures-util",
        "jiff",
        "serde",
        "thiserror",
        "tracing",
        "uuid",
        "zeroize",
    ];
    assert_eq!(named, allowed.map(str::to_owned).into());
}

#[test]
fn files_stay_small() {
    let long: Vec<_> = tracked(".rs")
        .into_iter()
        .map(|file| (read(&file).lines().count(), file))
        .filter(|(lines, _)| *lines > 600)
        .collect();
    assert!(long.is_empty(), "split these: {long:?}");
    assert!(read(&root().join("README.md")).lines().count() < 150);
    assert!(read(&root().join("ARCHITECTURE.md")).lines().count() < 300);
}

#[test]
fn every_module_says_what_it_is() {
    let silent: Vec<_> = tracked(".rs")
        .into_iter()
        .filter(|file| file.components().any(|part| part.as_os_str() == "src"))
        .filter(|file| !file.ends_with("tests.rs") && !read(file).starts_with("//!"))
        .collect();
    assert!(silent.is_empty(), "begin these with //!: {silent:?}");
}

#[test]
fn the_shipped_configuration_is_complete_and_known() {
    let example = root().join("sandbox/config/naru.toml");
    let config = naru::config::Config::read(&example);
    assert!(config.is_ok(), "{:?}", config.unwrap_err());
}

#[test]
fn adrs_and_links_of_the_documents_are_there() {
    for document in tracked(".md") {
        let text = read(&document);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let path = document.parent().unwrap().join(target);
            assert!(path.exists(), "{}: {link}", document.display());
        }
    }
}
