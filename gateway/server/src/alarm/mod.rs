//! Alarms about persons: one member that asks about many, one whom many ask about. Stated rules, in
//! windows of a stated length; nothing is learned. What is raised stays here for operators and goes into
//! the evidence log, where a person is a commitment.

mod distinct;
mod watch;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use gateway_core::journal::{RecordKind, Trail};
use gateway_core::quota::QuotaState;
use gateway_core::{Clock, ExchangeId, Journal, Pseudonym, Record};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::telemetry::Metrics;

pub use self::watch::{Seen, Watch};

/// Alarms that are kept for operators.
const KEPT: usize = 1_000;

/// One alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alarm {
    /// Names its entry in the evidence log.
    pub id: Uuid,
    /// When it was raised.
    pub at: Timestamp,
    /// The rule.
    pub rule: String,
    /// The member whose request raised it.
    pub member: String,
    /// The sector it asked in.
    pub sector: String,
    /// Of a person whom many ask about: a handle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// How many were counted when it was raised.
    pub count: u64,
    /// What the rule allows.
    pub limit: u64,
}

/// The alarms of this process.
pub struct Alarms {
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    raised: Mutex<VecDeque<Alarm>>,
}

impl Alarms {
    /// None yet.
    pub fn new(journal: Arc<dyn Journal>, clock: Arc<dyn Clock>, metrics: Arc<Metrics>) -> Self {
        Self { journal, clock, metrics, raised: Mutex::default() }
    }

    /// The last ones, the newest first.
    pub fn list(&self) -> Vec<Alarm> {
        let raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        raised.iter().rev().cloned().collect()
    }

    /// Keeps, counts and records one. The request that raised it does not wait for its entry.
    fn raise(self: &Arc<Self>, alarm: Alarm, state: QuotaState, person: Option<Pseudonym>) {
        self.metrics.alarm(&alarm.rule, &alarm.member);
        tracing::warn!(
            alarm.rule = %alarm.rule,
            caller.member = %alarm.member,
            alarm.count = alarm.count,
            "an alarm was raised"
        );
        let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        raised.push_back(alarm.clone());
        if raised.len() > KEPT {
            raised.pop_front();
        }
        drop(raised);
        let alarms = self.clone();
        tokio::spawn(async move { alarms.record(&alarm, state, person).await });
    }

    async fn record(&self, alarm: &Alarm, state: QuotaState, person: Option<Pseudonym>) {
        let trail = Trail { quota: vec![state], subject: person, ..Trail::default() };
        let said = serde_json::to_vec(alarm).unwrap_or_default();
        let record = Record {
            exchange: ExchangeId(alarm.id),
            kind: RecordKind::Administration,
            received: alarm.at,
            finished: self.clock.now(),
            front: "admin/alarm",
            trail: &trail,
            request: &said,
            reply: &[],
            fault: None,
        };
        if let Err(fault) = self.journal.append(record).await {
            tracing::error!("an alarm is not in the evidence log: {fault}");
        }
    }
}

#[cfg(test)]
mod tests;
