//! The ledger node: a real `anvil` process on the loopback address.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::process::{Child, Command};

use super::rpc::{Rpc, RpcError};

/// The chain id of the practice ledger.
pub const CHAIN_ID: u64 = 31337;

/// Why the node does not run.
#[derive(Debug, thiserror::Error)]
pub enum AnvilError {
    /// It is not installed.
    #[error("no anvil under {}; run `npm ci` in the contracts folder", .0.display())]
    NotInstalled(PathBuf),
    /// It could not be started.
    #[error("anvil cannot be started")]
    Start(#[source] io::Error),
    /// It ended at once.
    #[error("anvil ended with {0}; see anvil.log")]
    Ended(std::process::ExitStatus),
    /// It did not answer within ten seconds.
    #[error("anvil does not answer")]
    Silent(#[source] RpcError),
    /// The HTTP client could not be built.
    #[error(transparent)]
    Rpc(#[from] RpcError),
}

/// A running node; it is killed when this is dropped.
pub struct Anvil {
    child: Child,
    rpc: Rpc,
    url: String,
}

impl Anvil {
    /// Starts the node that npm installed in `contracts` on `port` and waits until it answers.
    /// It mines a block every `block_time`, or with each transaction when there is none.
    ///
    /// # Errors
    /// When it is not installed or does not come up.
    pub async fn start(
        contracts: &Path,
        port: u16,
        block_time: Option<Duration>,
        log: &Path,
    ) -> Result<Self, AnvilError> {
        let output = File::create(log).map_err(AnvilError::Start)?;
        let errors = output.try_clone().map_err(AnvilError::Start)?;
        let mut command = Command::new(executable(contracts, "anvil")?);
        command
            .args(["--quiet", "--host", "127.0.0.1"])
            .args(["--port", &port.to_string()])
            .args(["--chain-id", &CHAIN_ID.to_string()]);
        if let Some(block_time) = block_time {
            command.args(["--block-time", &block_time.as_secs_f64().to_string()]);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .kill_on_drop(true)
            // Ctrl-C is for us: the gateway finishes its exchanges while the ledger still stands.
            .process_group(0)
            .spawn()
            .map_err(AnvilError::Start)?;
        let url = format!("http://127.0.0.1:{port}");
        let rpc = Rpc::new(url.clone())?;
        let mut anvil = Self { child, rpc, url };
        anvil.wait_until_it_answers().await?;
        Ok(anvil)
    }

    /// A client of it.
    pub fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// Its JSON-RPC address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends it.
    pub async fn stop(&mut self) {
        // An error here means that it has ended already.
        let _ended = self.child.kill().await;
    }

    async fn wait_until_it_answers(&mut self) -> Result<(), AnvilError> {
        let mut tries = 0;
        loop {
            if let Some(status) = self.child.try_wait().map_err(AnvilError::Start)? {
                return Err(AnvilError::Ended(status));
            }
            match self.rpc.call("eth_chainId", json!([])).await {
                Ok(_) => return Ok(()),
                Err(error) if tries == 200 => return Err(AnvilError::Silent(error)),
                Err(_) => tries += 1,
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A Foundry tool that npm installed in `contracts`, in the package of this platform:
/// `@foundry-rs/anvil-<platform>/bin/anvil`.
pub(super) fn executable(contracts: &Path, tool: &str) -> Result<PathBuf, AnvilError> {
    let packages = contracts.join("node_modules/@foundry-rs");
    let entries = fs::read_dir(&packages).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path().join("bin").join(tool))
        .find(|path| path.is_file())
        .ok_or(AnvilError::NotInstalled(packages))
}
