//! Callbacks as the Standard Webhooks specification has them: `webhook-id`, `webhook-timestamp` and
//! `webhook-signature`, HMAC-SHA-256 over id, time and body. A receiver answers 2xx or gets it again.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::RETRY_AFTER;
use reqwest::{Certificate, StatusCode, Url};
use uuid::Uuid;
use zeroize::Zeroizing;

/// A receiver and the secret shared with it.
pub struct Endpoint {
    url: Url,
    secret: Key,
    client: reqwest::Client,
}

/// Why an endpoint is none. Never repeats the secret.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL that can be called.
    #[error("must be an https URL without user or fragment")]
    Url,
    /// An address that only we can reach, or one in the clear.
    #[error("http and private addresses want `private_addresses = true`")]
    Private,
    /// Not a secret of the specification.
    #[error("must be whsec_ and 24 to 64 bytes in base64; make one with `naru key webhook`")]
    Secret,
    /// Not a PEM file of certificates.
    #[error("holds no PEM certificate")]
    Authority,
    /// The HTTP client could not be made.
    #[error(transparent)]
    Client(#[from] reqwest::Error),
}

impl EndpointError {
    /// The key of the configuration that is wrong.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Authority => "authority",
            Self::Url | Self::Private | Self::Client(_) => "url",
        }
    }
}

/// Whom an endpoint may be, and whose word is taken for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trust<'a> {
    /// Plain http and addresses that are not public may be called.
    pub private_addresses: bool,
    /// PEM: the authorities of its certificate, and no others; those of the system when absent.
    pub authority: Option<&'a [u8]>,
}

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// It has it.
    Received,
    /// Not now; perhaps it said when.
    Later {
        /// For the operator.
        reason: String,
        /// `Retry-After`, in seconds.
        after: Option<Duration>,
    },
    /// Never again: 410.
    Gone,
}

impl Endpoint {
    /// Checks what is configured. Redirects are not followed, and no proxy is used: the signed body
    /// goes where the configuration says and nowhere else.
    ///
    /// # Errors
    /// Any [`EndpointError`].
    pub fn new(
        url: &str,
        secret: &str,
        trust: Trust<'_>,
        timeout: Duration,
    ) -> Result<Self, EndpointError> {
        let Trust { private_addresses, authority } = trust;
        let url = Url::parse(url).map_err(|_| EndpointError::Url)?;
        let plain = url.scheme() == "http";
        let bare = url.username().is_empty() && url.password().is_none();
        if !(plain || url.scheme() == "https") || !bare || url.fragment().is_some() {
            return Err(EndpointError::Url);
        }
        let literal = url.host_str().map(|host| host.trim_matches(['[', ']']));
        let literal = literal.and_then(|host| host.parse::<IpAddr>().ok());
        if !private_addresses && (plain || literal.is_some_and(|address| !is_public(address))) {
            return Err(EndpointError::Private);
        }
        let mut client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(timeout)
            .user_agent("naru");
        if !private_addresses {
            client = client.dns_resolver(Arc::new(PublicOnly));
        }
        if let Some(pem) = authority {
            let authorities = Certificate::from_pem_bundle(pem);
            let authorities = authorities.map_err(|_| EndpointError::Authority)?;
            if authorities.is_empty() {
                return Err(EndpointError::Authority);
            }
            client = client.tls_certs_only(authorities);
        }
        Ok(Self { url, secret: read_secret(secret)?, client: client.build()? })
    }

    /// Sends one event. What the receiver answers besides its status is not read.
    pub(super) async fn send(
        &self,
        id: Uuid,
        now: Timestamp,
        content_type: &str,
        body: Bytes,
    ) -> Sent {
        let time = now.as_second();
        let signature = signature(&self.secret, id, time, &body);
        let request = self
            .client
            .post(self.url.clone())
            .header("content-type", content_type)
            .header("webhook-id", id.to_string())
            .header("webhook-timestamp", time)
            .header("webhook-signature", signature)
            .body(body);
        match request.send().await {
            Ok(response) => judge(response.status(), response.headers().get(RETRY_AFTER)),
            // The error names the URL, which may hold a token of the receiver's.
            Err(error) => {
                let error = error.without_url();
                let what = if error.is_timeout() { "no answer in time" } else { "not reached" };
                Sent::Later { reason: format!("{what}: {}", root_cause(&error)), after: None }
            }
        }
    }
}

fn judge(status: StatusCode, after: Option<&reqwest::header::HeaderValue>) -> Sent {
    match status {
        status if status.is_success() => Sent::Received,
        StatusCode::GONE => Sent::Gone,
        status => {
            let seconds = after.and_then(|after| after.to_str().ok()?.parse().ok());
            let after = seconds.map(Duration::from_secs);
            Sent::Later { reason: format!("it answered {}", status.as_u16()), after }
        }
    }
}

fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// `v1,` and the base64 of HMAC-SHA-256 over `id.timestamp.body`.
fn signature(secret: &Key, id: Uuid, time: i64, body: &[u8]) -> String {
    let head = format!("{id}.{time}.");
    let signed = [head.as_bytes(), body].concat();
    format!("v1,{}", STANDARD.encode(sign(secret, &signed)))
}

fn read_secret(text: &str) -> Result<Key, EndpointError> {
    let encoded = text.strip_prefix("whsec_").ok_or(EndpointError::Secret)?;
    let bytes = STANDARD.decode(encoded).map_err(|_| EndpointError::Secret)?;
    let bytes = Zeroizing::new(bytes);
    match bytes.len() {
        24..=64 => Ok(Key::new(HMAC_SHA256, &bytes)),
        _ => Err(EndpointError::Secret),
    }
}

/// Looks names up, and finds only public addresses: whoever rules a name cannot make us call into our
/// own network. The connection goes to the addresses found here, so a later change is of no use.
struct PublicOnly;

#[derive(Debug, thiserror::Error)]
#[error("its name has no public address")]
struct NoPublicAddress;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|found| is_public(found.ip())).collect();
            match public.is_empty() {
                true => Err(NoPublicAddress.into()),
                false => Ok(Box::new(public.into_iter()) as Addrs),
            }
        })
    }
}

/// Whether an address is for everybody (IANA special-purpose registries, RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_public_v4(mapped),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19))
        || a >= 224;
    !special
}

/// Only global unicast, less what stands for other addresses within it.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let global = a & 0xe000 == 0x2000;
    let transition = a == 0x2002 || (a == 0x2001 && b < 0x0200);
    let documentation = (a == 0x2001 && b == 0x0db8) || (a == 0x3fff && b < 0x1000);
    global && !transition && !documentation
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// The example of the specification's own libraries.
    #[test]
    fn a_signature_is_the_specifications() {
        let key = read_secret(SECRET).unwrap();
        let signed =
            [b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.".as_slice(), br#"{"test": 2432232314}"#];
        let signature = STANDARD.encode(sign(&key, &signed.concat()));
        assert_eq!(signature, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn only_public_https_is_called_unless_it_is_said() {
        let new = |url, private_addresses| {
            let trust = Trust { private_addresses, authority: None };
            Endpoint::new(url, SECRET, trust, Duration::from_secs(1))
        };
        for url in ["https://callback.example/x?token=1", "https://93.184.216.34/"] {
            assert!(new(url, false).is_ok(), "{url}");
        }
        for url in [
            "http://callback.example/",
            "https://127.0.0.1/",
            "https://10.1.2.3/",
            "https://169.254.169.254/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[fd00::1]/",
            "https://0x7f.1/",
            "https://2130706433/",
        ] {
            assert!(matches!(new(url, false), Err(EndpointError::Private)), "{url}");
            assert!(new(url, true).is_ok(), "{url}");
        }
        for url in ["ftp://x/", "https://u:p@x/", "https://x/#f", "/x", ""] {
            assert!(matches!(new(url, true), Err(EndpointError::Url)), "{url}");
        }
        for secret in ["", "secret", "whsec_", "whsec_YQ==", "whsec_!"] {
            let made = Endpoint::new(
                "https://x.example/",
                secret,
                Trust::default(),
                Duration::from_secs(1),
            );
            assert!(matches!(made, Err(EndpointError::Secret)), "{secret}");
        }
    }

    #[test]
    fn an_authority_is_a_certificate() {
        for pem in [&b""[..], b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n"] {
            let trust = Trust { authority: Some(pem), ..Trust::default() };
            let made = Endpoint::new("https://x.example/", SECRET, trust, Duration::from_secs(1));
            assert!(matches!(made, Err(EndpointError::Authority)));
        }
    }

    #[test]
    fn special_addresses_are_not_public() {
        for address in ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "100.64.0.1",
            "127.0.0.1",
            "172.16.0.1",
            "192.0.0.8",
            "192.168.0.1",
            "198.18.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "64:ff9b::7f00:1",
            "::127.0.0.1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn a_name_of_a_private_address_is_not_found() {
        let found = PublicOnly.resolve("localhost".parse().unwrap()).await;
        assert!(found.is_err());
    }

    #[test]
    fn an_answer_is_judged_by_its_status() {
        let judged = |status: u16, after: Option<&'static str>| {
            let after = after.map(reqwest::header::HeaderValue::from_static);
            judge(StatusCode::from_u16(status).unwrap(), after.as_ref())
        };
        assert_eq!(judged(204, None), Sent::Received);
        assert_eq!(judged(410, None), Sent::Gone);
        for status in [301, 307, 400, 404, 500] {
            assert!(matches!(judged(status, None), Sent::Later { after: None, .. }), "{status}");
        }
        let busy = judged(503, Some("7"));
        let wait = Some(Duration::from_secs(7));
        assert_eq!(busy, Sent::Later { reason: "it answered 503".into(), after: wait });
        assert!(matches!(judged(429, Some("soon")), Sent::Later { after: None, .. }));
    }
}
