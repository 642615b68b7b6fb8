//! What a table can say, each thing once: loaded, read and written through JSON, and the mistakes.

use std::fs;

use std::sync::Arc;

use bytes::Bytes;
use gateway_core::front::Exchange;
use gateway_core::{Draft, Evidence, ExchangeId, Fault, Inbound, Message};
use jiff::Timestamp;
use uuid::Uuid;

use super::Nobody;
use crate::{Catalog, FrontEntry, Problem};

const SERVICES: &str = r#"
naru: services/v1
sector: test
codes: { method: [bank, post], colour: [red, green] }
services:
  ask:
    operation: query
    request: { id: { type: text, max: 10 } }
    reply:
REPLY
  tell:
    operation: query
    request:
REQUEST
    reply: { done: { type: flag } }
"#;

const MAPPING: &str = r#"
naru: mapping/v1
sector: test
system: rest
version: 1
ZONE
layout: { rest: { key-max: 10 } }
operations:
  ask:
    request: [{ from: id, to: id, type: string }]
    reply:
REPLY
  tell:
    request:
REQUEST
    reply: [{ from: done, to: done, type: boolean }]
faults: { Malformed: "400", Unauthenticated: "401", Forbidden: "403", ConsentMissing: "403",
  ConsentExpired: "403", RateLimited: "429", Unroutable: "404", Unmappable: "422",
  Unsupported: "501", BackendRefused: "409", BackendUnavailable: "503", OutcomeUnknown: "504",
  Internal: "500" }
"#;

/// A catalog of one sector and one JSON front.
struct Sample {
    root: tempfile::TempDir,
}

fn indented(text: &str) -> String {
    text.trim().lines().map(|line| format!("      {}\n", line.trim())).collect()
}

impl Sample {
    /// `fields` of both messages, and `rows` of a request, from which those of the reply follow.
    fn new(fields: &str, rows: &str) -> Self {
        let reply =
            rows.replace(" from:", " FROM:").replace(" to:", " from:").replace(" FROM:", " to:");
        Self::of(fields, rows, &reply)
    }

    fn of(fields: &str, request: &str, reply: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let fields = indented(fields);
        let services = SERVICES.replace("REPLY\n", &fields).replace("REQUEST\n", &fields);
        let rows = |rows: &str| match rows.trim() {
            "" => "      []\n".to_owned(),
            rows => indented(rows),
        };
        let mapping = MAPPING
            .replace("REPLY\n", &rows(reply))
            .replace("REQUEST\n", &rows(request))
            .replace("ZONE\n", "zone: \"+09:00\"\n");
        let folder = root.path().join("test/rest/v1");
        fs::create_dir_all(&folder).unwrap();
        fs::write(root.path().join("test/services.yaml"), services).unwrap();
        fs::write(folder.join("mapping.yaml"), mapping).unwrap();
        Self { root }
    }

    fn load(&self) -> Result<Catalog, Vec<Problem>> {
        Catalog::load(self.root.path(), Arc::new(Nobody))
    }

    #[track_caller]
    fn front(&self) -> FrontEntry {
        let catalog = self.load().unwrap_or_else(|problems| {
            panic!("{}", problems.iter().map(|one| format!("{one}\n")).collect::<String>())
        });
        catalog.front("test/rest/v1").unwrap().clone()
    }

    fn decode(&self, service: &str, body: &str) -> Result<gateway_core::Envelope, Fault> {
        let inbound = inbound(&self.front(), service, body);
        inbound.front.decode(&inbound)
    }

    /// The reply with this message, as JSON.
    fn encode(&self, message: &Message) -> Result<Draft, Fault> {
        let inbound = inbound(&self.front(), "ask", "{}");
        let envelope = Arc::new(inbound.front.decode(&inbound)?);
        let exchange = Exchange {
            id: inbound.id,
            inbound: &inbound,
            envelope: Some(&envelope),
            quota: &[],
            now: Timestamp::UNIX_EPOCH,
        };
        inbound.front.encode(&exchange, message)
    }

