//! Steps that the stories about submits share.

use std::sync::Arc;

use adapters::ethereum::{Ethereum, EthereumConfig, Finality};
use alloy::primitives::{Address, B256};
use gateway_core::adapter::Settlement;
use gateway_core::{Adapter, Answer, Fault, LedgerProof, Value};
use jiff::civil::date;

use super::world::{Benefit, World, answer, ask, grant, history_call, overlap_call};
use super::{LONG, exchange, until};

pub(crate) async fn overlap(adapter: &dyn Adapter, person: u8) -> Result<Answer, Fault> {
    let call = overlap_call(person, date(2026, 6, 1), date(2026, 6, 30));
    adapter.call(&exchange::query().await, &call, LONG).await.map(answer)
}

/// How many benefits the ledger holds for a person.
pub(crate) async fn count(adapter: &dyn Adapter, person: u8) -> i128 {
    match ask(adapter, &history_call(person)).await.unwrap().get("count") {
        Some(Value::Integer(count)) => *count,
        other => panic!("a count, not {other:?}"),
    }
}

pub(crate) fn proof(answer: &Answer) -> &LedgerProof {
    answer.proof.as_ref().expect("a ledger's answer has a proof")
}

pub(crate) fn transaction(answer: &Answer) -> B256 {
    proof(answer).transaction.as_ref().expect("a submit's proof names it").parse().unwrap()
}

pub(crate) fn settled(settlement: Settlement) -> Result<Answer, Fault> {
    match settlement {
        Settlement::Settled(outcome) => outcome,
        other => panic!("not settled: {other:?}"),
    }
}

/// A grant that goes on beside the test.
pub(crate) fn granting(
    adapter: &Arc<Ethereum>,
    name: &'static str,
    of: Benefit,
) -> tokio::task::JoinHandle<Result<Answer, Fault>> {
    let adapter = adapter.clone();
    tokio::spawn(async move { grant(&*adapter, name, &of).await })
}

pub(crate) async fn waiting(world: &World, account: Address, transactions: u64) {
    until(|| async {
        let (mined, pending) = world.nonces(account).await;
        pending - mined == transactions
    })
    .await;
}

pub(crate) fn config_with(world: &World, finality: Finality) -> EthereumConfig {
    EthereumConfig { finality, ..world.config() }
}
