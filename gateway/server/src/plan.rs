//! A configuration together with everything it names, read and checked: what `naru check` reports
//! on and `naru serve` starts from.

mod fronts;
mod names;
mod queue;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gateway_journal::{CommitmentKey, LogKey, NotaryConfig};
use mappings::{BatchFront, Catalog, TelegramFront};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use tonic::transport::server::ServerTlsConfig;
use tonic::transport::{Certificate, Identity};

use crate::admin::act::{self, FourEyes};
use crate::alarm::Watch;
use crate::authenticate::{Members, Sha256, parse_hash};
use crate::authorize::Surroundings;
use crate::backends::PlannedBackend;
use crate::config::source::Source;
use crate::config::{Bodies, Config, Problem, Sftp, SwitchTls, Tls};
use crate::consents::receipt::ReceiptSigner;
use crate::fingerprint::Fingerprint;
use crate::listen::batch::ssh::{Login, Ssh};
use crate::listen::http::HttpFronts;
use crate::notary;
use crate::policies::Policies;
use crate::pseudonyms::Pseudonyms;
use crate::quota::Quotas;
use crate::routing;
use crate::tls;
use crate::versions::Versions;

use fronts::Fronts;
pub use queue::PlannedQueue;

/// Everything that can be prepared without opening the store, the log or a socket.
pub struct Plan {
    /// The configuration.
    pub config: Arc<Config>,
    /// One for each `[[listen.http]]`: its TLS settings.
    pub tls: Vec<Option<ServerConfig>>,
    /// One for each `[[listen.batch]]`: the server that its folder is on.
    pub batch_servers: Vec<Option<Ssh>>,
    /// One for each `[[listen.grpc]]`: its TLS settings.
    pub grpc_tls: Vec<Option<ServerTlsConfig>>,
    /// One for each `[[listen.telegram]]`: its TLS settings.
    pub telegram_tls: Vec<Option<Arc<ServerConfig>>>,
    /// One for each `[[listen.switch]]`: its TLS settings and the switch's name.
    pub switch_tls: Vec<Option<(Arc<ClientConfig>, ServerName<'static>)>>,
    /// The log's signing key.
    pub log_key: LogKey,
    /// The key of the journal's commitments.
    pub commitment_key: CommitmentKey,
    /// Who is asked about the log's checkpoints.
    pub notary: Option<NotaryConfig>,
    /// What signs the receipts of consents.
    pub receipts: Option<ReceiptSigner>,
    /// What a reload exchanges.
    pub deployable: Deployable,
}

/// What of a plan becomes a [`Deployment`](crate::deployment::Deployment); the rest is for the
/// start alone.
pub struct Deployable {
    /// The configuration.
    pub config: Arc<Config>,
    /// What stands in it, to be held against a later one.
    pub source: Source,
    /// What tells it from every other.
    pub fingerprint: Fingerprint,
    /// Formats and services.
    pub catalog: Catalog,
    /// The fronts served over HTTP.
    pub http_fronts: HttpFronts,
    /// One for each `[[listen.telegram]]`.
    pub telegram_fronts: Vec<Arc<TelegramFront>>,
    /// One for each `[[listen.switch]]`.
    pub switch_fronts: Vec<Arc<TelegramFront>>,
    /// One for each `[[listen.batch]]`.
    pub batch_fronts: Vec<Arc<BatchFront>>,
    /// Who may call.
    pub members: Arc<Members>,
    /// Which of them speak another version of a format.
    pub versions: Versions,
    /// What each may do.
    pub policies: Policies,
    /// What policies may ask for by name.
    pub surroundings: Surroundings,
    /// How often.
    pub quotas: Quotas,
    /// What raises an alarm.
    pub watch: Watch,
    /// The sectors' keys.
    pub pseudonyms: Arc<Pseudonyms>,
    /// One for each `[[backend]]`.
    pub backends: Vec<PlannedBackend>,
    /// Work for later, where it is configured.
    pub queue: Option<PlannedQueue>,
    /// Operators by the digest of their key.
    pub operators: HashMap<Sha256, String>,
    /// Which of their acts want a second one.
    pub four_eyes: FourEyes,
}

/// Collects problems, so that all are reported at once.
#[derive(Default)]
pub(crate) struct Check(Vec<Problem>);

impl Check {
    pub(crate) fn extend(&mut self, problems: impl IntoIterator<Item = Problem>) {
        self.0.extend(problems);
    }

