//! Opening what was planned, running it, and stopping without losing what is in flight.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use futures_util::future::join_all;
use gateway_core::Pipeline;
use mappings::BatchLimits;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::ServerTlsConfig;

use crate::admin::{self, Administration};
use crate::authenticate::sha256;
use crate::bodies;
use crate::config::{BatchListener, Config, Limits, Sftp};
use crate::consents::Desk;
use crate::deployment::Deployment;
use crate::later;
use crate::listen::batch::BatchSettings;
use crate::listen::batch::ssh::Ssh;
use crate::listen::grpc::{GrpcSettings, Health};
use crate::listen::http::HttpSettings;
use crate::listen::telegram::dial::{self, Switch};
use crate::listen::telegram::{self, ConnectionLimits, FrontSource, TelegramSettings};
use crate::listen::{self, Gateway};
use crate::people::{self, People};
use crate::plan::Plan;
use crate::reload::Reloader;
use crate::resources::Resources;

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

pub(crate) fn opening<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    what: impl Into<String>,
) -> impl FnOnce(E) -> ServeError {
    let what = what.into();
    move |error| ServeError::Open(what, error.into())
}

/// How often idle state is swept and open submits are looked up.
const SWEEP: Duration = Duration::from_secs(10);

/// Runs the gateway until SIGTERM or SIGINT. SIGHUP reloads `file`, which `plan` was made from.
///
/// # Errors
/// When something cannot be opened; once it serves, it only stops when told.
pub async fn serve(plan: Plan, file: PathBuf) -> Result<(), ServeError> {
    let name = plan.config.gateway.name.clone();
    let mut signals = Signals::new().map_err(opening("the signal handlers"))?;
    let running = Running::start(plan, file).await?;
    tracing::info!(gateway.name = %name, "ready");

    while signals.next().await == Told::Reload {
        // What went wrong is logged there, and nothing has changed then.
        let _ = running.reloader.reload(None).await;
    }
    tracing::info!("stopping: finishing what is in flight");
    running.stop().await?;
    tracing::info!("stopped");
    Ok(())
}

/// A gateway that serves.
struct Running {
    gateway: Gateway,
    resources: Resources,
    reloader: Arc<Reloader>,
    servers: Vec<ServerHandle>,
    grpc: JoinSet<()>,
    health: Health,
    ready: Arc<AtomicBool>,
    stop: CancellationToken,
    patience: Duration,
}

impl Running {
    /// Opens what was planned, settles what an earlier run left open, then listens.
    async fn start(plan: Plan, file: PathBuf) -> Result<Self, ServeError> {
        let Plan {
            config,
            tls,
            grpc_tls,
            telegram_tls,
            switch_tls,
            batch_servers,
            log_key,
            commitment_key,
            notary,
            receipts,
            deployable,
        } = plan;
        let resources = Resources::open(&config, log_key, commitment_key, notary, receipts).await?;
        let deployment = Deployment::new(deployable, &resources, None)?;
        recover(&deployment.pipeline).await?;
        let resumed = bodies::resume(&resources).await;
        resumed.map_err(|fault| ServeError::Recovery(Box::new(fault)))?;
        let configuration = &deployment.fingerprint.configuration;
        resources.metrics.deployed(deployment.generation, configuration);

        let gateway = Gateway::new(deployment, resources.metrics.clone(), &config.listen.limits);
        let mut running = Self {
            reloader: Arc::new(Reloader::new(file, gateway.clone(), resources.clone())),
            gateway,
            resources,
            servers: Vec::new(),
            grpc: JoinSet::new(),
            health: Health::default(),
            ready: Arc::default(),
            stop: CancellationToken::new(),
            patience: Duration::from_secs(config.gateway.shutdown_seconds),
        };
        running.listen_http(&config, tls)?;
        running.listen_grpc(&config, grpc_tls).await?;
        running.listen_telegram(&config, telegram_tls).await?;
        running.dial_switches(&config, switch_tls);
        running.watch_folders(&config, batch_servers);
        running.listen_people(&config)?;
        running.administer(&config).await?;
        running.work_on_letters(&config);
        let sweeping = sweep(running.gateway.clone(), running.desk(), running.resources.clone());
        tokio::spawn(running.stop.clone().run_until_cancelled_owned(sweeping));
        let keeping = keep_counting(running.gateway.clone(), running.resources.clone());
        tokio::spawn(running.stop.clone().run_until_cancelled_owned(keeping));
        running.ready.store(true, Ordering::Release);
        running.health.set(true).await;
        Ok(running)
    }

    fn listen_people(&mut self, config: &Config) -> Result<(), ServeError> {
        let sessions = self.resources.sessions.clone();
        let Some((listener, sessions)) = config.listen.people.as_ref().zip(sessions) else {
            return Ok(());
        };
        let people = People { desk: self.desk(), sessions };
        let server = people::serve(people, listener.address, self.patience)
            .map_err(opening(format!("the listener for people {}", listener.address)))?;
        self.run(server);
        Ok(())
    }

