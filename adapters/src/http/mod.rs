//! Providers over HTTP: SOAP, REST, plain XML, X-Road. One transport for all of them, because what
//! the messages mean is the mapping's matter.
//!
//! Not here: retry, circuit breaking, redirects (a message goes where it was configured to go and
//! nowhere else), proxies from the environment, cookies, compression.

mod client;
mod config;

use std::sync::Arc;

use gateway_core::adapter::Format;
use gateway_core::{Adapter, Outbox, Profile};
use reqwest::header::{HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::message::{self, Carrier};
use crate::tls::TlsError;

use client::Client;
pub use config::HttpConfig;

/// A configured provider whose files have been read.
pub struct Http {
    client: Client,
    formats: Vec<Format>,
    profile: Profile,
}

/// What proves to the provider who calls.
#[derive(Default)]
pub struct Credentials {
    /// Header fields of every request, e.g. `x-api-key`.
    pub headers: Vec<(String, Zeroizing<String>)>,
    /// The PEM text of the key of the client certificate.
    pub key: Option<Zeroizing<String>>,
}

/// Why a provider cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The URL is not `http` or `https`, or carries a password, a query or a fragment.
    #[error("url: must be http or https, without user, query or fragment")]
    Url,
    /// TLS settings and a URL of `http`.
    #[error("tls: the url is not https")]
    TlsUnused,
    /// `https` without TLS settings.
    #[error("tls: is missing for an https url")]
    TlsMissing,
    /// The URL names an address that is not public.
    #[error("url: the address is not public, and `public_only` is set")]
    NotPublic,
    /// A header field that cannot be sent.
    #[error("secret_headers.{0}: is no header field that can be sent")]
    Header(String),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
}

impl Http {
    /// Checks the configuration and reads its files. Nothing is opened.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(
        config: &HttpConfig,
        credentials: Credentials,
        formats: &[Format],
    ) -> Result<Self, HttpError> {
        let headers = credentials.headers.iter().map(|(name, value)| {
            let refused = || HttpError::Header(name.clone());
            let parsed = HeaderName::try_from(name.as_str()).map_err(|_| refused())?;
            let mut value = HeaderValue::from_str(value).map_err(|_| refused())?;
            value.set_sensitive(true);
            Ok((parsed, value))
        });
        let headers = headers.collect::<Result<_, HttpError>>()?;
        let key = credentials.key.as_ref().map(|key| key.as_bytes());
        let client = Client::new(config, headers, key)?;
        Ok(Self { client, formats: formats.to_vec(), profile: message::profile(formats) })
    }

    /// What it can do.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Opens it; `outbox` keeps what is about to be sent.
    pub fn open(self, outbox: Arc<dyn Outbox>) -> Arc<dyn Adapter> {
        Arc::new(Carrier::new(self.client, &self.formats, outbox))
    }
}
