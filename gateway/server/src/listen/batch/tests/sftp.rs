//! Folders on a real OpenSSH server: what a partner's machine and the line to it may do.

use std::sync::atomic::Ordering;

use super::super::sftp::SftpFolder;
use super::super::ssh::{Login, Ssh};
use super::super::{LookError, Watch};
use super::sshd::{Line, Sshd, key_pair};
use super::support::{Bench, grants};

struct Remote {
    bench: Bench,
    sshd: Sshd,
}

impl Remote {
    fn new() -> Self {
        let bench = Bench::of("city-b");
        std::fs::create_dir(bench.root().join("ssh")).unwrap();
        let sshd = Sshd::start(&bench.root().join("ssh"), "");
        Self { bench, sshd }
    }

    /// A gateway that has just started and knows of the folder only over SFTP.
    fn watch(&self, ssh: Ssh) -> Watch {
        let folder = self.bench.inbox().to_str().unwrap().to_owned();
        self.bench.start_at(Box::new(SftpFolder::new(ssh, folder)))
    }

    fn part_of(&self, name: &str) -> u64 {
        let part = self.bench.spool().join("files").join(name).join("input.part");
        std::fs::metadata(part).map_or(0, |part| part.len())
    }
}

fn says(looked: Result<(), LookError>, wanted: &str) {
    let error = looked.expect_err("it must not go well").to_string();
    assert!(error.contains(wanted), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_fetched_answered_and_put_away() {
    let remote = Remote::new();
    let bench = &remote.bench;
    bench.open_gate();
    bench.put("WELFARE_1.csv", grants("F1", 700));
    bench.put("WELFARE_2.csv.part", grants("F2", 1));
    bench.put("WELFARE_3.csv", "H,CITYB001,F3,20261122\n");
    std::os::unix::fs::symlink("/etc/passwd", bench.inbox().join("WELFARE_4.csv")).unwrap();
    let mut watch = remote.watch(remote.sshd.ssh(remote.sshd.port));
    watch.look().await.unwrap();

    assert!(bench.read("WELFARE_1.result.csv").ends_with("\nT,700,700,0\n"));
    assert!(bench.read("WELFARE_3.result.csv").starts_with("E,9001,the file ends without"));
    assert!(bench.read("WELFARE_4.result.csv").starts_with("E,9001,what stands there is a link"));
    assert_eq!(bench.names("done"), ["WELFARE_1.csv"]);
    assert_eq!(bench.names("refused"), ["WELFARE_3.csv", "WELFARE_4.csv"]);
    assert!(bench.inbox().join("WELFARE_2.csv.part").exists(), "not yet whole");

    bench.put("WELFARE_1.csv", grants("F1", 700));
    watch.look().await.unwrap();
    assert!(bench.read("WELFARE_1.2.result.csv").ends_with("\nT,700,700,0\n"));
    assert_eq!(bench.names("done"), ["2-WELFARE_1.csv", "WELFARE_1.csv"]);
    assert_eq!(bench.behind.call_count(), 700);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_server_is_talked_to() {
    let remote = Remote::new();
    let bench = &remote.bench;
    bench.put("WELFARE_1.csv", grants("F1", 1));
    let known_hosts = bench.root().join("known_hosts");
    let ssh = || Ssh { known_hosts: known_hosts.clone(), ..remote.sshd.ssh(remote.sshd.port) };

    std::fs::write(&known_hosts, "").unwrap();
    says(remote.watch(ssh()).look().await, "Host key verification failed");
    assert_eq!(std::fs::read(&known_hosts).unwrap(), b"", "nothing is trusted on first use");

    let other = key_pair(&bench.root().join("other"));
    std::fs::write(&known_hosts, format!("[127.0.0.1]:* {other}\n")).unwrap();
    says(remote.watch(ssh()).look().await, "Host key verification failed");
    assert_eq!(bench.names(""), ["WELFARE_1.csv"]);
    assert_eq!(remote.part_of("WELFARE_1.csv"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_server_does_not_know_is_an_error_that_says_so() {
    let remote = Remote::new();
    let stranger = remote.bench.root().join("stranger");
    key_pair(&stranger);
    let ssh = Ssh { login: Login::Key(stranger), ..remote.sshd.ssh(remote.sshd.port) };
    says(remote.watch(ssh).look().await, "Permission denied (publickey");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_cut_is_made_again_and_goes_on_where_it_was() {
    let remote = Remote::new();
    let bench = &remote.bench;
    bench.open_gate();
    let file = grants("F1", 30_000);
    let size = file.len() as u64;
    bench.put("WELFARE_1.csv", file);
    let line = Line::to(remote.sshd.port).await;
    let mut watch = remote.watch(remote.sshd.ssh(line.port));
    line.cut_after.store(size / 2, Ordering::SeqCst);
    says(watch.look().await, "WELFARE_1.csv cannot be read");
    let part = remote.part_of("WELFARE_1.csv");
    assert!(part > 0 && part < size, "{part} of {size} bytes");
    assert_eq!(bench.behind.call_count(), 0, "nothing is done of half a file");

    line.cut_after.store(u64::MAX, Ordering::SeqCst);
    let before = line.received.load(Ordering::SeqCst);
    watch.look().await.unwrap();
    let again = line.received.load(Ordering::SeqCst) - before;
    assert!(again < size, "{again} bytes came the second time");
    assert!(bench.read("WELFARE_1.result.csv").ends_with("\nT,30000,30000,0\n"));
    assert_eq!(bench.names("done"), ["WELFARE_1.csv"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lets_nothing_be_written_keeps_the_result_waiting() {
    let remote = Remote::new();
    let bench = &remote.bench;
    bench.open_gate();
    bench.put("WELFARE_1.csv", grants("F1", 3));
    let read_only = Sshd::start(&bench.root().join("ssh"), "-R");
    let mut watch = remote.watch(read_only.ssh(read_only.port));
    says(watch.look().await, "Permission denied");
    says(watch.look().await, "Permission denied");
    assert_eq!(bench.names(""), ["WELFARE_1.csv"]);

    remote.watch(remote.sshd.ssh(remote.sshd.port)).look().await.unwrap();
    assert!(bench.read("WELFARE_1.result.csv").ends_with("\nT,3,3,0\n"));
    assert_eq!(bench.behind.exchanges.load(Ordering::SeqCst), 3, "the records were not done again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_or_a_folder_that_is_not_there_is_an_error_that_says_so() {
    let remote = Remote::new();
    std::fs::remove_dir(remote.bench.inbox()).unwrap();
    let mut watch = remote.watch(remote.sshd.ssh(remote.sshd.port));
    says(watch.look().await, "the folder cannot be listed: No such file");
    let nowhere = remote.sshd.ssh(1);
    says(remote.watch(nowhere).look().await, "Connection refused");
}
