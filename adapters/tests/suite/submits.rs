//! What may happen to a submit on its way to a real node: crashes, races, and a network that loses
//! requests or answers. Each ends in one transaction or none, and a clear answer.

use std::sync::Arc;

use adapters::ethereum::EthereumConfig;
use gateway_core::adapter::Settlement;
use gateway_core::{Adapter, Fault, Kind, Value};
use serde_json::json;
use tokio::sync::Notify;

use crate::support::line::{Line, State};
use crate::support::steps::{count, granting, overlap, proof, settled, transaction, waiting};
use crate::support::world::{World, benefit, grant, key, submit_call, terms};
use crate::support::{LONG, SHORT, exchange, until};

#[tokio::test]
async fn a_process_that_dies_before_sending_leaves_exactly_one_transaction() {
    let world = World::new().await;
    let dead = world.adapter();
    world.outbox.die_at_next_attach();
    drop(granting(&dead, "a", benefit(1)));
    let key = key("a").await;
    until(|| async { world.outbox.ticket(&key).is_some() }).await;
    let (sent, _) = world.nonces(dead.account()).await;

    let next = world.adapter();
    let left = world.outbox.left_of(key);
    let first = settled(next.lookup(&left, LONG).await.unwrap()).unwrap();
    let second = settled(next.lookup(&left, LONG).await.unwrap()).unwrap();
    assert_eq!(first, second);
    assert_eq!(first.values.get("benefit"), Some(&Value::Bytes(key.0.to_vec())));
    assert_eq!(world.nonces(dead.account()).await, (sent + 1, sent + 1));
    assert_eq!(count(&*next, 1).await, 1);
}

#[tokio::test]
async fn what_a_dead_process_signed_is_sent_before_anything_new() {
    let world = World::new().await;
    let dead = world.adapter();
    world.outbox.die_at_next_attach();
    drop(granting(&dead, "a", benefit(1)));
    let key = key("a").await;
    until(|| async { world.outbox.ticket(&key).is_some() }).await;

    let next = world.adapter();
    let later = grant(&*next, "b", &benefit(2)).await.unwrap();
    let earlier = settled(next.lookup(&world.outbox.left_of(key), LONG).await.unwrap()).unwrap();
    assert!(proof(&earlier).block < proof(&later).block);
}

#[tokio::test]
async fn a_process_that_dies_after_sending_leaves_the_same_answer() {
    let world = World::unhurried().await;
    let (dying, next) = (world.adapter(), world.adapter());
    let submitted = granting(&dying, "a", benefit(1));
    waiting(&world, dying.account(), 1).await;
    let left = world.outbox.left_of(key("a").await);
    let looked_up = tokio::spawn(async move { next.lookup(&left, LONG).await });
    world.mine(1).await;
    let answer = submitted.await.unwrap().unwrap();
    assert_eq!(settled(looked_up.await.unwrap().unwrap()).unwrap(), answer);
    for field in ["request", "person", "benefit", "provider", "from", "to", "monthlyAmount"] {
        assert!(answer.values.get(field).is_some(), "{field}");
    }
}