    /// The request is read, and written in a reply it is what it was.
    #[track_caller]
    fn carries(&self, body: &str) -> Message {
        let message = self.decode("tell", body).unwrap().message;
        let draft = self.encode(&message).unwrap();
        assert_eq!(String::from_utf8(draft.body).unwrap(), body);
        message
    }

    #[track_caller]
    fn refuses(&self, body: &str, code: &str) {
        assert_eq!(self.decode("tell", body).unwrap_err().code, code, "{body}");
    }

    #[track_caller]
    fn finds(&self, message: &str) {
        let problems = self.load().err().unwrap_or_default();
        let shown: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert!(shown.iter().any(|problem| problem.contains(message)), "{shown:#?}");
    }
}

fn inbound(front: &FrontEntry, service: &str, body: &str) -> Inbound {
    let path = format!("/v1/test/{service}");
    let attributes = [(":path", path.as_str()), ("content-type", "application/json")];
    Inbound {
        id: ExchangeId(Uuid::nil()),
        front: front.as_front(),
        evidence: Evidence::default(),
        attributes: attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        received: Timestamp::UNIX_EPOCH,
        deadline: None,
    }
}

fn body(draft: Draft) -> String {
    String::from_utf8(draft.body).unwrap()
}

#[test]
fn decimals_keep_their_digits() {
    let sample = Sample::new(
        "a: { type: decimal, scale: 2, min: -1000, max: 1000000 }\n\
         b: { type: decimal, scale: 3, min: 0, max: 1000000 }\n\
         c: { type: decimal, scale: 2, min: 0, max: 1000000 }",
        "- { from: a, to: a, type: number }\n\
         - { from: b, to: b, type: string, format: grouped }\n\
         - { from: c, to: c, type: string, format: implied }",
    );
    sample
        .carries(r#"{"a":-12.50,"b":"1,234.500","c":"99950"}"#.replace("12.50", "12.55").as_str());
    let read = sample.decode("tell", r#"{"a":7,"b":"12.5"}"#).unwrap().message;
    assert_eq!(body(sample.encode(&read).unwrap()), r#"{"a":7.00,"b":"12.500"}"#);
    sample.refuses(r#"{"a":1.005}"#, "value-too-precise");
    sample.refuses(r#"{"a":1000000.01}"#, "value-out-of-range");
    sample.refuses(r#"{"a":0.12345678901234567}"#, "field-invalid");
    for wrong in ["1234,500.000", "1,23.4", ",1", "1e3", " 1"] {
        sample.refuses(&format!(r#"{{"b":"{wrong}"}}"#), "field-invalid");
    }
}

#[test]
fn digits_are_cut_only_where_that_is_declared() {
    let fields = "a: { type: decimal, scale: 3, min: 0, max: 1000 }";
    let kept = Sample::new(fields, "- { from: a, to: a, type: string, scale: 1 }");
    kept.refuses(r#"{"a":"1.25"}"#, "value-too-precise");
    let cut = Sample::of(
        fields,
        "- { from: a, to: a, type: string }",
        "- { to: a, from: a, type: string, scale: 1, loss: truncate }",
    );
    let precise = cut.decode("tell", r#"{"a":"1.259"}"#).unwrap().message;
    let draft = cut.encode(&precise).unwrap();
    assert_eq!(draft.header("naru-loss"), Some("a;truncate"));
    assert_eq!(body(draft), r#"{"a":"1.2"}"#);
    assert_eq!(kept.encode(&precise).unwrap_err().code, "reply-unwritable");
    let whole = cut.decode("tell", r#"{"a":"1.200"}"#).unwrap().message;
    assert_eq!(cut.encode(&whole).unwrap().header("naru-loss"), None);
}

#[test]
fn days_and_times_have_the_format_that_is_written() {
    let sample = Sample::new(
        "a: { type: date }\nb: { type: time }\nc: { type: date-time }\nd: { type: date-time }\ne: { type: date }",
        "- { from: a, to: a, type: string, format: dd.MM.yyyy }\n\
         - { from: b, to: b, type: string, format: HHmmss }\n\
         - { from: c, to: c, type: string, format: yyyyMMddHHmmss }\n\
         - { from: d, to: d, type: string }\n\
         - { from: e, to: e, type: string, format: yyMMdd, years-from: 1950 }",
    );
    let sent = r#"{"a":"09.02.2026","b":"235959","c":"20260209093000","d":"2026-02-09T09:30:00.000+09:00","e":"490101"}"#;
    let message = sample.carries(sent);
    assert!(message.get("c") == message.get("d"), "one moment in two formats");
    let shown = crate::cases::shown(&message);
    assert_eq!(shown["e"]["date"], "2049-01-01");
    for (field, wrong) in [
        ("a", "9.2.2026"),
        ("a", "30.02.2026"),
        ("a", "09.02.2026 "),
        ("b", "240000"),
        ("c", "2026020909300"),
        ("d", "2026-02-09"),
        ("e", "4901011"),
    ] {
        sample.refuses(&format!(r#"{{"{field}":"{wrong}"}}"#), "field-invalid");
    }
    // What the format has no place for is not cut off in silence.
    let fine = sample.decode("tell", r#"{"d":"2026-02-09T09:30:00.500+09:00"}"#).unwrap().message;
    let moment = fine.get("d").unwrap().clone();
    let coarse = Message::from_iter([("c", moment)]);
    assert_eq!(sample.encode(&coarse).unwrap_err().code, "reply-unwritable");
}

#[test]
fn records_nest_and_groups_are_flat_in_the_service() {
    let sample = Sample::new(
        "address: { type: record, fields: { city: { type: text, max: 9, required: true }, zip: { type: text, max: 5 } } }\n\
         bank: { type: text, max: 9 }\n\
         account: { type: text, max: 9 }",
        "- { from: addr, to: address, type: record, fields: [{ from: c, to: city, type: string, required: true }, { from: z, to: zip, type: string }] }\n\
         - { from: payment, type: group, fields: [{ from: bank, to: bank, type: string }, { from: acct, to: account, type: string }] }",
    );
    sample.carries(r#"{"addr":{"c":"부산","z":"48058"},"payment":{"bank":"004","acct":"1"}}"#);
    sample.carries(r#"{"addr":{"c":"부산"}}"#);
    sample.carries(r#"{"payment":{"acct":"1"}}"#);
    sample.carries("{}");
    sample.refuses(r#"{"addr":{"z":"48058"}}"#, "field-missing");
    sample.refuses(r#"{"addr":"부산"}"#, "field-invalid");
    sample.refuses(r#"{"addr":{"c":"부산","x":"1"}}"#, "field-unknown");
}

#[test]
fn a_flat_format_reaches_into_records() {
    let fields = "address: { type: record, fields: { city: { type: text, max: 9, required: true }, zip: { type: text, max: 5 } } }";
    let sample = Sample::new(
        fields,
        "- { from: city, to: address.city, type: string }\n- { from: zip, to: address.zip, type: string }",
    );
    sample.carries(r#"{"city":"부산","zip":"48058"}"#);
    sample.carries("{}");
    // A record that is there is whole.
    sample.refuses(r#"{"zip":"48058"}"#, "field-missing");
    Sample::new(fields, "- { from: zip, to: address.zip, type: string }")
        .finds("the service requires `address.city`");
    Sample::new(fields, "- { from: zip, to: address.street, type: string }")
        .finds("no field `address.street`");
}

#[test]
fn rows_count_when_their_condition_holds() {
    let fields = "by: { type: code, of: method, required: true }\naccount: { type: text, max: 9, required: true }";
    let sample = Sample::new(
        fields,
        "- { from: by, to: by, type: string, required: true }\n\
         - { from: bankAccount, to: account, type: string, required: true, when: { field: by, is: [bank] } }\n\
         - { from: postAccount, to: account, type: string, when: { field: by, not: [bank] } }",
    );
    sample.carries(r#"{"by":"bank","bankAccount":"1"}"#);
    sample.carries(r#"{"by":"post","postAccount":"2"}"#);
    sample.refuses(r#"{"by":"bank","postAccount":"2"}"#, "field-missing");
    sample.refuses(r#"{"by":"bank","bankAccount":"1","postAccount":"2"}"#, "field-unwanted");
    // The service wants it, whatever the row says.
    sample.refuses(r#"{"by":"post"}"#, "field-missing");

    let row = |when: &str| {
        Sample::new(
            fields,
            &format!(
                "- {{ from: by, to: by, type: string, required: true }}\n\
                 - {{ from: account, to: account, type: string, when: {when} }}"
            ),
        )
    };
    row("{ field: by, is: [cash] }").finds("`cash` is not a code");
    row("{ field: on, present: true }").finds("no field `on`");
    row("{ field: by }").finds("wants one of");
    row("{ field: account, present: true }").finds("no row always maps");
}

#[test]
fn constants_stand_on_either_side() {
    let fields = "id: { type: text, max: 9 }\nchannel: { type: text, max: 9, required: true }";
    let sample = Sample::of(
        fields,
        "- { from: version, type: string, constant: \"2\", required: true }\n\
         - { to: channel, constant: web }",
        "- { to: version, type: string, constant: \"2\" }\n\
         - { from: channel, to: channel, type: string, required: true }",
    );
    let message = sample.decode("tell", r#"{"version":"2"}"#).unwrap().message;
    assert_eq!(body(sample.encode(&message).unwrap()), r#"{"version":"2","channel":"web"}"#);
    sample.refuses(r#"{"version":"1"}"#, "field-invalid");
    sample.refuses("{}", "field-missing");
    Sample::new(fields, "- { to: channel, constant: much-too-long }").finds("is longer than 9");
    Sample::new(
        fields,
        "- { from: channel, to: channel, type: string, constant: web, required: true }",
    )
    .finds("stands there instead of");
}

#[test]
fn one_text_holds_several_fields() {
    let fields = "from: { type: date, required: true }\nto: { type: date, required: true }\narea: { type: text, max: 4 }\nserial: { type: text, max: 8 }";
    let sample = Sample::new(
        fields,
        "- { from: period, type: string, required: true, separator: \"~\", parts: [{ field: from, format: yyyyMMdd }, { field: to, format: yyyyMMdd }] }\n\
         - { from: phone, type: string, parts: [{ field: area, length: 3 }, { field: serial }] }",
    );
    sample.carries(r#"{"period":"20260101~20261231","phone":"051123"}"#);
    sample.carries(r#"{"period":"20260101~20261231"}"#);
    for wrong in ["20260101", "20260101~", "20260101~20261231~20261231", "~"] {
        sample.refuses(&format!(r#"{{"period":"{wrong}"}}"#), "field-invalid");
    }
    sample.refuses(r#"{"period":"20260101~20261231","phone":"05"}"#, "field-invalid");
    let half = Message::from_iter([("area", gateway_core::Value::Text("051".into()))]);
    assert_eq!(sample.encode(&half).unwrap_err().code, "reply-unwritable");
}

#[test]
fn several_texts_make_one_field() {
    let fields = "person: { type: resident-number, required: true }\nphone: { type: personal-text, max: 20 }";
    let sample = Sample::new(
        fields,
        "- { from: birth, type: string, max: 6, required: true }\n- { from: serial, type: string, max: 7, required: true }\n\
         - { from: tel1, type: string }\n- { from: tel2, type: string }\n\
         - { to: person, join: [birth, serial], required: true }\n\
         - { to: phone, join: [tel1, tel2], separator: \"-\" }",
    );
    sample.carries(r#"{"birth":"900101","serial":"1234567","tel1":"051","tel2":"1234"}"#);
    sample.carries(r#"{"birth":"900101","serial":"1234567"}"#);
    sample.refuses(r#"{"birth":"900101"}"#, "field-missing");
    sample.refuses(r#"{"birth":"900101","serial":"1234567","tel1":"051"}"#, "field-missing");
    Sample::new(
        fields,
        "- { from: a, type: string }\n- { to: person, join: [a, b], required: true }",
    )
    .finds("no row names `b`");
}

#[test]
fn texts_are_normalized_where_that_is_declared() {
    let fields = "name: { type: personal-text, max: 20 }";
    let sample = Sample::of(
        fields,
        "- { from: name, to: name, type: string, normalize: [nfc, half-width, spaces] }",
        "- { from: name, to: name, type: string, normalize: [full-width] }",
    );
    let decomposed = "\u{1112}\u{1169}\u{11bc} ＫＩＭ　１  ";
    let message = sample.decode("tell", &format!(r#"{{"name":"{decomposed}"}}"#)).unwrap().message;
    assert_eq!(crate::cases::shown(&message)["name"]["personal"], "홍 KIM 1");
    assert_eq!(body(sample.encode(&message).unwrap()), "{\"name\":\"홍　ＫＩＭ　１\"}");
    Sample::new(fields, "- { from: name, to: name, type: string, normalize: [nfd] }")
        .finds("is made of");
}

#[test]
fn masked_values_are_shown_and_never_read() {
    let fields = "name: { type: personal-text, max: 20 }\nperson: { type: resident-number }\nhome: { type: personal-text, max: 60 }";
    let plain = "- { from: name, to: name, type: string }\n- { from: person, to: person, type: string }\n- { from: home, to: home, type: string }";
    let sample = Sample::of(
        fields,
        plain,
        "- { from: name, to: name, type: string, convert: masked-name }\n\
         - { from: person, to: person, type: string, convert: masked-number }\n\
         - { from: home, to: home, type: string, convert: masked-address }",
    );
    let shown = |name: &str| {
        let sent = format!(
            r#"{{"name":"{name}","person":"900101-1234567","home":"부산광역시 해운대구 센텀로 1"}}"#
        );
        body(sample.encode(&sample.decode("tell", &sent).unwrap().message).unwrap())
    };
    assert_eq!(
        shown("홍길동"),
        r#"{"name":"홍*동","person":"900101-1******","home":"부산광역시 해운대구 ***"}"#
    );
    for (name, masked) in
        [("이산", "이*"), ("황", "*"), ("남궁민수", "남**수"), ("KIM MIN", "K*M M*N")]
    {
        assert!(shown(name).contains(&format!("\"{masked}\"")), "{name}");
    }
    Sample::new(fields, "- { from: name, to: name, type: string, convert: masked-name }")
        .finds("a masked value cannot be read");
    Sample::of(fields, plain, "- { from: name, to: name, type: string, convert: masked-number }")
        .finds("no converter `masked-number` for a personal-text");
}

#[test]
fn registration_numbers_are_checked() {
    let sample = Sample::new(
        "a: { type: resident-number, check: digit }\nb: { type: foreigner-number }\nc: { type: business-number }\nd: { type: resident-number }",
        "- { from: a, to: a, type: string, convert: hyphens }\n- { from: b, to: b, type: string }\n\
         - { from: c, to: c, type: string, convert: hyphens }\n- { from: d, to: d, type: string }",
    );
    sample.carries(
        r#"{"a":"900101-1234568","b":"9001015234561","c":"124-81-00998","d":"9001011234567"}"#,
    );
    // Born after numbers ceased to have a check digit.
    sample.carries(r#"{"a":"201005-3000000"}"#);
    for wrong in [
        r#"{"a":"900101-1234567"}"#,
        r#"{"a":"901301-1234567"}"#,
        r#"{"b":"9001011234568"}"#,
        r#"{"c":"124-81-00999"}"#,
        r#"{"c":"12481-00998"}"#,
        r#"{"d":"9001321234567"}"#,
    ] {
        sample.refuses(wrong, "field-invalid");
    }
}

#[test]
fn what_is_declared_lost_is_lost_and_told() {
    let fields = "note: { type: text, max: 5 }";
    let sample = Sample::of(
        fields,
        "- { from: note, to: note, type: string, loss: truncate }\n- { from: extra, type: string, loss: drop }",
        "- { from: note, to: note, type: string, max: 2, loss: truncate }",
    );
    let envelope = sample.decode("tell", r#"{"note":"가나다라마바","extra":"x"}"#).unwrap();
    let lost: Vec<String> = envelope.message.losses().iter().map(ToString::to_string).collect();
    assert_eq!(lost, ["note;truncate", "extra;drop"]);
    let draft = sample.encode(&envelope.message).unwrap();
    assert_eq!(draft.header("naru-loss"), Some("note;truncate, extra;drop"));
    assert_eq!(body(draft), r#"{"note":"가나"}"#);
    let whole = sample.decode("tell", r#"{"note":"가나"}"#).unwrap();
    assert!(whole.message.losses().is_empty());
    assert_eq!(sample.encode(&whole.message).unwrap().header("naru-loss"), None);

    let dropped = Sample::of(
        fields,
        "- { from: note, to: note, type: string }",
        "- { from: note, to: note, type: string, max: 2, loss: drop }",
    );
    let message = dropped.decode("tell", r#"{"note":"가나다"}"#).unwrap().message;
    let draft = dropped.encode(&message).unwrap();
    assert_eq!(draft.header("naru-loss"), Some("note;drop"));
    assert_eq!(body(draft), "{}");

    Sample::new("on: { type: date }", "- { from: on, to: on, type: string, loss: truncate }")
        .finds("is not something that this row can lose");
}

#[test]
fn a_class_is_enforced_where_it_is_declared() {
    let sample = Sample::new(
        "diagnosis: { type: text, max: 20, class: sensitive }",
        "- { from: diagnosis, to: diagnosis, type: string }",
    );
    let message = sample.carries(r#"{"diagnosis":"F32.1"}"#);
    assert!(!format!("{message:?}").contains("F32"));
    assert!(serde_json::to_string(&message).is_err(), "a secret text does not serialize");
    Sample::new("p: { type: resident-number, class: public }", "").finds("is personal by its type");
    Sample::new("p: { type: record, class: personal, fields: {} }", "").finds("is said of each");
}

#[test]
fn a_promise_of_a_round_trip_is_kept_or_refused() {
    let sample = Sample::new(
        "a: { type: text, max: 5 }\nb: { type: text, max: 5 }",
        "- { from: a, to: a, type: string }",
    );
    let path = sample.root.path().join("test/rest/v1/mapping.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("  tell:\n", "  tell:\n    invertible: [request]\n")).unwrap();
    sample.finds("the request is not: `b`: no row maps it");
    fs::write(&path, text.replace("  tell:\n", "  tell:\n    invertible: [reply]\n")).unwrap();
    assert!(sample.load().is_ok());
}

#[test]
fn mistakes_in_formats_are_found() {
    let date = |row: &str| {
        Sample::new("a: { type: date }", &format!("- {{ from: a, to: a, type: string, {row} }}"))
    };
    date("format: yyyyMM").finds("must hold year, month and day");
    date("format: yyyyMMddd").finds("is made of");
    date("format: yyyyMMddMM").finds("names a part twice");
    date("format: yyMMdd").finds("belong together");
    date("format: implied").finds("is made of");
    date("scale: 2").finds("does not apply to a date");
    Sample::new("a: { type: decimal, scale: 19, min: 0, max: 1 }", "")
        .finds("must be from 0 to 18");
    Sample::new("a: { type: decimal, scale: 2 }", "").finds("wants `min`");
    Sample::new("a: { type: text, max: 3, check: digit }", "").finds("means nothing");
}
