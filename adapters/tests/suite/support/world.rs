//! A node with the welfare contract on it, and adapters for it.

use std::fs;
use std::sync::Arc;

use adapters::ethereum::{Contract, Ethereum, EthereumConfig};
use alloy::network::{Ethereum as Network, TransactionBuilder};
use alloy::primitives::{Address, Bytes, b256};
use alloy::providers::{Provider, RootProvider};
use alloy::rpc::types::TransactionRequest;
use alloy::transports::http::reqwest::Url;
use gateway_core::{
    Adapter, Answer, Call, Content, Fault, Message, Operation, Response, SubmissionKey, Value,
};
use jiff::civil::Date;
use serde_json::json;
use zeroize::Zeroizing;

use super::anvil::{Anvil, CHAIN_ID, contracts};
use super::outbox::MemoryOutbox;
use super::{LONG, exchange};

/// The first two development accounts, whose keys every anvil knows. The first deploys.
const KEYS: [[u8; 32]; 2] = [
    b256!("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80").0,
    b256!("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d").0,
];

pub(crate) struct World {
    anvil: Anvil,
    pub(crate) node: RootProvider<Network>,
    pub(crate) contract: Address,
    pub(crate) outbox: Arc<MemoryOutbox>,
}

impl World {
    /// A node that mines each transaction at once.
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// A node that mines only when it is told to.
    pub(crate) async fn unhurried() -> Self {
        let world = Self::new().await;
        let _: () = world.ask("evm_setAutomine", json!([false])).await;
        world
    }

    pub(crate) async fn with(arguments: &[&str]) -> Self {
        let anvil = Anvil::start(arguments).await;
        let node = RootProvider::new_http(anvil.url.clone());
        let contract = deploy(&node).await;
        Self { anvil, node, contract, outbox: Arc::default() }
    }

    pub(crate) fn url(&self) -> Url {
        self.anvil.url.clone()
    }

    pub(crate) fn config(&self) -> EthereumConfig {
        let config = json!({
            "url": self.url(),
            "chain_id": CHAIN_ID,
            "contract": self.contract,
            "abi": contracts().join("artifacts/Welfare.json"),
            "finality": { "confirmations": 1 },
            "poll_ms": 20,
        });
        serde_json::from_value(config).unwrap()
    }

    /// The adapter as one process has it; a second one is the next process.
    pub(crate) fn adapter(&self) -> Arc<Ethereum> {
        self.connect(&self.config(), 0)
    }

    /// An adapter with the key of the development account `account`.
    pub(crate) fn connect(&self, config: &EthereumConfig, account: usize) -> Arc<Ethereum> {
        let contract = Contract::load(config.clone()).unwrap();
        let key = Zeroizing::new(KEYS[account]);
        Arc::new(Ethereum::connect(contract, key, self.outbox.clone()).unwrap())
    }

    pub(crate) async fn mine(&self, blocks: u64) {
        let _: serde_json::Value = self.ask("anvil_mine", json!([blocks])).await;
    }

    pub(crate) async fn ask<
        A: serde::de::DeserializeOwned + std::fmt::Debug + Send + Sync + Unpin + 'static,
    >(
        &self,
        method: &'static str,
        parameters: serde_json::Value,
    ) -> A {
        self.node.raw_request(method.into(), parameters).await.unwrap()
    }

    /// Transactions of the account that are mined, and those and the waiting ones.
    pub(crate) async fn nonces(&self, account: Address) -> (u64, u64) {
        let mined = self.node.get_transaction_count(account).await.unwrap();
        (mined, self.node.get_transaction_count(account).pending().await.unwrap())
    }

    /// Another program sends a transaction with the gateway's account.
    pub(crate) async fn another_sender(&self, account: Address) {
        let transfer = TransactionRequest::default().with_from(account).with_to(Address::ZERO);
        let _ = self.node.send_transaction(transfer).await.unwrap();
    }
}

async fn deploy(node: &RootProvider<Network>) -> Address {
    let artifact = fs::read_to_string(contracts().join("artifacts/Welfare.json")).unwrap();
    let artifact: serde_json::Value = serde_json::from_str(&artifact).unwrap();
    let code: Bytes = artifact["bytecode"].as_str().unwrap().parse().unwrap();
    let deployer = node.get_accounts().await.unwrap()[0];
    let creation = TransactionRequest::default().with_from(deployer).with_deploy_code(code);
    let sent = node.send_transaction(creation).await.unwrap();
    sent.get_receipt().await.unwrap().contract_address.unwrap()
}