    fn desk(&self) -> Desk {
        Desk { gateway: self.gateway.clone(), resources: self.resources.clone() }
    }

    fn work_on_letters(&self, config: &Config) {
        if let Some(queue) = &config.queue {
            let (gateway, stop) = (self.gateway.clone(), self.stop.clone());
            let due = self.resources.letters_due.clone();
            tokio::spawn(later::work(gateway, due, queue.workers, stop));
        }
    }

    async fn administer(&mut self, config: &Config) -> Result<(), ServeError> {
        let administration = Administration {
            gateway: self.gateway.clone(),
            resources: self.resources.clone(),
            reloader: self.reloader.clone(),
            ready: self.ready.clone(),
        };
        let resumed = administration.resume_acts().await;
        resumed.map_err(|fault| ServeError::Recovery(Box::new(fault)))?;
        let address = config.admin.address;
        let server = admin::serve(administration, address, self.patience)
            .map_err(opening(format!("the admin listener {address}")))?;
        self.run(server);
        Ok(())
    }

    fn listen_http(
        &mut self,
        config: &Config,
        tls: Vec<Option<ServerConfig>>,
    ) -> Result<(), ServeError> {
        for (listener, tls) in config.listen.http.iter().zip(tls) {
            let settings = HttpSettings {
                address: listener.address,
                tls,
                workers: config.gateway.workers,
                log: config.log.serve.then(|| config.path(&config.log.directory).into()),
                body_bytes: config.listen.limits.body_bytes,
                message_timeout: Duration::from_secs(config.listen.limits.message_seconds),
                shutdown: self.patience,
            };
            let server = listen::http::serve(self.gateway.clone(), self.desk(), settings)
                .map_err(opening(format!("the HTTP listener {}", listener.address)))?;
            self.run(server);
        }
        Ok(())
    }

    async fn listen_grpc(
        &mut self,
        config: &Config,
        tls: Vec<Option<ServerTlsConfig>>,
    ) -> Result<(), ServeError> {
        self.health.set(false).await;
        let limits = &config.listen.limits;
        for (listener, tls) in config.listen.grpc.iter().zip(tls) {
            let settings = GrpcSettings {
                tls,
                body_bytes: limits.body_bytes,
                message_timeout: Duration::from_secs(limits.message_seconds),
            };
            let what = format!("the gRPC listener {}", listener.address);
            let socket = TcpListener::bind(listener.address).await.map_err(opening(what))?;
            let (gateway, health, stop) =
                (self.gateway.clone(), self.health.clone(), self.stop.clone());
            self.grpc.spawn(async move {
                let served = listen::grpc::serve(gateway, socket, settings, health, stop);
                if let Err(error) = served.await {
                    tracing::error!("a gRPC listener ended: {error}");
                }
            });
        }
        Ok(())
    }

    async fn listen_telegram(
        &self,
        config: &Config,
        tls: Vec<Option<Arc<ServerConfig>>>,
    ) -> Result<(), ServeError> {
        let limits = &config.listen.limits;
        let connections = ConnectionLimits {
            all: limits.connections,
            of_address: limits.connections_per_address,
        };
        for (index, (listener, tls)) in config.listen.telegram.iter().zip(tls).enumerate() {
            let source = FrontSource::Listener(index);
            let settings =
                telegram_settings(source, limits, listener.idle_seconds, listener.in_flight);
            let what = format!("the telegram listener {}", listener.address);
            let socket = TcpListener::bind(listener.address).await.map_err(opening(what))?;
            let (gateway, stop) = (self.gateway.clone(), self.stop.clone());
            tokio::spawn(telegram::serve(gateway, socket, tls, settings, connections, stop));
        }
        Ok(())
    }

