//! The gateway as a child process.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long the gateway may take to become ready, or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why the gateway does not run, or did not end.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// It could not be started or watched.
    #[error("cannot run {}", .path.display())]
    Run {
        /// The executable.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It ended instead of becoming ready.
    #[error("the gateway ended with {status}; its log ends with:\n{log}")]
    Ended {
        /// How.
        status: ExitStatus,
        /// The last lines of its log.
        log: String,
    },
    /// It did not become ready.
    #[error("the gateway is not ready after thirty seconds; its log ends with:\n{log}")]
    NotReady {
        /// The last lines of its log.
        log: String,
    },
    /// It did not end after it was asked to, and was killed.
    #[error("the gateway had to be killed thirty seconds after it was asked to end")]
    Stuck,
    /// The HTTP client could not be built.
    #[error("no HTTP client")]
    Http(#[from] reqwest::Error),
    /// It is not running.
    #[error("the gateway is not running")]
    NotRunning,
}

/// A running gateway; it is killed when this is dropped.
pub struct Gateway {
    executable: PathBuf,
    log: PathBuf,
    child: Child,
}

impl Gateway {
    /// Starts `naru serve` with this configuration, its output appended to `log`, and waits until
    /// `ready` (the URL of `/readyz`) answers 200.
    ///
    /// # Errors
    /// When it cannot be started, ends, or is not ready within thirty seconds.
    pub async fn start(
        executable: &Path,
        configuration: &Path,
        log: &Path,
        ready: &str,
    ) -> Result<Self, GatewayError> {
        let run = |source| GatewayError::Run { path: executable.to_owned(), source };
        let output = OpenOptions::new().create(true).append(true).open(log).map_err(run)?;
        let errors = output.try_clone().map_err(run)?;
        let child = Command::new(executable)
            .args(["serve", "--config"])
            .arg(configuration)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .kill_on_drop(true)
            // Ctrl-C is for us: we ask the gateway to end, and it finishes what is in flight.
            .process_group(0)
            .spawn()
            .map_err(run)?;
        let mut gateway = Self { executable: executable.to_owned(), log: log.to_owned(), child };
        gateway.wait_until_ready(ready).await?;
        Ok(gateway)
    }

    /// Asks it to end (SIGTERM) and waits; what is in flight it finishes.
    ///
    /// # Errors
    /// When it does not end within thirty seconds; it is killed then.
    pub async fn stop(mut self) -> Result<(), GatewayError> {
        self.signal("TERM").await?;
        match timeout(PATIENCE, self.child.wait()).await {
            Ok(ended) => ended.map(drop).map_err(|source| self.failed(source)),
            Err(_) => {
                self.kill().await?;
                Err(GatewayError::Stuck)
            }
        }
    }

    /// Sends it a signal by its short name, such as `HUP`.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub async fn signal(&self, name: &str) -> Result<(), GatewayError> {
        if let Some(id) = self.child.id() {
            // The shell's own `kill` is there on every machine; the program may not be.
            let told = Command::new("sh")
                .args(["-c", "kill -\"$0\" \"$1\"", name, &id.to_string()])
                .status()
                .await;
            told.map_err(|source| self.failed(source))?;
        }
        Ok(())
    }

    /// Kills it (SIGKILL), as a crash would.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub async fn kill(mut self) -> Result<(), GatewayError> {
        self.child.kill().await.map_err(|source| self.failed(source))
    }

    async fn wait_until_ready(&mut self, ready: &str) -> Result<(), GatewayError> {
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        let answers = async {
            loop {
                if let Some(status) = self.child.try_wait().map_err(|source| self.failed(source))? {
                    let log = self.log_end();
                    return Err(GatewayError::Ended { status, log });
                }
                let answer = client.get(ready).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        match timeout(PATIENCE, answers).await {
            Ok(outcome) => outcome,
            Err(_) => Err(GatewayError::NotReady { log: self.log_end() }),
        }
    }

    fn failed(&self, source: io::Error) -> GatewayError {
        GatewayError::Run { path: self.executable.clone(), source }
    }

    fn log_end(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(10);
        lines.get(from..).unwrap_or_default().join("\n")
    }
}
