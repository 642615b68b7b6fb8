//! A gateway whose log a witness not written here cosigns (`aics-witness`), OpenSSL stamps with the time,
//! and a regulator mirrors over HTTP: all is well, then the operator sets the log back.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use integration_tests::{configure, copy, naru, prepare, root};
use sandbox::world::World;
use sandbox::world::configuration::LOG_ORIGIN;
use sandbox::world::ports::free_port;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use toml::Value;

const WITNESS: &str = "witness.example/w1";

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(program: &Path, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().unwrap()
}

fn printed(program: &Path, arguments: &[&str]) -> String {
    let output = run(program, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {arguments:?}: {error}", program.display());
    String::from_utf8(output.stdout).unwrap()
}

/// The witness, knowing the world's log: its verifier key and its URL.
fn start_witness(python: &Path, folder: &Path, log_key: &str) -> (Running, String, String) {
    let program = python.with_file_name("aics-witness");
    let config = folder.join("witness.json");
    let with = ["--config", config.to_str().unwrap()];
    let made = printed(&program, &[&["init", "--name", WITNESS], &with[..]].concat());
    let key = made.split_whitespace().find(|word| word.starts_with(&format!("{WITNESS}+")));
    let key = key.unwrap_or_else(|| panic!("no key in {made}")).to_owned();
    printed(
        &program,
        &[&["add-log", "--origin", LOG_ORIGIN, "--vkey", log_key], &with[..]].concat(),
    );
    let address = format!("127.0.0.1:{}", free_port().unwrap());
    let serve = Command::new(&program)
        .args(["serve", "--listen", &address])
        .args(with)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    (Running(serve), key, format!("http://{address}"))
}

fn start_authority(folder: &Path) -> (Running, String) {
    let port = free_port().unwrap().to_string();
    let mut child = Command::new("python3")
        .arg(root().join("integration-tests/clients/timestamp_authority.py"))
        .args([&port, folder.to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "ready");
    (Running(child), format!("http://127.0.0.1:{port}/"))
}

fn table_of<const N: usize>(keys: [(&str, &str); N]) -> toml::Table {
    keys.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect()
}

/// The portal asks `times` times; a refusal is an entry like any other.
async fn ask(world: &World, times: usize) {
    let client = reqwest::Client::new();
    for _ in 0..times {
        let url = format!("{}/v1/welfare/overlapCheck", world.http_url());
        client.post(url).header("x-api-key", "nobody's").send().await.unwrap();
    }
}

/// Entries in the state that the metrics tell: published, cosigned, stamped.
async fn entries(world: &World, state: &str) -> u64 {
    let metrics = reqwest::get(format!("{}/metrics", world.admin_url())).await.unwrap();
    let text = metrics.text().await.unwrap();
    let name = format!("naru_log_entries{{state=\"{state}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or(0)
}

async fn until(world: &World, state: &str, wanted: u64) {
    let begun = Instant::now();
    while entries(world, state).await < wanted {
        assert!(begun.elapsed() < Duration::from_secs(60), "not {state}: {wanted}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

struct Regulator<'a> {
    folder: &'a Path,
    log: String,
    witness_view: String,
}

impl Regulator<'_> {
    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    fn mirror(&self, log: &str) -> Output {
        let (key, keys, to) = (self.path("log.pub"), self.path("witnesses"), self.path("mirror"));
        let arguments = ["journal", "mirror", log, "--key", &key, "--to", &to];
        let counted = ["--witnesses", &keys, "--quorum", "1", "--compare", &self.witness_view];
        run(&naru(), &[&arguments[..], &counted].concat())
    }

    fn verify(&self, log: &str) -> String {
        let (key, keys, tsa) =
            (self.path("log.pub"), self.path("witnesses"), self.path("tsa/ca.pem"));
        let arguments = ["journal", "verify", log, "--key", &key, "--witnesses", &keys];
        printed(&naru(), &[&arguments[..], &["--quorum", "1", "--timestamps", &tsa]].concat())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_regulator_follows_a_log_that_is_witnessed_and_stamped_and_sees_it_set_back() {
    let python = root().join("integration-tests/clients/.venv-tlog/bin/python");
    if !python.exists() {
        eprintln!("no Python 3.12, so there is no witness to ask; see scripts/install");
        return;
    }
    let office = TempDir::new().unwrap();
    let (mut world, _folder) = prepare(|_| {}).await;
    let log_key = fs::read_to_string(world.layout().path("keys/log.key.pub")).unwrap();
    let (_witness, witness_key, witness) = start_witness(&python, office.path(), log_key.trim());
    let (_authority, stamps) = start_authority(&office.path().join("tsa"));
    fs::write(office.path().join("log.pub"), &log_key).unwrap();
    fs::write(office.path().join("witnesses"), &witness_key).unwrap();
    configure(&world, |table| {
        let log = table["log"].as_table_mut().unwrap();
        log.insert("serve".into(), true.into());
        log.insert("quorum".into(), 1.into());
        let one = table_of([("key", witness_key.as_str()), ("url", &witness)]);
        log.insert("witness".into(), Value::Array(vec![one.into()]));
        let authority = office.path().join("tsa/ca.pem").display().to_string();
        let mut stamped = table_of([("url", stamps.as_str()), ("authority", &authority)]);
        stamped.insert("every_seconds".into(), 1.into());
        log.insert("timestamps".into(), stamped.into());
    });
    let origin = hex::encode(Sha256::digest(LOG_ORIGIN.as_bytes()));
    let regulator = Regulator {
        folder: office.path(),
        log: format!("{}/log", world.http_url()),
        witness_view: format!("{witness}/{origin}"),
    };

    world.start_gateway().await.unwrap();
    ask(&world, 20).await;
    until(&world, "cosigned", 20).await;
    until(&world, "stamped", 20).await;
    let followed = regulator.mirror(&regulator.log);
    let said = String::from_utf8_lossy(&followed.stdout).into_owned();
    assert!(followed.status.success(), "{}", String::from_utf8_lossy(&followed.stderr));
    assert!(said.contains("1 cosignatures") && said.contains("shows the same log"), "{said}");
    for log in [&regulator.log, &regulator.path("mirror")] {
        let said = regulator.verify(log);
        assert!(said.contains(&format!("cosigned by {WITNESS}")), "{said}");
        assert_eq!(said.contains("time stamps"), log == &regulator.log, "{said}");
    }

    // The operator keeps a copy, goes on, and then puts the copy back.
    world.kill_gateway().await.unwrap();
    let (log, backup) = (world.layout().path("log"), office.path().join("backup"));
    let (state, state_backup) = (world.layout().path("state"), office.path().join("state"));
    copy(&log, &backup).unwrap();
    copy(&state, &state_backup).unwrap();
    world.start_gateway().await.unwrap();
    ask(&world, 5).await;
    until(&world, "cosigned", 25).await;
    assert!(regulator.mirror(&regulator.log).status.success());
    world.kill_gateway().await.unwrap();
    fs::remove_dir_all(&log).unwrap();
    copy(&backup, &log).unwrap();

    let caught = regulator.mirror(log.to_str().unwrap());
    let said = String::from_utf8_lossy(&caught.stderr).into_owned();
    assert_eq!(caught.status.code(), Some(3), "{said}");
    assert!(said.contains("ROLLBACK"), "{said}");
    let kept: Vec<PathBuf> = fs::read_dir(office.path().join("mirror/misbehavior"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(kept[0].join("offered").exists() && kept[0].join("mirrored").exists());

    // The gateway's own archive knows more, so it does not start; with the archive set back too, it
    // finds out from the witness, and publishes nothing more.
    let refused = world.start_gateway().await.unwrap_err();
    assert!(format!("{refused:?}").contains("entries of the log were lost"), "{refused:?}");
    fs::remove_dir_all(&state).unwrap();
    copy(&state_backup, &state).unwrap();
    world.start_gateway().await.unwrap();
    ask(&world, 2).await;
    let begun = Instant::now();
    loop {
        let metrics = reqwest::get(format!("{}/metrics", world.admin_url())).await.unwrap();
        if metrics.text().await.unwrap().contains("naru_log_missing 1") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing is said");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let checkpoint = fs::read_to_string(log.join("checkpoint")).unwrap();
    assert_eq!(checkpoint.lines().nth(1), Some("20"), "{checkpoint}");
}
