//! Every result code of the eGovFrame integration service, produced by the situation that it names.
//! `mappings/catalog/welfare/mohw/v1/README.md` has the same table in words.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::front::Refusing;
use gateway_core::{
    Evidence, ExchangeId, Fault, Front, Inbound, Journal, Kind, Message, Pipeline, Receipt, Record,
    Reply, Value,
};
use integration_tests::echo::Echo;
use integration_tests::root;
use integration_tests::scripted::{NOW, Scripted, passing, refusing};
use mappings::Catalog;
use uuid::Uuid;

fn catalog() -> Catalog {
    let scripted = Arc::new(Scripted { fault: None });
    Catalog::load(&root().join("mappings/catalog"), scripted).unwrap()
}

/// A request of the mapping's cases, which are read by everyone.
fn case(name: &str) -> Vec<u8> {
    let cases: PathBuf = root().join("mappings/catalog/welfare/mohw/v1/cases");
    std::fs::read(cases.join(format!("{name}.in"))).unwrap()
}

async fn send(pipeline: Pipeline, front: Arc<dyn Front>, request: Vec<u8>) -> Reply {
    let inbound = Inbound {
        id: ExchangeId(Uuid::nil()),
        front,
        evidence: Evidence::default(),
        attributes: BTreeMap::new(),
        body: request.into(),
        received: NOW.parse().unwrap(),
    };
    pipeline.handle(inbound).await
}

fn result_code(reply: &Reply) -> String {
    let text = std::str::from_utf8(&reply.body).unwrap();
    let (_, rest) = text.split_once("<t:resultCode>").unwrap_or_else(|| panic!("{text}"));
    rest.split('<').next().unwrap().to_owned()
}

/// A provider that finds no overlap.
fn well() -> Echo {
    let answer = Message::from_iter([("overlapping", Value::Flag(false))]);
    Echo { answer: Some(answer), ..Echo::default() }
}

async fn code_of(provider: Echo, request: &str) -> String {
    let catalog = catalog();
    let front = catalog.front("welfare/mohw/v1").unwrap().as_front();
    let routes = Arc::new(provider).routes(catalog.services());
    result_code(&send(passing(routes), front, case(request)).await)
}

async fn code_of_failure(kind: Kind, code: &'static str) -> String {
    let failure = Some(Fault::new(kind, code, "what the caller reads"));
    code_of(Echo { failure, ..well() }, "overlap").await
}

#[tokio::test]
async fn a_request_that_is_let_through_and_one_that_is_not() {
    for (request, wanted) in [
        ("overlap", "0000"),
        ("bad-integration-unknown", "1000"),
        ("bad-integration-not-in-use", "1000"),
        ("bad-integration-ended", "1001"),
        ("bad-consumer-system", "1003"),
        ("bad-unknown-organization", "1003"),
        ("bad-provider-system", "1004"),
        ("bad-wrong-provider", "1004"),
        ("bad-unknown-operation", "1005"),
        ("bad-not-well-formed", "3001"),
        ("bad-header-missing", "3002"),
    ] {
        assert_eq!(code_of(well(), request).await, wanted, "{request}");
    }
}

#[tokio::test]
async fn what_becomes_of_the_call_has_its_code() {
    for (kind, code, wanted) in [
        (Kind::BackendUnavailable, "timeout", "0001"),
        (Kind::OutcomeUnknown, "outcome-unknown", "0001"),
        (Kind::BackendRefused, "overlapping-benefit", "0002"),
        (Kind::BackendUnavailable, "unreachable", "2001"),
        (Kind::BackendUnavailable, "node-unavailable", "2001"),
        (Kind::BackendUnavailable, "not-ready", "3003"),
        (Kind::BackendUnavailable, "connection-lost", "5000"),
        (Kind::BackendUnavailable, "answer-garbled", "5001"),
    ] {
        assert_eq!(code_of_failure(kind, code).await, wanted, "{kind}/{code}");
    }
}

#[tokio::test]
async fn what_cannot_be_said_has_its_code() {
    let unmappable = |code| Some(Fault::new(Kind::Unmappable, code, "what the caller reads"));
    let unwritable = Echo { unwritable: unmappable("call-unwritable"), ..well() };
    assert_eq!(code_of(unwritable, "overlap").await, "2000");
    let unreadable = Echo { unreadable: unmappable("answer-unreadable"), ..well() };
    assert_eq!(code_of(unreadable, "overlap").await, "5001");
    // The service promises a yes or no, and the answer has none.
    let empty = Echo { answer: Some(Message::new()), ..Echo::default() };
    assert_eq!(code_of(empty, "overlap").await, "4000");
}

#[tokio::test]
async fn a_service_without_a_provider_is_not_usable() {
    let catalog = catalog();
    let front = catalog.front("welfare/mohw/v1").unwrap().as_front();
    let nowhere = passing(gateway_core::route::Routes::default());
    assert_eq!(result_code(&send(nowhere, front, case("overlap")).await), "1002");
}

#[tokio::test]
async fn a_gateway_that_fails_says_so() {
    let front = catalog().front("welfare/mohw/v1").unwrap().as_front();
    let broken = Fault::new(Kind::Internal, "store-unavailable", "the gateway's store failed");
    assert_eq!(result_code(&send(refusing(broken), front, case("overlap")).await), "1006");
}

#[tokio::test]
async fn a_request_that_does_not_arrive_whole_cannot_be_received() {
    for code in ["too-large", "truncated", "too-slow"] {
        let front = catalog().front("welfare/mohw/v1").unwrap().as_front();
        let fault = Fault::new(Kind::Malformed, code, "what the caller reads");
        let front = Arc::new(Refusing::new(front, fault));
        let pipeline = passing(gateway_core::route::Routes::default());
        assert_eq!(result_code(&send(pipeline, front, case("overlap")).await), "3000", "{code}");
    }
}

/// A journal whose disk is full once an answer is there.
struct Full;

#[async_trait]
impl Journal for Full {
    async fn append(&self, _: Record<'_>) -> Result<Receipt, Fault> {
        let says = "the evidence log cannot be written";
        Err(Fault::new(Kind::Internal, "evidence-unavailable", says))
    }

    fn writable(&self) -> Result<(), Fault> {
        Ok(())
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_recorded_is_not_sent() {
    let catalog = catalog();
    let front = catalog.front("welfare/mohw/v1").unwrap().as_front();
    let routes = Arc::new(well()).routes(catalog.services());
    let pipeline = Pipeline { journal: Arc::new(Full), ..passing(routes) };
    let reply = send(pipeline, front, case("overlap")).await;
    assert_eq!(result_code(&reply), "4001");
    assert!(!std::str::from_utf8(&reply.body).unwrap().contains("overlapping"));
}

#[tokio::test]
async fn the_registered_time_out_is_the_deadline_of_the_call() {
    let catalog = catalog();
    let front = catalog.front("welfare/mohw/v1").unwrap().as_front();
    let provider = Arc::new(well());
    let pipeline = passing(provider.routes(catalog.services()));
    assert_eq!(result_code(&send(pipeline, front, case("overlap")).await), "0000");
    // The route would have waited for a minute.
    assert_eq!(*provider.deadline.lock().unwrap(), Some(Duration::from_secs(10)));
}
