//! What a provider over HTTP is configured with. Secrets are not here: they come by reference and
//! are resolved by the server.

use std::path::Path;

use reqwest::Url;
use serde::Deserialize;

use crate::tls::TlsConfig;

/// One provider.
#[derive(Clone, Debug, Deserialize)]
pub struct HttpConfig {
    /// Where the provider is; the paths of the mapping are put behind it.
    pub url: Url,
    /// For `https`.
    pub tls: Option<TlsConfig>,
    /// How long a connection may take to stand.
    #[serde(default = "three")]
    pub connect_seconds: u64,
    /// The largest answer that is read.
    #[serde(default = "mebibyte")]
    pub answer_bytes: usize,
    /// A path to `GET` that answers 2xx when the provider is ready. Without it any answer will do.
    pub probe: Option<String>,
    /// Whether only public addresses are connected to: for providers on the Internet, whose names
    /// must not lead into one's own network.
    #[serde(default)]
    pub public_only: bool,
}

fn three() -> u64 {
    3
}

fn mebibyte() -> usize {
    1 << 20
}

impl HttpConfig {
    /// The same with its relative paths taken from `base`.
    #[must_use]
    pub fn based(mut self, base: &Path) -> Self {
        self.tls = self.tls.map(|tls| tls.based(base));
        self
    }
}
