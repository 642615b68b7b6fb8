//! The gRPC front against requests built with the generated messages, and against any bytes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use gateway_core::front::LOSS_HEADER;
use gateway_core::{Evidence, ExchangeId, Loss, LossKind, Pseudonym, Pseudonymize, Value};
use jiff::Timestamp;
use proptest::prelude::*;
use prost_types::value::Kind as Is;
use prost_types::{ListValue, Struct, Value as Element};

use super::*;
use crate::Catalog;

struct Nobody;

impl Pseudonymize for Nobody {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

static FRONT: LazyLock<Arc<GrpcFront>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
    let loaded = Catalog::load(&root, Arc::new(Nobody));
    loaded.unwrap_or_else(|problems| panic!("{problems:?}")).grpc().clone()
});

fn inbound(body: Vec<u8>) -> Inbound {
    Inbound {
        id: ExchangeId(Uuid::nil()),
        front: FRONT.clone(),
        evidence: Evidence::default(),
        attributes: BTreeMap::new(),
        body: body.into(),
        received: Timestamp::UNIX_EPOCH,
        deadline: None,
    }
}

fn exchange<'a>(inbound: &'a Inbound, envelope: Option<&'a Arc<Envelope>>) -> Exchange<'a> {
    Exchange { id: inbound.id, inbound, envelope, quota: &[], now: Timestamp::UNIX_EPOCH }
}

fn element(kind: Is) -> Element {
    Element { kind: Some(kind) }
}

fn text(text: &str) -> Element {
    element(Is::StringValue(text.to_owned()))
}

fn number(number: f64) -> Element {
    element(Is::NumberValue(number))
}

