//! Opening what was planned, running it, and stopping without losing what is in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use adapters::layer::Bounded;
use futures_util::future::join_all;
use gateway_core::route::{Route, Routes};
use gateway_core::{Adapter, Clock, Journal, MemberId, Pipeline};
use gateway_journal::{CommitmentKey, Log, LogConfig, LogKey};
use gateway_store::Store;
use mappings::{BatchFront, Catalog, TelegramFront};
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::admin::{self, Administration};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::listen::batch::BatchSettings;
use crate::listen::http::{HttpFronts, HttpSettings};
use crate::listen::telegram::TelegramSettings;
use crate::listen::{self, Gateway};
use crate::plan::{Plan, PlannedBackend};
use crate::telemetry::{Metrics, Observed};

/// Why the gateway does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Something could not be opened.
    #[error("{0} cannot be opened: {1}")]
    Open(String, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// A process left work behind and it cannot be read.
    #[error("what an earlier run left open cannot be settled: {0}")]
    Recovery(#[source] Box<gateway_core::Fault>),
}

fn opening<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    what: impl Into<String>,
) -> impl FnOnce(E) -> ServeError {
    let what = what.into();
    move |error| ServeError::Open(what, error.into())
}

/// How often idle state is swept and open submits are looked up.
const SWEEP: Duration = Duration::from_secs(10);

/// Runs the gateway until SIGTERM or SIGINT.
///
/// # Errors
/// When something cannot be opened; once it serves, it only stops when told.
pub async fn serve(plan: Plan) -> Result<(), ServeError> {
    let name = plan.config.gateway.name.clone();
    let running = Running::start(plan).await?;
    tracing::info!(gateway.name = %name, "ready");

    wait_for_signal().await.map_err(opening("the signal handlers"))?;
    tracing::info!("stopping: finishing what is in flight");
    running.stop().await?;
    tracing::info!("stopped");
    Ok(())
}

async fn open_store(config: &Config, clock: Arc<dyn Clock>) -> Result<Store, ServeError> {
    let folder = config.path(&config.gateway.state);
    let what = || format!("the store in {}", folder.display());
    std::fs::create_dir_all(&folder).map_err(opening(what()))?;
    let keep = Duration::from_secs(24 * 60 * 60 * u64::from(config.gateway.idempotency_days));
    Store::open(&folder.join("naru.sqlite"), clock, keep).await.map_err(opening(what()))
}

async fn open_log(
    config: &Config,
    key: LogKey,
    commitments: CommitmentKey,
) -> Result<Log, ServeError> {
    let directory = config.path(&config.log.directory);
    let what = format!("the log in {}", directory.display());
    let config = LogConfig {
        directory,
        origin: config.log.origin.clone(),
        publish_interval: Duration::from_secs(config.log.publish_seconds),
    };
    Log::open(config, key, commitments).await.map_err(opening(what))
}

/// A backend with its bounds around it.
struct OpenBackend {
    name: Arc<str>,
    deadline: Duration,
    adapter: Arc<dyn Adapter>,
}

fn open_backends(
    planned: Vec<PlannedBackend>,
    store: &Arc<Store>,
) -> Result<Vec<OpenBackend>, ServeError> {
    let open = |planned: PlannedBackend| {
        let PlannedBackend { name, deadline, concurrency, .. } = &planned;
        let (name, deadline, concurrency) = (name.as_str().into(), *deadline, *concurrency);
        let adapter = planned.open(store.clone()).map_err(opening(format!("backend {name}")))?;
        let adapter = Arc::new(Bounded::new(adapter, concurrency));
        Ok(OpenBackend { name, deadline, adapter })
    };
    planned.into_iter().map(open).collect()
}

/// Everything a route names was found when the plan was made.
fn routes(config: &Config, catalog: &Catalog, backends: &[OpenBackend]) -> Routes {
    let mut routes = Routes::default();
    for route in &config.routes {
        let backend = backends.iter().find(|backend| *backend.name == *route.backend);
        let (Some(backend), Some(mapping)) = (backend, catalog.mapping(&route.mapping)) else {
            continue;
        };
        for service in catalog.services() {
            if route.services.contains(&service.id.to_string()) {
                let route = Route {
                    name: backend.name.clone(),
                    mapping: mapping.clone(),
                    adapter: backend.adapter.clone(),
                    deadline: backend.deadline,
                };
                routes.add(service.id.clone(), route);
            }
        }
    }
    routes
}

/// A gateway that serves.
struct Running {
    gateway: Gateway,
    log: Arc<Log>,
    servers: Vec<ServerHandle>,
    ready: Arc<AtomicBool>,
    stop: CancellationToken,
    patience: Duration,
}

impl Running {
    /// Opens what was planned, settles what an earlier run left open, then listens.
    async fn start(plan: Plan) -> Result<Self, ServeError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let Plan { config, catalog, .. } = plan;
        let store = Arc::new(open_store(&config, clock.clone()).await?);
        let log = Arc::new(open_log(&config, plan.log_key, plan.commitment_key).await?);
        let metrics = Arc::new(Metrics::new().map_err(opening("the metrics"))?);
        let journal: Arc<dyn Journal> =
            Arc::new(Observed { journal: log.clone(), metrics: metrics.clone() });
        let backends = open_backends(plan.backends, &store)?;
        let members = plan.members.ids().to_vec();
        let pipeline = Arc::new(Pipeline {
            clock: clock.clone(),
            pseudonyms: plan.pseudonyms.clone(),
            authenticator: Arc::new(plan.members),
            authorizer: Arc::new(plan.policies),
            consents: store.clone(),
            quota: Arc::new(plan.quotas),
            routes: routes(&config, &catalog, &backends),
            outbox: store.clone(),
            journal: journal.clone(),
        });
        recover(&pipeline).await?;

