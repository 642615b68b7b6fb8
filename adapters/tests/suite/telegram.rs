//! The telegram adapter against a server on Python's sockets, in every framing.

use std::sync::Arc;

use adapters::telegram::{Telegram, TelegramConfig, TelegramError};
use gateway_core::wire::{Around, Holds, Place};
use gateway_core::{Clock, Encoded, Kind, Received};
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use crate::carriers::Carried;
use crate::contract::{Subject, What};
use crate::support::outbox::MemoryOutbox;
use crate::support::peer::Peer;
use crate::support::tls::Pki;
use crate::support::until;

struct Wall;

impl Clock for Wall {
    fn now(&self) -> jiff::Timestamp {
        // Any instant will do: the numbers given are counted on from it.
        jiff::Timestamp::from_second(1_795_309_200).unwrap()
    }
}

fn telegram(code: &str, text: &[u8]) -> Encoded {
    let body = [format!("{code:<6}00000000").as_bytes(), text].concat();
    let places = vec![Place { holds: Holds::Serial, offset: 6, length: 8 }];
    Encoded { around: Around::Telegram { places }, body: Zeroizing::new(body) }
}

fn message(what: What) -> Encoded {
    let code = match what {
        What::Query => "QUERY",
        What::Submit => "SUBMIT",
        What::Count => "COUNT",
        What::Refuse => "REFUSE",
        What::Slow => "SLOW",
        What::Lose => "LOSE",
        What::Large => "LARGE",
        What::Cut => "CUT",
        What::Noise => "NOISE",
    };
    telegram(code, b"hello")
}

fn words(received: &Received) -> String {
    String::from_utf8(received.body[14..].to_vec()).unwrap()
}

fn config(port: u16, framing: Json, more: Json) -> TelegramConfig {
    let mut config = json!({ "address": format!("127.0.0.1:{port}"), "framing": framing });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(config).unwrap()
}

fn subject(config: &TelegramConfig, key: Option<String>) -> Subject {
    let outbox = Arc::<MemoryOutbox>::default();
    let telegram = Telegram::new(config, key.map(Zeroizing::new).as_ref()).unwrap();
    let adapter = telegram.open(outbox.clone(), Arc::new(Wall));
    Subject { adapter, outbox, backend: Arc::new(Carried { message, words }) }
}

fn ascii4() -> Json {
    json!({ "length_digits": 4, "max": 4096 })
}

#[tokio::test]
async fn in_every_framing() {
    for (name, framing) in [
        ("ascii4", ascii4()),
        ("ascii6", json!({ "length_digits": 6, "inclusive": true, "max": 4096 })),
        ("binary2", json!({ "length_bytes": 2, "max": 4096 })),
        ("binary4", json!({ "length_bytes": 4, "max": 4096 })),
        ("stx", json!({ "stx_etx": "plain", "max": 4096 })),
        ("newline", json!({ "newline": "lf", "max": 4096 })),
    ] {
        let peer = Peer::start("telegram_peer.py", &[name], 0, &[]);
        subject(&config(peer.port, framing, json!({})), None).conforms().await;
    }
}

#[tokio::test]
async fn each_message_on_a_connection_of_its_own() {
    let peer = Peer::start("telegram_peer.py", &["ascii4"], 0, &[]);
    let config = config(peer.port, ascii4(), json!({ "connection": "per-message" }));
    subject(&config, None).conforms().await;
}

#[tokio::test]
async fn over_tls_with_a_client_certificate() {
    let pki = Pki::new();
    let files = pki.of_provider();
    let files = files.each_ref().map(String::as_str);
    let peer = Peer::start("telegram_peer.py", &["ascii4"], 0, &files);
    let tls = json!({ "authority": pki.path("ca.pem"), "certificate": pki.path("gateway.pem") });
    let shown = config(peer.port, ascii4(), json!({ "tls": tls }));
    subject(&shown, Some(pki.text("gateway.key"))).conforms().await;
    let tls = json!({ "authority": Pki::new().path("ca.pem") });
    let stranger: TelegramConfig = config(peer.port, ascii4(), json!({ "tls": tls }));
    assert!(matches!(Telegram::new(&stranger, None), Err(TelegramError::Tls(_))));
}

