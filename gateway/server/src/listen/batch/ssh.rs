//! The `ssh` program of the operating system as a child process: what it is told, and what it said
//! when it failed. The user's own configuration and agent have no say.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, Join};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use zeroize::Zeroizing;

/// How to reach a server and as whom.
pub struct Ssh {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The user there.
    pub user: String,
    /// OpenSSH's `known_hosts`, which must hold the server's key.
    pub known_hosts: PathBuf,
    /// How the user is authenticated.
    pub login: Login,
}

/// How a user is authenticated.
pub enum Login {
    /// By the private key in this file, which `ssh` reads itself.
    Key(PathBuf),
    /// By a password, which the program in this file prints when `ssh` asks for it.
    Password(Zeroizing<String>, PathBuf),
}

/// A started `ssh`.
pub(super) struct Connected {
    pub(super) child: Child,
    pub(super) streams: Join<ChildStdout, ChildStdin>,
    pub(super) errors: Errors,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum SshError {
    /// The program cannot be started.
    #[error("ssh cannot be started: {0}")]
    Start(#[from] io::Error),
    /// It said why, e.g. that the host key is not the one expected.
    #[error("{0}")]
    Said(String),
}

/// The environment variable that the password is handed over in, to our own child alone.
const PASSWORD: &str = "NARU_SFTP_PASSWORD";
/// What prints it: `ssh` takes a password from a terminal or from a program, never from an argument.
const ASKPASS: &str = "#!/bin/sh\nprintf '%s\\n' \"$NARU_SFTP_PASSWORD\"\n";
/// How long a failing `ssh` may take to say why.
const LAST_WORDS: Duration = Duration::from_secs(5);

impl Ssh {
    /// The server, for logs.
    pub(super) fn server(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Makes the program that prints the password, where there is one.
    pub(super) fn prepare(&self) -> io::Result<()> {
        let Login::Password(_, askpass) = &self.login else { return Ok(()) };
        if let Some(folder) = askpass.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o700).open(askpass)?;
        file.write_all(ASKPASS.as_bytes())
    }

    /// Starts the program with the server's file transfer behind its standard streams.
    pub(super) fn start(&self) -> Result<Connected, SshError> {
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn()?;
        match (child.stdout.take(), child.stdin.take(), child.stderr.take()) {
            (Some(stdout), Some(stdin), Some(stderr)) => {
                let streams = tokio::io::join(stdout, stdin);
                Ok(Connected { child, streams, errors: Errors(stderr) })
            }
            _ => Err(io::Error::from(io::ErrorKind::BrokenPipe).into()),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new("ssh");
        command.args(["-F", "none", "-T", "-x", "-a"]).env_remove("SSH_AUTH_SOCK");
        let known_hosts = self.known_hosts.to_string_lossy().replace('%', "%%");
        let known_hosts = format!("UserKnownHostsFile=\"{known_hosts}\"");
        let mut options = vec![
            // The server's key is pinned: another one, or an unknown one, ends the connection.
            "StrictHostKeyChecking=yes",
            &known_hosts,
            "GlobalKnownHostsFile=/dev/null",
            "UpdateHostKeys=no",
            "VerifyHostKeyDNS=no",
            "CheckHostIP=no",
            "ClearAllForwardings=yes",
            "PermitLocalCommand=no",
            "ControlPath=none",
            "IdentityAgent=none",
            "LogLevel=ERROR",
            "ConnectTimeout=10",
            "ServerAliveInterval=15",
            "ServerAliveCountMax=3",
        ];
        match &self.login {
            Login::Key(file) => {
                options.extend(["BatchMode=yes", "IdentitiesOnly=yes"]);
                options.push("PreferredAuthentications=publickey");
                command.arg("-i").arg(file);
            }
            Login::Password(password, askpass) => {
                options.extend(["PubkeyAuthentication=no", "NumberOfPasswordPrompts=1"]);
                options.push("PreferredAuthentications=password,keyboard-interactive");
                command.env(PASSWORD, password.as_str());
                command.env("SSH_ASKPASS", askpass).env("SSH_ASKPASS_REQUIRE", "force");
            }
        }
        for option in options {
            command.arg("-o").arg(option);
        }
        command.arg("-p").arg(self.port.to_string()).arg("-l").arg(&self.user);
        command.args(["-s", "--", &self.host, "sftp"]);
        command
    }
}

/// What a started `ssh` says when something is wrong.
pub(super) struct Errors(ChildStderr);

impl Errors {
    /// Why the connection failed: the program's own words, or else `otherwise`.
    pub(super) async fn why(self, child: &mut Child, otherwise: String) -> SshError {
        let mut said = Vec::new();
        let mut stderr = self.0.take(1 << 12);
        let reading = tokio::time::timeout(LAST_WORDS, stderr.read_to_end(&mut said));
        // What was said until then is what there is.
        let _ = reading.await;
        let _ = child.start_kill();
        let said = String::from_utf8_lossy(&said);
        let plain = |character: &char| !character.is_control() || *character == '\n';
        let said: String = said.chars().filter(plain).collect();
        let lines: Vec<&str> =
            said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        match lines.as_slice() {
            [] => SshError::Said(otherwise),
            lines => SshError::Said(lines.join(" ")),
        }
    }
}