fn structure(fields: Vec<(&str, Element)>) -> Struct {
    Struct { fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
}

fn grant() -> Vec<(&'static str, Element)> {
    vec![
        ("person", text("900101-1234567")),
        ("name", text("홍길동")),
        ("programme", text("youth-rent")),
        ("from", text("2026-01-01")),
        ("to", text("2026-12-31")),
        ("monthlyAmount", number(310_000.0)),
    ]
}

fn request(service: &str, message: Struct, key: &str) -> Vec<u8> {
    let request = proto::ExchangeRequest {
        sector: "welfare".into(),
        service: service.into(),
        message: Some(message),
        idempotency_key: key.into(),
    };
    request.encode_to_vec()
}

fn decode(body: Vec<u8>) -> Result<Envelope, String> {
    FRONT.decode(&inbound(body)).map_err(|fault| format!("{}/{}", fault.kind, fault.code))
}

fn decode_grant(change: (&'static str, Element)) -> Result<Envelope, String> {
    let mut fields = grant();
    fields.retain(|(name, _)| *name != change.0);
    fields.push(change);
    decode(request("benefitGrant", structure(fields), "k"))
}

#[test]
fn a_request_is_said_in_the_services_own_terms() {
    let envelope = decode(request("benefitGrant", structure(grant()), "k-1")).unwrap();
    assert_eq!(envelope.service.id.to_string(), "welfare/benefitGrant");
    assert_eq!(envelope.idempotency_key.as_deref(), Some("k-1"));
    assert_eq!(envelope.message.get("monthlyAmount"), Some(&Value::Integer(310_000)));
    let day = jiff::civil::date(2026, 12, 31);
    assert_eq!(envelope.message.get("to"), Some(&Value::Date(day)));
    assert!(matches!(envelope.message.get("person"), Some(Value::Resident(_))));
    assert!(matches!(envelope.message.get("name"), Some(Value::Personal(_))));
    assert_eq!(envelope.message.get("application"), None);
}

#[test]
fn null_is_an_absent_field() {
    assert!(decode_grant(("application", element(Is::NullValue(0)))).is_ok());
    assert!(decode_grant(("application", Element { kind: None })).is_ok());
    let missing = decode_grant(("name", element(Is::NullValue(0))));
    assert_eq!(missing.unwrap_err(), "Malformed/field-missing");
}

#[test]
fn a_value_of_another_type_is_refused() {
    let list = || element(Is::ListValue(ListValue { values: vec![] }));
    let nested = || element(Is::StructValue(Struct::default()));
    for bad in [
        ("from", number(20260101.0)),
        ("from", text("20260101")),
        ("from", text("2026-02-30")),
        ("monthlyAmount", text("310000")),
        ("monthlyAmount", number(0.5)),
        ("monthlyAmount", number(f64::NAN)),
        ("monthlyAmount", number(f64::INFINITY)),
        ("monthlyAmount", number(1e17)),
        ("monthlyAmount", element(Is::BoolValue(true))),
        ("person", number(9001011234567.0)),
        ("person", text("901301-1234567")),
        ("name", list()),
        ("name", nested()),
        ("name", text("a\u{0}b")),
        ("application", text("zz")),
    ] {
        let name = format!("{bad:?}");
        assert_eq!(decode_grant(bad).unwrap_err(), "Malformed/field-invalid", "{name}");
    }
    let unknown = decode_grant(("amount", number(1.0)));
    assert_eq!(unknown.unwrap_err(), "Malformed/field-unknown");
    let code = decode_grant(("programme", text("no-such")));
    assert_eq!(code.unwrap_err(), "Unmappable/unknown-code");
    let range = decode_grant(("monthlyAmount", number(-1.0)));
    assert_eq!(range.unwrap_err(), "Unmappable/value-out-of-range");
    let long = decode_grant(("name", text(&"가".repeat(101))));
    assert_eq!(long.unwrap_err(), "Malformed/value-too-long");
}

#[test]
fn a_service_or_key_that_is_none_is_refused() {
    for service in ["", "noSuch", "BENEFITGRANT"] {
        let unknown = decode(request(service, structure(grant()), "k"));
        assert_eq!(unknown.unwrap_err(), "Unroutable/unknown-service");
    }
    assert_eq!(decode(vec![]).unwrap_err(), "Unroutable/unknown-service");
    assert_eq!(decode(vec![0x0a, 0xff]).unwrap_err(), "Malformed/malformed-protobuf");
    for key in ["k".repeat(129), "a\nb".to_owned()] {
        let invalid = decode(request("benefitGrant", structure(grant()), &key));
        assert_eq!(invalid.unwrap_err(), "Malformed/idempotency-key-invalid");
    }
}

#[test]
fn a_struct_nested_without_end_is_refused() {
    let mut nested = text("x");
    for _ in 0..200 {
        nested = element(Is::ListValue(ListValue { values: vec![nested] }));
    }
    let body = request("benefitGrant", structure(vec![("name", nested)]), "k");
    assert_eq!(decode(body).unwrap_err(), "Malformed/malformed-protobuf");
}

#[test]
fn an_answer_is_written_as_requests_are() {
    let history = structure(vec![("person", text("9001011234567")), ("group", text("housing"))]);
    let inbound = inbound(request("history", history, ""));
    let envelope = Arc::new(FRONT.decode(&inbound).unwrap());
    let benefit: Message = [
        ("benefit", Value::Bytes(vec![0xab; 32])),
        ("programme", Value::Text("youth-rent".into())),
        ("provider", Value::Text("mohw".into())),
        ("from", Value::Date(jiff::civil::date(2026, 1, 1))),
        ("to", Value::Date(jiff::civil::date(2026, 12, 31))),
        ("monthlyAmount", Value::Integer(999_999_999_999)),
        ("status", Value::Text("granted".into())),
    ]
    .into_iter()
    .collect();
    let answer = [("count", Value::Integer(1)), ("benefits", Value::List(vec![benefit]))];
    let exchange = exchange(&inbound, Some(&envelope));
    let mut answer = Message::from_iter(answer);
    answer.lose(Loss { field: "memo".into(), kind: LossKind::Truncate });
    let draft = FRONT.encode(&exchange, &answer).unwrap();
    assert_eq!(draft.header(LOSS_HEADER), Some("memo;truncate"));
    let reply = draft.seal(Some(&gateway_core::Receipt("r".repeat(200))));
    let reply = proto::ExchangeReply::decode(reply.body).unwrap();
    assert_eq!(reply.receipt, "r".repeat(200));
    assert_eq!(reply.exchange, Uuid::nil().to_string());
    let message = reply.message.unwrap();
    assert_eq!(message.fields["count"], number(1.0));
    let Some(Is::ListValue(list)) = &message.fields["benefits"].kind else {
        panic!("not a list: {message:?}");
    };
    let Some(Is::StructValue(benefit)) = &list.values[0].kind else {
        panic!("not a struct: {list:?}");
    };
    assert_eq!(benefit.fields["benefit"], text(&"ab".repeat(32)));
    assert_eq!(benefit.fields["from"], text("2026-01-01"));
    assert_eq!(benefit.fields["monthlyAmount"], number(999_999_999_999.0));
}

#[test]
fn the_descriptors_hold_the_service_and_what_it_imports() {
    let files = prost_types::FileDescriptorSet::decode(DESCRIPTORS).unwrap().file;
    let names: Vec<_> = files.iter().map(|file| file.name()).collect();
    assert!(names.contains(&"google/protobuf/struct.proto"), "{names:?}");
    let own = files.iter().find(|file| file.package() == "naru.v1").unwrap();
    let reply = own.message_type.iter().find(|message| message.name() == "ExchangeReply").unwrap();
    let receipt = reply.field.iter().find(|field| field.name() == "receipt").unwrap();
    assert_eq!(u8::try_from(receipt.number()).unwrap() << 3 | 2, RECEIPT_KEY);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_bytes_are_answered(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        try_request(body);
    }

    #[test]
    fn changed_requests_are_answered(at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let mut body = request("benefitGrant", structure(grant()), "k");
        let at = at.index(body.len());
        body[at] = byte;
        try_request(body);
    }

    #[test]
    fn amounts_and_names_come_back_as_they_were(amount in 0_i64..1_000_000_000_000, name in "[가-힣 a-z]{1,100}") {
        let mut fields = grant();
        fields.retain(|(field, _)| !matches!(*field, "monthlyAmount" | "name"));
        fields.push(("monthlyAmount", number(amount as f64)));
        fields.push(("name", text(&name)));
        let sent = structure(fields);
        let rows = &FRONT.operation(&ServiceId { sector: "welfare".into(), code: "benefitGrant".into() }).unwrap().request;
        let read = rows.read(&rows.parse_struct(&sent).unwrap()).unwrap();
        let mut written = rows.to_struct(&rows.write(&read).unwrap());
        // A resident number is written without its hyphen.
        written.fields.insert("person".into(), text("900101-1234567"));
        prop_assert_eq!(written, sent);
    }
}

fn try_request(body: Vec<u8>) {
    let inbound = inbound(body);
    if let Err(fault) = FRONT.decode(&inbound) {
        let draft = FRONT.refuse(&exchange(&inbound, None), &fault);
        assert_eq!(status_message(&draft.body), fault.public);
        assert_ne!(draft.status, status::OK);
    }
}
