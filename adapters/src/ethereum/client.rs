//! What is asked of the node, one JSON-RPC request or two each. What the answers mean for a submit
//! is decided in [`settle`](super::settle) and [`sender`](super::sender).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alloy::eips::BlockId;
use alloy::network::{Ethereum as Network, TransactionBuilder};
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::providers::{Provider, RootProvider};
use alloy::rpc::client::RpcClient;
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use alloy::transports::http::reqwest::{Client, redirect};
use alloy::transports::http::{Http, reqwest};
use alloy::transports::{RpcError, TransportError, TransportErrorKind};
use tokio::sync::{Mutex, OnceCell};

use super::calls::Calls;
use super::config::{EthereumConfig, Finality};

/// The longest that one request to the node may take. A deadline that is nearer ends it earlier.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest text of a node that goes into an error.
const MESSAGE_LIMIT: usize = 200;

/// Why the node gave no usable answer. The endpoint's URL, which may hold a key, is in none.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum NodeError {
    #[error("the node cannot be reached")]
    Unreachable,
    #[error("the node answered HTTP {0}")]
    Http(u16),
    #[error("the node refused the request: {code} {message}")]
    Refused { code: i64, message: String },
    #[error("the node's answer cannot be read")]
    Unreadable,
    #[error("the node has no such block yet")]
    NoBlock,
    #[error("the node is of chain {actual}, the configuration of chain {expected}")]
    WrongChain { expected: u64, actual: u64 },
    #[error("there is no contract at {0}")]
    NoContract(Address),
}

/// What a call that changes nothing came to.
pub(super) enum Called {
    Returned(Bytes),
    /// The contract refused, with this data.
    Reverted(Bytes),
}

/// What the node did with a transaction.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Broadcast {
    /// It has it, now or from before.
    Accepted,
    /// Another transaction of the account has the nonce, or this one is mined already.
    NonceTaken,
    /// It will not have it, for this reason.
    Rejected(String),
}

/// A block, as answers name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) number: u64,
    pub(super) hash: B256,
}

/// One node, asked about one contract.
pub(super) struct Node {
    provider: RootProvider<Network>,
    calls: Calls,
    pub(super) chain_id: u64,
    pub(super) contract: Address,
    finality: Finality,
    gas_limit: u64,
    verified: OnceCell<()>,
    reads_begun: AtomicU64,
    last_read: Mutex<Read>,
}

/// A read of the final block, by its number among all of them.
#[derive(Default)]
struct Read {
    number: u64,
    block: Option<Block>,
}

