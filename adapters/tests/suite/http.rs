//! The HTTP adapter against `http.server` of Python.

use std::sync::Arc;

use adapters::http::{Credentials, Http, HttpConfig, HttpError};
use gateway_core::adapter::Format;
use gateway_core::wire::{Around, Method};
use gateway_core::{Adapter, Encoded, Fault, Kind, Received};
use serde_json::json;
use zeroize::Zeroizing;

use crate::carriers::Carried;
use crate::contract::{Subject, What};
use crate::support::outbox::MemoryOutbox;
use crate::support::peer::Peer;
use crate::support::tls::Pki;

fn message(what: What) -> Encoded {
    let path = match what {
        What::Query => "/query",
        What::Submit => "/submit",
        What::Count => "/count",
        What::Refuse => "/refuse",
        What::Slow => "/slow",
        What::Lose => "/lose",
        What::Large => "/oversize",
        What::Cut => "/truncate",
        What::Noise => "/garble",
    };
    post(path)
}

fn post(path: &str) -> Encoded {
    let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
    let around = Around::Http { method: Method::Post, path: path.to_owned(), headers };
    Encoded { around, body: Zeroizing::new(b"hello".to_vec()) }
}

fn words(received: &Received) -> String {
    String::from_utf8(received.body.to_vec()).unwrap()
}

fn config(more: serde_json::Value) -> HttpConfig {
    serde_json::from_value(more).unwrap()
}

fn open(
    config: &HttpConfig,
    credentials: Credentials,
    outbox: &Arc<MemoryOutbox>,
) -> Arc<dyn Adapter> {
    Http::new(config, credentials, &[Format::Json]).unwrap().open(outbox.clone())
}

fn subject(config: &HttpConfig, credentials: Credentials) -> Subject {
    let outbox = Arc::<MemoryOutbox>::default();
    let adapter = open(config, credentials, &outbox);
    Subject { adapter, outbox, backend: Arc::new(Carried { message, words }) }
}

fn plain(port: u16) -> Subject {
    let config = config(json!({ "url": format!("http://127.0.0.1:{port}/"), "probe": "/ready" }));
    subject(&config, Credentials::default())
}

/// Asks for a path of its own.
async fn ask(subject: &Subject, path: &str) -> Result<Received, Fault> {
    use gateway_core::{Call, Content, Operation};
    let call = Call {
        operation: Operation::Query,
        function: path.to_owned(),
        content: Content::Message { message: post(path), inquiry: None },
        key: None,
        repeatable: false,
    };
    let admitted = crate::support::exchange::query().await;
    let response = subject.adapter.call(&admitted, &call, crate::support::LONG).await;
    response.map(crate::carriers::received)
}

#[tokio::test]
async fn over_http() {
    let peer = Peer::start("http_peer.py", &[], 0, &[]);
    plain(peer.port).conforms().await;
}

#[tokio::test]
async fn over_https_with_a_client_certificate() {
    let pki = Pki::new();
    let files = pki.of_provider();
    let peer = Peer::start("http_peer.py", &[], 0, &files.each_ref().map(String::as_str));
    let url = format!("https://127.0.0.1:{}", peer.port);
    let with = |certificate: Option<&str>| {
        let certificate = certificate.map(|name| pki.path(name));
        config(
            json!({ "url": url, "tls": { "authority": pki.path("ca.pem"), "certificate": certificate } }),
        )
    };
    let key = || Some(Zeroizing::new(pki.text("gateway.key")));
    let shown = Credentials { key: key(), ..Credentials::default() };
    subject(&with(Some("gateway.pem")), shown).conforms().await;

    // Without one the provider ends the handshake or, in TLS 1.3, the connection after it.
    let bare = subject(&with(None), Credentials::default());
    assert_eq!(bare.query(What::Query).await.unwrap_err().kind, Kind::BackendUnavailable);
    // And one of another authority is not our provider.
    let other = Pki::new();
    let stranger = config(json!({ "url": url, "tls": { "authority": other.path("ca.pem") } }));
    subject(&stranger, Credentials::default()).says_that_nothing_was_sent("stranger").await;

    let half = Credentials { key: key(), ..Credentials::default() };
    assert!(matches!(Http::new(&with(None), half, &[]), Err(HttpError::Tls(_))));
}

