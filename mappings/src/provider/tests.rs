//! Properties of all providers: whatever comes back gives an answer or a fault, and what a provider
//! cannot be told is refused. What single messages look like is in the catalog's cases.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use gateway_core::{
    Fault, Kind, Message, Operation, Pseudonym, Pseudonymize, Received, Response, ServiceId, Value,
};
use proptest::prelude::*;

use super::Provide;
use super::http::{Line, Part};
use super::verdict::{Refusals, Refused, Standing};
use crate::Catalog;
use crate::catalog::BackendEntry;

struct Nobody;

impl Pseudonymize for Nobody {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog")
}

/// A provider, and every answer of its cases, with its status, to be changed.
type Seed = (Arc<dyn Provide>, Vec<Received>);

static PROVIDERS: LazyLock<Vec<Seed>> = LazyLock::new(|| {
    let catalog = Catalog::load(&root(), Arc::new(Nobody));
    let catalog = catalog.unwrap_or_else(|problems| panic!("{problems:?}"));
    let providers = catalog.backends.iter().filter_map(|(id, backend)| match backend {
        BackendEntry::Provider(provider) => Some((provider.clone(), answers(id))),
        BackendEntry::Contract(_) => None,
    });
    providers.collect()
});

fn answers(id: &str) -> Vec<Received> {
    let files = fs::read_dir(root().join(id).join("cases")).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let replies = paths.filter(|path| path.to_string_lossy().ends_with(".reply.in"));
    let read = replies.map(|path| {
        let bytes = fs::read(path).unwrap();
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap();
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.lines().find_map(|line| line.strip_prefix("status: "));
        received(status.map(|status| status.parse().unwrap()), bytes[end + 2..].to_vec())
    });
    read.collect()
}

fn received(status: Option<u16>, body: Vec<u8>) -> Received {
    Received { status, headers: Default::default(), body: body.into() }
}

fn services(provider: &dyn Provide) -> Vec<(ServiceId, Operation)> {
    let codes = ["realNameCheck", "residentRecord", "moveReport", "overlapCheck"];
    let services = codes.into_iter().filter_map(|code| provider.service(code));
    services.map(|service| (service.id.clone(), service.operation)).collect()
}

/// Reads an answer as every operation of the provider, and as a report.
fn read_as_all(provider: &dyn Provide, answer: &Received) {
    for (service, operation) in services(provider) {
        let read = provider.answer(&service, Response::Received(answer.clone()));
        if let Err(fault) = read {
            check(&fault, operation);
        }
        let _ = provider.settlement(&service, answer.clone());
    }
}

/// A submit that was answered with something unreadable is not said to have failed.
fn check(fault: &Fault, operation: Operation) {
    if operation == Operation::Submit {
        assert_ne!(fault.kind, Kind::Unmappable, "{fault}");
    } else {
        assert_ne!(fault.kind, Kind::OutcomeUnknown, "{fault}");
    }
}

fn refused(status: u16) -> Refused {
    Refused::by_status(status, [])
}

#[test]
fn a_submit_is_refused_only_where_the_provider_said_that_it_was_not_done() {
    let refusals = Refusals { listed: Default::default() };
    let kind = |refused: &Refused, operation| refusals.fault(refused, operation).kind;
    for (status, submit, query) in [
        (400, Kind::BackendRefused, Kind::BackendRefused),
        (404, Kind::BackendRefused, Kind::BackendRefused),
        (408, Kind::OutcomeUnknown, Kind::BackendUnavailable),
        (429, Kind::BackendUnavailable, Kind::BackendUnavailable),
        (302, Kind::OutcomeUnknown, Kind::BackendUnavailable),
        (500, Kind::OutcomeUnknown, Kind::BackendUnavailable),
        (503, Kind::OutcomeUnknown, Kind::BackendUnavailable),
    ] {
        assert_eq!(kind(&refused(status), Operation::Submit), submit, "{status}");
        assert_eq!(kind(&refused(status), Operation::Query), query, "{status}");
    }
}

#[test]
fn a_sentence_is_not_the_name_of_a_refusal() {
    for sentence in ["홍길동은 없습니다", "no such person", "", &"x".repeat(65)] {
        let named = Refused::new([sentence.to_owned()], Standing::NotDone);
        assert!(named.is_one_of(&["unnamed".to_owned()]), "{sentence}");
    }
    let both = Refused::new(["a b".to_owned(), "E-1".to_owned()], Standing::NotDone);
    assert!(both.is_one_of(&["E-1".to_owned()]));
}

#[test]
fn a_path_is_texts_and_fields() {
    let text = |text: &str| Part::Text(text.to_owned());
    let field = Part::Field("id".to_owned());
    assert_eq!(Line::parse("/a/{id}/b").unwrap(), [text("/a/"), field, text("/b")]);
    assert_eq!(Line::parse("").unwrap(), [text("")]);
    for bad in ["/{", "/{}", "/a}b", "/a b", "/주민"] {
        assert_eq!(Line::parse(bad), None, "{bad}");
    }
}

#[test]
fn an_operator_finds_out_about_providers_and_not_about_ledgers() {
    let catalog = Catalog::load(&root(), Arc::new(Nobody)).unwrap_or_else(|_| panic!("it loads"));
    let found = |mapping: &str, service: (&str, &str), values: Message| {
        let service = ServiceId { sector: service.0.into(), code: service.1.into() };
        catalog.mapping(mapping).unwrap().found(&service, values).map_err(|fault| fault.kind)
    };
    let text = Value::Text("R-1".to_owned());
    let receipt = Message::from_iter([("receiptNumber", text)]);
    let moving = ("population", "moveReport");
    let answer = found("population/mois-soap/v1", moving, receipt.clone()).unwrap();
    assert_eq!(answer.values, receipt, "what the reply repeats of the request is not wanted");
    let missing = found("population/mois-soap/v1", moving, Message::new());
    assert_eq!(missing, Err(Kind::Malformed));
    let ledger = found("welfare/ledger/v1", ("welfare", "benefitGrant"), Message::new());
    assert_eq!(ledger, Err(Kind::Unsupported));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_an_answer_or_a_fault(
        body in proptest::collection::vec(any::<u8>(), 0..300),
        status in proptest::option::of(100_u16..600),
    ) {
        for (provider, _) in PROVIDERS.iter() {
            read_as_all(&**provider, &received(status, body.clone()));
        }
    }

    #[test]
    fn changed_answers_are_an_answer_or_a_fault(
        seed in any::<proptest::sample::Index>(),
        other in any::<proptest::sample::Index>(),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let (provider, answers) = seed.get(&PROVIDERS);
        let answer = other.get(answers);
        let mut body = answer.body.to_vec();
        let at = at.index(body.len() + 1);
        if cut {
            body.truncate(at);
        } else {
            body.splice(at..(at + 1).min(body.len()), [byte]);
        }
        read_as_all(&**provider, &received(answer.status, body));
    }
}
