//! Witnesses and time stamps: there, away, back, and saying something that must not be.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::prelude::{BASE64_STANDARD, Engine};
use gateway_core::Journal;
use gateway_journal::{
    Audit, Authority, CommitmentKey, CosignerKey, Folder, Log, LogConfig, MirrorError,
    NotaryConfig, Post, TimestampConfig, Trust, audit,
};
use tempfile::TempDir;
use tlog_tiles::{Hash, check_tree};

use crate::mirror::{ORIGIN, Setting, append, append_all};

const WITNESS: &str = "witness.example/w1";
/// An answer's status and body, or that there is none.
type Answered = Result<(u16, Vec<u8>), String>;

/// A witness that checks proofs with the library, and does as told.
struct Witness {
    key: Ed25519KeyPair,
    seen: Mutex<(u64, Hash)>,
    /// Takes the place of the answer while it is set.
    mood: Mutex<Option<Answered>>,
}

impl Witness {
    fn new() -> Arc<Self> {
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        Arc::new(Self {
            key,
            seen: Mutex::new((0, tlog_tiles::EMPTY_HASH)),
            mood: Mutex::default(),
        })
    }

    fn typed(&self) -> Vec<u8> {
        [&[4], self.key.public_key().as_ref()].concat()
    }

    fn key(&self) -> CosignerKey {
        let typed = self.typed();
        let id = signed_note::key_id(WITNESS, &typed);
        format!("{WITNESS}+{id:08x}+{}", BASE64_STANDARD.encode(typed)).parse().unwrap()
    }

    fn be(&self, mood: Option<Answered>) {
        *self.mood.lock().unwrap() = mood;
    }

    fn cosign(&self, body: &str) -> (u16, Vec<u8>) {
        let (head, note) = body.split_once("\n\n").unwrap();
        let mut lines = head.lines();
        let old: u64 = lines.next().unwrap().strip_prefix("old ").unwrap().parse().unwrap();
        let proof: Vec<Hash> = lines.map(|line| Hash::parse_hash(line).unwrap()).collect();
        let text = format!("{}\n", note.split_once("\n\n").unwrap().0);
        let mut fields = text.lines();
        assert_eq!(fields.next(), Some(ORIGIN));
        let size: u64 = fields.next().unwrap().parse().unwrap();
        let root = Hash::parse_hash(fields.next().unwrap()).unwrap();
        let mut seen = self.seen.lock().unwrap();
        if old != seen.0 {
            return (409, format!("{}\n", seen.0).into_bytes());
        }
        let grew = match old {
            0 => proof.is_empty(),
            same if same == size => root == seen.1,
            _ => check_tree(&proof, size, root, old, seen.1).is_ok(),
        };
        if !grew {
            return (422, Vec::new());
        }
        *seen = (size, root);
        let time = 1_800_000_000_u64;
        let signature = self.key.sign(format!("cosignature/v1\ntime {time}\n{text}").as_bytes());
        let id = signed_note::key_id(WITNESS, &self.typed());
        let blob = [&id.to_be_bytes()[..], &time.to_be_bytes(), signature.as_ref()].concat();
        (200, format!("— {WITNESS} {}\n", BASE64_STANDARD.encode(blob)).into_bytes())
    }
}

impl Post for Witness {
    fn post(&self, url: &str, _: &str, body: &[u8]) -> Answered {
        assert_eq!(url, "http://witness.example/add-checkpoint");
        match &*self.mood.lock().unwrap() {
            Some(answer) => answer.clone(),
            None => Ok(self.cosign(str::from_utf8(body).unwrap())),
        }
    }
}

fn asked(witness: &Arc<Witness>, quorum: usize) -> NotaryConfig {
    NotaryConfig {
        witnesses: vec![(witness.key(), "http://witness.example/".into())],
        quorum,
        timestamps: None,
        stop_after: None,
        post: witness.clone(),
    }
}

async fn open(setting: &Setting, notary: NotaryConfig) -> Log {
    let config = LogConfig {
        directory: setting.path().to_owned(),
        origin: ORIGIN.into(),
        publish_interval: Duration::from_millis(1),
        notary: Some(notary),
    };
    Log::open(config, setting.key(), CommitmentKey::new(&[3; 32])).await.unwrap()
}

/// Waits for what the log's threads are about to bring about.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what} does not come about");
        std::thread::yield_now();
    }
}

fn published(setting: &Setting) -> usize {
    setting.checkpoint().0
}

