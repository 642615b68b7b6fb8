//! How long the request path waits for a consent: cold from SQLite and warm from memory, with 10^4,
//! 10^6 and 10^7 records (goal P6). `make bench-consents` runs it in release; arguments are the sizes.
//! One database grows from size to size; it needs about 1 KB for each record.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program that measures"
)]

use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway_core::consent::{ActedBy, Change, Consents, Grant, Revision};
use gateway_core::{Clock, MemberId, Pseudonym};
use gateway_store::ConsentStore;
use jiff::Timestamp;
use uuid::Uuid;

/// Records in one transaction.
const BATCH: u64 = 10_000;
/// Lookups measured.
const LOOKUPS: u64 = 5_000;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::constant(1_800_000_000, 0)
    }
}

/// A person of this number; numbers are spread over all pseudonyms in their order.
fn person(number: u64) -> Pseudonym {
    let mut pseudonym = [0x5a; 32];
    pseudonym[..8].copy_from_slice(&(number << 32).to_be_bytes());
    Pseudonym(pseudonym)
}

fn revision(number: u64) -> Revision {
    let terms = Grant {
        sector: "welfare".into(),
        principal: person(number),
        recipient: MemberId("city-a".into()),
        purpose: "welfare-eligibility".into(),
        items: ["benefit-count", "benefit-details"].map(str::to_owned).into(),
        valid_from: Timestamp::constant(1_700_000_000, 0),
        valid_until: Timestamp::constant(1_900_000_000, 0),
        limit: None,
        delegation: None,
    };
    Revision {
        consent: Uuid::from_u128(u128::from(number) + 1),
        number: 1,
        at: terms.valid_from,
        change: Change::Grant {
            reference: Uuid::from_u128(u128::from(number) + 1),
            terms: Box::new(terms),
        },
        proof: None,
        acted_by: ActedBy::Gateway,
        previous: None,
    }
}

async fn fill(store: &ConsentStore, from: u64, to: u64) {
    let begun = Instant::now();
    for first in (from..to).step_by(BATCH as usize) {
        let last = (first + BATCH).min(to);
        store.begin_all((first..last).map(revision).collect()).await.unwrap();
        print!("\r  {last} records, {:.0} s", begun.elapsed().as_secs_f64());
        std::io::stdout().flush().unwrap();
    }
    println!();
}

async fn find(store: &ConsentStore, number: u64) -> Duration {
    let (principal, recipient) = (person(number), MemberId("city-a".into()));
    let begun = Instant::now();
    let found = store.find(&principal, &recipient, "welfare-eligibility").await.unwrap();
    let taken = begun.elapsed();
    assert_eq!(black_box(found).consents.len(), 1);
    taken
}

fn said(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |share: f64| times[(times.len() as f64 * share) as usize].as_secs_f64() * 1e6;
    format!("p50 {:6.2} µs  p99 {:7.2} µs", at(0.5), at(0.99))
}

fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    number.unwrap_or_default() / 1024
}

async fn measure(store: &ConsentStore, size: u64) {
    // A prime step reaches records far apart, and none twice.
    let numbers: Vec<_> = (0..LOOKUPS.min(size)).map(|n| n * 7_919 % size).collect();
    let mut cold = Vec::new();
    for number in &numbers {
        cold.push(find(store, *number).await);
    }
    let mut warm = Vec::new();
    for number in &numbers {
        warm.push(find(store, *number).await);
    }
    println!("{size:>10} records  SQLite {}", said(cold));
    println!("{:>10}          cached {}  memory {} MB", "", said(warm), resident_mb());
}

#[tokio::main]
async fn main() {
    let sizes: Vec<u64> = std::env::args().skip(1).map(|size| size.parse().unwrap()).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("consents.sqlite");
    let mut filled = 0;
    for size in sizes {
        let store = ConsentStore::open(&path, Arc::new(Fixed)).await.unwrap();
        fill(&store, filled, size).await;
        filled = size;
        // What a restarted gateway has in memory: nothing.
        store.close().await;
        let store = ConsentStore::open(&path, Arc::new(Fixed)).await.unwrap();
        find(&store, 0).await;
        measure(&store, size).await;
        store.close().await;
    }
}