    fn dial_switches(
        &self,
        config: &Config,
        tls: Vec<Option<(Arc<ClientConfig>, ServerName<'static>)>>,
    ) {
        let limits = &config.listen.limits;
        for (index, (listener, tls)) in config.listen.switch.iter().zip(tls).enumerate() {
            let source = FrontSource::Switch(index);
            let settings =
                telegram_settings(source, limits, listener.idle_seconds, listener.in_flight);
            let switch = Switch {
                address: listener.connect.clone(),
                tls,
                longest_wait: Duration::from_secs(listener.retry_seconds),
            };
            for _ in 0..listener.connections.get() {
                let (gateway, stop) = (self.gateway.clone(), self.stop.clone());
                tokio::spawn(dial::serve(gateway, switch.clone(), settings.clone(), stop));
            }
        }
    }

    fn watch_folders(&self, config: &Config, servers: Vec<Option<Ssh>>) {
        let listeners = config.listen.batch.iter().zip(servers).enumerate();
        for (index, (listener, server)) in listeners {
            let settings = BatchSettings {
                index,
                folder: match server {
                    Some(_) => listener.folder.clone(),
                    None => config.path(&listener.folder),
                },
                spool: spool(config, listener),
                server,
                poll: Duration::from_millis(listener.poll_ms),
                complete: listener.complete.clone(),
                limits: BatchLimits {
                    content_bytes: config.listen.limits.file_bytes,
                    record_bytes: config.listen.limits.body_bytes,
                },
                concurrency: listener.concurrency.get(),
            };
            let (gateway, stop) = (self.gateway.clone(), self.stop.clone());
            tokio::spawn(listen::batch::serve(gateway, settings, stop));
        }
    }

    fn run(&mut self, server: Server) {
        self.servers.push(server.handle());
        tokio::spawn(server);
    }

    /// Not ready first, then no new work, then what is in flight, then the connections, and last
    /// the log with its final checkpoint.
    async fn stop(mut self) -> Result<(), ServeError> {
        self.ready.store(false, Ordering::Release);
        self.health.set(false).await;
        self.stop.cancel();
        for server in &self.servers {
            server.pause().await;
        }
        if tokio::time::timeout(self.patience, self.gateway.drain()).await.is_err() {
            tracing::warn!("some exchanges did not finish; the next start settles their submits");
        }
        // Nothing is in flight any more; what may remain are idle connections, waited for together.
        let servers = join_all(self.servers.iter().map(|server| server.stop(true)));
        // Somebody watching the health service keeps a call open for ever.
        let calls = tokio::time::timeout(self.patience, async {
            while self.grpc.join_next().await.is_some() {}
        });
        let _ = tokio::join!(servers, calls);
        keep_counts(&self.gateway, &self.resources).await;
        self.resources.log.shutdown().await.map_err(opening("the log, for its last checkpoint,"))
    }
}

/// Where a listener keeps the files that are under way: one place for each folder, however often the
/// configuration is written anew.
fn spool(config: &Config, listener: &BatchListener) -> PathBuf {
    let folder = match &listener.sftp {
        Some(Sftp { host, port, user, .. }) => {
            format!("{user}@{host}:{port}/{}", listener.folder.display())
        }
        None => config.path(&listener.folder).to_string_lossy().into_owned(),
    };
    let digest = hex::encode(sha256(folder.as_bytes()));
    let name = format!("{}-{}", listener.member, digest.get(..16).unwrap_or_default());
    config.path(&config.gateway.state).join("batch").join(name)
}

fn telegram_settings(
    source: FrontSource,
    limits: &Limits,
    idle_seconds: u64,
    in_flight: NonZeroUsize,
) -> TelegramSettings {
    TelegramSettings {
        source,
        idle: Duration::from_secs(idle_seconds),
        message_timeout: Duration::from_secs(limits.message_seconds),
        body_bytes: limits.body_bytes,
        in_flight: in_flight.get(),
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

/// How often what is used of daily and monthly quotas is kept: what a crash may forget of them.
const KEEP_COUNTS: Duration = Duration::from_secs(1);

async fn keep_counting(gateway: Gateway, resources: Resources) {
    loop {
        tokio::time::sleep(KEEP_COUNTS).await;
        keep_counts(&gateway, &resources).await;
    }
}

/// Writes what is used of quotas behind. What cannot be written is tried again the next time; nobody
/// is refused for it.
async fn keep_counts(gateway: &Gateway, resources: &Resources) {
    let quotas = gateway.current().quotas.clone();
    let counts = quotas.to_keep();
    if counts.is_empty() {
        return;
    }
    match resources.store.keep_quota_counts(&counts).await {
        Ok(()) => quotas.kept(&counts),
        Err(fault) => tracing::error!("what is used of quotas is not kept: {fault}"),
    }
}

/// Looks up what is still open, ends consents whose time is over, destroys what was kept long enough,
/// and forgets idle peers and shares.
async fn sweep(gateway: Gateway, desk: Desk, resources: Resources) {
    loop {
        tokio::time::sleep(SWEEP).await;
        gateway.forget_idle_peers();
        let deployment = gateway.current();
        deployment.quotas.sweep(deployment.pipeline.clock.now());
        let ended = async {
            bodies::resume(&resources).await?;
            bodies::sweep(&resources).await
        };
        if let Err(fault) = ended.await {
            tracing::error!("what is to be destroyed is not: {fault}");
        }
        if let Err(error) = recover(&gateway.current().pipeline).await {
            tracing::error!("{error}");
        }
        if let Err(fault) = desk.sweep().await {
            tracing::error!(fault.code = %fault.code, "consents that are over wait: {fault}");
        }
    }
}

/// What a signal tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Reload,
    Stop,
}

struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
            _ = self.hangup.recv() => Told::Reload,
        }
    }
}