#[tokio::test]
async fn sending_goes_on_when_nobody_waits_for_it() {
    let world = World::unhurried().await;
    let adapter = world.adapter();
    let (kept, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (in_hook, at_go_on) = (kept.clone(), go_on.clone());
    world.outbox.at_next_attach(move || {
        let (kept, go_on) = (in_hook.clone(), at_go_on.clone());
        async move {
            kept.notify_one();
            go_on.notified().await;
            Ok(())
        }
    });
    let submitted = granting(&adapter, "a", benefit(1));
    kept.notified().await;
    submitted.abort();
    assert!(submitted.await.unwrap_err().is_cancelled());
    go_on.notify_one();
    waiting(&world, adapter.account(), 1).await;
}

#[tokio::test]
async fn what_the_outbox_does_not_keep_is_not_sent() {
    let world = World::new().await;
    let adapter = world.adapter();
    let before = world.nonces(adapter.account()).await;
    world.outbox.at_next_attach(|| async { Err(Fault::new(Kind::Internal, "store", "broken")) });
    let fault = grant(&*adapter, "a", &benefit(1)).await.unwrap_err();
    assert_eq!((fault.kind, &*fault.code), (Kind::Internal, "store"));
    assert_eq!(world.nonces(adapter.account()).await, before);
    grant(&*adapter, "b", &benefit(2)).await.unwrap();
    assert_eq!(world.nonces(adapter.account()).await.0, before.0 + 1);
}

#[tokio::test]
async fn a_submit_whose_time_is_up_before_its_turn_is_not_sent() {
    let world = World::new().await;
    let adapter = world.adapter();
    world.outbox.die_at_next_attach();
    let stuck = granting(&adapter, "stuck", benefit(1));
    let first = key("stuck").await;
    until(|| async { world.outbox.ticket(&first).is_some() }).await;
    let call = submit_call("late", "benefitApply", terms(&benefit(2))).await;
    let admitted = exchange::submit("late").await;
    let fault = adapter.call(&admitted, &call, SHORT).await.unwrap_err();
    assert_eq!((fault.kind, &*fault.code), (Kind::BackendUnavailable, "busy"));
    assert_eq!(world.outbox.ticket(&key("late").await), None);
    stuck.abort();
}

#[tokio::test]
async fn a_node_that_is_away_has_done_nothing_before_and_may_have_after() {
    let world = World::new().await;
    let line = Arc::new(Line::to(&world.url()).await);
    let config = EthereumConfig { url: line.url.clone(), ..world.config() };
    let adapter = world.connect(&config, 0);
    line.set(State::Cut);
    for answer in [overlap(&*adapter, 1).await, grant(&*adapter, "a", &benefit(1)).await] {
        let fault = answer.unwrap_err();
        assert_eq!((fault.kind, &*fault.code), (Kind::BackendUnavailable, "node-unavailable"));
    }
    assert_eq!(adapter.probe().await.unwrap_err().kind, Kind::BackendUnavailable);

    line.set(State::Up);
    let cut = line.clone();
    world.outbox.at_next_attach(move || {
        cut.set(State::Cut);
        async { Ok(()) }
    });
    let call = submit_call("a", "benefitApply", terms(&benefit(1))).await;
    let admitted = exchange::submit("a").await;
    let fault = adapter.call(&admitted, &call, SHORT).await.unwrap_err();
    assert_eq!(fault.kind, Kind::OutcomeUnknown);
    let left = world.outbox.left_of(key("a").await);
    let fault = adapter.lookup(&left, SHORT).await.unwrap_err();
    assert_eq!(fault.kind, Kind::BackendUnavailable);

    line.set(State::Up);
    settled(adapter.lookup(&left, LONG).await.unwrap()).unwrap();
    assert_eq!(count(&*adapter, 1).await, 1);
}

#[tokio::test]
async fn an_answer_that_is_lost_on_the_way_is_found() {
    let world = World::new().await;
    let line = Arc::new(Line::to(&world.url()).await);
    let config = EthereumConfig { url: line.url.clone(), ..world.config() };
    let adapter = world.connect(&config, 0);
    let (before, _) = world.nonces(adapter.account()).await;
    let mute = line.clone();
    world.outbox.at_next_attach(move || {
        mute.set(State::Mute);
        async { Ok(()) }
    });
    let submitted = granting(&adapter, "a", benefit(1));
    until(|| async { world.nonces(adapter.account()).await.0 == before + 1 }).await;
    line.set(State::Up);
    submitted.await.unwrap().unwrap();
    assert_eq!(world.nonces(adapter.account()).await, (before + 1, before + 1));
}

#[tokio::test]
async fn a_ledger_that_is_slow_leaves_the_outcome_open_until_it_is_looked_up() {
    let world = World::unhurried().await;
    let adapter = world.adapter();
    let call = submit_call("a", "benefitApply", terms(&benefit(1))).await;
    let admitted = exchange::submit("a").await;
    let fault = adapter.call(&admitted, &call, SHORT).await.unwrap_err();
    assert_eq!(fault.kind, Kind::OutcomeUnknown);
    let left = world.outbox.left_of(key("a").await);
    assert!(matches!(adapter.lookup(&left, SHORT).await, Ok(Settlement::Pending)));
    world.mine(1).await;
    settled(adapter.lookup(&left, LONG).await.unwrap()).unwrap();
}

#[tokio::test]
async fn a_transaction_that_the_node_loses_is_sent_again() {
    let world = World::unhurried().await;
    let adapter = world.adapter();
    let first = granting(&adapter, "a", benefit(1));
    waiting(&world, adapter.account(), 1).await;
    let _: serde_json::Value = world.ask("anvil_dropAllTransactions", json!([])).await;
    let second = granting(&adapter, "b", benefit(2));
    waiting(&world, adapter.account(), 2).await;
    world.mine(1).await;
    let (first, second) = (first.await.unwrap().unwrap(), second.await.unwrap().unwrap());
    assert_eq!(proof(&first).block, proof(&second).block);
    assert_ne!(transaction(&first), transaction(&second));
}

#[tokio::test]
async fn the_loser_of_a_race_is_told_why() {
    let world = World::unhurried().await;
    let adapter = world.adapter();
    let first = granting(&adapter, "first", benefit(1));
    waiting(&world, adapter.account(), 1).await;
    let second = granting(&adapter, "second", benefit(1));
    waiting(&world, adapter.account(), 2).await;
    world.mine(1).await;
    first.await.unwrap().unwrap();
    let fault = second.await.unwrap().unwrap_err();
    assert_eq!((fault.kind, &*fault.code), (Kind::BackendRefused, "OverlappingBenefit"));
    let holder = format!("{:?}", key("first").await);
    assert!(fault.context.contains(&holder), "{fault}");

    let left = world.outbox.left_of(key("second").await);
    let found = settled(world.adapter().lookup(&left, LONG).await.unwrap()).unwrap_err();
    assert_eq!(
        (found.kind, &found.code, &found.context),
        (fault.kind, &fault.code, &fault.context)
    );
}

#[tokio::test]
async fn a_nonce_that_another_sender_took_first_is_replaced() {
    let world = Arc::new(World::new().await);
    let adapter = world.adapter();
    let (account, other) = (adapter.account(), world.clone());
    let (before, _) = world.nonces(account).await;
    world.outbox.at_next_attach(move || {
        let other = other.clone();
        async move {
            other.another_sender(account).await;
            Ok(())
        }
    });
    grant(&*adapter, "a", &benefit(1)).await.unwrap();
    assert_eq!(world.nonces(account).await, (before + 2, before + 2));
    assert_eq!(count(&*adapter, 1).await, 1);
}

#[tokio::test]
async fn a_submit_whose_nonce_was_used_up_meanwhile_is_finished_with_another() {
    let world = World::new().await;
    let dead = world.adapter();
    world.outbox.die_at_next_attach();
    drop(granting(&dead, "a", benefit(1)));
    let key = key("a").await;
    until(|| async { world.outbox.ticket(&key).is_some() }).await;
    let ticket = world.outbox.ticket(&key);
    world.another_sender(dead.account()).await;

    let next = world.adapter();
    let answer = settled(next.lookup(&world.outbox.left_of(key), LONG).await.unwrap()).unwrap();
    assert_ne!(world.outbox.ticket(&key), ticket);
    let found = settled(next.lookup(&world.outbox.left_of(key), LONG).await.unwrap()).unwrap();
    assert_eq!(found, answer);
    assert_eq!(count(&*next, 1).await, 1);
}

#[tokio::test]
async fn a_transaction_that_the_node_rejects_was_not_done_and_can_be_done_later() {
    let world = World::new().await;
    let adapter = world.adapter();
    let account = adapter.account();
    let set_balance =
        |wei| world.ask::<serde_json::Value>("anvil_setBalance", json!([account, wei]));
    set_balance("0x1").await;
    let fault = grant(&*adapter, "a", &benefit(1)).await.unwrap_err();
    assert_eq!((fault.kind, &*fault.code), (Kind::BackendUnavailable, "transaction-rejected"));
    set_balance("0x8ac7230489e80000").await;
    // The number that the rejected one had is free for another, and the rejected one is not lost.
    grant(&*adapter, "b", &benefit(2)).await.unwrap();
    let left = world.outbox.left_of(key("a").await);
    settled(adapter.lookup(&left, LONG).await.unwrap()).unwrap();
    assert_eq!(count(&*adapter, 1).await, 1);
}
