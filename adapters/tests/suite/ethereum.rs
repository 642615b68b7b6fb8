//! The Ethereum adapter against a real node: what it answers and when. What may happen to a submit
//! on its way is in `submits`.

use std::num::{NonZeroU64, NonZeroUsize};

use adapters::ethereum::{EthereumConfig, Finality};
use alloy::primitives::Address;
use alloy::providers::Provider;
use gateway_core::{Adapter, Kind, Value};
use serde_json::json;

use crate::contract::What;
use crate::ledger::Ledger;
use crate::support::line::{Line, State};
use crate::support::steps::{config_with, granting, overlap, proof, transaction, waiting};
use crate::support::world::{World, apply, benefit, grant, submit, terms};
use crate::support::{SHORT, until};

#[tokio::test]
async fn it_is_an_adapter() {
    let (subject, line) = Ledger::subject().await;
    subject.conforms().await;
    line.set(State::Cut);
    subject.says_that_nothing_was_sent("gone").await;
    line.set(State::Up);
    assert_eq!(subject.submit("gone", What::Submit).await.unwrap(), "applied");
}

#[tokio::test]
async fn an_answer_names_the_block_it_is_true_for() {
    let world = World::new().await;
    let adapter = world.adapter();
    let granted = grant(&*adapter, "a", &benefit(1)).await.unwrap();
    let receipt = world.node.get_transaction_receipt(transaction(&granted)).await.unwrap().unwrap();
    assert_eq!(proof(&granted).network, "eip155:31337");
    assert_eq!(Some(proof(&granted).block), receipt.block_number);
    assert_eq!(proof(&granted).block_hash, receipt.block_hash.unwrap().to_string());

    world.mine(1).await;
    let read = overlap(&*adapter, 1).await.unwrap();
    let block = world.node.get_block(proof(&read).block.into()).await.unwrap().unwrap();
    assert_eq!(proof(&read).block, proof(&granted).block + 1);
    assert_eq!(proof(&read).block_hash, block.header.hash.to_string());
    assert_eq!(proof(&read).transaction, None);
    assert_eq!(read.values.get("overlapping"), Some(&Value::Flag(true)));
}

#[tokio::test]
async fn a_submit_is_answered_once_it_is_deep_enough_and_a_query_reads_at_that_depth() {
    let world = World::unhurried().await;
    let three = Finality::Confirmations(NonZeroU64::new(3).unwrap());
    let adapter = world.connect(&config_with(&world, three), 0);
    world.mine(3).await;
    let submitted = granting(&adapter, "a", benefit(1));
    waiting(&world, adapter.account(), 1).await;
    world.mine(2).await;
    let two_deep = tokio::time::timeout(SHORT, overlap(&*adapter, 1)).await.unwrap().unwrap();
    assert_eq!(two_deep.values.get("overlapping"), Some(&Value::Flag(false)));
    assert!(!submitted.is_finished());
    world.mine(1).await;
    let answer = submitted.await.unwrap().unwrap();
    let three_deep = overlap(&*adapter, 1).await.unwrap();
    assert_eq!(proof(&three_deep).block, proof(&answer).block);
    assert_eq!(three_deep.values.get("overlapping"), Some(&Value::Flag(true)));
}

#[tokio::test]
async fn the_chains_own_finality_is_waited_for() {
    let world = World::with(&["--slots-in-an-epoch", "1"]).await;
    let adapter = world.connect(&config_with(&world, Finality::Finalized), 0);
    world.mine(4).await;
    let submitted = granting(&adapter, "a", benefit(1));
    until(|| async { world.nonces(adapter.account()).await.0 == 2 }).await;
    let read = overlap(&*adapter, 1).await.unwrap();
    assert_eq!(read.values.get("overlapping"), Some(&Value::Flag(false)));
    assert!(!submitted.is_finished());
    world.mine(4).await;
    submitted.await.unwrap().unwrap();
    let read = overlap(&*adapter, 1).await.unwrap();
    assert_eq!(read.values.get("overlapping"), Some(&Value::Flag(true)));
}

