use super::*;
use crate::listen::batch::Complete;

const GOOD: &str = r#"
[gateway]
name = "g"
state = "state"
catalog = "catalog"
policies = "policies"
[secrets]
pseudonyms = { welfare = "file:welfare.key" }
commitments = "env:COMMITMENTS"
[log]
directory = "log"
origin = "log.example/naru"
key = "file:log.key"
[admin]
address = "127.0.0.1:18081"
keys = []
[[backend]]
name = "ledger"
kind = "ethereum"
url = "http://127.0.0.1:8545"
chain_id = 31337
contract = "0x5fbdb2315678afecb367f032d93f642f64180aa3"
abi = "Welfare.json"
key = "file:ledger.key"
"#;

fn problems(text: &str) -> Vec<String> {
    let problems = Config::parse(text, PathBuf::new()).err().unwrap_or_default();
    problems.iter().map(|problem| problem.path.clone()).collect()
}

#[test]
fn what_is_not_said_has_a_default() {
    let config = Config::parse(GOOD, PathBuf::from("/etc/naru")).unwrap();
    assert_eq!(config.gateway.shutdown_seconds, 10);
    assert_eq!(config.listen.limits.body_bytes, 1 << 20);
    assert_eq!(config.backends[0].common.concurrency.get(), 64);
    assert_eq!(config.path(&config.gateway.state), PathBuf::from("/etc/naru/state"));
}

#[test]
fn every_problem_is_reported_at_once_with_its_key_path() {
    let bad = GOOD
        .replace("name = \"g\"", "name = \"g\"\ncolor = \"blue\"\nsize = 1")
        .replace("\"env:COMMITMENTS\"", "\"0123abcd\"")
        .replace("127.0.0.1:18081", "localhost")
        .replace("chain_id = 31337", "chain_id = \"main\"")
        + "[extra]\n";
    assert_eq!(
        problems(&bad),
        [
            "gateway.color",
            "gateway.size",
            "secrets.commitments",
            "admin.address",
            "backend[0].chain_id",
            "extra",
        ]
    );
}

#[test]
fn what_is_no_configuration_is_said_to_be_none() {
    assert_eq!(problems("[gateway"), ["(syntax)"]);
    assert_eq!(problems(""), ["gateway", "secrets", "log", "admin"]);
    assert_eq!(problems(&format!("{GOOD}[member]\nid = \"a\"\n")), ["member"]);
    assert_eq!(
        problems(&GOOD.replace("kind = \"ethereum\"", "kind = \"oracle\"")),
        ["backend[0].kind"]
    );
    let unknown = GOOD.replace("chain_id = 31337", "chain_id = 31337\ngas = 1");
    assert_eq!(problems(&unknown), ["backend[0].gas"]);
}

#[test]
fn a_secret_is_never_printed() {
    let config = Config::parse(GOOD, PathBuf::new()).unwrap();
    assert!(format!("{config:?}").contains("file:ledger.key"));
    let problems = Config::parse(&GOOD.replace("env:COMMITMENTS", "0123abcd"), PathBuf::new());
    assert!(!format!("{:?}", problems.err().unwrap()).contains("0123abcd"));
}

#[test]
fn the_layers_of_a_backend_are_those_that_are_written() {
    let plain = Config::parse(GOOD, PathBuf::new()).unwrap().backends[0].common.layers();
    assert!(plain.retry.is_none() && plain.breaker.is_none() && plain.hedge.is_none());

    let with = |layers: &str| {
        let text = GOOD.replace("chain_id = 31337", &format!("chain_id = 31337\n{layers}"));
        Config::parse(&text, PathBuf::new()).unwrap()
    };
    let all = with("retry = {}\ncircuit_breaker = { failures = 2 }\nhedge = { after_ms = 300 }");
    let common = &all.backends[0].common;
    assert_eq!(common.layers().retry.unwrap().attempts, 3);
    assert_eq!(common.layers().breaker.unwrap().failures, 2);
    assert!(common.layer_problems("backend[0]").is_empty());

    let bad = with("retry = { budget_percent = 101 }\nhedge = { after_ms = 10000 }");
    let found = bad.backends[0].common.layer_problems("backend[0]");
    let paths: Vec<_> = found.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["backend[0].retry.budget_percent", "backend[0].hedge.after_ms"]);

    let none =
        GOOD.replace("chain_id = 31337", "chain_id = 31337\nretry = { attempts = 0, x = 1 }");
    assert_eq!(problems(&none), ["backend[0].retry.attempts"]);
}

#[test]
fn a_queue_has_defaults_and_no_unknown_key() {
    assert!(Config::parse(GOOD, PathBuf::new()).unwrap().queue.is_none());
    let queue = "[queue]\nkey = \"file:queue.key\"\n";
    let config = Config::parse(&format!("{GOOD}{queue}"), PathBuf::new()).unwrap();
    assert_eq!(config.queue.unwrap().keep_hours, 24);
    assert_eq!(problems(&format!("{GOOD}{queue}keep = 1\n")), ["queue.keep"]);
    assert_eq!(problems(&format!("{GOOD}[queue]\nworkers = 1\n")), ["queue"]);
    let subscription = "[[subscription]]\nname = \"a\"\nmember = \"m\"\nurl = \"https://x\"\n\
         secret = \"file:s\"\nevents = []\nbody = \"whole\"\n";
    assert_eq!(problems(&format!("{GOOD}{subscription}")), ["subscription[0].body"]);
}

#[test]
fn a_batch_folder_says_where_it_is_and_when_a_file_is_complete() {
    let listener = |rest: &str| {
        let text = "[[listen.batch]]\nfolder = \"f\"\nfront = \"a/b/v1\"\nmember = \"b\"\n";
        format!("{GOOD}{text}{rest}")
    };
    let parsed = |rest: &str| {
        let config = Config::parse(&listener(rest), PathBuf::new());
        config.map(|mut config| config.listen.batch.remove(0))
    };
    let plain = parsed("").unwrap();
    assert_eq!((plain.complete, plain.concurrency.get()), (Complete::Renamed, 16));
    let marker = parsed("complete = { marker = \".ok\" }").unwrap();
    assert_eq!(marker.complete, Complete::Marker(".ok".into()));
    let still = parsed("complete = { unchanged = 5000 }").unwrap();
    assert_eq!(still.complete, Complete::Unchanged(5000));
    let server = "[listen.batch.sftp]\nhost = \"h\"\nuser = \"u\"\nknown_hosts = \"k\"\n";
    assert_eq!(parsed(server).unwrap().sftp.unwrap().port, 22);
    for (bad, at) in [
        ("complete = \"soon\"", "listen.batch[0].complete"),
        ("concurrency = 0", "listen.batch[0].concurrency"),
        ("[listen.batch.sftp]\nhost = \"h\"\nuser = \"u\"", "listen.batch[0].sftp"),
    ] {
        assert_eq!(problems(&listener(bad)), [at], "{bad}");
    }
    let open = format!("{server}password = \"open sesame\"");
    assert_eq!(problems(&listener(&open)), ["listen.batch[0].sftp.password"]);
    let unknown = format!("{server}trust_first = true");
    assert_eq!(problems(&listener(&unknown)), ["listen.batch.0.sftp.trust_first"]);
}
