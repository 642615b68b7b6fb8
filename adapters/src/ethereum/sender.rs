//! The one place where transactions of the account are numbered, signed and sent, one at a time.
//!
//! What holds here: a transaction leaves only after its ticket is in the outbox; a number is given
//! only when every open transaction before it is with the node, so there is never a gap that would
//! keep later ones waiting; a submit is signed anew only when its earlier transaction can never be
//! mined. What becomes of a transaction afterwards is found out in [`settle`](super::settle).

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::network::TxSignerSync;
use alloy::primitives::{Address, Bytes, TxKind, U256};
use alloy::signers::local::PrivateKeySigner;
use gateway_core::{Fault, Outbox, SubmissionKey};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::client::{Broadcast, Node};
use super::config::EthereumConfig;
use super::fault;
use super::ticket::Ticket;

/// How often a submit is signed anew because someone else with the same account took its nonce.
const ATTEMPTS: usize = 5;
const WEI_PER_GWEI: u128 = 1_000_000_000;

/// What is to be sent.
pub(super) struct Order {
    pub(super) key: SubmissionKey,
    pub(super) function: String,
    pub(super) input: Bytes,
    /// What it returned when it was simulated.
    pub(super) output: Bytes,
}

/// The account that all submits of a backend are sent from.
pub(super) struct Sender {
    node: Arc<Node>,
    outbox: Arc<dyn Outbox>,
    signer: PrivateKeySigner,
    gas_limit: u64,
    max_fee: u128,
    priority_fee: u128,
    /// Transactions that were not mined when last looked, by nonce; `None` until the outbox was
    /// read. One that a reorganization throws out afterwards is sent again by its own lookup.
    open: Mutex<Option<BTreeMap<u64, Ticket>>>,
}

impl Sender {
    pub(super) fn new(
        node: Arc<Node>,
        outbox: Arc<dyn Outbox>,
        signer: PrivateKeySigner,
        config: &EthereumConfig,
    ) -> Self {
        let max_fee = u128::from(config.max_fee_gwei) * WEI_PER_GWEI;
        let priority_fee = u128::from(config.priority_fee_gwei) * WEI_PER_GWEI;
        Self {
            node,
            outbox,
            signer,
            gas_limit: config.gas_limit,
            max_fee,
            priority_fee: priority_fee.min(max_fee),
            open: Mutex::new(None),
        }
    }

    pub(super) fn account(&self) -> Address {
        self.signer.address()
    }

    /// The most that one transaction may cost, in wei; nodes want to see it in the account.
    pub(super) fn worst_cost(&self) -> U256 {
        U256::from(self.gas_limit) * U256::from(self.max_fee)
    }

    /// Sends it and says as what. It runs to its end even when the caller no longer waits: between
    /// the outbox and the node nothing stops it but the end of the process.
    ///
    /// # Errors
    /// `BackendUnavailable` when nothing was sent: there was no time left, the node was away, or it
    /// will not have the transaction. `Internal` when the outbox did not take the ticket.
    pub(super) async fn send(
        self: &Arc<Self>,
        order: Order,
        deadline: Instant,
    ) -> Result<Ticket, Fault> {
        let sender = self.clone();
        let sent = async move { sender.send_in_turn(&order, deadline).await };
        let sent = tokio::spawn(sent.in_current_span());
        sent.await.unwrap_or_else(|gone| Err(fault::interrupted(&gone)))
    }

    async fn send_in_turn(&self, order: &Order, deadline: Instant) -> Result<Ticket, Fault> {
        let mut held =
            timeout_at(deadline, self.open.lock()).await.map_err(|_| fault::no_time())?;
        let open = match &mut *held {
            Some(open) => open,
            none => none.insert(self.left_open().await?),
        };
        for _ in 0..ATTEMPTS {
            let nonce = timeout_at(deadline, self.next_nonce(open));
            let nonce = nonce.await.map_err(|_| fault::no_time())??;
            let ticket = self.sign(order, nonce)?;
            if Instant::now() >= deadline {
                return Err(fault::no_time());
            }
            let bytes = ticket.encode().map_err(fault::ticket)?;
            self.outbox.attach(&order.key, &bytes).await?;
            open.insert(nonce, ticket.clone());
            let answer = timeout_at(deadline, self.node.broadcast(&ticket.raw)).await;
            let Ok(Ok(refused @ (Broadcast::NonceTaken | Broadcast::Rejected(_)))) = answer else {
                // Where the answer was lost the transaction may have arrived, and is looked for.
                return Ok(ticket);
            };
            // Refused when it was first sent and unknown since: it is nowhere.
            let known = timeout_at(deadline, self.node.knows(ticket.hash)).await;
            if !matches!(known, Ok(Ok(false))) {
                return Ok(ticket);
            }
            open.remove(&nonce);
            if let Broadcast::Rejected(reason) = refused {
                return Err(fault::rejected(&reason));
            }
        }
        Err(fault::nonce_contended())
    }

    /// The lowest nonce that no transaction has, with everything before it known to the node.
    async fn next_nonce(&self, open: &mut BTreeMap<u64, Ticket>) -> Result<u64, Fault> {
        let (mined, pending) =
            self.node.nonces(self.account()).await.map_err(fault::unavailable)?;
        *open = open.split_off(&mined);
        let mut next = pending;
        while let Some(ticket) = open.get(&next) {
            // The node has lost it, or never had it because a process died before sending it.
            match self.node.broadcast(&ticket.raw).await.map_err(fault::unavailable)? {
                Broadcast::Accepted | Broadcast::NonceTaken => next += 1,
                Broadcast::Rejected(reason) => {
                    tracing::warn!(transaction = %ticket.hash, "sent again and rejected: {reason}");
                    open.remove(&next);
                }
            }
        }
        Ok(next)
    }

    fn sign(&self, order: &Order, nonce: u64) -> Result<Ticket, Fault> {
        let mut transaction = TxEip1559 {
            chain_id: self.node.chain_id,
            nonce,
            gas_limit: self.gas_limit,
            max_fee_per_gas: self.max_fee,
            max_priority_fee_per_gas: self.priority_fee,
            to: TxKind::Call(self.node.contract),
            value: U256::ZERO,
            access_list: Default::default(),
            input: order.input.clone(),
        };
        let signature =
            self.signer.sign_transaction_sync(&mut transaction).map_err(fault::unsigned)?;
        let signed = TxEnvelope::from(transaction.into_signed(signature));
        let (chain_id, account) = (self.node.chain_id, self.account());
        Ok(Ticket::new(chain_id, account, &signed, &order.function, order.output.clone()))
    }

    /// What earlier processes left open with this account. The outbox holds other backends' tickets
    /// too.
    async fn left_open(&self) -> Result<BTreeMap<u64, Ticket>, Fault> {
        let submissions = self.outbox.unsettled().await?;
        let tickets = submissions.iter().filter_map(|submission| {
            let ticket = Ticket::decode(submission.ticket.as_ref()?).ok()?;
            let ours = ticket.chain_id == self.node.chain_id && ticket.account == self.account();
            ours.then_some((ticket.nonce, ticket))
        });
        Ok(tickets.collect())
    }
}
