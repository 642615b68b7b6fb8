//! A newer configuration in place of the running one, without a request lost.
//!
//! The file is read and checked by the same code as `naru check`, then exchanged whole: what is in
//! flight finishes on the old [`Deployment`], what comes next meets the new one. Anything wrong
//! leaves the old one in place. So does a change that only a restart can make, so that what runs is
//! always what one file says.

use std::path::PathBuf;

use gateway_core::journal::{RecordKind, Trail};
use gateway_core::{Caller, ExchangeId, Fault, Receipt, Record};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::config::{Config, Problem};
use crate::deployment::Deployment;
use crate::listen::Gateway;
use crate::plan::Plan;
use crate::resources::Resources;
use crate::serve::ServeError;

/// Reloads one file, one reload after the other.
pub struct Reloader {
    file: PathBuf,
    gateway: Gateway,
    resources: Resources,
    turn: Mutex<()>,
}

/// A reload that took place.
#[derive(Debug)]
pub struct Reloaded {
    /// Which deployment of this process serves now.
    pub generation: u64,
    /// What it was made from; see [`crate::fingerprint`].
    pub configuration: String,
    /// For the entry that says so in the evidence log.
    pub receipt: Receipt,
}

/// Why the running configuration stays.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The file is no configuration that this process can run.
    #[error("{} problem(s) in the configuration", .0.len())]
    Problems(Vec<Problem>),
    /// A backend could not be opened.
    #[error(transparent)]
    Open(#[from] ServeError),
    /// The act could not be recorded, so it was not done.
    #[error("the reload could not be recorded")]
    Unrecorded(#[source] Box<Fault>),
}

impl Reloader {
    /// Reloads `file` into `gateway`.
    pub fn new(file: PathBuf, gateway: Gateway, resources: Resources) -> Self {
        Self { file, gateway, resources, turn: Mutex::new(()) }
    }

    /// Reads the file again and serves what it says from now on. `operator` is who asked for it;
    /// none when it was a signal.
    ///
    /// # Errors
    /// [`ReloadError`]; then nothing has changed.
    pub async fn reload(&self, operator: Option<Caller>) -> Result<Reloaded, ReloadError> {
        let _turn = self.turn.lock().await;
        let reloaded = self.try_reload(operator).await;
        let metrics = &self.resources.metrics;
        match &reloaded {
            Ok(Reloaded { generation, configuration, .. }) => {
                metrics.deployed(*generation, configuration);
                metrics.reloads.with_label_values(&["applied"]).inc();
                tracing::info!(generation, configuration, "reloaded");
            }
            Err(error) => {
                metrics.reloads.with_label_values(&["refused"]).inc();
                tracing::error!("not reloaded, the running configuration stays: {error}");
                for problem in error.problems() {
                    tracing::error!(config.path = %problem.path, "{}", problem.message);
                }
            }
        }
        reloaded
    }

    async fn try_reload(&self, operator: Option<Caller>) -> Result<Reloaded, ReloadError> {
        let running = self.gateway.current();
        let file = self.file.clone();
        let planned = tokio::task::spawn_blocking(move || plan(&file)).await;
        let plan = planned.unwrap_or_else(|gone| Err(vec![Problem::new("(defect)", gone)]));
        let plan = plan.map_err(ReloadError::Problems)?;
        let fixed = plan.deployable.source.wants_restart(&running.source);
        if !fixed.is_empty() {
            return Err(ReloadError::Problems(fixed));
        }
        let next = Deployment::new(plan.deployable, &self.resources, Some(&running))?;
        let receipt = self.record(&next, operator).await?;
        let generation = next.generation;
        let configuration = next.fingerprint.configuration.clone();
        self.gateway.deploy(next);
        Ok(Reloaded { generation, configuration, receipt })
    }

    async fn record(
        &self,
        next: &Deployment,
        operator: Option<Caller>,
    ) -> Result<Receipt, ReloadError> {
        let trail = Trail {
            configuration: Some(next.pipeline.configuration.clone()),
            caller: operator,
            ..Trail::default()
        };
        let now = self.resources.clock.now();
        let record = Record {
            exchange: ExchangeId(Uuid::now_v7()),
            kind: RecordKind::Administration,
            received: now,
            finished: now,
            front: "admin/reload",
            trail: &trail,
            request: &[],
            reply: &[],
            fault: None,
        };
        let recorded = self.resources.journal.append(record).await;
        recorded.map_err(|fault| ReloadError::Unrecorded(Box::new(fault)))
    }
}

impl ReloadError {
    /// What is wrong with the file, one by one.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Problems(problems) => problems,
            Self::Open(_) | Self::Unrecorded(_) => &[],
        }
    }
}

/// Reads and checks a configuration file and everything it names.
///
/// # Errors
/// Every problem found, each with its key path or file.
pub fn plan(file: &std::path::Path) -> Result<Plan, Vec<Problem>> {
    Config::read(file).and_then(Plan::new)
}
