//! The queue on a real store, without a gateway behind it.

use std::collections::BTreeMap;

use gateway_core::caller::Means;
use gateway_core::front::{Draft, Exchange};
use gateway_core::service::{Service, ServiceId};
use gateway_core::{Assurance, Caller, Message, Operation, Pseudonym, SubmissionKey, Value};
use gateway_store::Store;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::clock::SystemClock;
use crate::config;

struct Nobody;

impl Pseudonymize for Nobody {
    fn pseudonym(&self, _: &str, _: &str, identifier: &[u8]) -> Pseudonym {
        Pseudonym(crate::authenticate::sha256(identifier))
    }
}

struct NoFront;

impl Front for NoFront {
    fn name(&self) -> &str {
        "none"
    }

    fn decode(&self, _: &Inbound) -> Result<gateway_core::Envelope, Fault> {
        unreachable!("it is decoded already")
    }

    fn encode(&self, _: &Exchange<'_>, _: &Message) -> Result<Draft, Fault> {
        unreachable!("nothing is answered")
    }

    fn refuse(&self, _: &Exchange<'_>, _: &Fault) -> Draft {
        unreachable!("nothing is refused")
    }
}

async fn queue(waiting: u32) -> (Later, Arc<Store>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s");
    let store = Store::open(&file, Arc::new(SystemClock), Duration::MAX);
    let store = Arc::new(store.await.unwrap());
    let hash =
        |key: &str| format!("sha256:{}", hex::encode(crate::authenticate::sha256(key.as_bytes())));
    let member = |id: &str| config::Member {
        id: id.into(),
        name: id.into(),
        api_keys: vec![hash(id)],
        ..config::Member::default()
    };
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let subscription = |name: &str, events: &[&str]| Subscription {
        name: name.into(),
        member: MemberId("bank".into()),
        events: events.iter().map(|event| (*event).to_owned()).collect(),
        body: Body::Notice,
        endpoint: Endpoint::new(
            "http://127.0.0.1:9/",
            secret,
            Trust { private_addresses: true, authority: None },
            Duration::from_secs(1),
        )
        .unwrap(),
    };
    let parts = LaterParts {
        letters: store.clone(),
        letter_box: store.clone(),
        due: Arc::default(),
        pseudonyms: Arc::new(Nobody),
        members: Arc::new(Members::new(&[member("bank"), member("city")]).unwrap()),
        clock: Arc::new(SystemClock),
        seal: Seal::new(&[7; 32]).unwrap(),
        fronts: HashMap::new(),
        subscriptions: vec![
            subscription("first", &["exchange.failed", "exchange.completed"]),
            subscription("second", &["exchange.completed"]),
        ],
    };
    let settings = LaterSettings {
        keep: Duration::from_secs(60),
        keep_dead: Duration::from_secs(60),
        waiting,
        backoff: Backoff { first: Duration::ZERO, longest: Duration::ZERO, attempts: 1 },
    };
    (Later::new(parts, settings), store, folder)
}

fn inbound(n: u128) -> Inbound {
    Inbound {
        id: ExchangeId(Uuid::from_u128(n)),
        front: Arc::new(NoFront),
        evidence: evidence("bank"),
        attributes: BTreeMap::new(),
        body: "body".into(),
        received: SystemClock.now(),
        deadline: None,
    }
}

fn evidence(key: &str) -> Evidence {
    Evidence { api_key: Some(key.to_owned().into()), ..Evidence::default() }
}

fn deferral(key: Option<u8>, amount: i128) -> Deferral {
    let id = ServiceId { sector: "s".into(), code: "pay".into() };
    let service =
        Service { id, operation: Operation::Submit, subject: None, purpose: None, consent: None };
    Deferral {
        envelope: Arc::new(gateway_core::Envelope {
            service: Arc::new(service),
            message: [("amount", Value::Integer(amount))].into_iter().collect(),
            idempotency_key: None,
            credential: None,
            claimed_member: None,
            claimed_subsystem: None,
            endpoint: None,
            mapping: "s/none/v1".into(),
            echo: Message::new(),
        }),
        caller: Caller {
            member: MemberId("bank".into()),
            means: Means::ApiKey,
            assurance: Assurance::Low,
        },
        key: key.map(|key| SubmissionKey([key; 32])),
    }
}

#[tokio::test]
async fn one_key_is_one_exchange_and_a_full_queue_says_so() {
    let (later, _store, _folder) = queue(2).await;
    let first = later.defer(&inbound(1), &deferral(Some(1), 5)).await.unwrap();
    assert_eq!(first, ExchangeId(Uuid::from_u128(1)));
    assert_eq!(later.defer(&inbound(2), &deferral(Some(1), 5)).await.unwrap(), first);
    let reused = later.defer(&inbound(3), &deferral(Some(1), 6)).await.unwrap_err();
    assert_eq!(reused.code, "idempotency-key-reused");
    later.defer(&inbound(4), &deferral(None, 5)).await.unwrap();
    let full = later.defer(&inbound(5), &deferral(None, 5)).await.unwrap_err();
    assert_eq!((full.kind, &*full.code), (Kind::RateLimited, "queue-full"));
}

#[tokio::test]
async fn only_the_member_that_asked_may_look() {
    let (later, _store, _folder) = queue(2).await;
    let id = later.defer(&inbound(1), &deferral(None, 5)).await.unwrap();
    assert_eq!(later.collect(id, &evidence("bank")).await.unwrap(), Collected::Waiting);
    let other = later.collect(id, &evidence("city")).await.unwrap_err();
    assert_eq!(other.kind, Kind::Unroutable);
    let stranger = later.collect(id, &evidence("nobody")).await.unwrap_err();
    assert_eq!(stranger.kind, Kind::Unauthenticated);
}

#[tokio::test]
async fn an_event_goes_to_those_of_its_member_who_want_it() {
    let (later, _store, _folder) = queue(1).await;
    let (bank, city) = (MemberId("bank".into()), MemberId("city".into()));
    let exchange = ExchangeId(Uuid::from_u128(7));
    let event =
        |member, kind| Event { kind, member, exchange, data: json!({ "n": 1 }), reply: None };
    let told = |event: &Event<'_>| {
        let letters = later.callbacks(event).unwrap();
        letters.into_iter().map(|letter| letter.lane.unwrap()).collect::<Vec<_>>()
    };
    assert!(told(&event(&city, "exchange.completed")).is_empty());
    assert_eq!(told(&event(&bank, "exchange.completed")), ["first", "second"]);
    assert_eq!(told(&event(&bank, "exchange.failed")), ["first"]);

    let letters = later.callbacks(&event(&bank, "exchange.failed")).unwrap();
    let letter = &letters[0];
    assert_eq!((letter.task, &*letter.subject), (Task::Delivery, "exchange.failed"));
    assert!(!letter.content.windows(8).any(|window| window == b"exchange"), "it is sealed");
    let opened = events::Callback::open(letter.id, &letter.content, &later.seal).unwrap();
    assert_eq!(opened.exchange, exchange);
    let notice: serde_json::Value = serde_json::from_slice(&opened.body).unwrap();
    assert_eq!((&notice["type"], &notice["data"]), (&json!("exchange.failed"), &json!({ "n": 1 })));
}