#[tokio::test]
async fn many_at_once_take_one_nonce_each() {
    let world = World::new().await;
    let adapter = world.adapter();
    let (before, _) = world.nonces(adapter.account()).await;
    let submits = (0..20).map(|person| {
        let adapter = adapter.clone();
        tokio::spawn(async move { grant(&*adapter, &format!("{person}"), &benefit(person)).await })
    });
    let mut nonces = vec![];
    for answer in futures_util::future::join_all(submits).await {
        let hash = transaction(&answer.unwrap().unwrap());
        let mined = world.node.get_transaction_by_hash(hash).await.unwrap().unwrap();
        nonces.push(alloy::consensus::Transaction::nonce(&mined));
    }
    nonces.sort_unstable();
    assert_eq!(nonces, (before..before + 20).collect::<Vec<_>>());
}

#[tokio::test]
async fn queries_that_travel_together_get_their_own_answers() {
    let world = World::new().await;
    let line = Line::to(&world.url()).await;
    let batch_calls = NonZeroUsize::new(7).unwrap();
    let config = EthereumConfig { url: line.url.clone(), batch_calls, ..world.config() };
    let adapter = world.connect(&config, 0);
    for person in 0..5 {
        grant(&*adapter, &format!("{person}"), &benefit(person)).await.unwrap();
    }
    let ask = |person| {
        let adapter = adapter.clone();
        tokio::spawn(async move { overlap(&*adapter, person).await })
    };
    let asked: Vec<_> = (0..40).map(|person| (person, ask(person))).collect();
    // One who gives up takes nobody along.
    asked[3].1.abort();
    for (person, answer) in asked {
        let Ok(answer) = answer.await else { continue };
        let overlapping = answer.unwrap().values.get("overlapping").cloned();
        assert_eq!(overlapping, Some(Value::Flag(person < 5)), "{person}");
    }
    line.set(State::Mute);
    let asked = (0..40).map(ask).collect::<Vec<_>>();
    for answer in asked {
        assert_eq!(answer.await.unwrap().unwrap_err().kind, Kind::BackendUnavailable);
    }
    line.set(State::Up);
    overlap(&*adapter, 1).await.unwrap();
}

#[tokio::test]
async fn a_node_of_another_chain_is_not_used() {
    let world = World::new().await;
    let config = EthereumConfig { chain_id: 1, ..world.config() };
    let adapter = world.connect(&config, 0);
    for answer in [
        overlap(&*adapter, 1).await.map(drop),
        apply(&*adapter, "a", &benefit(1)).await.map(drop),
        adapter.probe().await,
    ] {
        let fault = answer.unwrap_err();
        assert_eq!(fault.kind, Kind::BackendUnavailable);
        assert!(
            fault.to_string().contains("of chain 31337, the configuration of chain 1"),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn a_probe_says_what_is_missing() {
    let world = World::new().await;
    let missing = async |adapter: &dyn Adapter| adapter.probe().await.unwrap_err().to_string();
    world.adapter().probe().await.unwrap();

    let stranger = world.connect(&world.config(), 1);
    assert!(missing(&*stranger).await.contains("is not a registered gateway"));

    let nowhere = Address::repeat_byte(9);
    let config = EthereumConfig { contract: nowhere, ..world.config() };
    assert!(missing(&*world.connect(&config, 0)).await.contains("there is no contract at"));

    let poor = world.adapter();
    let _: serde_json::Value = world.ask("anvil_setBalance", json!([poor.account(), "0x1"])).await;
    assert!(missing(&*poor).await.contains("holds less than"));
}

#[tokio::test]
async fn arguments_are_taken_by_name_and_all_of_them() {
    let world = World::new().await;
    let adapter = world.adapter();
    let mut missing = terms(&benefit(1));
    missing.retain(|(name, _)| name != "to");
    let mut surplus = terms(&benefit(1));
    surplus.push(("name".into(), Value::Text("x".into())));
    let mut backwards = terms(&benefit(1));
    backwards.reverse();
    for (arguments, field) in [(missing, "to"), (surplus, "name")] {
        let fault = submit(&*adapter, "a", "benefitApply", arguments).await.unwrap_err();
        assert_eq!(fault.kind, Kind::Unmappable);
        assert!(fault.to_string().contains(field), "{fault}");
    }
    submit(&*adapter, "a", "benefitApply", backwards).await.unwrap();
}

#[tokio::test]
async fn what_it_shows_of_itself_holds_no_key() {
    let world = World::new().await;
    let shown = format!("{:?}", world.adapter());
    assert!(shown.contains("eip155:31337"));
    assert!(!shown.to_lowercase().contains("ac0974be"));
    assert!(!shown.contains("172, 9, 116"));
}
