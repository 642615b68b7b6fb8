//! A real EVM node on a port of its own, ended with the test.

use std::path::PathBuf;
use std::process::Stdio;

use alloy::transports::http::reqwest::Url;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

pub(crate) const CHAIN_ID: u64 = 31337;

pub(crate) struct Anvil {
    _process: Child,
    pub(crate) url: Url,
}

impl Anvil {
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let binary = binary();
        assert!(binary.is_file(), "the EVM node is not installed; run: make deps");
        let mut process = Command::new(binary)
            .args(["--host", "127.0.0.1", "--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("anvil starts");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next_line().await.unwrap().expect("anvil says where it listens");
            if let Some(address) = line.strip_prefix("Listening on ") {
                break address.trim().to_owned();
            }
        };
        // Its pipe must not fill up.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { _process: process, url: format!("http://{address}").parse().unwrap() }
    }
}

pub(crate) fn contracts() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../sandbox/contracts")
}

fn binary() -> PathBuf {
    contracts().join("node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")
}