fn trust(setting: &Setting, notary: &NotaryConfig) -> Trust {
    let authority = notary.timestamps.as_ref().map(|stamps| stamps.authority.clone());
    Trust { key: setting.key().verifier().clone(), witnesses: notary.policy(), authority }
}

fn recheck(setting: &Setting, trust: Trust) -> Result<Audit, MirrorError> {
    let folder = setting.path().to_owned();
    std::thread::spawn(move || audit(&Folder::open(&folder).unwrap(), &trust, |_, _| {}))
        .join()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_is_cosigned_and_grows_with_proof() {
    for quorum in [0, 1] {
        let (setting, witness) = (Setting::new(), Witness::new());
        let notary = asked(&witness, quorum);
        for life in 0..3 {
            let log = open(&setting, notary.clone()).await;
            append_all(&log, life * 300..life * 300 + 300).await;
            log.shutdown().await.unwrap();
            let found = recheck(&setting, trust(&setting, &notary)).unwrap();
            assert_eq!((found.entries, found.cosignatures.len()), ((life as u64 + 1) * 300, 1));
            assert_eq!(found.cosignatures[0].witness, WITNESS);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_quorum_a_checkpoint_waits_and_entries_do_not() {
    let (setting, witness) = (Setting::new(), Witness::new());
    let log = open(&setting, asked(&witness, 1)).await;
    append(&log, 0).await.unwrap();
    until("the first", || published(&setting) == 1);
    witness.be(Some(Err("connection refused".into())));
    append(&log, 1).await.unwrap();
    until("word of it", || !log.standing().unwrap().missing.is_empty());
    assert_eq!(published(&setting), 1);
    let standing = log.standing().unwrap();
    assert!(standing.missing[0].contains("connection refused"), "{standing:?}");
    assert!(!standing.overdue);
    log.writable().unwrap();

    witness.be(None);
    until("the second", || published(&setting) == 2);
    until("quiet", || log.standing().unwrap().missing.is_empty());
    log.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_none_is_required_nothing_waits() {
    let (setting, witness) = (Setting::new(), Witness::new());
    witness.be(Some(Ok((500, Vec::new()))));
    let log = open(&setting, asked(&witness, 0)).await;
    append(&log, 0).await.unwrap();
    until("publication", || published(&setting) == 1);
    until("word of it", || !log.standing().unwrap().missing.is_empty());
    log.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn gone_too_long_the_log_takes_no_more() {
    let (setting, witness) = (Setting::new(), Witness::new());
    witness.be(Some(Ok((404, Vec::new()))));
    let notary = NotaryConfig { stop_after: Some(Duration::ZERO), ..asked(&witness, 1) };
    let log = open(&setting, notary).await;
    append(&log, 0).await.unwrap();
    until("the end of patience", || log.writable().is_err());
    let refused = log.writable().unwrap_err();
    assert_eq!(refused.code, "evidence-unavailable");
    assert!(refused.context.contains("does not know this log"), "{refused}");
    witness.be(None);
    until("the witness is back", || log.writable().is_ok());
    append(&log, 1).await.unwrap();
    log.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_has_seen_more_or_something_else_is_told_of() {
    let (setting, witness) = (Setting::new(), Witness::new());
    let log = open(&setting, asked(&witness, 1)).await;
    append_all(&log, 0..5).await;
    log.shutdown().await.unwrap();
    let restored = setting.copy();
    let log = open(&setting, asked(&witness, 1)).await;
    append_all(&log, 5..9).await;
    log.shutdown().await.unwrap();

    for (more, said) in [(1, "entries were lost"), (8, "another history")] {
        let set_back = restored.copy();
        let log = open(&set_back, asked(&witness, 1)).await;
        append_all(&log, 100..100 + more).await;
        until(said, || {
            log.standing().unwrap().missing.iter().any(|missing| missing.contains(said))
        });
        log.shutdown().await.unwrap();
        assert_eq!(published(&set_back), 5, "what cannot be cosigned is not published");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_none_do_not_count() {
    let foreign = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
    let unsigned = format!("— {WITNESS} {}\n", BASE64_STANDARD.encode([1; 76]));
    let strange = format!("— other.example {}\n", BASE64_STANDARD.encode(foreign.sign(b"x")));
    let answers: [Vec<u8>; 5] =
        [vec![], b"thank you\n".into(), vec![0xff; 9], unsigned.into(), strange.into()];
    for answer in answers {
        for status in [200, 409] {
            let (setting, witness) = (Setting::new(), Witness::new());
            witness.be(Some(Ok((status, answer.clone()))));
            let log = open(&setting, asked(&witness, 1)).await;
            append(&log, 0).await.unwrap();
            until("word of it", || !log.standing().unwrap().missing.is_empty());
            assert_eq!(published(&setting), 0);
            log.shutdown().await.unwrap();
        }
    }
}

/// OpenSSL's authority, asked as if over HTTP.
struct OpenSsl {
    folder: TempDir,
    away: Mutex<bool>,
}

impl OpenSsl {
    fn new() -> Arc<Self> {
        let authority = Self { folder: TempDir::new().unwrap(), away: Mutex::new(false) };
        let configuration = "[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=T\n[ca]\nbasicConstraints=\
             critical,CA:TRUE\n[tsa]\nextendedKeyUsage=critical,timeStamping\n[one]\nserial=serial\n\
             default_policy=1.2.3.4.1\ndigests=sha256\nsigner_digest=sha256\ness_cert_id_alg=sha256\n";
        fs::write(authority.path("conf"), configuration).unwrap();
        fs::write(authority.path("serial"), "01\n").unwrap();
        for line in [
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ca.key",
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out tsa.key",
            "req -x509 -new -config conf -extensions ca -subj /CN=CA -days 9 -key ca.key -out ca.pem",
            "req -new -config conf -subj /CN=TSA -key tsa.key -out tsa.csr",
            "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -days 9 -extfile conf -extensions tsa \
             -out tsa.pem",
        ] {
            authority.run(line);
        }
        Arc::new(authority)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, line: &str) {
        let mut command = Command::new("openssl");
        command.args(line.split_whitespace()).current_dir(&self.folder);
        let output = command.output().unwrap();
        assert!(output.status.success(), "openssl {line}: {output:?}");
    }

    fn asked(self: &Arc<Self>) -> NotaryConfig {
        let authority = Authority::from_pem(&fs::read(self.path("ca.pem")).unwrap()).unwrap();
        let every = Duration::ZERO;
        NotaryConfig {
            witnesses: Vec::new(),
            quorum: 0,
            timestamps: Some(TimestampConfig { url: "http://tsa".into(), authority, every }),
            stop_after: None,
            post: self.clone(),
        }
    }
}

impl Post for OpenSsl {
    fn post(&self, _: &str, media_type: &str, body: &[u8]) -> Answered {
        assert_eq!(media_type, "application/timestamp-query");
        if *self.away.lock().unwrap() {
            return Err("connection refused".into());
        }
        fs::write(self.path("query"), body).unwrap();
        self.run(
            "ts -reply -config conf -section one -queryfile query -inkey tsa.key -signer tsa.pem \
             -out reply",
        );
        Ok((200, fs::read(self.path("reply")).unwrap()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_stamped_with_the_time_and_the_stamps_are_re_checked() {
    let (setting, openssl) = (Setting::new(), OpenSsl::new());
    let log = open(&setting, openssl.asked()).await;
    append_all(&log, 0..3).await;
    until("a stamp", || log.standing().unwrap().stamped.is_some_and(|(size, _)| size == 3));
    *openssl.away.lock().unwrap() = true;
    append_all(&log, 3..7).await;
    until("word of it", || !log.standing().unwrap().missing.is_empty());
    *openssl.away.lock().unwrap() = false;
    until("another", || log.standing().unwrap().stamped.is_some_and(|(size, _)| size == 7));
    append_all(&log, 7..8).await;
    log.shutdown().await.unwrap();

    let trust = trust(&setting, &openssl.asked());
    let found = recheck(&setting, trust.clone()).unwrap();
    let sizes: Vec<u64> = found.stamps.iter().map(|(size, _)| *size).collect();
    assert!(sizes.starts_with(&[3]) && sizes.contains(&7), "{sizes:?}");
    let last = sizes.last().unwrap();
    for name in ["checkpoint", "reply"] {
        let changed = setting.copy();
        let path = changed.path().join(format!("timestamp/{last:020}/{name}"));
        let mut bytes = fs::read(&path).unwrap();
        let at = bytes.len() - 20;
        bytes[at] ^= 1;
        fs::write(path, bytes).unwrap();
        assert!(recheck(&changed, trust.clone()).is_err(), "{name}");
    }
    let reopened = open(&setting, openssl.asked()).await;
    assert_eq!(reopened.standing().unwrap().stamped.unwrap().0, *last, "it is known after a start");
}
