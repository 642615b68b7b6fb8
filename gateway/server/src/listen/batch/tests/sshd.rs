//! A real OpenSSH server on a port of its own, run as whoever runs the tests, and a line to it that
//! can be cut.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::ssh::{Login, Ssh};

pub(super) struct Sshd {
    folder: PathBuf,
    process: Child,
    pub(super) port: u16,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// An Ed25519 key pair; answers with the public key's line.
pub(super) fn key_pair(path: &Path) -> String {
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path.to_str().unwrap()]);
    std::fs::read_to_string(path.with_extension("pub")).unwrap().trim().to_owned()
}

impl Sshd {
    /// Starts a server with keys in `folder`. `options` go to its file transfer.
    pub(super) fn start(folder: &Path, options: &str) -> Self {
        let path = |name: &str| folder.join(name);
        if !path("host").exists() {
            let host = key_pair(&path("host"));
            std::fs::write(path("authorized"), key_pair(&path("user"))).unwrap();
            std::fs::write(path("known_hosts"), format!("[127.0.0.1]:* {host}\n")).unwrap();
        }
        // Started by root, it wants a folder that packages make at boot.
        if run("id", &["-u"]).trim() == "0" {
            std::fs::create_dir_all("/run/sshd").unwrap();
        }
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let config = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {host}\nAuthorizedKeysFile {keys}\n\
             PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n\
             Subsystem sftp internal-sftp {options}\n",
            host = path("host").display(),
            keys = path("authorized").display(),
        );
        std::fs::write(path("sshd_config"), config).unwrap();
        let mut process = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(path("sshd_config"))
            .stderr(Stdio::piped())
            .spawn()
            .expect("the Debian package openssh-server is installed");
        let mut said = BufReader::new(process.stderr.take().unwrap()).lines();
        let listening = said.find(|line| line.as_ref().unwrap().contains("Server listening on"));
        assert!(listening.is_some(), "it did not start");
        // What it says further on nobody needs, but it must be able to say it.
        std::thread::spawn(move || said.for_each(drop));
        Self { folder: folder.to_owned(), process, port }
    }

    /// How to reach it, by `port` in place of its own.
    pub(super) fn ssh(&self, port: u16) -> Ssh {
        Ssh {
            host: "127.0.0.1".into(),
            port,
            user: run("id", &["-un"]).trim().to_owned(),
            known_hosts: self.folder.join("known_hosts"),
            login: Login::Key(self.folder.join("user")),
        }
    }
}

/// A line to a server that is cut once so many bytes have come from there.
pub(super) struct Line {
    pub(super) port: u16,
    /// Bytes that came from the server over all connections.
    pub(super) received: Arc<AtomicU64>,
    /// After how many it is cut.
    pub(super) cut_after: Arc<AtomicU64>,
}

impl Line {
    pub(super) async fn to(port: u16) -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let line = Self {
            port: listener.local_addr().unwrap().port(),
            received: Arc::default(),
            cut_after: Arc::new(AtomicU64::new(u64::MAX)),
        };
        let (received, cut_after) = (line.received.clone(), line.cut_after.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
                let (mut from_server, mut to_server) = server.unwrap().into_split();
                let (mut from_client, mut to_client) = client.into_split();
                let (received, cut_after) = (received.clone(), cut_after.clone());
                tokio::spawn(async move {
                    let up = tokio::io::copy(&mut from_client, &mut to_server);
                    let down = async {
                        let mut buffer = vec![0; 4096];
                        while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
                            let all =
                                received.fetch_add(read as u64, Ordering::SeqCst) + read as u64;
                            if all > cut_after.load(Ordering::SeqCst)
                                || to_client.write_all(&buffer[..read]).await.is_err()
                            {
                                break;
                            }
                        }
                    };
                    tokio::select! { _ = up => {}, () = down => {} }
                });
            }
        });
        line
    }
}
