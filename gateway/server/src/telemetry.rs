//! Logs and metrics. Nothing personal: identifiers of exchanges, members, services and faults.

mod backend;

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use gateway_core::journal::RecordKind;
use gateway_core::{Fault, Journal, Receipt, Record};
use gateway_journal::Standing;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};
use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, LogOutput};

pub use backend::{BackendMetrics, BackendObserver};

/// Starts logging to standard output.
///
/// # Errors
/// When the filter cannot be read, or logging was started before.
pub fn start_logging(output: &LogOutput) -> Result<(), Box<dyn Error + Send + Sync>> {
    let filter = EnvFilter::try_new(&output.filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_target(false);
    match output.format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.try_init(),
    }
}

/// What `/metrics` tells.
pub struct Metrics {
    registry: Registry,
    exchanges: IntCounterVec,
    seconds: HistogramVec,
    turned_away: IntCounterVec,
    configuration: IntGaugeVec,
    mirrored: IntCounterVec,
    mirror_differences: IntCounterVec,
    /// What happens at backends.
    pub backends: BackendMetrics,
    /// Reloads, `applied` and `refused`.
    pub reloads: IntCounterVec,
    batch_records: IntCounterVec,
    batch_files: IntCounterVec,
    letters: IntCounterVec,
    quotas: IntCounterVec,
    alarms: IntCounterVec,
    /// Exchanges under way.
    pub in_flight: IntGauge,
    log_entries: IntGaugeVec,
    log_missing: IntGauge,
}

impl Metrics {
    /// Registers every metric.
    ///
    /// # Errors
    /// Never with these names; the library cannot know.
    pub fn new() -> Result<Self, prometheus::Error> {
        let labels = ["front", "service", "outcome"];
        let buckets = vec![0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];
        let exchanges = Opts::new("naru_exchanges_total", "Journaled exchanges by outcome.");
        let seconds = HistogramOpts::new("naru_exchange_seconds", "From last byte in to reply.");
        let turned_away =
            Opts::new("naru_turned_away_total", "Refused before decoding, not journaled.");
        let configuration =
            Opts::new("naru_configuration", "Which deployment of this process serves, by digest.");
        let reloads = Opts::new("naru_reloads_total", "Reloads by outcome.");
        let batch_records = Opts::new("naru_batch_records_total", "Records of batch files.");
        let batch_files = Opts::new("naru_batch_files_total", "Batch files whose result is out.");
        let mirrored =
            Opts::new("naru_mirrored_total", "Queries asked elsewhere, by what came of it.");
        let differences = Opts::new(
            "naru_mirror_differences_total",
            "Answers that differed elsewhere, by field.",
        );
        let log_entries =
            Opts::new("naru_log_entries", "Log entries that are published, cosigned, stamped.");
        let quotas = Opts::new(
            "naru_quota_total",
            "What each quota policy said: allowed, refused, or shadow-refused where it only counts.",
        );
        let alarms = Opts::new("naru_alarms_total", "Alarms about persons, by rule and member.");
        let registry = Registry::new();
        let letters = Opts::new("naru_letters_total", "Letters worked on, by what came of it.");
        let metrics = Self {
            backends: BackendMetrics::new(&registry)?,
            registry,
            exchanges: IntCounterVec::new(exchanges, &labels)?,
            seconds: HistogramVec::new(seconds.buckets(buckets), &["front"])?,
            turned_away: IntCounterVec::new(turned_away, &["reason"])?,
            mirrored: IntCounterVec::new(mirrored, &["service", "mapping", "outcome"])?,
            mirror_differences: IntCounterVec::new(differences, &["service", "mapping", "field"])?,
            configuration: IntGaugeVec::new(configuration, &["digest"])?,
            reloads: IntCounterVec::new(reloads, &["outcome"])?,
            batch_records: IntCounterVec::new(batch_records, &["member", "outcome"])?,
            batch_files: IntCounterVec::new(batch_files, &["member", "outcome"])?,
            quotas: IntCounterVec::new(quotas, &["policy", "outcome"])?,
            alarms: IntCounterVec::new(alarms, &["rule", "member"])?,
            letters: IntCounterVec::new(letters, &["task", "outcome"])?,
            in_flight: IntGauge::new("naru_exchanges_in_flight", "Exchanges under way.")?,
            log_entries: IntGaugeVec::new(log_entries, &["state"])?,
            log_missing: IntGauge::new("naru_log_missing", "Witnesses and authorities missing.")?,
        };
        metrics.registry.register(Box::new(metrics.exchanges.clone()))?;
        metrics.registry.register(Box::new(metrics.seconds.clone()))?;
        metrics.registry.register(Box::new(metrics.turned_away.clone()))?;
        metrics.registry.register(Box::new(metrics.mirrored.clone()))?;
        metrics.registry.register(Box::new(metrics.mirror_differences.clone()))?;
        metrics.registry.register(Box::new(metrics.configuration.clone()))?;
        metrics.registry.register(Box::new(metrics.reloads.clone()))?;
        metrics.registry.register(Box::new(metrics.batch_records.clone()))?;
        metrics.registry.register(Box::new(metrics.batch_files.clone()))?;
        metrics.registry.register(Box::new(metrics.letters.clone()))?;
        metrics.registry.register(Box::new(metrics.alarms.clone()))?;
        metrics.registry.register(Box::new(metrics.quotas.clone()))?;
        metrics.registry.register(Box::new(metrics.in_flight.clone()))?;
        metrics.registry.register(Box::new(metrics.log_entries.clone()))?;
        metrics.registry.register(Box::new(metrics.log_missing.clone()))?;
        Ok(metrics)
    }

