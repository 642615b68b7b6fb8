//! Signal 9 at any moment of a submit or of a batch: one transaction or none, a clear answer, and
//! every answered request in the log.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use integration_tests::{log_entries, naru, start};
use reqwest::Client;
use sandbox::people::{BATCH, Benefit, Person, Programme};
use sandbox::world::World;
use serde_json::{Value, json};

/// A block every 200 ms, so that there is a while between sending and knowing.
const BLOCK_TIME: Duration = Duration::from_millis(200);
const ROUNDS: u64 = 60;

struct Answered {
    status: u16,
    body: Value,
    receipt: String,
}

/// City A grants by REST. `None` when the gateway died before it answered.
async fn grant(world: &World, round: u64) -> Option<Answered> {
    let request = json!({
        "residentNumber": format!("9001{:02}1{:06}", 1 + round % 28, round),
        "name": "가나다",
        "programme": "youth-rent",
        "from": "2026-01-01",
        "to": "2026-12-31",
        "monthlyAmount": 200_000,
    });
    let response = Client::new()
        .post(format!("{}/v1/welfare/benefitGrant", world.http_url()))
        .header("x-api-key", world.api_keys().city_a.expose())
        .header("idempotency-key", format!("\"crash-{round}\""))
        .json(&request)
        .send()
        .await
        .ok()?;
    let status = response.status().as_u16();
    let receipt = response.headers().get("naru-receipt")?.to_str().ok()?.to_owned();
    Some(Answered { status, body: response.json().await.ok()?, receipt })
}