    pub(crate) fn one<T, E: std::fmt::Display>(
        &mut self,
        at: &str,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.0.push(Problem::new(at, error))).ok()
    }

    fn many<T>(&mut self, result: Result<T, Vec<Problem>>) -> Option<T> {
        result.map_err(|problems| self.0.extend(problems)).ok()
    }

    pub(crate) fn that(
        &mut self,
        at: impl Into<String>,
        holds: bool,
        message: impl std::fmt::Display,
    ) {
        if !holds {
            self.0.push(Problem::new(at, message));
        }
    }
}

impl Plan {
    /// Reads and checks everything that `config` names.
    ///
    /// # Errors
    /// Every problem found, each with its key path or file.
    pub fn new(config: Config) -> Result<Self, Vec<Problem>> {
        let mut check = Check::default();
        let base = config.base.clone();
        let source = Source::read(&base, &config.table);
        let before = Fingerprint::take(&config, &source).ok();

        let pseudonyms = Arc::new(pseudonyms(&config, &mut check));
        let catalog = catalog(&config, &pseudonyms, &mut check);
        let commitment_key =
            check.one("secrets.commitments", config.secrets.commitments.resolve_key(&base));
        let commitment_key = commitment_key.map(|key| CommitmentKey::new(&key));
        let log_key = log_key(&config, &mut check);
        let notary = notary::plan(&config.log, &config.base, &mut check);
        let receipts = receipt_signer(&config, &mut check);
        let backends = PlannedBackend::all(&config, &mut check);
        let members = check.many(Members::new(&config.members)).map(Arc::new);
        let watch = check.many(Watch::new(&config.alarms));
        let surroundings = check.many(Surroundings::new(&config.networks, &config.exemptions));
        let quotas = check.many(Quotas::new(&config.quotas, &config.gateway.time_zone));
        let operators = operators(&config, &mut check);
        let four_eyes = four_eyes(&config, &operators, &mut check);
        let server = |tls: &Tls| tls::server_config(&base, tls);
        let http = config.listen.http.iter().enumerate();
        let tls = http.map(|(index, listener)| {
            tls_of(format!("listen.http[{index}].tls"), listener.tls.as_ref(), server, &mut check)
        });
        let tls = tls.collect();
        let telegrams = config.listen.telegram.iter().enumerate();
        let telegram_tls = telegrams.map(|(index, listener)| {
            let at = format!("listen.telegram[{index}].tls");
            tls_of(at, listener.tls.as_ref(), server, &mut check).map(Arc::new)
        });
        let telegram_tls = telegram_tls.collect();
        let switches = config.listen.switch.iter().enumerate();
        let switch_tls = switches.map(|(index, switch)| {
            let at = format!("listen.switch[{index}].tls");
            let client = |tls: &SwitchTls| tls::client_config(&base, tls);
            tls_of(at, switch.tls.as_ref(), client, &mut check)
        });
        let switch_tls = switch_tls.collect();
        let batch_servers = ssh_servers(&config, &mut check);
        let grpc_tls = config.listen.grpc.iter().enumerate();
        let grpc_tls = grpc_tls.map(|(index, listener)| {
            let tls = listener.tls.as_ref()?;
            check.one(&format!("listen.grpc[{index}].tls"), grpc_server_config(&base, tls))
        });
        let grpc_tls = grpc_tls.collect();
        names::check_names(&config, catalog.as_ref(), members.as_deref(), &mut check);
        check_routes(&config, catalog.as_ref(), members.as_deref(), &backends, &mut check);
        let versions = catalog.as_ref().zip(members.as_ref()).and_then(|(catalog, members)| {
            check.many(Versions::new(&config.members, catalog, members))
        });
        check_bodies(&config, &mut check);
        let queue = PlannedQueue::find(&config, catalog.as_ref(), members.as_deref(), &mut check);

        let policies = check.many(Policies::load(&config.path(&config.gateway.policies)));
        let fronts = catalog.as_ref().map(|catalog| Fronts::find(&config, catalog, &mut check));
        let fingerprint = check.one("(files)", Fingerprint::take(&config, &source));
        if check.0.is_empty() {
            let message = "the files changed while they were read; try again";
            check.that("(files)", before == fingerprint, message);
        }

        let parts = (
            catalog,
            commitment_key,
            log_key,
            members,
            quotas,
            watch,
            surroundings,
            policies,
            fronts,
            fingerprint,
            versions,
        );
        match parts {
            (
                Some(catalog),
                Some(commitment_key),
                Some(log_key),
                Some(members),
                Some(quotas),
                Some(watch),
                Some(surroundings),
                Some(policies),
                Some(fronts),
                Some(fingerprint),
                Some(versions),
            ) if check.0.is_empty() => {
                let config = Arc::new(config);
                let deployable = Deployable {
                    config: config.clone(),
                    source,
                    fingerprint,
                    catalog,
                    http_fronts: fronts.http,
                    telegram_fronts: fronts.telegram,
                    switch_fronts: fronts.switch,
                    batch_fronts: fronts.batch,
                    members,
                    versions,
                    policies,
                    surroundings,
                    quotas,
                    watch,
                    pseudonyms,
                    backends,
                    queue,
                    operators,
                    four_eyes,
                };
                Ok(Self {
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
                })
            }
            _ => Err(check.0),
        }
    }
}