#[tokio::test]
async fn a_provider_that_is_gone_and_comes_back() {
    let peer = Peer::start("http_peer.py", &[], 0, &[]);
    let subject = plain(peer.port);
    assert!(subject.query(What::Query).await.is_ok());
    let port = peer.kill();
    subject.says_that_nothing_was_sent("gone").await;
    let _peer = Peer::start("http_peer.py", &[], port, &[]);
    assert_eq!(subject.submit("gone", What::Submit).await.unwrap(), "done");
}

#[tokio::test]
async fn redirects_are_not_followed_and_endless_answers_are_cut_off() {
    let peer = Peer::start("http_peer.py", &[], 0, &[]);
    let subject = plain(peer.port);
    let redirected = ask(&subject, "/redirect").await.unwrap();
    assert_eq!(redirected.status, Some(302));
    assert_eq!(redirected.headers["location"], "/submit");
    assert_eq!(subject.query(What::Count).await.unwrap(), "0");
    let endless = ask(&subject, "/endless").await.unwrap_err();
    assert_eq!((endless.kind, &*endless.code), (Kind::BackendUnavailable, "answer-too-large"));
}

#[tokio::test]
async fn a_path_leads_nowhere_but_where_it_says() {
    let peer = Peer::start("http_peer.py", &[], 0, &[]);
    let inner = config(json!({ "url": format!("http://127.0.0.1:{}/inner", peer.port) }));
    let subject = subject(&inner, Credentials::default());
    for path in ["/../count", "/%2e%2e/count", "/a/../../count", "\\..\\count", "/a b"] {
        let fault = ask(&subject, path).await.unwrap_err();
        assert_eq!((fault.kind, &*fault.code), (Kind::BackendUnavailable, "unsuitable"), "{path}");
    }
}

#[tokio::test]
async fn a_secret_header_is_sent_and_not_shown() {
    let peer = Peer::start("http_peer.py", &[], 0, &[]);
    let config = config(json!({ "url": format!("http://127.0.0.1:{}", peer.port) }));
    let secret = Zeroizing::new("s3cret".to_owned());
    let headers = vec![("x-api-key".to_owned(), secret)];
    let subject = subject(&config, Credentials { headers, key: None });
    let answer = ask(&subject, "/header").await.unwrap();
    assert_eq!(words(&answer), "s3cret");
    assert!(!format!("{answer:?}").contains("s3cret"));
}

#[test]
fn what_is_configured_wrong_is_found_before_anything_is_opened() {
    let new = |more| Http::new(&config(more), Credentials::default(), &[Format::Json]).err();
    for url in ["ftp://a.example/", "http://user:pass@a.example/", "http://a.example/?q=1"] {
        assert!(matches!(new(json!({ "url": url })), Some(HttpError::Url)), "{url}");
    }
    assert!(matches!(new(json!({ "url": "https://a.example/" })), Some(HttpError::TlsMissing)));
    for url in ["http://127.0.0.1/", "http://10.1.2.3/", "http://[::1]/", "http://169.254.169.254/"]
    {
        let config = json!({ "url": url, "public_only": true });
        assert!(matches!(new(config), Some(HttpError::NotPublic)), "{url}");
    }
    let bad = Credentials {
        headers: vec![("x-key".into(), Zeroizing::new("a\r\nb".into()))],
        ..Credentials::default()
    };
    let plain = config(json!({ "url": "http://a.example/" }));
    assert!(matches!(Http::new(&plain, bad, &[]), Err(HttpError::Header(_))));
}

#[tokio::test]
async fn a_name_that_leads_into_ones_own_network_is_not_followed() {
    let peer = Peer::start("http_peer.py", &[], 0, &[]);
    let url = format!("http://localhost:{}", peer.port);
    let public = config(json!({ "url": url, "public_only": true }));
    subject(&public, Credentials::default()).says_that_nothing_was_sent("inside").await;
}
