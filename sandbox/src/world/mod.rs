//! The practice world: everything around the gateway, and the gateway itself as a child process.
//!
//! [`World::start`] makes the directory, the keys, the certificates, the ledger with its contract,
//! the configuration and the samples; [`World::start_gateway`] then runs the real `naru serve`.
//! Nothing here is a stand-in for the gateway. Read [`configuration`] for what it is told.

pub mod anvil;
pub mod configuration;
pub mod contract;
mod endpoints;
pub mod gateway;
pub mod keys;
pub mod layout;
mod options;
pub mod pki;
pub mod ports;
pub mod register;
pub mod rpc;
mod samples;

use std::path::{Path, PathBuf};

use tokio::process::Command;

pub use self::layout::Layout;
pub use self::options::WorldOptions;

use self::anvil::{Anvil, AnvilError};
use self::configuration::LOG_ORIGIN;
use self::contract::{Contract, ContractError};
use self::gateway::{Gateway, GatewayError};
use self::keys::{ApiKeys, KeyError};
use self::layout::LayoutError;
use self::pki::{Pki, PkiError};
use self::ports::Ports;
use self::register::Register;
use self::rpc::Rpc;
use crate::callers::city_b::CityB;
use crate::callers::city_d::CityD;
use crate::callers::ministry::Ministry;
use crate::callers::office::Office;
use crate::callers::operator::Operator;
use crate::callers::portal::Portal;
use crate::callers::{CallError, HttpClients, Identity};

