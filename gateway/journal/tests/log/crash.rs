//! Signal 9 under load, again and again on one log: no acknowledged entry is lost, no index is used
//! twice, the published checkpoint never goes back.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use gateway_core::Journal;
use gateway_journal::{CommitmentKey, Log, LogConfig, Trust, Witnesses, audit, verify};
use uuid::Uuid;

use crate::mirror::{ORIGIN, Setting, append};

const ROUNDS: u32 = 200;
const WRITERS: u64 = 16;

/// What the parent starts and kills: appends as fast as it can, and tells each entry that was
/// acknowledged. Its log is named on the first line of its input, the key on the second.
#[test]
#[ignore = "started by the test below"]
fn writes_until_it_is_killed() {
    let mut lines = std::io::stdin().lines();
    let mut line = || lines.next().unwrap().unwrap();
    let (directory, secret) = (line(), line());
    let key = secret.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let config = LogConfig {
            directory: directory.into(),
            origin: ORIGIN.into(),
            publish_interval: Duration::from_millis(5),
            notary: None,
        };
        let log = Log::open(config, key, CommitmentKey::new(&[3; 32])).await.unwrap();
        let writers = (0..WRITERS).map(|_| async {
            loop {
                let number = Uuid::new_v4().as_u128() as usize;
                let receipt = append(&log, number).await.unwrap();
                // One write, so that a line is told whole or not at all.
                std::io::stdout().write_all(format!("ack {receipt}\n").as_bytes()).unwrap();
            }
        });
        futures_util::future::join_all(writers).await;
    });
}

fn start(setting: &Setting) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::writes_until_it_is_killed", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let told = format!("{}\n{}\n", setting.path().display(), *setting.key().secret());
    child.stdin.take().unwrap().write_all(told.as_bytes()).unwrap();
    child
}

/// Kills a writer some entries after it began, and answers the receipts it told of.
fn live_and_die(setting: &Setting, round: u32) -> Vec<String> {
    let mut child = start(setting);
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let (told, heard) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut line = String::new();
        while output.read_line(&mut line).is_ok_and(|length| length > 0) {
            if let Some(receipt) =
                line.strip_suffix('\n').and_then(|line| line.strip_prefix("ack "))
            {
                let _ = told.send(receipt.to_owned());
            }
            line.clear();
        }
    });
    // At another moment each time: after so many entries, and a little.
    let mut receipts: Vec<String> = heard.iter().take(1 + (round as usize * 37) % 400).collect();
    assert!(!receipts.is_empty(), "round {round}: the writer ended by itself");
    std::thread::sleep(Duration::from_micros(u64::from(round) * 97 % 7_000));
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    receipts.extend(heard.try_iter());
    receipts
}

#[test]
fn killed_under_load_two_hundred_times_a_log_keeps_every_promise() {
    let setting = Setting::new();
    let (mut promised, mut published) = (BTreeMap::new(), 0);
    for round in 0..ROUNDS {
        for receipt in live_and_die(&setting, round) {
            let entry = verify(&receipt, setting.key().verifier()).unwrap();
            let before = promised.insert(entry.index, entry.leaf);
            assert_eq!(before, None, "round {round}: index {} was given twice", entry.index);
        }
        let (now, _) = setting.checkpoint();
        assert!(now >= published, "round {round}: the checkpoint went from {published} to {now}");
        published = now;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let log = setting.open().await;
        log.writable().unwrap();
        log.shutdown().await.unwrap();
    });
    let trust = Trust {
        key: setting.key().verifier().clone(),
        witnesses: Witnesses::default(),
        authority: None,
    };
    let folder = gateway_journal::Folder::open(setting.path()).unwrap();
    let found = audit(&folder, &trust, |_, _| {}).unwrap();
    let (size, _) = setting.checkpoint();
    assert_eq!(found.entries, size as u64);
    let entries = setting.entries(size);
    for (index, leaf) in &promised {
        assert_eq!(entries[*index as usize], leaf.as_bytes(), "entry {index}");
    }
    println!("{} entries promised in {ROUNDS} lives, {size} in the log", promised.len());
}
