//! Durable appends per second with 64 writers, next to a bare group commit of the same bytes: a
//! thread that writes what is waiting and syncs, with no tree, no signature, no receipt and no
//! tiles. `cargo run --release -p gateway-journal --example append [seconds per round]`
//!
//! Rates move with whatever else the machine does; processor time for each append moves less.
#![expect(clippy::print_stdout, reason = "a harness reports to its terminal")]

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use gateway_core::adapter::Operation;
use gateway_core::caller::{Assurance, Means};
use gateway_core::journal::{Record, RecordKind, Trail};
use gateway_core::policy::Decision;
use gateway_core::quota::{QuotaState, Renewal, Unit};
use gateway_core::{
    Call, Caller, Content, ExchangeId, Journal, LedgerProof, MemberId, Pseudonym, SubmissionKey,
    Value,
};
use gateway_journal::{CommitmentKey, Log, LogConfig, LogKey, verify};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use uuid::Uuid;

const WRITERS: usize = 64;
const ROUNDS: usize = 9;
const ORIGIN: &str = "naru.example.go.kr/log";

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let round = Duration::from_secs_f64(seconds.unwrap_or(1.0));
    let directory = tempfile::tempdir_in(".")?;
    let entry = sample_entry(&directory.path().join("sample")).await?;
    println!("entry: {} bytes, {WRITERS} writers", entry.len());
    let (mut bare, mut journal) = (Vec::new(), Vec::new());
    for number in 0..ROUNDS {
        // Kept to the end: ext4 is slow to make files where many were just removed.
        let path = directory.path().join(number.to_string());
        std::fs::create_dir(&path)?;
        bare.push(bare_rate(&path.join("bare"), entry.clone(), round).await?);
        journal.push(journal_rate(&path.join("log"), round).await?);
    }
    let (bare, journal) = (median(bare), median(journal));
    for (name, (rate, cost)) in [("bare group commit", bare), ("journal", journal)] {
        println!("{name:<17} {rate:>8.0} /s, {cost:>5.1} µs of processor time each");
    }
    println!("ratio {:.2}", journal.0 / bare.0);
    Ok(())
}

/// Appends per second, and microseconds of processor time for each.
type Rate = (f64, f64);

fn median(rates: Vec<Rate>) -> Rate {
    let (mut rates, mut costs): (Vec<f64>, Vec<f64>) = rates.into_iter().unzip();
    let middle = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    (middle(&mut rates), middle(&mut costs))
}

/// Processor time this process has used so far, in microseconds: fields 14 and 15 of
/// `/proc/self/stat`, in hundredths of a second.
fn processor_time() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no process name")?;
    let used = fields.split_whitespace().skip(11).take(2);
    let ticks: Vec<f64> = used.map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() * 10_000.0)
}

async fn open(directory: &Path, key: LogKey) -> Result<Log, Failure> {
    let config = LogConfig {
        directory: directory.to_owned(),
        origin: ORIGIN.into(),
        publish_interval: Duration::from_secs(1),
        notary: None,
    };
    Ok(Log::open(config, key, CommitmentKey::new(&[7; 32])).await?)
}

async fn sample_entry(directory: &Path) -> Result<Vec<u8>, Failure> {
    let key = LogKey::generate(ORIGIN)?;
    let verifier = key.verifier().clone();
    let log = open(directory, key).await?;
    let receipt = append(&log, &trail()).await?;
    Ok(verify(&receipt, &verifier)?.leaf.into_bytes())
}

async fn journal_rate(directory: &Path, round: Duration) -> Result<Rate, Failure> {
    let log = Arc::new(open(directory, LogKey::generate(ORIGIN)?).await?);
    let rate = rate(round, |until| {
        let (log, trail) = (log.clone(), trail());
        async move {
            let mut done = 0;
            while Instant::now() < until {
                append(&log, &trail).await?;
                done += 1;
            }
            Ok(done)
        }
    })
    .await?;
    log.shutdown().await?;
    Ok(rate)
}