/// Why a world does not stand.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A folder or file.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A path that it is made from is not there.
    #[error("{} is not there", .path.display())]
    Absent {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The ports.
    #[error("no free port")]
    Ports(#[source] std::io::Error),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The certificates.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// The ledger node.
    #[error(transparent)]
    Anvil(#[from] AnvilError),
    /// The contract.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// The resident register.
    #[error("the resident register cannot listen")]
    Register(#[source] std::io::Error),
    /// The samples.
    #[error("a sample cannot be written")]
    Samples(#[from] CallError),
    /// `naru key log` failed.
    #[error("`naru key log` failed: {0}")]
    LogKey(String),
}

/// A running world. Its ledger and its gateway are killed when it is dropped.
pub struct World {
    options: WorldOptions,
    layout: Layout,
    ports: Ports,
    api_keys: ApiKeys,
    anvil: Anvil,
    contract: Contract,
    register: Register,
    gateway: Option<Gateway>,
}

impl World {
    /// Makes everything but the gateway's process.
    ///
    /// # Errors
    /// When a part of it cannot be made; what was started is ended again.
    pub async fn start(options: WorldOptions) -> Result<Self, WorldError> {
        let options = options.absolute()?;
        let layout = Layout::create(&options.directory)?;
        let ports = Ports::choose(options.ports).map_err(WorldError::Ports)?;
        let api_keys = ApiKeys::create(&layout)?;
        keys::create_gateway_keys(&layout)?;
        create_log_key(&options.naru, &layout).await?;
        let point = keys::create_ledger_key(&layout)?;
        let pki = Pki::create(&layout)?;
        layout.copy_files(&options.policies, "policies")?;
        layout.copy_files(&options.contracts.join("artifacts"), "contract")?;

        let log = layout.path("anvil.log");
        let anvil =
            Anvil::start(&options.contracts, ports.ledger, options.block_time, &log).await?;
        let contract = Contract::deploy(&options.contracts, anvil.rpc()).await?;
        contract.admit_gateway(anvil.rpc(), &point).await?;
        let register = Register::start(ports.register).await.map_err(WorldError::Register)?;

        let facts = configuration::Facts {
            ports: &ports,
            catalog: &options.catalog,
            api_keys: &api_keys,
            pki: &pki,
            contract: &contract,
        };
        layout.write("naru.toml", facts.configuration())?;
        samples::write(&layout, &ports, &api_keys)?;
        endpoints::write(&layout, &ports, &contract)?;
        Ok(Self { options, layout, ports, api_keys, anvil, contract, register, gateway: None })
    }

    /// Starts the gateway and waits until it is ready; one that runs is ended first.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn start_gateway(&mut self) -> Result<(), GatewayError> {
        if let Some(gateway) = self.gateway.take() {
            gateway.stop().await?;
        }
        let ready = format!("{}/readyz", self.admin_url());
        let configuration = self.layout.path("naru.toml");
        let log = self.layout.path("gateway.log");
        let gateway = Gateway::start(&self.options.naru, &configuration, &log, &ready).await?;
        self.gateway = Some(gateway);
        Ok(())
    }

    /// Tells the gateway to read its configuration again (SIGHUP).
    ///
    /// # Errors
    /// When it does not run or cannot be told.
    pub async fn hang_up_gateway(&self) -> Result<(), GatewayError> {
        self.gateway.as_ref().ok_or(GatewayError::NotRunning)?.signal("HUP").await
    }

    /// Kills the gateway as a crash would; [`World::start_gateway`] starts it again.
    ///
    /// # Errors
    /// When it does not run or cannot be killed.
    pub async fn kill_gateway(&mut self) -> Result<(), GatewayError> {
        self.gateway.take().ok_or(GatewayError::NotRunning)?.kill().await
    }

    /// Ends the gateway gracefully, then the ledger.
    ///
    /// # Errors
    /// When the gateway had to be killed.
    pub async fn stop(mut self) -> Result<(), GatewayError> {
        let stopped = match self.gateway.take() {
            Some(gateway) => gateway.stop().await,
            None => Ok(()),
        };
        self.anvil.stop().await;
        stopped
    }

    /// Where its files stand.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Its ports.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Its API keys.
    pub fn api_keys(&self) -> &ApiKeys {
        &self.api_keys
    }

    /// The deployed contract.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// The resident register, which the gateway calls.
    pub fn register(&self) -> &Register {
        &self.register
    }

    /// A client of the ledger node.
    pub fn rpc(&self) -> &Rpc {
        self.anvil.rpc()
    }

    /// The ledger node's JSON-RPC address.
    pub fn rpc_url(&self) -> &str {
        self.anvil.url()
    }

    /// The `naru` executable.
    pub fn naru(&self) -> &Path {
        &self.options.naru
    }

    /// REST and SOAP without TLS.
    pub fn http_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.http)
    }

    /// REST and SOAP over TLS.
    pub fn https_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.https)
    }

    /// gRPC over TLS: host and port.
    pub fn grpc_target(&self) -> String {
        format!("127.0.0.1:{}", self.ports.grpc)
    }

    /// The pages for people.
    pub fn people_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.people)
    }

    /// Administration, health and metrics.
    pub fn admin_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.admin)
    }

    /// A SOAP caller over TLS with this certificate.
    ///
    /// # Errors
    /// When the certificate cannot be read.
    pub fn ministry(&self, identity: Identity) -> Result<Ministry, CallError> {
        let client = HttpClients::new(self.layout.clone()).client(identity)?;
        Ok(Ministry::new(client, format!("{}/soap/welfare", self.https_url())))
    }

    /// The REST caller, without TLS.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn portal(&self) -> Result<Portal, CallError> {
        let client = HttpClients::new(self.layout.clone()).client(Identity::Anonymous)?;
        Ok(Portal::new(client, self.http_url()))
    }

    /// An office that calls by REST with this key.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn office(&self, key: &str) -> Result<Office, CallError> {
        let client = HttpClients::new(self.layout.clone()).client(Identity::Anonymous)?;
        Ok(Office::new(client, self.http_url(), key))
    }

    /// The operator of the gateway.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn operator(&self) -> Result<Operator, CallError> {
        let client = HttpClients::new(self.layout.clone()).client(Identity::Anonymous)?;
        Ok(Operator::new(client, self.admin_url(), self.api_keys.operator.expose()))
    }

    /// City B with its folder.
    pub fn city_b(&self) -> CityB {
        CityB { folder: self.layout.path("inbox/city-b") }
    }

    /// City D with its folder.
    pub fn city_d(&self) -> CityD {
        CityD { folder: self.layout.path("inbox/city-d") }
    }
}

/// Lets the gateway's own command make the key of the evidence log.
async fn create_log_key(naru: &Path, layout: &Layout) -> Result<(), WorldError> {
    let output = Command::new(naru)
        .args(["key", "log", "--origin", LOG_ORIGIN, "--out"])
        .arg(layout.path("keys/log.key"))
        .output()
        .await
        .map_err(|error| WorldError::LogKey(error.to_string()))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(WorldError::LogKey(String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}