impl Node {
    /// Opens nothing yet.
    pub(super) fn new(config: &EthereumConfig) -> Result<Self, reqwest::Error> {
        // A proxy would come from the environment, and a redirect would send a signed transaction
        // where nobody configured it to go.
        let client = Client::builder()
            .timeout(REQUEST_TIMEOUT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()?;
        let transport = Http::with_client(client, config.url.clone());
        let is_local = transport.guess_local();
        let client = RpcClient::new(transport, is_local);
        Ok(Self {
            calls: Calls::new(client.clone(), config.batch_calls.get()),
            provider: RootProvider::new(client),
            chain_id: config.chain_id,
            contract: config.contract,
            finality: config.finality,
            gas_limit: config.gas_limit,
            verified: OnceCell::new(),
            reads_begun: AtomicU64::new(0),
            last_read: Mutex::default(),
        })
    }

    /// Makes sure, once, that the node is of the chain and that the contract is there.
    pub(super) async fn verify(&self) -> Result<(), NodeError> {
        self.verified.get_or_try_init(|| self.verify_now()).await.copied()
    }

    /// As [`Node::verify`], but asks again.
    pub(super) async fn verify_now(&self) -> Result<(), NodeError> {
        let actual = self.provider.get_chain_id().await?;
        if actual != self.chain_id {
            return Err(NodeError::WrongChain { expected: self.chain_id, actual });
        }
        let code = self.provider.get_code_at(self.contract).await?;
        if code.is_empty() {
            return Err(NodeError::NoContract(self.contract));
        }
        Ok(())
    }

    /// The newest block that counts as final: what stands in it stays. A young chain has none.
    pub(super) async fn final_block(&self) -> Result<Option<Block>, NodeError> {
        let depth = match self.finality {
            Finality::Finalized => return self.block(BlockId::finalized()).await,
            Finality::Confirmations(blocks) => blocks.get() - 1,
        };
        let head = self.block(BlockId::latest()).await?;
        match head.and_then(|head| head.number.checked_sub(depth)) {
            _ if depth == 0 => Ok(head),
            Some(number) => self.block(BlockId::number(number)).await,
            None => Ok(None),
        }
    }

    /// As [`Node::final_block`]; one read serves all who asked before it began. It is as new as a
    /// read of one's own, so that a submit that was answered is seen by every later query.
    pub(super) async fn shared_final_block(&self) -> Result<Option<Block>, NodeError> {
        let begun_before = self.reads_begun.load(Ordering::Acquire);
        let mut last = self.last_read.lock().await;
        if last.number <= begun_before {
            let number = self.reads_begun.fetch_add(1, Ordering::AcqRel) + 1;
            *last = Read { number, block: self.final_block().await? };
        }
        Ok(last.block)
    }

    async fn block(&self, id: BlockId) -> Result<Option<Block>, NodeError> {
        let block = self.provider.get_block(id).await?;
        Ok(block.map(|block| Block { number: block.header.number, hash: block.header.hash }))
    }

    /// Calls the contract as `from` would, on the state after `block`.
    pub(super) async fn call(
        &self,
        from: Address,
        input: Bytes,
        block: BlockId,
    ) -> Result<Called, NodeError> {
        let request = TransactionRequest::default()
            .with_from(from)
            .with_to(self.contract)
            .with_gas_limit(self.gas_limit)
            .with_input(input);
        self.calls.call(request, block).await
    }

    /// How many transactions of `account` are mined, and how many of them and of those waiting to
    /// be mined have nonces without a gap.
    pub(super) async fn nonces(&self, account: Address) -> Result<(u64, u64), NodeError> {
        let mined = self.provider.get_transaction_count(account);
        let pending = self.provider.get_transaction_count(account).pending();
        let (mined, pending) = tokio::try_join!(mined, pending)?;
        Ok((mined, pending))
    }

    /// How many transactions of `account` are mined for good.
    pub(super) async fn final_nonce(&self, account: Address) -> Result<u64, NodeError> {
        match self.final_block().await? {
            Some(block) => {
                Ok(self.provider.get_transaction_count(account).hash(block.hash).await?)
            }
            None => Ok(0),
        }
    }

    /// What the account holds, in wei.
    pub(super) async fn balance(&self, account: Address) -> Result<U256, NodeError> {
        Ok(self.provider.get_balance(account).await?)
    }

    /// Hands a signed transaction to the node. The same one twice is one transaction.
    pub(super) async fn broadcast(&self, raw: &[u8]) -> Result<Broadcast, NodeError> {
        match self.provider.send_raw_transaction(raw).await {
            Ok(_) => Ok(Broadcast::Accepted),
            Err(RpcError::ErrorResp(error)) => Ok(Broadcast::from_refusal(&error.message)),
            Err(error) => Err(error.into()),
        }
    }

    /// The transaction's receipt, once it is mined.
    pub(super) async fn receipt(
        &self,
        hash: B256,
    ) -> Result<Option<TransactionReceipt>, NodeError> {
        Ok(self.provider.get_transaction_receipt(hash).await?)
    }

    /// Whether the node has the transaction, mined or waiting.
    pub(super) async fn knows(&self, hash: B256) -> Result<bool, NodeError> {
        Ok(self.provider.get_transaction_by_hash(hash).await?.is_some())
    }
}

impl Broadcast {
    /// JSON-RPC has no codes for these, so the texts of go-ethereum, Nethermind, Besu, Erigon and
    /// anvil are told apart.
    pub(super) fn from_refusal(message: &str) -> Self {
        let text = message.to_ascii_lowercase();
        let says = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
        let held = ["already known", "alreadyknown", "already imported", "known transaction"];
        if says(&held) && !text.contains("unknown") {
            Self::Accepted
        } else if says(&["nonce too low", "oldnonce", "replacement"]) {
            Self::NonceTaken
        } else {
            Self::Rejected(message.chars().take(MESSAGE_LIMIT).collect())
        }
    }
}

impl From<TransportError> for NodeError {
    fn from(error: TransportError) -> Self {
        match error {
            RpcError::ErrorResp(error) => Self::Refused {
                code: error.code,
                message: error.message.chars().take(MESSAGE_LIMIT).collect(),
            },
            RpcError::Transport(TransportErrorKind::HttpError(error)) => Self::Http(error.status),
            RpcError::Transport(TransportErrorKind::HttpErrorWithRetryAfter { error, .. }) => {
                Self::Http(error.status)
            }
            RpcError::Transport(_) => Self::Unreachable,
            _ => Self::Unreadable,
        }
    }
}
