//! The ledger read by raw JSON-RPC, and the search for personal data in it and in all logs.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use super::leaks::{self, Search};
use super::{StepError, Tour};
use crate::people;
use crate::world::contract::{bytes32, selector};
use crate::world::rpc::RpcError;

const APPLIED: &str =
    "BenefitApplied(bytes32,bytes32,bytes32,bytes32,bytes32,uint32,uint32,uint64)";
const GRANTED: &str =
    "BenefitGranted(bytes32,bytes32,bytes32,bytes32,bytes32,bytes32,uint32,uint32,uint64)";
/// How often the published log is looked at, and how many times.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const LOOKS: usize = 100;

/// Reads, dumps, searches.
pub(super) async fn step(tour: &mut Tour<'_>) -> Result<(), StepError> {
    grants(tour).await?;
    dump(tour).await?;
    published(tour).await?;
    search(tour)
}

/// The events say exactly the grants that the callers were told of.
async fn grants(tour: &mut Tour<'_>) -> Result<(), StepError> {
    tour.report.sent("eth_getLogs of the contract")?;
    let applied = events(tour, APPLIED).await?.len();
    let granted = events(tour, GRANTED).await?;
    tour.report.received(&format!("{applied} applied, {} granted", granted.len()))?;
    let on_ledger: BTreeSet<&str> = granted.iter().map(|event| topic(event, 1)).collect();
    let told: BTreeSet<&str> = tour.granted.iter().map(String::as_str).collect();
    let exact = granted.len() == told.len() && on_ledger == told && applied == 1 && told.len() == 6;
    tour.report.check(exact, "exactly the six grants that the callers were told of")?;

    let Some(first) = tour.granted.first().cloned() else {
        return Ok(());
    };
    let event = granted.iter().find(|event| topic(event, 1) == first);
    let person = event.map(|event| topic(event, 2)).unwrap_or_default().to_owned();
    let rpc = tour.world.rpc();
    let function = selector(rpc, "history(bytes32,bytes32)").await?;
    let data = format!("{function}{person}{}", bytes32("housing"));
    tour.report.sent("eth_call history of the first one's pseudonym")?;
    let call = json!([{ "to": tour.world.contract().address, "data": data }, "latest"]);
    let answer = rpc.text("eth_call", call).await?;
    // ABI: count, offset of the list, its length, then the first benefit, whose id comes first.
    let (count, id) = (word(&answer, 0), word(&answer, 3));
    tour.report.received(&format!("count {}", count.trim_start_matches('0')))?;
    let right = count.trim_start_matches('0') == "1" && id == first;
    tour.report.check(right, "the contract's own history holds that benefit alone")?;
    Ok(())
}

async fn events(tour: &Tour<'_>, signature: &str) -> Result<Vec<Value>, StepError> {
    let rpc = tour.world.rpc();
    let kind = format!("0x{}", rpc.keccak(signature.as_bytes()).await?);
    let address = &tour.world.contract().address;
    let filter = json!([{ "address": address, "fromBlock": "0x0", "topics": [kind] }]);
    match rpc.call("eth_getLogs", filter).await? {
        Value::Array(events) => Ok(events),
        _ => Err(RpcError::Shape("eth_getLogs").into()),
    }
}

/// A topic of an event, without `0x`.
fn topic(event: &Value, index: usize) -> &str {
    let topic = event.get("topics").and_then(|topics| topics.get(index));
    topic.and_then(Value::as_str).unwrap_or_default().trim_start_matches("0x")
}

/// The 64 hex digits of an ABI word.
fn word(answer: &str, index: usize) -> &str {
    let digits = answer.trim_start_matches("0x");
    digits.get(index * 64..index * 64 + 64).unwrap_or_default()
}

/// Writes every block with its transactions, their inputs and their logs into `ledger-dump.json`.
async fn dump(tour: &mut Tour<'_>) -> Result<(), StepError> {
    let rpc = tour.world.rpc();
    let latest = rpc.text("eth_blockNumber", json!([])).await?;
    let latest = u64::from_str_radix(latest.trim_start_matches("0x"), 16)
        .map_err(|_| RpcError::Shape("eth_blockNumber"))?;
    let (mut blocks, mut transactions) = (Vec::new(), 0);
    for number in 0..=latest {
        let number = format!("0x{number:x}");
        let block = rpc.call("eth_getBlockByNumber", json!([number, true])).await?;
        let inside = block.get("transactions").and_then(Value::as_array);
        if inside.is_some_and(|inside| !inside.is_empty()) {
            let receipts = rpc.call("eth_getBlockReceipts", json!([number])).await?;
            transactions += inside.map_or(0, Vec::len);
            blocks.push(json!({ "block": block, "receipts": receipts }));
        } else {
            blocks.push(json!({ "block": block }));
        }
    }
    let text = serde_json::to_string_pretty(&blocks).map_err(std::io::Error::from)?;
    fs::write(tour.world.layout().path("ledger-dump.json"), text)?;
    let what = format!("ledger-dump.json: {} blocks, {transactions} transactions", blocks.len());
    tour.report.received(&what)?;
    Ok(())
}

/// Waits until the published checkpoint covers every reply of the tour.
async fn published(tour: &mut Tour<'_>) -> Result<(), StepError> {
    let path = tour.world.layout().path("log/checkpoint");
    let mut size = 0;
    for _ in 0..LOOKS {
        // A checkpoint's second line is the number of entries (C2SP tlog-checkpoint).
        let text = fs::read_to_string(&path).unwrap_or_default();
        size = text.lines().nth(1).and_then(|line| line.parse().ok()).unwrap_or(0);
        if size >= tour.receipts.count() {
            break;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    let what = format!("the published checkpoint covers {size} entries, all of the tour's");
    tour.report.check(size >= tour.receipts.count(), &what)?;
    Ok(())
}

fn search(tour: &mut Tour<'_>) -> Result<(), StepError> {
    let layout = tour.world.layout();
    let people = people::tour().flat_map(leaks::of_person);
    let keys = tour.world.api_keys().texts().into_iter().flat_map(leaks::of_key);
    let needles: Vec<_> = people.chain(keys).collect();
    let mut search = Search::default();
    for place in ["ledger-dump.json", "gateway.log", "anvil.log", "log", "state"] {
        search.path(&layout.path(place), &needles)?;
    }
    let Search { files, bytes, found } = search;
    let kilobytes = bytes / 1024;
    tour.report.sent(&format!(
        "search for {} forms of numbers, names and keys in the ledger, the logs, the evidence log \
         and the store: {files} files, {kilobytes} KiB",
        needles.len()
    ))?;
    for leak in &found {
        tour.report.received(leak)?;
    }
    tour.report.check(found.is_empty(), "nothing found")?;
    Ok(())
}