fn check_bodies(config: &Config, check: &mut Check) {
    let Some(bodies) = &config.bodies else { return };
    for part in &bodies.keep {
        let known = Bodies::PARTS.contains(&part.as_str());
        check.that("bodies.keep", known, "only request, reply, call and answer can be kept");
    }
    check.that("bodies.keep", !bodies.keep.is_empty(), "name what is kept, or leave [bodies] out");
    // A file is made when it is missing; anything else must be there.
    if bodies.root.file(&config.base).is_none_or(|file| file.exists()) {
        check.one("bodies.root", bodies.root.resolve_key(&config.base));
    }
}

fn pseudonyms(config: &Config, check: &mut Check) -> Pseudonyms {
    let mut keys = Vec::new();
    for (sector, secret) in &config.secrets.pseudonyms {
        let at = format!("secrets.pseudonyms.{sector}");
        if let Some(key) = check.one(&at, secret.resolve_key(&config.base)) {
            keys.push((sector.clone(), key));
        }
    }
    Pseudonyms::new(keys)
}

fn catalog(config: &Config, pseudonyms: &Arc<Pseudonyms>, check: &mut Check) -> Option<Catalog> {
    let folder = config.path(&config.gateway.catalog);
    if !folder.is_dir() {
        check.that("gateway.catalog", false, format!("{} is no folder", folder.display()));
        return None;
    }
    let loaded = Catalog::load(&folder, pseudonyms.clone()).map_err(|problems| {
        let problem = |problem: mappings::Problem| Problem::new("gateway.catalog", problem);
        problems.into_iter().map(problem).collect()
    });
    let catalog = check.many(loaded)?;
    let mut sectors: Vec<_> = catalog.services().map(|service| &service.id.sector).collect();
    sectors.dedup();
    for sector in sectors {
        let at = format!("secrets.pseudonyms.{sector}");
        check.that(at, pseudonyms.has(sector), "the catalog has this sector, so it wants a key");
    }
    Some(catalog)
}

fn log_key(config: &Config, check: &mut Check) -> Option<LogKey> {
    let text = check.one("log.key", config.log.key.resolve(&config.base))?;
    let key = check.one("log.key", text.parse::<LogKey>())?;
    let name = key.verifier().name();
    let message = format!("the key is for the origin {name}; make one with `naru key log`");
    check.that("log.origin", name == config.log.origin, message);
    Some(key)
}

fn receipt_signer(config: &Config, check: &mut Check) -> Option<ReceiptSigner> {
    let at = "consent.receipt_key";
    let key = config.consent.receipt_key.as_ref()?;
    let seed = check.one(at, key.resolve_key(&config.base))?;
    check.one(at, ReceiptSigner::new(&seed, &config.gateway.name))
}

fn operators(config: &Config, check: &mut Check) -> HashMap<Sha256, String> {
    check.that("admin.keys", !config.admin.keys.is_empty(), "at least one operator is wanted");
    let mut operators = HashMap::new();
    for (index, key) in config.admin.keys.iter().enumerate() {
        let at = format!("admin.keys[{index}].hash");
        if let Some(hash) = check.one(&at, parse_hash(&key.hash)) {
            let twice = operators.insert(hash, key.name.clone()).is_some();
            check.that(at, !twice, "registered twice");
        }
    }
    operators
}