#[tokio::test]
async fn answers_find_their_requests_in_whatever_order_they_come() {
    let peer = Peer::start("telegram_peer.py", &["ascii4"], 0, &[]);
    let config = config(peer.port, ascii4(), json!({ "multiplex": 8 }));
    let subject = Arc::new(subject(&config, None));
    let held: Vec<_> = (0..3)
        .map(|_| {
            let subject = subject.clone();
            tokio::spawn(async move { raw(&subject, "HOLD").await })
        })
        .collect();
    // They are with the provider when it says that it holds them all.
    let all_held = || async {
        let free = raw(&subject, "FREE").await.unwrap();
        assert_eq!(free, "first");
        held.iter().all(|held| held.is_finished())
    };
    until(all_held).await;
    for held in held {
        assert_eq!(held.await.unwrap().unwrap(), "second");
    }
}

async fn raw(subject: &Subject, code: &str) -> Result<String, gateway_core::Fault> {
    use gateway_core::{Call, Content, Operation};
    let call = Call {
        operation: Operation::Query,
        function: code.to_owned(),
        content: Content::Message { message: telegram(code, b""), inquiry: None },
        key: None,
        repeatable: false,
    };
    let admitted = crate::support::exchange::query().await;
    let limit = if code == "WRONG" { crate::support::SHORT } else { crate::support::LONG };
    let response = subject.adapter.call(&admitted, &call, limit).await?;
    Ok(words(&crate::carriers::received(response)))
}

#[tokio::test]
async fn an_answer_to_nobody_is_nobodys() {
    let peer = Peer::start("telegram_peer.py", &["ascii4"], 0, &[]);
    let subject = subject(&config(peer.port, ascii4(), json!({})), None);
    let fault = raw(&subject, "WRONG").await.unwrap_err();
    assert_eq!((fault.kind, &*fault.code), (Kind::BackendUnavailable, "timeout"));
    assert_eq!(raw(&subject, "COUNT").await.unwrap(), "0", "the connection is still good");
}

#[tokio::test]
async fn a_provider_that_is_gone_and_comes_back() {
    let peer = Peer::start("telegram_peer.py", &["ascii4"], 0, &[]);
    let config = config(peer.port, ascii4(), json!({ "back_off_ms": [20, 40] }));
    let subject = subject(&config, None);
    assert!(subject.query(What::Query).await.is_ok());
    let port = peer.kill();
    until(|| async { subject.adapter.probe().await.is_err() }).await;
    subject.says_that_nothing_was_sent("gone").await;
    let _peer = Peer::start("telegram_peer.py", &["ascii4"], port, &[]);
    until(|| async { subject.adapter.probe().await.is_ok() }).await;
    assert_eq!(subject.submit("gone", What::Submit).await.unwrap(), "done");
}

#[tokio::test]
async fn a_silent_connection_is_tested_and_given_up_when_it_does_not_answer() {
    let peer = Peer::start("telegram_peer.py", &["ascii4"], 0, &[]);
    let test = json!({ "telegram": "TEST  ########", "idle_seconds": 1 });
    let config = config(peer.port, ascii4(), json!({ "test": test, "back_off_ms": [10, 10] }));
    let subject = subject(&config, None);
    assert_eq!(raw(&subject, "COUNT").await.unwrap(), "0");
    // A provider that no longer answers tests loses its connection, and the next one is good.
    let muted = raw(&subject, "MUTE").await.unwrap_err();
    assert_eq!((muted.kind, &*muted.code), (Kind::BackendUnavailable, "connection-lost"));
    assert_eq!(raw(&subject, "COUNT").await.unwrap(), "0");
}

#[test]
fn what_is_configured_wrong_is_found_before_anything_is_opened() {
    let new = |framing, more| Telegram::new(&config(1, framing, more), None).err();
    assert!(matches!(new(json!({ "max": 10 }), json!({})), Some(TelegramError::Framing(_))));
    for address in ["no-port", ":80", "host:port"] {
        let more = json!({ "address": address });
        assert!(matches!(new(ascii4(), more), Some(TelegramError::Address)), "{address}");
    }
    let test = |telegram: &str| json!({ "telegram": telegram, "idle_seconds": 1 });
    for telegram in ["no number", "##a##", "시험####"] {
        let more = json!({ "test": test(telegram) });
        assert!(matches!(new(ascii4(), more), Some(TelegramError::Test(_))), "{telegram}");
    }
    let more = json!({ "test": test("####"), "connection": "per-message" });
    assert!(matches!(new(ascii4(), more), Some(TelegramError::TestUnused)));
}
