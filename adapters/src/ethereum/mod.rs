//! A contract on an EVM chain, reached through a node's JSON-RPC with the `alloy` libraries.
//!
//! Queries are calls at a block that counts as final, and name it. A submit is simulated, signed,
//! kept in the outbox, sent, and waited for; read `sender` for how it leaves and `settle` for
//! how its outcome is found. Not here: retry, time-outs around the whole, and the meaning of the
//! contract's functions and errors, which is the mapping's matter.

mod calls;
mod client;
mod codec;
mod config;
mod contract;
mod fault;
mod interface;
mod sender;
mod settle;
#[cfg(test)]
mod tests;
mod ticket;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use alloy::eips::BlockId;
use alloy::primitives::{Address, Bytes};
use alloy::signers::local::PrivateKeySigner;
use alloy::transports::http::reqwest;
use async_trait::async_trait;
use gateway_core::adapter::Settlement;
use gateway_core::outbox::Submission;
use gateway_core::{
    Adapter, Admitted, Answer, Call, Content, Fault, LedgerProof, Message, Operation, Outbox,
    Profile, Response, Value,
};
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use client::{Called, Node, NodeError};
use interface::{Interface, Method};
use sender::{Order, Sender};
use ticket::Ticket;

pub use config::{EthereumConfig, Finality};
pub use contract::{Contract, ContractError};

/// The view function by which a contract says whether an account may write, where it has one.
const REGISTRATION: &str = "isGateway";

/// One contract, as an [`Adapter`].
pub struct Ethereum {
    profile: Profile,
    interface: Arc<Interface>,
    node: Arc<Node>,
    sender: Arc<Sender>,
    poll: Duration,
    /// The chain as CAIP-2 writes it, e.g. `eip155:31337`.
    network: String,
}

/// Why a contract cannot be connected to.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The private key is zero or beyond the order of the curve.
    #[error("the private key is not one of secp256k1")]
    Key,
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
}

impl Ethereum {
    /// Makes the backend. It does not ask the node, so that a gateway starts while a ledger is
    /// away; [`Adapter::probe`] asks.
    ///
    /// `key` is the private key of the account that submits are sent from. It should be this
    /// gateway's alone: another sender with it is survived, not planned for. `outbox` keeps what is
    /// about to be sent.
    ///
    /// # Errors
    /// When the key is of no use.
    pub fn connect(
        contract: Contract,
        key: Zeroizing<[u8; 32]>,
        outbox: Arc<dyn Outbox>,
    ) -> Result<Self, ConnectError> {
        let config = &contract.config;
        let signer = PrivateKeySigner::from_slice(&*key).map_err(|_| ConnectError::Key)?;
        let node = Arc::new(Node::new(config).map_err(ConnectError::Client)?);
        Ok(Self {
            profile: contract.profile().clone(),
            sender: Arc::new(Sender::new(node.clone(), outbox, signer, config)),
            node,
            poll: Duration::from_millis(config.poll_ms.get()),
            network: format!("eip155:{}", config.chain_id),
            interface: contract.interface,
        })
    }

    /// The account that submits are sent from.
    pub fn account(&self) -> Address {
        self.sender.account()
    }

    async fn query(&self, method: &Method, input: Bytes) -> Result<Answer, Fault> {
        self.node.verify().await.map_err(fault::unavailable)?;
        let block = self.node.shared_final_block().await.map_err(fault::unavailable)?;
        let block = block.ok_or_else(|| fault::unavailable(NodeError::NoBlock))?;
        let called = self.node.call(self.account(), input, BlockId::hash(block.hash));
        let output = match called.await.map_err(fault::unavailable)? {
            Called::Returned(output) => output,
            Called::Reverted(data) => return Err(self.interface.refusal(&data)),
        };
        let proof = LedgerProof {
            network: self.network.clone(),
            transaction: None,
            block: block.number,
            block_hash: block.hash.to_string(),
        };
        let values = method.decode(&output).map_err(fault::unreadable)?;
        Ok(Answer { values, proof: Some(proof) })
    }