fn four_eyes(config: &Config, operators: &HashMap<Sha256, String>, check: &mut Check) -> FourEyes {
    let admin = &config.admin;
    for (index, name) in admin.four_eyes.iter().enumerate() {
        let message = format!("no such act; there are {}", act::NAMES.join(", "));
        let is_known = act::NAMES.contains(&name.as_str());
        check.that(format!("admin.four_eyes[{index}]"), is_known, message);
    }
    let names: BTreeSet<&String> = operators.values().collect();
    let enough = admin.four_eyes.is_empty() || names.len() > 1;
    check.that("admin.keys", enough, "four eyes want two operators with different names");
    let waits = Duration::from_secs(60 * 60 * u64::from(admin.four_eyes_hours));
    check.that("admin.four_eyes_hours", !waits.is_zero(), "must be above 0");
    FourEyes { acts: admin.four_eyes.iter().cloned().collect(), waits }
}

/// The settings of a `tls` table, where there is one.
fn tls_of<T, S>(
    at: String,
    tls: Option<&T>,
    settings: impl Fn(&T) -> Result<S, String>,
    check: &mut Check,
) -> Option<S> {
    tls.and_then(|tls| check.one(&at, settings(tls)))
}

/// How the servers of batch folders are reached, one for each listener.
fn ssh_servers(config: &Config, check: &mut Check) -> Vec<Option<Ssh>> {
    let listeners = config.listen.batch.iter().enumerate();
    let servers = listeners.map(|(index, listener)| {
        let sftp = listener.sftp.as_ref()?;
        ssh(config, sftp, &format!("listen.batch[{index}].sftp"), check)
    });
    servers.collect()
}

fn ssh(config: &Config, sftp: &Sftp, at: &str, check: &mut Check) -> Option<Ssh> {
    let plain = |text: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        !text.is_empty() && !text.starts_with('-') && text.chars().all(allowed)
    };
    check.that(format!("{at}.host"), plain(&sftp.host), "must be a name or an address");
    check.that(format!("{at}.user"), plain(&sftp.user), "must be a user's name");
    let known_hosts = config.path(&sftp.known_hosts);
    let says =
        format!("{} is no file; make it with ssh-keyscan and check it", known_hosts.display());
    let is_usable = known_hosts.is_file() && !known_hosts.to_string_lossy().contains('"');
    check.that(format!("{at}.known_hosts"), is_usable, says);
    let login = match (&sftp.key, &sftp.password) {
        (Some(key), None) => {
            let file = key.file(&config.base).filter(|file| file.is_file());
            let says = "must be a file that is there: ssh reads the key itself";
            Login::Key(check.one(&format!("{at}.key"), file.ok_or(says))?)
        }
        (None, Some(password)) => {
            let askpass = config.path(&config.gateway.state).join("batch").join("askpass");
            let password = password.resolve(&config.base);
            Login::Password(check.one(&format!("{at}.password"), password)?, askpass)
        }
        _ => {
            check.that(at, false, "wants either `key` or `password`");
            return None;
        }
    };
    let (host, port, user) = (sftp.host.clone(), sftp.port, sftp.user.clone());
    Some(Ssh { host, port, user, known_hosts, login })
}

/// The same for gRPC, whose library makes the settings itself: [`server_config`] only checks here.
fn grpc_server_config(base: &Path, tls: &Tls) -> Result<ServerTlsConfig, String> {
    tls::server_config(base, tls)?;
    let read = |path: &Path| std::fs::read(base.join(path)).map_err(|error| error.to_string());
    let key = tls.key.resolve(base).map_err(|error| error.to_string())?;
    let identity = Identity::from_pem(read(&tls.certificate)?, key.as_bytes());
    Ok(ServerTlsConfig::new()
        .identity(identity)
        .client_ca_root(Certificate::from_pem(read(&tls.client_authority)?))
        .client_auth_optional(true))
}

/// Whether every route leads somewhere, and which one is never in doubt.
fn check_routes(
    config: &Config,
    catalog: Option<&Catalog>,
    members: Option<&Members>,
    backends: &[PlannedBackend],
    check: &mut Check,
) {
    if let (Some(catalog), Some(members)) = (catalog, members) {
        let profiles = backends.iter();
        let profiles = profiles.map(|one| (one.name.as_str(), one.profile())).collect();
        let named = routing::Named { catalog, members: members.ids(), profiles };
        check.0.extend(routing::check(config, &named));
    } else {
        check.0.extend(routing::missing_backends(config));
    }
}
