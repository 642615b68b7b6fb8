//! Calls that wait together travel together: one HTTP request carries every `eth_call` that came
//! while the ones before were under way, as a JSON-RPC batch (JSON-RPC 2.0, section 6). A call that
//! comes alone goes alone and at once.

use std::sync::{Arc, Mutex, PoisonError};

use alloy::eips::BlockId;
use alloy::primitives::Bytes;
use alloy::rpc::client::RpcClient;
use alloy::rpc::types::TransactionRequest;
use alloy::transports::{RpcError, TransportError};
use tokio::sync::oneshot;

use super::client::{Called, NodeError};

/// HTTP requests under way at once before calls begin to wait for company.
const SENDERS: usize = 2;

/// The calls of one node.
#[derive(Clone)]
pub(super) struct Calls {
    client: RpcClient,
    /// Calls in one HTTP request at most.
    limit: usize,
    queue: Arc<Mutex<Queue>>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    senders: usize,
}

type Outcome = Result<Called, NodeError>;

struct Waiting {
    call: (TransactionRequest, BlockId),
    outcome: oneshot::Sender<Outcome>,
}

impl Calls {
    pub(super) fn new(client: RpcClient, limit: usize) -> Self {
        Self { client, limit, queue: Arc::default() }
    }

    /// Calls on the state after `block`.
    pub(super) async fn call(&self, request: TransactionRequest, block: BlockId) -> Outcome {
        let (outcome, arrived) = oneshot::channel();
        if self.join(Waiting { call: (request, block), outcome }) {
            // A task of its own: whoever came first may give up, and the others still wait.
            tokio::spawn(self.clone().send());
        }
        arrived.await.unwrap_or(Err(NodeError::Unreachable))
    }

    /// Whether one more sender is wanted.
    fn join(&self, waiting: Waiting) -> bool {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.waiting.push(waiting);
        let wanted = queue.senders < SENDERS;
        queue.senders += usize::from(wanted);
        wanted
    }

    /// What waits, up to the limit; empty when this sender has nothing more to do.
    fn take(&self) -> Vec<Waiting> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        // While a node hung, some gave up: what nobody waits for must not delay the others.
        queue.waiting.retain(|waiting| !waiting.outcome.is_closed());
        let count = queue.waiting.len().min(self.limit);
        queue.senders -= usize::from(count == 0);
        queue.waiting.drain(..count).collect()
    }

    /// Sends until nothing waits.
    async fn send(self) {
        loop {
            let mut taken = self.take();
            match (taken.pop(), taken.is_empty()) {
                (None, _) => return,
                (Some(alone), true) => {
                    let answer = self.client.request("eth_call", alone.call).await;
                    // Whoever asked may have given up.
                    let _ = alone.outcome.send(called(answer));
                }
                (Some(last), false) => {
                    taken.push(last);
                    self.send_batch(taken).await;
                }
            }
        }
    }

    async fn send_batch(&self, taken: Vec<Waiting>) {
        let mut batch = self.client.new_batch();
        let mut answers = Vec::with_capacity(taken.len());
        for Waiting { call, outcome } in taken {
            match batch.add_call::<_, Bytes>("eth_call", &call) {
                Ok(answer) => answers.push((answer, outcome)),
                Err(error) => drop(outcome.send(Err(error.into()))),
            }
        }
        let sent = batch.send().await.map_err(NodeError::from);
        for (answer, outcome) in answers {
            let _ = outcome.send(match &sent {
                Ok(()) => called(answer.await),
                Err(error) => Err(error.clone()),
            });
        }
    }
}

fn called(answer: Result<Bytes, TransportError>) -> Outcome {
    match answer {
        Ok(output) => Ok(Called::Returned(output)),
        Err(RpcError::ErrorResp(error)) if is_revert(error.code, &error.message) => {
            Ok(Called::Reverted(error.as_revert_data().unwrap_or_default()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether a call's error is the contract's refusal: code 3 in go-ethereum and those that follow it.
fn is_revert(code: i64, message: &str) -> bool {
    code == 3 || message.contains("revert")
}

#[cfg(test)]
mod tests;
