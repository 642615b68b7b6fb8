//! Providers written in Python, as processes of their own.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A running provider; killed when dropped.
pub(crate) struct Peer {
    child: Child,
    pub(crate) port: u16,
}

impl Peer {
    /// Starts `providers/<script>` with `arguments` before its port (0: any) and `after` behind it.
    pub(crate) fn start(script: &str, before: &[&str], port: u16, after: &[&str]) -> Self {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/providers").join(script);
        let mut child = Command::new("python3")
            .arg(&script)
            .args(before)
            .arg(port.to_string())
            .args(after)
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs; `make deps` installs it");
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().expect("its output is piped"));
        output.read_line(&mut line).expect("it prints its port");
        let port = line.trim().parse().unwrap_or_else(|_| panic!("{script:?} printed {line:?}"));
        Self { child, port }
    }

    /// Ends it, as a crash would.
    pub(crate) fn kill(mut self) -> u16 {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
        self.port
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