/// Asks again under the same key until the outcome is known.
async fn settled(world: &World, round: u64) -> Answered {
    for _ in 0..40 {
        match grant(world, round).await {
            Some(answered) if answered.status == 200 => return answered,
            Some(Answered { status: 409 | 503 | 504, .. }) | None => {}
            Some(other) => panic!("round {round}: {} {}", other.status, other.body),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("round {round}: no answer although the gateway runs again");
}

/// Milliseconds from before a request is read to well after it is answered, on this machine.
async fn undisturbed(world: &World) -> u64 {
    let begun = Instant::now();
    settled(world, ROUNDS).await;
    (begun.elapsed() * 2).as_millis().try_into().unwrap_or(u64::MAX).max(10 * ROUNDS)
}

/// How many grants each request has on the ledger, by the first topic of the event.
async fn grants_on_the_ledger(world: &World) -> BTreeMap<String, usize> {
    let granted =
        "BenefitGranted(bytes32,bytes32,bytes32,bytes32,bytes32,bytes32,uint32,uint32,uint64)";
    let logs = world
        .rpc()
        .call("eth_getLogs", json!([{ "fromBlock": "0x0", "address": world.contract().address }]));
    let event = format!("0x{}", world.rpc().keccak(granted.as_bytes()).await.unwrap());
    let mut counts = BTreeMap::new();
    for log in logs.await.unwrap().as_array().unwrap() {
        let topics = log["topics"].as_array().unwrap();
        if topics[0] == event.as_str() {
            *counts.entry(topics[1].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    assert!(!counts.is_empty(), "no event {granted}");
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_of_a_submit_it_happens_once() {
    let (mut world, _folder) = start(Some(BLOCK_TIME)).await;
    let mut benefits = Vec::new();
    let mut receipts = Vec::new();
    let mut answered_before_the_kill = 0;
    let span = undisturbed(&world).await;
    for round in 0..ROUNDS {
        // Spread over all moments, in an order without pattern, and never the same twice.
        let jitter = u64::from(uuid::Uuid::new_v4().as_bytes()[0]) % (span / ROUNDS);
        let moment = (round * 37 % ROUNDS) * span / ROUNDS + jitter;
        let first = {
            let request = grant(&world, round);
            let killing = tokio::time::sleep(Duration::from_millis(moment));
            tokio::select! {
                first = request => first,
                () = killing => None,
            }
        };
        world.kill_gateway().await.unwrap();
        world.start_gateway().await.unwrap();
        let again = settled(&world, round).await;
        let benefit = again.body["benefit"].as_str().unwrap().to_owned();
        if let Some(first) = first {
            answered_before_the_kill += 1;
            assert_eq!(first.status, 200, "round {round} at {moment} ms: {}", first.body);
            assert_eq!(first.body["benefit"], benefit.as_str(), "round {round} at {moment} ms");
            receipts.push(first.receipt);
        }
        receipts.push(again.receipt);
        benefits.push(benefit);
    }
    let on_the_ledger = grants_on_the_ledger(&world).await;
    for (round, benefit) in benefits.iter().enumerate() {
        let grants = on_the_ledger.get(&format!("0x{benefit}")).copied();
        assert_eq!(grants, Some(1), "round {round}: {benefit}");
    }
    assert_eq!(on_the_ledger.len(), benefits.len() + 1, "nothing else was granted");
    assert!(answered_before_the_kill > 0, "no moment was late enough");
    assert!(answered_before_the_kill < ROUNDS, "no moment was early enough");

    let layout = world.layout().clone();
    world.stop().await.unwrap();
    let entries = log_entries(&layout.path("log"));
    for receipt in &receipts {
        let (index, leaf) = verified(receipt, layout.root());
        assert_eq!(entries[index], leaf, "entry {index} is what its receipt says");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_killed_in_the_middle_answers_every_record_and_grants_once() {
    let (mut world, _folder) = start(Some(BLOCK_TIME)).await;
    let benefits = BATCH.map(|person| Benefit {
        person,
        programme: Programme::YouthRent,
        from: "2026-01-01",
        to: "2026-12-31",
        monthly_amount: 200_000,
    });
    for (round, moment) in [250, 450, 650, 850].into_iter().enumerate() {
        let programme = [
            Programme::YouthRent,
            Programme::BasicLiving,
            Programme::ChildAllowance,
            Programme::HousingBenefit,
        ][round];
        let (from, to) = [("2026-01-01", "2026-12-31"), ("2027-01-01", "2027-12-31")][round / 3];
        let benefits = benefits.map(|benefit| Benefit { programme, from, to, ..benefit });
        let file_id = format!("CRASH{round}");
        let content = sandbox::callers::city_b::grants(&file_id, &benefits).unwrap();
        let city_b = world.city_b();
        let waiting = tokio::spawn(async move { city_b.hand_over(&file_id, &content).await });
        tokio::time::sleep(Duration::from_millis(moment)).await;
        world.kill_gateway().await.unwrap();
        world.start_gateway().await.unwrap();
        let result = waiting.await.unwrap().unwrap();
        assert_eq!(result.trailer, ["4", "4", "0"], "killed after {moment} ms");
    }
    let grants = grants_on_the_ledger(&world).await;
    assert_eq!(grants.len(), 16);
    assert!(grants.values().all(|count| *count == 1), "{grants:?}");
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_file_killed_again_and_again_goes_on_and_grants_once() {
    const RECORDS: usize = 160;
    let (mut world, _folder) = start(Some(BLOCK_TIME)).await;
    let numbers: Vec<String> =
        (0..RECORDS).map(|number| format!("9001{:02}1{number:06}", 1 + number % 28)).collect();
    // The residents live as long as the process, as those of the practice world do.
    let benefits = numbers.iter().map(|number| Benefit {
        person: Person { name: "가나다", resident_number: number.clone().leak() },
        programme: Programme::YouthRent,
        from: "2026-01-01",
        to: "2026-12-31",
        monthly_amount: 1_000,
    });
    let content = sandbox::callers::city_d::grants("CRASH", &benefits.collect::<Vec<_>>()).unwrap();
    let city_d = world.city_d();
    let waiting = tokio::spawn(async move { city_d.hand_over("CRASH", &content).await });
    for moment in [700, 900, 1100] {
        tokio::time::sleep(Duration::from_millis(moment)).await;
        world.kill_gateway().await.unwrap();
        world.start_gateway().await.unwrap();
    }
    let result = waiting.await.unwrap().unwrap();
    assert_eq!(result.trailer, ["0000160", "0000160", "0000000"]);
    let order: Vec<usize> = result.lines.iter().map(|line| line.record.parse().unwrap()).collect();
    assert_eq!(order, (1..=RECORDS).collect::<Vec<_>>());
    let grants = grants_on_the_ledger(&world).await;
    assert_eq!(grants.len(), RECORDS);
    assert!(grants.values().all(|count| *count == 1), "{grants:?}");
    world.stop().await.unwrap();
}

/// Verifies a receipt with the command, and returns its index and entry.
fn verified(receipt: &str, world: &Path) -> (usize, String) {
    let file = world.join("receipt.txt");
    std::fs::write(&file, receipt).unwrap();
    let key = world.join("keys/log.key.pub");
    let run = Command::new(naru()).arg("verify").arg("--key").arg(key).arg(file).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let printed = String::from_utf8(run.stdout).unwrap();
    let mut lines = printed.lines();
    let index = lines.next().unwrap().split_whitespace().nth(2).unwrap().parse().unwrap();
    (index, lines.nth(1).unwrap().to_owned())
}