    /// Prometheus text.
    pub fn render(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }

    /// Shows which deployment serves: its generation, under the digest of its configuration.
    pub fn deployed(&self, generation: u64, digest: &str) {
        self.configuration.reset();
        let generation = i64::try_from(generation).unwrap_or(i64::MAX);
        self.configuration.with_label_values(&[digest]).set(generation);
    }

    /// Shows how the log stands with its witnesses and time stamps.
    pub fn log_stands(&self, standing: &Standing) {
        let size = |last: Option<(u64, jiff::Timestamp)>| last.map_or(0, |(size, _)| size);
        let states = [
            ("published", standing.published),
            ("cosigned", size(standing.cosigned)),
            ("stamped", size(standing.stamped)),
        ];
        for (state, entries) in states {
            let entries = i64::try_from(entries).unwrap_or(i64::MAX);
            self.log_entries.with_label_values(&[state]).set(entries);
        }
        self.log_missing.set(i64::try_from(standing.missing.len()).unwrap_or(i64::MAX));
    }

    /// Counts a query that was asked elsewhere, and the fields in which its answer differed.
    pub fn mirrored(&self, service: &str, mapping: &str, outcome: &str, fields: &[String]) {
        self.mirrored.with_label_values(&[service, mapping, outcome]).inc();
        for field in fields {
            self.mirror_differences.with_label_values(&[service, mapping, field]).inc();
        }
    }

    /// Counts a request that was not even decoded.
    pub fn turned_away(&self, reason: &str) {
        self.turned_away.with_label_values(&[reason]).inc();
    }

    /// Counts an alarm.
    pub fn alarm(&self, rule: &str, member: &str) {
        self.alarms.with_label_values(&[rule, member]).inc();
    }

    /// Counts a record of a batch file whose result is written.
    pub fn batch_record(&self, member: &str, answered: bool) {
        let outcome = if answered { "answered" } else { "refused" };
        self.batch_records.with_label_values(&[member, outcome]).inc();
    }

    /// Counts a batch file whose result is delivered.
    pub fn batch_file(&self, member: &str, taken: bool) {
        let outcome = if taken { "taken" } else { "refused" };
        self.batch_files.with_label_values(&[member, outcome]).inc();
    }

    /// Counts one try of a letter; `postponed`, or the state it ended in.
    pub fn letter(&self, task: &str, outcome: &str) {
        self.letters.with_label_values(&[task, outcome]).inc();
    }

    fn count(&self, record: &Record<'_>) {
        let service =
            record.trail.envelope.as_ref().map(|envelope| envelope.service.id.to_string());
        let service = service.as_deref().unwrap_or("");
        let outcome = record.fault.map_or_else(|| "ok".to_owned(), |fault| fault.kind.to_string());
        self.exchanges.with_label_values(&[record.front, service, &outcome]).inc();
        self.seconds.with_label_values(&[record.front]).observe(elapsed(record));
        for state in &record.trail.quota {
            let outcome = match (state.violated, state.shadow) {
                (false, _) => "allowed",
                (true, false) => "refused",
                (true, true) => "shadow-refused",
            };
            self.quotas.with_label_values(&[&*state.policy, outcome]).inc();
        }
    }
}

fn elapsed(record: &Record<'_>) -> f64 {
    record.finished.duration_since(record.received).as_secs_f64()
}

/// A journal that also counts and logs what it is given: every exit passes here once.
pub struct Observed {
    /// The journal.
    pub journal: Arc<dyn Journal>,
    /// Where to count.
    pub metrics: Arc<Metrics>,
}

#[async_trait]
impl Journal for Observed {
    async fn append(&self, record: Record<'_>) -> Result<Receipt, Fault> {
        if record.kind == RecordKind::Exchange {
            self.metrics.count(&record);
        }
        log(&record);
        self.journal.append(record).await
    }

    fn writable(&self) -> Result<(), Fault> {
        self.journal.writable()
    }
}

fn log(record: &Record<'_>) {
    let trail = record.trail;
    let service = trail.envelope.as_ref().map(|envelope| &envelope.service.id);
    let member = trail.caller.as_ref().map(|caller| &*caller.member.0).unwrap_or_default();
    let milliseconds = elapsed(record) * 1_000.0;
    match record.fault {
        None => tracing::info!(
            exchange.id = %record.exchange,
            exchange.kind = ?record.kind,
            front.name = record.front,
            service.id = service.map(tracing::field::display),
            caller.member = member,
            milliseconds,
            "answered"
        ),
        Some(fault) => tracing::info!(
            exchange.id = %record.exchange,
            exchange.kind = ?record.kind,
            front.name = record.front,
            service.id = service.map(tracing::field::display),
            caller.member = member,
            fault.kind = %fault.kind,
            fault.code = %fault.code,
            fault.context = %fault,
            milliseconds,
            "refused"
        ),
    }
}
