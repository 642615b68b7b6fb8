//! Requests to one provider.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use gateway_core::wire::Around;
use gateway_core::{Encoded, Received};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, Url, redirect, retry};
use tokio::time::{Instant, timeout_at};

use super::{HttpConfig, HttpError};
use crate::message::{Prepared, SendError, Transport, Trouble};

/// How long a connection may stay unused. Providers close theirs after some seconds, and a request
/// on a connection that is just being closed is a request whose outcome nobody knows.
const IDLE: Duration = Duration::from_secs(4);

/// How long the probe may take.
const PROBE: Duration = Duration::from_secs(5);

pub(super) struct Client {
    client: reqwest::Client,
    /// Without the slash at its end.
    url: String,
    is_bare: bool,
    probe: Option<String>,
    answer_bytes: usize,
}

impl Client {
    pub(super) fn new(
        config: &HttpConfig,
        secret: Vec<(HeaderName, HeaderValue)>,
        key: Option<&[u8]>,
    ) -> Result<Self, HttpError> {
        let url = &config.url;
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !plain || !matches!(url.scheme(), "http" | "https") {
            return Err(HttpError::Url);
        }
        let mut builder = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(config.connect_seconds))
            .pool_idle_timeout(IDLE)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .http1_only()
            .default_headers(secret.into_iter().collect::<HeaderMap>());
        builder = match (&config.tls, url.scheme()) {
            (Some(tls), "https") => builder.tls_backend_preconfigured(tls.load(key)?),
            (None, "http") => builder,
            (Some(_), _) => return Err(HttpError::TlsUnused),
            (None, _) => return Err(HttpError::TlsMissing),
        };
        if config.public_only {
            if address_of(url).is_some_and(|address| !is_public(address)) {
                return Err(HttpError::NotPublic);
            }
            builder = builder.dns_resolver(PublicOnly);
        }
        Ok(Self {
            client: builder.build().map_err(HttpError::Client)?,
            url: url.as_str().trim_end_matches('/').to_owned(),
            is_bare: url.path() == "/",
            probe: config.probe.clone(),
            answer_bytes: config.answer_bytes,
        })
    }

    fn target(&self, path: &str) -> Result<Url, SendError> {
        let unsuitable = |error: &dyn std::fmt::Display| {
            SendError::NotSent(Trouble::Unsuitable(error.to_string()))
        };
        // Without a path of its own the base ends in a slash, as every URL of HTTP does.
        let slash = if path.starts_with('?') && self.is_bare { "/" } else { "" };
        let text = format!("{}{slash}{path}", self.url);
        let url = Url::parse(&text).map_err(|error| unsuitable(&error))?;
        // What a parser puts right (`..`, a backslash) would lead elsewhere than configured.
        match url.as_str().trim_end_matches('/') == text.trim_end_matches('/') {
            true => Ok(url),
            false => Err(unsuitable(&"the path is not in its plain form")),
        }
    }

    async fn exchange(&self, message: &Encoded) -> Result<Received, SendError> {
        let Around::Http { method, path, headers } = &message.around else {
            let trouble = Trouble::Unsuitable("it is no request of HTTP".to_owned());
            return Err(SendError::NotSent(trouble));
        };
        let method = match Method::from_bytes(method.name().as_bytes()) {
            Ok(method) => method,
            Err(error) => return Err(SendError::NotSent(Trouble::Unsuitable(error.to_string()))),
        };
        let mut request = self.client.request(method, self.target(path)?);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if !message.body.is_empty() {
            request = request.body(message.body.to_vec());
        }
        let response = request.send().await.map_err(failure)?;
        self.read(response).await
    }

    async fn read(&self, mut response: Response) -> Result<Received, SendError> {
        let too_large = || SendError::Lost(Trouble::TooLarge { max: self.answer_bytes });
        let announced = response.content_length().unwrap_or_default();
        if usize::try_from(announced).is_ok_and(|length| length > self.answer_bytes) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(failure)? {
            if body.len().saturating_add(chunk.len()) > self.answer_bytes {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(received(&response, body.freeze()))
    }
}

fn received(response: &Response, body: Bytes) -> Received {
    let text = |value: &HeaderValue| value.to_str().map(str::to_owned).ok();
    let headers: BTreeMap<_, _> = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?)))
        .collect();
    Received { status: Some(response.status().as_u16()), headers, body }
}

/// Whether the provider can have seen the request. The client's errors name the URL, which may
/// hold personal data, so only the innermost cause is kept.
fn failure(error: reqwest::Error) -> SendError {
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(Error::source) {
        cause = Some(inner);
    }
    let reason = cause.map_or_else(|| "no reason given".to_owned(), ToString::to_string);
    if error.is_builder() {
        SendError::NotSent(Trouble::Unsuitable(reason))
    } else if error.is_connect() {
        SendError::NotSent(Trouble::Connect(reason))
    } else {
        SendError::Lost(Trouble::Broken(reason))
    }
}

#[async_trait]
impl Transport for Client {
    fn prepare<'m>(&self, message: &'m Encoded, _: Option<&str>) -> Prepared<'m> {
        Prepared { message: Cow::Borrowed(message), serial: None }
    }

    async fn send(&self, message: &Encoded, deadline: Instant) -> Result<Received, SendError> {
        let sent = timeout_at(deadline, self.exchange(message)).await;
        sent.unwrap_or(Err(SendError::Lost(Trouble::Deadline)))
    }

    async fn probe(&self) -> Result<(), SendError> {
        let url = self.target(self.probe.as_deref().unwrap_or_default())?;
        let asked = tokio::time::timeout(PROBE, self.client.get(url).send()).await;
        let response = asked.map_err(|_| SendError::Lost(Trouble::Deadline))?.map_err(failure)?;
        match response.status() {
            status if self.probe.is_none() || status.is_success() => Ok(()),
            status => Err(SendError::Lost(Trouble::Status(status.as_u16()))),
        }
    }
}

/// Names that lead to public addresses only.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            match public.is_empty() {
                false => Ok(Box::new(public.into_iter()) as Addrs),
                true => Err("the name leads to no public address".into()),
            }
        })
    }
}

fn address_of(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether an address is of the Internet (IANA special-purpose address registries).
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_public_v4(mapped),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast();
    let reserved = match address.octets() {
        [0 | 240..=255, ..] | [192, 0, 0, _] => true,
        [100, second, ..] => (64..128).contains(&second),
        [198, second, ..] => matches!(second, 18 | 19),
        _ => false,
    };
    !special && !reserved
}

/// Global unicast is `2000::/3`; of it, documentation and the ways to embed an IPv4 address are not
/// for us.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x2001, 0xdb8 | 0, ..] | [0x2002, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}
