//! The configured backends: read and checked before anything is opened, then opened by kind.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use adapters::ethereum::{ConnectError, Contract, Ethereum};
use adapters::http::{Credentials, Http};
use adapters::layer::Layers;
use adapters::telegram::Telegram;
use gateway_core::{Adapter, Clock, Outbox, Profile};
use zeroize::Zeroizing;

use crate::config::{Backend, BackendKind, Config};
use crate::plan::Check;
use crate::secret::SecretRef;

/// A backend whose configuration has been read and that is not opened yet.
pub struct PlannedBackend {
    /// Its name in routes.
    pub name: String,
    /// What stands around it.
    pub layers: Layers,
    /// How long a call may take.
    pub deadline: Duration,
    adapter: PlannedAdapter,
}

/// What stands behind a backend, ready to be opened.
enum PlannedAdapter {
    Ethereum(Box<Contract>, Zeroizing<[u8; 32]>),
    Http(Http),
    Telegram(Box<Telegram>),
}

impl PlannedBackend {
    /// Every backend of a configuration that can be used.
    pub(crate) fn all(config: &Config, check: &mut Check) -> Vec<Self> {
        let backends = config.backends.iter().enumerate();
        backends.filter_map(|(index, backend)| Self::new(config, index, backend, check)).collect()
    }

    fn new(config: &Config, index: usize, backend: &Backend, check: &mut Check) -> Option<Self> {
        let at = format!("backend[{index}]");
        check.extend(backend.common.layer_problems(&at));
        Some(Self {
            name: backend.common.name.clone(),
            layers: backend.common.layers(),
            deadline: Duration::from_secs(backend.common.deadline_seconds),
            adapter: PlannedAdapter::new(config, &at, &backend.kind, check)?,
        })
    }

    /// What it can do.
    pub fn profile(&self) -> &Profile {
        match &self.adapter {
            PlannedAdapter::Ethereum(contract, _) => contract.profile(),
            PlannedAdapter::Http(http) => http.profile(),
            PlannedAdapter::Telegram(telegram) => telegram.profile(),
        }
    }

    /// Opens it; what it is about to send is kept in `outbox`.
    ///
    /// # Errors
    /// When its key or its client is of no use.
    pub fn open(
        self,
        outbox: Arc<dyn Outbox>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<dyn Adapter>, ConnectError> {
        Ok(match self.adapter {
            PlannedAdapter::Ethereum(contract, key) => {
                Arc::new(Ethereum::connect(*contract, key, outbox)?)
            }
            PlannedAdapter::Http(http) => http.open(outbox),
            PlannedAdapter::Telegram(telegram) => telegram.open(outbox, clock),
        })
    }
}

impl PlannedAdapter {
    fn new(config: &Config, at: &str, kind: &BackendKind, check: &mut Check) -> Option<Self> {
        let base = &config.base;
        match kind {
            BackendKind::Ethereum(ethereum, key) => {
                let key = check.one(&format!("{at}.key"), key.resolve_key(base));
                let mut ethereum = ethereum.clone();
                ethereum.abi = config.path(&ethereum.abi);
                let contract = check.one(at, Contract::load(ethereum))?;
                Some(Self::Ethereum(Box::new(contract), key?))
            }
            BackendKind::Http { config, formats, headers, key } => {
                let key = tls_key(base, at, key.as_ref(), check)?;
                let mut credentials = Credentials { headers: Vec::new(), key };
                for (name, secret) in headers {
                    let at = format!("{at}.secret_headers.{name}");
                    let secret = check.one(&at, secret.resolve(base))?;
                    credentials.headers.push((name.clone(), secret));
                }
                let http = Http::new(&config.clone().based(base), credentials, formats);
                check.one(at, http).map(Self::Http)
            }
            BackendKind::Telegram { config, key } => {
                let key = tls_key(base, at, key.as_ref(), check)?;
                let config = config.as_ref().clone().based(base);
                let telegram = Telegram::new(&config, key.as_ref());
                check.one(at, telegram).map(|telegram| Self::Telegram(Box::new(telegram)))
            }
        }
    }
}

/// The key of a client certificate, where there is one. `None` when it cannot be read.
fn tls_key(
    base: &Path,
    at: &str,
    key: Option<&SecretRef>,
    check: &mut Check,
) -> Option<Option<Zeroizing<String>>> {
    match key {
        Some(key) => check.one(&format!("{at}.tls.key"), key.resolve(base)).map(Some),
        None => Some(None),
    }
}
