//! Queries asked elsewhere, beside their callers: so many at once and no more, counted, and the
//! last differences kept to be read by an operator.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use gateway_core::mirror::{Comparison, Mirror, Mirrored};
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::telemetry::Metrics;

/// Comparisons under way at once; what comes beyond them is not compared.
const AT_ONCE: usize = 32;
/// Differences that are kept.
const KEPT: usize = 500;

/// Asks elsewhere, and remembers where answers differed.
pub struct Mirrors {
    metrics: Arc<Metrics>,
    permits: Arc<Semaphore>,
    differences: Arc<Mutex<VecDeque<Difference>>>,
}

/// An answer that was another one elsewhere. Nothing personal: paths, no values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The exchange it was; its record in the evidence log says the rest.
    pub exchange: String,
    /// The service.
    pub service: String,
    /// The mapping that was tried.
    pub mapping: String,
    /// Which fields differed; none when there was no answer.
    pub fields: Vec<String>,
    /// The kind and code of the fault, when there was no answer.
    pub fault: Option<String>,
}

impl Mirrors {
    /// Counts in `metrics`.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        Self { metrics, permits, differences: Arc::default() }
    }

    /// The last differences, the newest first.
    pub fn differences(&self) -> Vec<Difference> {
        let kept = self.differences.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().rev().cloned().collect()
    }
}

impl Mirror for Mirrors {
    fn offer(&self, mirrored: Mirrored) -> bool {
        let service = mirrored.admitted.envelope().service.id.to_string();
        let mapping = mirrored.target.mapping.id().to_owned();
        let Ok(permit) = self.permits.clone().try_acquire_owned() else {
            self.metrics.mirrored(&service, &mapping, "skipped", &[]);
            return false;
        };
        let (metrics, differences) = (self.metrics.clone(), self.differences.clone());
        tokio::spawn(async move {
            let _permit = permit;
            let exchange = mirrored.occasion.exchange.to_string();
            let (outcome, fields, fault) = match mirrored.compare().await {
                Comparison::Same => return metrics.mirrored(&service, &mapping, "same", &[]),
                Comparison::Different(fields) => ("different", fields, None),
                Comparison::Failed(fault) => {
                    ("failed", Vec::new(), Some(format!("{}/{}", fault.kind, fault.code)))
                }
            };
            metrics.mirrored(&service, &mapping, outcome, &fields);
            let difference = Difference { exchange, service, mapping, fields, fault };
            let mut kept = differences.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push_back(difference);
            if kept.len() > KEPT {
                kept.pop_front();
            }
        });
        true
    }
}
