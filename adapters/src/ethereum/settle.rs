//! What became of a transaction that was sent. The same code answers for a submit of this process
//! and for one that a dead process left, from the ticket and the chain alone, so both give the
//! same answer.

use alloy::eips::BlockId;
use alloy::primitives::B256;
use alloy::rpc::types::TransactionReceipt;
use gateway_core::adapter::Settlement;
use gateway_core::{Answer, Fault, LedgerProof, SubmissionKey};
use tokio::time::{Instant, sleep, timeout_at};

use super::client::{Called, NodeError};
use super::sender::Order;
use super::ticket::Ticket;
use super::{Ethereum, fault};

/// Where a transaction stands.
enum Standing {
    /// Under way: waiting, or mined and not deep enough.
    Open,
    /// Mined for good.
    Mined(Box<TransactionReceipt>),
    /// Another transaction was mined for good with its nonce, so it never can be.
    Dead,
}

impl Ethereum {
    /// Waits until the submit's outcome is final, or `deadline`.
    ///
    /// # Errors
    /// `BackendUnavailable` when the node cannot be asked.
    pub(super) async fn settle(
        &self,
        key: SubmissionKey,
        mut ticket: Ticket,
        deadline: Instant,
    ) -> Result<Settlement, Fault> {
        loop {
            match self.follow(&ticket, deadline).await? {
                Standing::Open => return Ok(Settlement::Pending),
                Standing::Mined(receipt) => {
                    let outcome = timeout_at(deadline, self.outcome(&ticket, &receipt)).await;
                    return outcome.map_or(Ok(Settlement::Pending), |outcome| {
                        outcome.map(Settlement::Settled)
                    });
                }
                Standing::Dead => match self.send_anew(key, &ticket, deadline).await? {
                    Ok(anew) => ticket = anew,
                    // Nodes that disagree may call a transaction dead that was mined; then the
                    // contract refuses the second one, and the first one is the answer.
                    Err(_) if self.is_mined(&ticket).await? => {}
                    Err(refusal) => return Ok(Settlement::Settled(Err(refusal))),
                },
            }
        }
    }

    /// Signs a submit anew whose transaction can never be mined, if the contract still takes it.
    async fn send_anew(
        &self,
        key: SubmissionKey,
        dead: &Ticket,
        deadline: Instant,
    ) -> Result<Result<Ticket, Fault>, Fault> {
        let input = dead.input().map_err(fault::ticket)?;
        let output = match self.simulate(&dead.function, input.clone(), deadline).await? {
            Ok(output) => output,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let function = dead.function.clone();
        let order = Order { key, function, input, output };
        self.sender.send(order, deadline).await.map(Ok)
    }

    async fn is_mined(&self, ticket: &Ticket) -> Result<bool, Fault> {
        let receipt = self.node.receipt(ticket.hash).await;
        Ok(receipt.map_err(fault::unavailable)?.is_some())
    }

    /// Looks until the transaction is decided or `deadline` passes.
    async fn follow(&self, ticket: &Ticket, deadline: Instant) -> Result<Standing, Fault> {
        let mut last = Err(NodeError::Unreachable);
        while let Ok(standing) = timeout_at(deadline, self.standing(ticket)).await {
            match standing {
                Ok(Standing::Open) | Err(_) => last = standing,
                Ok(decided) => return Ok(decided),
            }
            if timeout_at(deadline, sleep(self.poll)).await.is_err() {
                break;
            }
        }
        last.map_err(fault::unavailable)
    }

    /// Looks once. A transaction that the node does not have is handed to it again: the same bytes
    /// have the same hash and nonce, so they are at most one transaction.
    async fn standing(&self, ticket: &Ticket) -> Result<Standing, NodeError> {
        self.node.verify().await?;
        if let Some(receipt) = self.node.receipt(ticket.hash).await? {
            let mined = receipt.block_number;
            let settled = self.node.final_block().await?;
            let is_final =
                settled.is_some_and(|settled| mined.is_some_and(|mined| mined <= settled.number));
            return Ok(if is_final { Standing::Mined(Box::new(receipt)) } else { Standing::Open });
        }
        if self.node.knows(ticket.hash).await? {
            return Ok(Standing::Open);
        }
        if self.node.final_nonce(ticket.account).await? > ticket.nonce {
            // Asked after the nonce was seen used: if it was ours that used it, it shows now.
            let receipt = self.node.receipt(ticket.hash).await?;
            return Ok(receipt.map_or(Standing::Dead, |_| Standing::Open));
        }
        let answer = self.node.broadcast(&ticket.raw).await?;
        tracing::info!(transaction = %ticket.hash, ?answer, "sent again");
        Ok(Standing::Open)
    }

    /// What a transaction that is mined for good came to.
    async fn outcome(
        &self,
        ticket: &Ticket,
        receipt: &TransactionReceipt,
    ) -> Result<Result<Answer, Fault>, Fault> {
        let (Some(block), Some(block_hash)) = (receipt.block_number, receipt.block_hash) else {
            return Err(fault::unavailable(NodeError::Unreadable));
        };
        if !receipt.status() {
            return Ok(Err(self.lost(ticket, block_hash).await?));
        }
        let method = self.interface.method(&ticket.function);
        let method = method.ok_or_else(|| fault::unsupported(&ticket.function))?;
        let mut values = method.decode(&ticket.output).map_err(fault::unreadable)?;
        // What the chain says holds before what was simulated.
        for (name, value) in self.interface.events(self.node.contract, receipt.logs()).iter() {
            values.set(name, value.clone());
        }
        let proof = LedgerProof {
            network: self.network.clone(),
            transaction: Some(ticket.hash.to_string()),
            block,
            block_hash: block_hash.to_string(),
        };
        Ok(Ok(Answer { values, proof: Some(proof) }))
    }

    /// Why a transaction failed that had succeeded when it was simulated: another one was mined
    /// before it. A receipt does not say why, so it is called again on the state of its block.
    async fn lost(&self, ticket: &Ticket, block: B256) -> Result<Fault, Fault> {
        let input = ticket.input().map_err(fault::ticket)?;
        match self.node.call(ticket.account, input, BlockId::hash(block)).await {
            Ok(Called::Reverted(data)) => Ok(self.interface.refusal(&data)),
            // It ran out of gas, or the node no longer has that state. That it failed is certain.
            Ok(Called::Returned(_)) | Err(NodeError::Refused { .. }) => {
                Ok(self.interface.refusal(&[]))
            }
            Err(error) => Err(fault::unavailable(error)),
        }
    }
}