        let mut running = Self {
            gateway: Gateway::new(pipeline, metrics.clone(), &config.listen.limits),
            log,
            servers: Vec::new(),
            ready: Arc::default(),
            stop: CancellationToken::new(),
            patience: Duration::from_secs(config.gateway.shutdown_seconds),
        };
        running.listen_http(&config, &plan.http_fronts, plan.tls)?;
        running.listen_telegram(&config, plan.telegram_fronts).await?;
        running.watch_folders(&config, plan.batch_fronts);
        running.administer(
            &config,
            Administration {
                registry: store,
                journal,
                pseudonyms: plan.pseudonyms,
                clock,
                services: catalog.services().cloned().collect(),
                members,
                operators: plan.operators,
                metrics,
                backends: backends.into_iter().map(|open| (open.name, open.adapter)).collect(),
                ready: running.ready.clone(),
            },
        )?;
        let sweeping = sweep(running.gateway.clone());
        tokio::spawn(running.stop.clone().run_until_cancelled_owned(sweeping));
        running.ready.store(true, Ordering::Release);
        Ok(running)
    }

    fn administer(
        &mut self,
        config: &Config,
        administration: Administration,
    ) -> Result<(), ServeError> {
        let address = config.admin.address;
        let server = admin::serve(administration, address, self.patience)
            .map_err(opening(format!("the admin listener {address}")))?;
        self.run(server);
        Ok(())
    }

    fn listen_http(
        &mut self,
        config: &Config,
        fronts: &HttpFronts,
        tls: Vec<Option<ServerConfig>>,
    ) -> Result<(), ServeError> {
        for (listener, tls) in config.listen.http.iter().zip(tls) {
            let settings = HttpSettings {
                address: listener.address,
                tls,
                workers: config.gateway.workers,
                body_bytes: config.listen.limits.body_bytes,
                message_timeout: Duration::from_secs(config.listen.limits.message_seconds),
                shutdown: self.patience,
            };
            let server = listen::http::serve(self.gateway.clone(), fronts.clone(), settings)
                .map_err(opening(format!("the HTTP listener {}", listener.address)))?;
            self.run(server);
        }
        Ok(())
    }

    async fn listen_telegram(
        &self,
        config: &Config,
        fronts: Vec<Arc<TelegramFront>>,
    ) -> Result<(), ServeError> {
        let limits = &config.listen.limits;
        for (listener, front) in config.listen.telegram.iter().zip(fronts) {
            let settings = TelegramSettings {
                idle: Duration::from_secs(listener.idle_seconds),
                message_timeout: Duration::from_secs(limits.message_seconds),
                body_bytes: limits.body_bytes,
                connections: limits.connections,
            };
            let what = format!("the telegram listener {}", listener.address);
            let socket = TcpListener::bind(listener.address).await.map_err(opening(what))?;
            let (gateway, stop) = (self.gateway.clone(), self.stop.clone());
            tokio::spawn(listen::telegram::serve(gateway, front, socket, settings, stop));
        }
        Ok(())
    }

    fn watch_folders(&self, config: &Config, fronts: Vec<Arc<BatchFront>>) {
        for (listener, front) in config.listen.batch.iter().zip(fronts) {
            let settings = BatchSettings {
                folder: config.path(&listener.folder),
                member: MemberId(listener.member.as_str().into()),
                poll: Duration::from_millis(listener.poll_ms),
                file_bytes: config.listen.limits.file_bytes,
            };
            let (gateway, stop) = (self.gateway.clone(), self.stop.clone());
            tokio::spawn(listen::batch::serve(gateway, front, settings, stop));
        }
    }

    fn run(&mut self, server: Server) {
        self.servers.push(server.handle());
        tokio::spawn(server);
    }

    /// Not ready first, then no new work, then what is in flight, then the connections, and last
    /// the log with its final checkpoint.
    async fn stop(self) -> Result<(), ServeError> {
        self.ready.store(false, Ordering::Release);
        self.stop.cancel();
        for server in &self.servers {
            server.pause().await;
        }
        if tokio::time::timeout(self.patience, self.gateway.drain()).await.is_err() {
            tracing::warn!("some exchanges did not finish; the next start settles their submits");
        }
        // Nothing is in flight any more; what may remain are idle connections, waited for together.
        join_all(self.servers.iter().map(|server| server.stop(true))).await;
        self.log.shutdown().await.map_err(opening("the log, for its last checkpoint,"))
    }
}

async fn recover(pipeline: &Pipeline) -> Result<(), ServeError> {
    let recovered = pipeline.recover().await;
    let (settled, pending) = recovered.map_err(|fault| ServeError::Recovery(Box::new(fault)))?;
    if settled + pending > 0 {
        tracing::info!(settled, pending, "submits that an earlier run left open");
    }
    Ok(())
}

/// Looks up what is still open and forgets idle peers.
async fn sweep(gateway: Gateway) {
    loop {
        tokio::time::sleep(SWEEP).await;
        gateway.forget_idle_peers();
        if let Err(error) = recover(gateway.pipeline()).await {
            tracing::error!("{error}");
        }
    }
}

async fn wait_for_signal() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
