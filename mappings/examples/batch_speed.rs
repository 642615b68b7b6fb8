//! A million records of a batch file, CSV and fixed-length gzip: how many a second are checked, how
//! many are decoded into the service's terms besides, and how much memory that took at most.
//!
//! `make bench-batch`, or in release `cargo run --release -p mappings --example batch_speed`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;
use gateway_core::{Evidence, ExchangeId, Front, Inbound, Pseudonym, Pseudonymize};
use jiff::Timestamp;
use mappings::{BatchFront, BatchLimits, Catalog, FrontEntry};
use uuid::Uuid;

const RECORDS: u64 = 1_000_000;
const LIMITS: BatchLimits = BatchLimits { content_bytes: 1 << 30, record_bytes: 1 << 20 };

/// As the gateway has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Fronts make no pseudonyms.
struct Nobody;

impl Pseudonymize for Nobody {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

#[allow(clippy::print_stdout, reason = "a command talks to its user")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
    let catalog = Catalog::load(&root, Arc::new(Nobody)).map_err(|problems| {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    })?;
    let folder = tempfile::tempdir()?;
    let (csv, fixed) = (folder.path().join("file.csv"), folder.path().join("file.dat.gz"));
    write_csv(&csv)?;
    write_fixed(&fixed)?;
    println!("| File of {RECORDS} records | MB | checked/s | checked, then decoded/s | peak MB |");
    println!("|---|--:|--:|--:|--:|");
    measure(&catalog, "welfare/city-b/v1", "CSV, UTF-8", &csv)?;
    measure(&catalog, "welfare/city-d/v1", "fixed-length, EUC-KR, gzip", &fixed)
}

#[allow(clippy::print_stdout, reason = "a command talks to its user")]
fn measure(
    catalog: &Catalog,
    front: &str,
    what: &str,
    path: &Path,
) -> Result<(), Box<dyn std::error::Error>> {
    let Some(FrontEntry::Batch(front)) = catalog.front(front) else {
        return Err("no such batch front".into());
    };
    let name = path.to_string_lossy();
    let begun = Instant::now();
    let file = front.check(&name, &LIMITS, || File::open(path))?;
    let checked = begun.elapsed().as_secs_f64();
    let mut records = front.records(&file, &LIMITS, File::open(path)?)?;
    while let Some(record) = records.next_record()? {
        decode(front, file.attributes().clone(), record.bytes)?;
    }
    let both = begun.elapsed().as_secs_f64();
    let rate = |seconds: f64| (file.count as f64 / seconds / 1000.0).round() * 1000.0;
    let megabytes = std::fs::metadata(path)?.len() as f64 / 1e6;
    let (checked, both, peak) = (rate(checked), rate(both), peak()?);
    println!("| {what} | {megabytes:.0} | {checked} | {both} | {peak} |");
    Ok(())
}

fn decode(
    front: &Arc<BatchFront>,
    attributes: BTreeMap<String, String>,
    body: bytes::Bytes,
) -> Result<(), gateway_core::Fault> {
    let inbound = Inbound {
        id: ExchangeId(Uuid::nil()),
        front: front.clone(),
        evidence: Evidence::default(),
        attributes,
        body,
        received: Timestamp::UNIX_EPOCH,
        deadline: None,
    };
    front.decode(&inbound).map(drop)
}

/// The most memory that this process has had, in megabytes.
fn peak() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.map(|kilobytes| kilobytes / 1024).ok_or(io::ErrorKind::NotFound.into())
}

fn resident(number: u64) -> String {
    format!("{:02}{:02}{:02}1{:06}", 60 + number % 40, 1 + number % 12, 1 + number % 28, number)
}

fn write_csv(path: &Path) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "H,CITYB001,SPEED,20261122")?;
    for number in 1..=RECORDS {
        let resident = resident(number % RECORDS);
        writeln!(file, "D,{number},G,{resident},홍길동,청년월세,2026-01-01,2026-12-31,200000")?;
    }
    writeln!(file, "T,{RECORDS},{}", RECORDS * 200_000)?;
    file.flush()
}

fn write_fixed(path: &Path) -> io::Result<()> {
    // 홍길동 in EUC-KR, padded to 20 bytes.
    const NAME: &[u8; 20] = b"\xc8\xab\xb1\xe6\xb5\xbf              ";
    let mut file = GzEncoder::new(BufWriter::new(File::create(path)?), Compression::fast());
    let line = |text: String| format!("{text:80}\n");
    file.write_all(line("10CITYD001SPEED               20261122".into()).as_bytes())?;
    for number in 1..=RECORDS {
        write!(file, "20{number:07}GR{}", resident(number % RECORDS))?;
        file.write_all(NAME)?;
        writeln!(file, "032026010120261231000000200000      ")?;
    }
    file.write_all(line(format!("90{RECORDS:07}{:015}", RECORDS * 200_000)).as_bytes())?;
    file.finish()?.flush()
}
