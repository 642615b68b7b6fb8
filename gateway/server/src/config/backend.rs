//! `[[backend]]`: what every kind has, and what each has of its own.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use adapters::ethereum::EthereumConfig;
use adapters::http::HttpConfig;
use adapters::telegram::TelegramConfig;
use gateway_core::adapter::Format;
use serde::Deserialize;

use super::{Sections, layers, take, ten};
use crate::secret::SecretRef;

/// `[[backend]]`
#[derive(Debug)]
pub struct Backend {
    /// What every kind has.
    pub common: BackendCommon,
    /// What this kind has.
    pub kind: BackendKind,
}

/// The keys that every `[[backend]]` has.
#[derive(Debug, Deserialize)]
pub struct BackendCommon {
    /// Its name in routes.
    pub name: String,
    /// What stands behind it.
    pub kind: BackendKindName,
    /// How long a call may take.
    #[serde(default = "ten")]
    pub deadline_seconds: u64,
    /// Calls at once.
    #[serde(default = "sixty_four")]
    pub concurrency: NonZeroUsize,
    /// Exchanges that may wait for their turn.
    #[serde(default = "thousand")]
    pub waiting: usize,
    /// Further attempts of queries; none when absent.
    pub retry: Option<layers::Retry>,
    /// When to leave it alone; never when absent.
    pub circuit_breaker: Option<layers::CircuitBreaker>,
    /// When to ask a query a second time; never when absent.
    pub hedge: Option<layers::Hedge>,
}

impl BackendCommon {
    const KEYS: [&str; 8] = [
        "name",
        "kind",
        "deadline_seconds",
        "concurrency",
        "waiting",
        "retry",
        "circuit_breaker",
        "hedge",
    ];
}

/// `kind` of a backend, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendKindName {
    /// [`BackendKind::Ethereum`]
    Ethereum,
    /// [`BackendKind::Http`] with messages of SOAP.
    Soap,
    /// [`BackendKind::Http`] with messages of JSON.
    Rest,
    /// [`BackendKind::Http`] with documents of XML.
    Xml,
    /// [`BackendKind::Http`] to an X-Road security server, by either of its protocols.
    Xroad,
    /// [`BackendKind::Telegram`]
    Telegram,
}

impl BackendKindName {
    /// What its mapping may write.
    fn formats(self) -> &'static [Format] {
        match self {
            Self::Ethereum => &[],
            Self::Soap => &[Format::Soap],
            Self::Rest => &[Format::Json],
            Self::Xml => &[Format::Xml],
            Self::Xroad => &[Format::Soap, Format::Json],
            Self::Telegram => &[Format::Telegram],
        }
    }
}

/// A backend by its kind.
#[derive(Debug)]
pub enum BackendKind {
    /// An EVM node, and the gateway's key for it: 32 bytes in hex.
    Ethereum(EthereumConfig, SecretRef),
    /// A provider over HTTP, with what proves to it who calls.
    Http {
        /// Where and how.
        config: HttpConfig,
        /// What its mapping may write.
        formats: &'static [Format],
        /// Header fields of every request.
        headers: BTreeMap<String, SecretRef>,
        /// The key of the client certificate.
        key: Option<SecretRef>,
    },
    /// A provider of telegrams.
    Telegram {
        /// Where and how.
        config: Box<TelegramConfig>,
        /// The key of the client certificate.
        key: Option<SecretRef>,
    },
}

/// The secrets of a provider over HTTP.
#[derive(Debug, Deserialize)]
struct HttpSecrets {
    #[serde(default)]
    secret_headers: BTreeMap<String, SecretRef>,
}

/// The key of a backend that signs.
#[derive(Debug, Deserialize)]
struct SigningKey {
    key: SecretRef,
}

fn thousand() -> usize {
    1_000
}
fn sixty_four() -> NonZeroUsize {
    NonZeroUsize::MIN.saturating_add(63)
}

impl Sections {
    pub(super) fn backend(&mut self, at: &str, element: toml::Value) -> Option<Backend> {
        let mut own = element.as_table().cloned().unwrap_or_default();
        let common = take(&mut own, &BackendCommon::KEYS);
        let common: BackendCommon = self.read(at, common)?;
        let kind = match common.kind {
            BackendKindName::Ethereum => {
                let key = take(&mut own, &["key"]);
                let key = self.read(at, key).map(|SigningKey { key }| key);
                let config = self.read(at, own.into());
                BackendKind::Ethereum(config?, key?)
            }
            BackendKindName::Telegram => {
                let key = self.tls_key(at, &mut own);
                let config = self.read(at, own.into());
                BackendKind::Telegram { config: Box::new(config?), key: key? }
            }
            name => {
                let key = self.tls_key(at, &mut own);
                let secrets = take(&mut own, &["secret_headers"]);
                let secrets: Option<HttpSecrets> = self.read(at, secrets);
                let config = self.read(at, own.into());
                let headers = secrets?.secret_headers;
                BackendKind::Http { config: config?, formats: name.formats(), headers, key: key? }
            }
        };
        Some(Backend { common, kind })
    }

    /// `tls.key`, which is a secret, out of a backend's table. `None` when it is written wrong.
    fn tls_key(&mut self, at: &str, own: &mut toml::Table) -> Option<Option<SecretRef>> {
        let tls = own.get_mut("tls").and_then(toml::Value::as_table_mut);
        match tls.and_then(|tls| tls.remove("key")) {
            Some(key) => self.read(&format!("{at}.tls.key"), key).map(Some),
            None => Some(None),
        }
    }
}