/// A benefit as its provider asks for it.
#[derive(Clone)]
pub(crate) struct Benefit {
    pub(crate) person: u8,
    pub(crate) programme: &'static str,
    pub(crate) provider: &'static str,
    pub(crate) from: Date,
    pub(crate) to: Date,
}

/// A whole year of rent support for a person.
pub(crate) fn benefit(person: u8) -> Benefit {
    Benefit {
        person,
        programme: "youth-rent",
        provider: "city-a",
        from: jiff::civil::date(2026, 1, 1),
        to: jiff::civil::date(2026, 12, 31),
    }
}

/// The submission key of the submit that its caller named `name`.
pub(crate) async fn key(name: &str) -> SubmissionKey {
    exchange::submit(name).await.key().unwrap()
}

pub(crate) async fn apply(
    adapter: &dyn Adapter,
    name: &str,
    of: &Benefit,
) -> Result<Answer, Fault> {
    submit(adapter, name, "benefitApply", terms(of)).await
}

pub(crate) async fn grant(
    adapter: &dyn Adapter,
    name: &str,
    of: &Benefit,
) -> Result<Answer, Fault> {
    grant_on(adapter, name, None, of).await
}

pub(crate) async fn grant_on(
    adapter: &dyn Adapter,
    name: &str,
    application: Option<SubmissionKey>,
    of: &Benefit,
) -> Result<Answer, Fault> {
    let application = application.map_or([0; 32], |key| key.0);
    let mut arguments = terms(of);
    arguments.push(("application".into(), Value::Bytes(application.to_vec())));
    submit(adapter, name, "benefitGrant", arguments).await
}

pub(crate) async fn end(
    adapter: &dyn Adapter,
    name: &str,
    benefit: SubmissionKey,
    provider: &str,
    end: Date,
) -> Result<Answer, Fault> {
    let arguments = vec![
        ("benefit".into(), Value::Bytes(benefit.0.to_vec())),
        ("provider".into(), Value::Text(provider.into())),
        ("end".into(), Value::Date(end)),
        ("reason".into(), Value::Text("moved".into())),
    ];
    submit(adapter, name, "benefitEnd", arguments).await
}

pub(crate) async fn submit(
    adapter: &dyn Adapter,
    name: &str,
    function: &str,
    arguments: Vec<(String, Value)>,
) -> Result<Answer, Fault> {
    let admitted = exchange::submit(name).await;
    let call = submit_call(name, function, arguments).await;
    adapter.call(&admitted, &call, LONG).await.map(answer)
}

pub(crate) async fn submit_call(
    name: &str,
    function: &str,
    mut arguments: Vec<(String, Value)>,
) -> Call {
    let key = key(name).await;
    arguments.push(("request".into(), Value::Bytes(key.0.to_vec())));
    let operation = Operation::Submit;
    let content = Content::Arguments(arguments);
    Call { operation, function: function.into(), content, key: Some(key), repeatable: false }
}

pub(crate) fn terms(of: &Benefit) -> Vec<(String, Value)> {
    vec![
        ("person".into(), Value::Bytes(vec![of.person; 32])),
        ("group".into(), Value::Text("housing".into())),
        ("programme".into(), Value::Text(of.programme.into())),
        ("provider".into(), Value::Text(of.provider.into())),
        ("from".into(), Value::Date(of.from)),
        ("to".into(), Value::Date(of.to)),
        ("monthlyAmount".into(), Value::Integer(200_000)),
    ]
}

pub(crate) fn overlap_call(person: u8, from: Date, to: Date) -> Call {
    query_call(
        "overlapCheck",
        vec![
            ("person".into(), Value::Bytes(vec![person; 32])),
            ("group".into(), Value::Text("housing".into())),
            ("from".into(), Value::Date(from)),
            ("to".into(), Value::Date(to)),
        ],
    )
}

pub(crate) fn history_call(person: u8) -> Call {
    query_call(
        "history",
        vec![
            ("person".into(), Value::Bytes(vec![person; 32])),
            ("group".into(), Value::Text("housing".into())),
        ],
    )
}

fn query_call(function: &str, arguments: Vec<(String, Value)>) -> Call {
    let operation = Operation::Query;
    let content = Content::Arguments(arguments);
    Call { operation, function: function.into(), content, key: None, repeatable: false }
}

pub(crate) async fn ask(adapter: &dyn Adapter, call: &Call) -> Result<Message, Fault> {
    let response = adapter.call(&exchange::query().await, call, LONG).await?;
    Ok(answer(response).values)
}

/// The answer that an adapter has read itself.
pub(crate) fn answer(response: Response) -> Answer {
    match response {
        Response::Answer(answer) => answer,
        Response::Received(received) => panic!("an answer, not {received:?}"),
    }
}
