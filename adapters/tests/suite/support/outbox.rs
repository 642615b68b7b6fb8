//! An outbox in memory, and what can happen to a process while it attaches.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use gateway_core::outbox::{Begun, Submission};
use gateway_core::{Answer, Fault, Outbox, SubmissionKey};

use super::exchange;

/// Called after a ticket was kept, before `attach` returns.
type Hook = Box<dyn Fn() -> BoxFuture<'static, Result<(), Fault>> + Send + Sync>;

/// Keeps tickets. It holds no claims: the pipeline's side of the outbox is tested with the store.
#[derive(Default)]
pub(crate) struct MemoryOutbox {
    tickets: Mutex<BTreeMap<[u8; 32], Vec<u8>>>,
    hook: Mutex<Option<Hook>>,
}

impl MemoryOutbox {
    /// Runs `hook` in the next `attach`, once.
    pub(crate) fn at_next_attach<F>(&self, hook: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        *self.hook.lock().unwrap() = Some(Box::new(move || Box::pin(hook())));
    }

    /// The process dies in the next `attach`, once the ticket is kept.
    pub(crate) fn die_at_next_attach(&self) {
        self.at_next_attach(std::future::pending);
    }

    pub(crate) fn ticket(&self, key: &SubmissionKey) -> Option<Vec<u8>> {
        self.tickets.lock().unwrap().get(&key.0).cloned()
    }

    /// The submission as the next process finds it.
    pub(crate) fn left_of(&self, key: SubmissionKey) -> Submission {
        exchange::left_of(key, self.ticket(&key))
    }
}

#[async_trait]
impl Outbox for MemoryOutbox {
    async fn begin(&self, _: &Submission, _: &[u8; 32]) -> Result<Begun, Fault> {
        Ok(Begun::Fresh)
    }

    async fn claim(&self, _: &SubmissionKey) -> Result<bool, Fault> {
        Ok(true)
    }

    async fn attach(&self, key: &SubmissionKey, ticket: &[u8]) -> Result<(), Fault> {
        let hook = self.hook.lock().unwrap().take();
        self.tickets.lock().unwrap().insert(key.0, ticket.to_vec());
        match hook {
            Some(hook) => hook().await,
            None => Ok(()),
        }
    }

    async fn withdraw(&self, key: &SubmissionKey) -> Result<(), Fault> {
        self.tickets.lock().unwrap().remove(&key.0);
        Ok(())
    }

    async fn settle(&self, _: &SubmissionKey, _: &Result<Answer, Fault>) -> Result<(), Fault> {
        Ok(())
    }

    async fn release(&self, _: &SubmissionKey) -> Result<(), Fault> {
        Ok(())
    }

    async fn unsettled(&self) -> Result<Vec<Submission>, Fault> {
        let tickets = self.tickets.lock().unwrap();
        let left = |(key, ticket): (&[u8; 32], &Vec<u8>)| {
            exchange::left_of(SubmissionKey(*key), Some(ticket.clone()))
        };
        Ok(tickets.iter().map(left).collect())
    }
}
