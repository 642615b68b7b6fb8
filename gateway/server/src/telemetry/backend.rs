//! What `/metrics` tells of each backend.

use adapters::layer::{Circuit, Event, Observe};
use gateway_core::Operation;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, exponential_buckets,
};

/// The metrics of all backends.
#[derive(Clone)]
pub struct BackendMetrics {
    calls: IntCounterVec,
    seconds: HistogramVec,
    retries: IntCounterVec,
    hedges: IntCounterVec,
    circuit: IntGaugeVec,
}

/// Counts what happens at one backend.
pub struct BackendObserver {
    metrics: BackendMetrics,
    backend: String,
}

impl BackendMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// Never with these names; the library cannot know.
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let by_backend = ["backend"];
        let calls = Opts::new("naru_backend_calls_total", "Attempts at a backend by outcome.");
        let seconds = HistogramOpts::new("naru_backend_seconds", "One attempt at a backend.");
        let seconds = seconds.buckets(exponential_buckets(0.001, 2.0, 15)?);
        let retries = Opts::new("naru_backend_retries_total", "Queries asked again.");
        let hedges = Opts::new("naru_backend_hedges_total", "Late queries asked a second time.");
        let circuit = Opts::new("naru_backend_circuit", "0 closed, 1 half open, 2 open.");
        let metrics = Self {
            calls: IntCounterVec::new(calls, &["backend", "operation", "outcome"])?,
            seconds: HistogramVec::new(seconds, &["backend", "operation"])?,
            retries: IntCounterVec::new(retries, &by_backend)?,
            hedges: IntCounterVec::new(hedges, &by_backend)?,
            circuit: IntGaugeVec::new(circuit, &by_backend)?,
        };
        registry.register(Box::new(metrics.calls.clone()))?;
        registry.register(Box::new(metrics.seconds.clone()))?;
        registry.register(Box::new(metrics.retries.clone()))?;
        registry.register(Box::new(metrics.hedges.clone()))?;
        registry.register(Box::new(metrics.circuit.clone()))?;
        Ok(metrics)
    }

    /// Somebody who counts for this backend.
    pub fn observer(&self, backend: &str) -> BackendObserver {
        BackendObserver { metrics: self.clone(), backend: backend.to_owned() }
    }
}

impl Observe for BackendObserver {
    fn observe(&self, event: Event) {
        let Self { metrics, backend } = self;
        match event {
            Event::Called { operation, fault, took } => {
                let operation = match operation {
                    Operation::Query => "query",
                    Operation::Submit => "submit",
                };
                let outcome = fault.map_or_else(|| "ok".to_owned(), |kind| kind.to_string());
                metrics.calls.with_label_values(&[backend, operation, outcome.as_str()]).inc();
                let seconds = took.as_secs_f64();
                metrics.seconds.with_label_values(&[backend, operation]).observe(seconds);
            }
            Event::Retried => metrics.retries.with_label_values(&[backend]).inc(),
            Event::Hedged => metrics.hedges.with_label_values(&[backend]).inc(),
            Event::Circuit(circuit) => {
                let (state, name) = match circuit {
                    Circuit::Closed => (0, "closed"),
                    Circuit::HalfOpen => (1, "half open"),
                    Circuit::Open => (2, "open"),
                };
                tracing::info!(backend.name = %backend, "the circuit is {name}");
                metrics.circuit.with_label_values(&[backend]).set(state);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gateway_core::Kind;
    use prometheus::TextEncoder;

    use super::*;

    #[test]
    fn what_happens_at_a_backend_is_told_under_its_name() {
        let registry = Registry::new();
        let observer = BackendMetrics::new(&registry).unwrap().observer("ledger");
        let took = Duration::from_millis(5);
        let called = |operation, fault| Event::Called { operation, fault, took };
        observer.observe(called(Operation::Query, None));
        observer.observe(called(Operation::Submit, Some(Kind::OutcomeUnknown)));
        observer.observe(Event::Retried);
        observer.observe(Event::Circuit(Circuit::Open));
        let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        for line in [
            "naru_backend_calls_total{backend=\"ledger\",operation=\"query\",outcome=\"ok\"} 1",
            "naru_backend_calls_total{backend=\"ledger\",operation=\"submit\",outcome=\"OutcomeUnknown\"} 1",
            "naru_backend_seconds_count{backend=\"ledger\",operation=\"query\"} 1",
            "naru_backend_retries_total{backend=\"ledger\"} 1",
            "naru_backend_circuit{backend=\"ledger\"} 2",
        ] {
            assert!(text.lines().any(|told| told == line), "{line}:\n{text}");
        }
    }
}