async fn append(log: &Log, trail: &Trail) -> Result<String, Failure> {
    let time = jiff::Timestamp::UNIX_EPOCH;
    let record = Record {
        exchange: ExchangeId(Uuid::nil()),
        kind: RecordKind::Exchange,
        received: time,
        finished: time,
        front: "soap",
        trail,
        request: &[b'q'; 2048],
        reply: &[b'r'; 1024],
        fault: None,
    };
    Ok(log.append(record).await?.0)
}

type Waiting = (Vec<u8>, oneshot::Sender<()>);

async fn bare_rate(path: &Path, entry: Vec<u8>, round: Duration) -> Result<Rate, Failure> {
    let mut file = File::create(path)?;
    let (inbox, waiting) = mpsc::channel();
    let thread = std::thread::spawn(move || group_commit(&mut file, &waiting));
    let rate = rate(round, |until| {
        let (inbox, entry) = (inbox.clone(), entry.clone());
        async move { bare_writer(&inbox, &entry, until).await }
    })
    .await?;
    drop(inbox);
    thread.join().map_err(|_| "the writing thread panicked")??;
    Ok(rate)
}

async fn bare_writer(
    inbox: &Sender<Waiting>,
    entry: &[u8],
    until: Instant,
) -> Result<u64, Failure> {
    let mut done = 0;
    while Instant::now() < until {
        let (answer, durable) = oneshot::channel();
        inbox.send((entry.to_vec(), answer))?;
        durable.await?;
        done += 1;
    }
    Ok(done)
}

fn group_commit(file: &mut File, inbox: &Receiver<Waiting>) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let mut answers = Vec::new();
    while let Ok(first) = inbox.recv() {
        for (entry, answer) in std::iter::once(first).chain(inbox.try_iter()) {
            bytes.extend_from_slice(&entry);
            answers.push(answer);
        }
        file.write_all(&bytes)?;
        file.sync_data()?;
        bytes.clear();
        for answer in answers.drain(..) {
            let _ = answer.send(());
        }
    }
    Ok(())
}

/// What all writers together do in a second.
async fn rate<W>(round: Duration, writer: impl Fn(Instant) -> W) -> Result<Rate, Failure>
where
    W: Future<Output = Result<u64, Failure>> + Send + 'static,
{
    let (begun, used) = (Instant::now(), processor_time()?);
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        writers.spawn(writer(begun + round));
    }
    let mut done = 0;
    while let Some(writer) = writers.join_next().await {
        done += writer??;
    }
    let (done, elapsed) = (done as f64, begun.elapsed().as_secs_f64());
    Ok((done / elapsed, (processor_time()? - used) / done))
}

/// A submit that was answered, as the pipeline leaves it.
fn trail() -> Trail {
    Trail {
        caller: Some(Caller {
            member: MemberId("mohw".into()),
            means: Means::Certificate,
            assurance: Assurance::Substantial,
        }),
        decision: Some(Decision { allowed: true, policies: vec!["ministry-grants".into()] }),
        subject: Some(Pseudonym([1; 32])),
        quota: vec![QuotaState {
            policy: "ministry".into(),
            unit: Unit::Requests,
            renewal: Renewal::Rate,
            limit: 600,
            window: Some(Duration::from_secs(60)),
            remaining: 599,
            reset: Duration::from_secs(1),
            violated: false,
            shadow: false,
        }],
        route: Some("welfare-ledger".into()),
        mapping: Some("welfare/ledger/v1".into()),
        call: Some(Call {
            operation: Operation::Submit,
            function: "benefitGrant".into(),
            content: Content::Arguments(
                (0..6).map(|n| (format!("argument{n}"), Value::Text("value".into()))).collect(),
            ),
            repeatable: false,
            key: Some(SubmissionKey([2; 32])),
        }),
        proof: Some(LedgerProof {
            network: "eip155:31337".into(),
            transaction: Some(format!("0x{}", "ab".repeat(32))),
            block: 12_345,
            block_hash: format!("0x{}", "cd".repeat(32)),
        }),
        ..Trail::default()
    }
}