    async fn submit(&self, call: &Call, input: Bytes, deadline: Instant) -> Result<Answer, Fault> {
        let key = call.key.ok_or_else(fault::keyless)?;
        let output = self.simulate(&call.function, input.clone(), deadline).await??;
        let order = Order { key, function: call.function.clone(), input, output };
        let ticket = self.sender.send(order, deadline).await?;
        match self.settle(key, ticket, deadline).await {
            Ok(Settlement::Settled(outcome)) => outcome,
            Ok(Settlement::Pending | Settlement::Reported(_)) => Err(fault::outcome_unknown()),
            Err(fault) => Err(fault::outcome_unknown().context(fault)),
        }
    }

    /// What a function would return if it were mined now, or the contract's refusal, which then
    /// costs no transaction.
    async fn simulate(
        &self,
        function: &str,
        input: Bytes,
        deadline: Instant,
    ) -> Result<Result<Bytes, Fault>, Fault> {
        let method = self.interface.method(function);
        let method = method.ok_or_else(|| fault::unsupported(function))?;
        let simulated = async {
            self.node.verify().await?;
            self.node.call(self.account(), input, BlockId::latest()).await
        };
        let simulated = timeout_at(deadline, simulated).await.map_err(|_| fault::no_time())?;
        match simulated.map_err(fault::unavailable)? {
            Called::Reverted(data) => Ok(Err(self.interface.refusal(&data))),
            Called::Returned(output) => {
                method.decode(&output).map_err(fault::unreadable)?;
                Ok(Ok(output))
            }
        }
    }

    /// Whether the contract lets the account write. A contract without such a list lets all.
    async fn is_registered(&self) -> Result<bool, Fault> {
        let Some(method) = self.interface.method(REGISTRATION) else {
            return Ok(true);
        };
        let account = Value::Bytes(self.account().to_vec());
        let arguments: Vec<_> =
            method.arguments().map(|name| (name.to_owned(), account.clone())).collect();
        let input = method.encode(&arguments).map_err(fault::unmappable)?;
        let values: Message = self.query(method, input).await?.values;
        Ok(values.iter().all(|(_, value)| *value == Value::Flag(true)))
    }
}

#[async_trait]
impl Adapter for Ethereum {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    async fn call(
        &self,
        _admitted: &Admitted,
        call: &Call,
        deadline: Duration,
    ) -> Result<Response, Fault> {
        let deadline = Instant::now() + deadline;
        let method = self.interface.method(&call.function);
        let method = method.filter(|method| method.operation == call.operation);
        let (Some(method), Content::Arguments(arguments)) = (method, &call.content) else {
            return Err(fault::unsupported(&call.function));
        };
        let input = method.encode(arguments).map_err(fault::unmappable)?;
        let answered = match call.operation {
            Operation::Query => {
                let answered = timeout_at(deadline, self.query(method, input)).await;
                answered.map_err(|_| fault::no_time())?
            }
            Operation::Submit => self.submit(call, input, deadline).await,
        };
        answered.map(Response::Answer)
    }

    async fn lookup(
        &self,
        submission: &Submission,
        deadline: Duration,
    ) -> Result<Settlement, Fault> {
        let deadline = Instant::now() + deadline;
        let ticket = submission.ticket.as_deref().unwrap_or_default();
        let ticket = Ticket::decode(ticket).map_err(fault::ticket)?;
        if ticket.chain_id != self.node.chain_id {
            return Err(fault::ticket_foreign(ticket.chain_id));
        }
        self.settle(submission.key, ticket, deadline).await
    }

    async fn probe(&self) -> Result<(), Fault> {
        self.node.verify_now().await.map_err(fault::unavailable)?;
        let account = self.account();
        if !self.is_registered().await? {
            return Err(fault::not_ready(format_args!("{account} is not a registered gateway")));
        }
        let (holds, needs) = (self.node.balance(account).await, self.sender.worst_cost());
        if holds.map_err(fault::unavailable)? < needs {
            return Err(fault::not_ready(format_args!("{account} holds less than {needs} wei")));
        }
        Ok(())
    }
}

impl fmt::Debug for Ethereum {
    /// Shows nothing of the key or of the node's URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ethereum")
            .field("network", &self.network)
            .field("contract", &self.node.contract)
            .field("account", &self.account())
            .finish_non_exhaustive()
    }
}
