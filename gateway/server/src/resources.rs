//! What is opened once and stays open for the life of the process: the store, the evidence log, the
//! metrics. Every [`Deployment`](crate::deployment::Deployment) works on the same ones.

use std::sync::Arc;
use std::time::Duration;

use gateway_core::{Clock, Journal};
use gateway_journal::{CommitmentKey, Log, LogConfig, LogKey, NotaryConfig, Vault};
use gateway_store::{ArchiveStore, ConsentStore, QuotaCount, Store};
use tokio::sync::{Mutex, Notify};

use crate::alarm::Alarms;
use crate::bodies;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::consents::receipt::ReceiptSigner;
use crate::mirrors::Mirrors;
use crate::people::session::Sessions;
use crate::registry::Registry;
use crate::serve::{ServeError, opening};
use crate::telemetry::{Metrics, Observed};

/// What outlives every deployment.
#[derive(Clone)]
pub struct Resources {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Submits under way and letters.
    pub store: Arc<Store>,
    /// Members as they are registered at run time.
    pub registry: Arc<Registry>,
    /// What is kept beside the evidence log.
    pub archive: Arc<ArchiveStore>,
    /// What persons agreed to.
    pub consents: Arc<ConsentStore>,
    /// What signs the receipts of consents, where it is configured.
    pub receipts: Option<Arc<ReceiptSigner>>,
    /// The keys of what is kept sealed there; none when no bodies are kept.
    pub vault: Option<Arc<Vault>>,
    /// Held by who erases: one at a time.
    pub erasing: Arc<Mutex<()>>,
    /// Who is in the pages for people, where there are any.
    pub sessions: Option<Arc<Sessions>>,
    /// The evidence log.
    pub log: Arc<Log>,
    /// The same, observed: every exit passes it once.
    pub journal: Arc<dyn Journal>,
    /// Told when there may be a letter to work on.
    pub letters_due: Arc<Notify>,
    /// What `/metrics` tells.
    pub metrics: Arc<Metrics>,
    /// Queries asked elsewhere, and what came of it.
    pub mirrors: Arc<Mirrors>,
    /// What was seen that should not be.
    pub alarms: Arc<Alarms>,
    /// What an earlier process has kept of daily and monthly quotas.
    pub quota_counts: Arc<[QuotaCount]>,
}

impl Resources {
    /// Opens them.
    ///
    /// # Errors
    /// When one cannot be opened; it says what to do.
    pub async fn open(
        config: &Config,
        log_key: LogKey,
        commitments: CommitmentKey,
        notary: Option<NotaryConfig>,
        receipts: Option<ReceiptSigner>,
    ) -> Result<Self, ServeError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = Arc::new(open_store(config, clock.clone()).await?);
        let quota_counts = store.quota_counts().await.map_err(opening("what is used of quotas"))?;
        let quota_counts = quota_counts.into();
        let consents = Arc::new(open_consents(config, clock.clone()).await?);
        let receipts = receipts.map(Arc::new);
        let people = config.listen.people.as_ref();
        let sessions = people.map(|people| Arc::new(Sessions::new(&people.url)));
        let registry = Registry::open(store.clone(), clock.clone()).await;
        let registry = Arc::new(registry.map_err(opening("the members of the store"))?);
        let archive = Arc::new(open_archive(config).await?);
        let log = open_log(config, log_key, commitments, notary, archive.clone()).await?;
        let log = Arc::new(log);
        let vault = bodies::open(config, archive.clone()).await?;
        vault.iter().for_each(|vault| log.keep_bodies(vault.clone()));
        let metrics = Arc::new(Metrics::new().map_err(opening("the metrics"))?);
        let journal: Arc<dyn Journal> =
            Arc::new(Observed { journal: log.clone(), metrics: metrics.clone() });
        let mirrors = Arc::new(Mirrors::new(metrics.clone()));
        let alarms = Alarms::new(journal.clone(), clock.clone(), metrics.clone());
        let alarms = Arc::new(alarms);
        let letters_due = Arc::default();
        Ok(Self {
            clock,
            store,
            registry,
            archive,
            consents,
            receipts,
            vault,
            erasing: Arc::default(),
            sessions,
            log,
            journal,
            letters_due,
            metrics,
            mirrors,
            alarms,
            quota_counts,
        })
    }
}

async fn open_store(config: &Config, clock: Arc<dyn Clock>) -> Result<Store, ServeError> {
    let folder = config.path(&config.gateway.state);
    let what = || format!("the store in {}", folder.display());
    std::fs::create_dir_all(&folder).map_err(opening(what()))?;
    let keep = Duration::from_secs(24 * 60 * 60 * u64::from(config.gateway.idempotency_days));
    Store::open(&folder.join("naru.sqlite"), clock, keep).await.map_err(opening(what()))
}

async fn open_archive(config: &Config) -> Result<ArchiveStore, ServeError> {
    let file = config.path(&config.gateway.state).join("archive.sqlite");
    let opened = ArchiveStore::open(&file).await;
    opened.map_err(opening(format!("the archive {}", file.display())))
}

async fn open_consents(config: &Config, clock: Arc<dyn Clock>) -> Result<ConsentStore, ServeError> {
    let file = match &config.consent.store {
        Some(file) => config.path(file),
        None => config.path(&config.gateway.state).join("consents.sqlite"),
    };
    let what = format!("the consents in {}", file.display());
    ConsentStore::open(&file, clock).await.map_err(opening(what))
}

async fn open_log(
    config: &Config,
    key: LogKey,
    commitments: CommitmentKey,
    notary: Option<NotaryConfig>,
    archive: Arc<ArchiveStore>,
) -> Result<Log, ServeError> {
    let directory = config.path(&config.log.directory);
    let what = format!("the log in {}", directory.display());
    let config = LogConfig {
        directory,
        origin: config.log.origin.clone(),
        publish_interval: Duration::from_secs(config.log.publish_seconds),
        notary,
    };
    Log::open_with(config, key, commitments, Some(archive)).await.map_err(opening(what))
}
