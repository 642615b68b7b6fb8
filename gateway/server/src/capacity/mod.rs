//! Turns at providers: so many calls at once as the backend's `concurrency` says, the others in a bounded
//! queue by priority. What would not be answered in time is refused at once, so that under overload
//! the work that is done is work that somebody still waits for.
//! See [ADR 19](../../../../docs/adr/0019-quotas-and-load-shedding.md).

mod queue;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use gateway_core::Fault;
use gateway_core::capacity::{Capacity, Claim, Turn, reduced};

use self::queue::Queue;
use crate::config::{self, Level};

/// The queues of all backends, and who goes first in them.
#[derive(Default)]
pub struct Turns {
    queues: HashMap<String, Arc<Queue>>,
    priorities: Vec<config::Priority>,
}

impl Turns {
    /// One queue for each backend.
    pub fn new(config: &config::Config) -> Self {
        let queue = |backend: &config::Backend| {
            let config::BackendCommon { name, concurrency, waiting, .. } = &backend.common;
            (name.clone(), Arc::new(Queue::new(concurrency.get(), *waiting)))
        };
        let queues = config.backends.iter().map(queue).collect();
        Self { queues, priorities: config.priorities.clone() }
    }

    /// Those who wait at a backend that is as it was keep their places.
    #[must_use]
    pub fn continuing(mut self, earlier: &Self) -> Self {
        for (name, queue) in &mut self.queues {
            if let Some(same) = earlier.queues.get(name).filter(|earlier| earlier.is_like(queue)) {
                *queue = same.clone();
            }
        }
        self
    }

    fn level(&self, claim: &Claim<'_>) -> Level {
        let rule = self.priorities.iter().find(|rule| applies(rule, claim));
        rule.map_or(if claim.yields { Level::Low } else { Level::Normal }, |rule| rule.level)
    }
}

fn applies(rule: &config::Priority, claim: &Claim<'_>) -> bool {
    let envelope = claim.admitted.envelope();
    let service = envelope.service.id.to_string();
    let named = |list: &[String], name: &str| list.is_empty() || list.iter().any(|one| one == name);
    named(&rule.members, &claim.admitted.caller().member.0)
        && named(&rule.services, &service)
        && named(&rule.fronts, &envelope.mapping)
}

#[async_trait]
impl Capacity for Turns {
    async fn turn(&self, claim: &Claim<'_>) -> Result<Turn, Fault> {
        let Some(queue) = self.queues.get(claim.provider) else {
            return Ok(Turn::default());
        };
        let entered = queue.enter(self.level(claim), claim.patience).await;
        let (held, waited) = entered.map_err(reduced)?;
        Ok(Turn { held: Some(Box::new(held)), waited })
    }
}

#[cfg(test)]
mod tests;
