//! How long a receipt for an old entry takes, read from the published tiles of logs of 10^4, 10^6 and
//! 10^7 entries, each proof verified; and the memory it takes.
//! `cargo run --release -p gateway-journal --example proofs [largest log]`
//!
//! The logs are laid out by this program, with bundles only for the entries that are asked for.
#![expect(clippy::print_stdout, reason = "a harness reports to its terminal")]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::prelude::{BASE64_STANDARD, Engine};
use gateway_journal::bundle::prove;
use gateway_journal::{Folder, LogKey, verify_text};
use tlog_tiles::{EMPTY_HASH, Hash, Tile, node_hash, record_hash};

const ORIGIN: &str = "naru.example.go.kr/log";
const SAMPLE: u64 = 2000;
/// About the length of an entry.
const ENTRY: usize = 700;

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let largest = std::env::args().nth(1).and_then(|text| text.parse().ok());
    println!("{:>9}  {:>8}  {:>8}  {:>8}  {:>10}", "entries", "median", "p99", "receipt", "memory");
    for size in [10_000, 1_000_000, 10_000_000] {
        if largest.is_none_or(|largest| size <= largest) {
            measure(size)?;
        }
    }
    Ok(())
}

fn measure(size: u64) -> Result<(), Failure> {
    let directory = tempfile::tempdir_in(".")?;
    let key = LogKey::generate(ORIGIN)?;
    lay_out(directory.path(), size, &key)?;
    let log = Folder::open(directory.path())?;
    let before = memory()?;
    let (mut took, mut longest) = (Vec::new(), 0);
    for index in sample(size) {
        let begun = Instant::now();
        let text = prove(&log, key.verifier(), index)?;
        took.push(begun.elapsed());
        longest = longest.max(text.len());
        assert_eq!(verify_text(&text, key.verifier())?.index, index);
    }
    took.sort();
    let at = |share: f64| micros(took.get((took.len() as f64 * share) as usize).copied());
    let memory = memory()?.saturating_sub(before);
    println!("{size:>9}  {:>5} µs  {:>5} µs  {longest:>6} B  {memory:>7} KB", at(0.5), at(0.99));
    Ok(())
}

fn micros(time: Option<Duration>) -> u128 {
    time.unwrap_or_default().as_micros()
}

/// Indexes all over the log, the same in each run.
fn sample(size: u64) -> impl Iterator<Item = u64> {
    (0..SAMPLE).map(move |n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size)
}

fn entry(index: u64) -> Vec<u8> {
    let mut entry = format!("{{\"v\":2,\"index\":{index}}}").into_bytes();
    entry.resize(ENTRY, b' ');
    entry
}

/// Writes the tiles of a log, bundles for the sample, and the checkpoint.
fn lay_out(directory: &Path, size: u64, key: &LogKey) -> Result<(), Failure> {
    let mut hashes: Vec<Hash> = (0..size).map(|index| record_hash(&entry(index))).collect();
    let root = root(&hashes);
    for level in 0.. {
        let mut above = Vec::new();
        for (index, tile) in hashes.chunks(256).enumerate() {
            let bytes = tile.iter().flat_map(|hash| hash.0).collect::<Vec<u8>>();
            write(directory, &Tile::new(8, level, index as u64, tile.len() as u32, false), &bytes)?;
            if tile.len() == 256 {
                above.push(Tile::subtree_hash(&bytes));
            }
        }
        if above.is_empty() {
            break;
        }
        hashes = above;
    }
    for index in sample(size) {
        let first = index - index % 256;
        let held = (size - first).min(256);
        let mut bytes = Vec::new();
        for entry in (first..first + held).map(entry) {
            bytes.extend_from_slice(&(entry.len() as u16).to_be_bytes());
            bytes.extend_from_slice(&entry);
        }
        write(directory, &Tile::new(8, 0, first / 256, held as u32, true), &bytes)?;
    }
    fs::write(directory.join("checkpoint"), checkpoint(key, size, root)?)?;
    Ok(())
}

fn write(directory: &Path, tile: &Tile, bytes: &[u8]) -> Result<(), Failure> {
    let path = tile.path().replacen("tile/8/", "tile/", 1).replacen("data/", "entries/", 1);
    let path = directory.join(path);
    fs::create_dir_all(path.parent().ok_or("a tile has a folder")?)?;
    Ok(fs::write(path, bytes)?)
}

fn root(hashes: &[Hash]) -> Hash {
    let mut peaks: Vec<Hash> = Vec::new();
    for (index, hash) in hashes.iter().enumerate() {
        let mut hash = *hash;
        for _ in 0..(index + 1).trailing_zeros() {
            hash = peaks.pop().map_or(hash, |left| node_hash(left, hash));
        }
        peaks.push(hash);
    }
    peaks.into_iter().rev().reduce(|right, left| node_hash(left, right)).unwrap_or(EMPTY_HASH)
}

/// Signed by hand: the log's own signing is not for others.
fn checkpoint(key: &LogKey, size: u64, root: Hash) -> Result<String, Failure> {
    let secret = key.secret();
    let typed = BASE64_STANDARD.decode(secret.rsplit('+').next().unwrap_or_default())?;
    let pair = Ed25519KeyPair::from_seed_unchecked(typed.get(1..).unwrap_or_default());
    let pair = pair.map_err(|_| "the key's seed")?;
    let text = format!("{ORIGIN}\n{size}\n{root}\n");
    let verifier = key.verifier().to_string();
    let id = verifier.split('+').nth(1).unwrap_or_default();
    let signed = [&hex::decode(id)?, pair.sign(text.as_bytes()).as_ref()].concat();
    Ok(format!("{text}\n— {ORIGIN} {}\n", BASE64_STANDARD.encode(signed)))
}

/// Kilobytes of this process that are in memory.
fn memory() -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS")?.parse()?)
}
