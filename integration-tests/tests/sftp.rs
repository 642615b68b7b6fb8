//! The real program fetches a batch file from an SFTP server that is neither OpenSSH nor ours, with
//! a password, and brings the result back.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use integration_tests::{root, start};
use sandbox::callers::city_b::{BatchResult, grants};
use sandbox::people::{BATCH, Benefit, Programme};

struct Server {
    process: Child,
    port: String,
    /// What `known_hosts` holds of it.
    key: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve(folder: &Path, password: &str) -> Server {
    let python = root().join("integration-tests/clients/.venv/bin/python");
    let mut process = Command::new(&python)
        .arg(root().join("integration-tests/clients/sftp_server.py"))
        .args([folder.as_os_str(), password.as_ref()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{}: {e}; `make deps`", python.display()));
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let (port, key) = line.trim().split_once(' ').expect("it prints its port and its key");
    let key = format!("[127.0.0.1]:{port} {key}\n");
    Server { process, port: port.to_owned(), key }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_and_its_result_goes_over_sftp_with_a_password() {
    let (mut world, _folder) = start(None).await;
    let layout = world.layout().clone();
    let outgoing = layout.path("remote/outgoing");
    std::fs::create_dir_all(&outgoing).unwrap();
    std::fs::create_dir(layout.path("ssh")).unwrap();
    let server = serve(&layout.path("remote"), "a word 'with' $signs");
    layout.write("ssh/known_hosts", &server.key).unwrap();
    layout.write_secret("ssh/password", "a word 'with' $signs\n").unwrap();
    let configuration = std::fs::read_to_string(layout.path("naru.toml")).unwrap();
    let listener = format!(
        r#"
[[listen.batch]]
folder = "outgoing"
front = "welfare/city-b/v1"
member = "city-b"
poll_ms = 100
[listen.batch.sftp]
host = "127.0.0.1"
port = {}
user = "naru"
known_hosts = "ssh/known_hosts"
password = "file:ssh/password"
"#,
        server.port
    );
    layout.write("naru.toml", configuration + &listener).unwrap();
    world.start_gateway().await.unwrap();

    let benefits = BATCH.map(|person| Benefit {
        person,
        programme: Programme::YouthRent,
        from: "2026-01-01",
        to: "2026-12-31",
        monthly_amount: 200_000,
    });
    let file = grants("SFTP-1", &benefits).unwrap();
    std::fs::write(outgoing.join("upload.part"), file).unwrap();
    std::fs::rename(outgoing.join("upload.part"), outgoing.join("WELFARE_1.csv")).unwrap();
    let put_away = outgoing.join("done/WELFARE_1.csv");
    let coming = async {
        while !put_away.exists() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), coming).await.expect("the file is put away");
    let result = std::fs::read_to_string(outgoing.join("WELFARE_1.result.csv")).unwrap();
    let result = BatchResult::parse(&result).unwrap();
    assert_eq!(result.trailer, ["4", "4", "0"]);
    assert!(result.lines.iter().all(|line| line.code == "0000" && line.receipt.is_some()));
    let log = std::fs::read_to_string(layout.path("gateway.log")).unwrap();
    assert!(!log.contains("a word"), "the password is in no log");
    world.stop().await.unwrap();
}
