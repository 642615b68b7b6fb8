//! Every table that says it is invertible, tried: messages of the service's types through the
//! layout's bytes and back, over the whole catalog.

use std::path::Path;
use std::sync::Arc;

use gateway_core::{Decimal, Message, Personal, Pseudonym, Pseudonymize, ResidentNumber, Value};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::backend::ResultForm;
use crate::catalog::{BackendEntry, Catalog, FrontEntry};
use crate::format::Table;
use crate::front::Column;
use crate::layout::csv;
use crate::layout::fixed::Fixed;
use crate::layout::json::JsonKind;
use crate::layout::xml::{Locals, XmlKind, XmlWriter};
use crate::layout::xml_text::{Node, XmlReader};
use crate::operations::{Operation, Operations};
use crate::rows::{Record, Rows, Wire};
use crate::terms::{Fields, Sector, Type};

struct Nobody;

impl Pseudonymize for Nobody {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

/// Texts as services have them: not empty, no spaces at the ends, all that a format might trip on.
fn text(max: usize) -> BoxedStrategy<String> {
    const ALPHABET: &[char] = &[
        'a', 'Z', '0', ' ', '<', '>', '&', '"', '\'', ',', '\\', '/', '=', '-', '홍', '길', '동',
        '가', '힣', '뷁', 'é', '漢', '😀', '~', '%', ';',
    ];
    let characters = vec(prop::sample::select(ALPHABET), 1..=max.clamp(1, 40));
    let texts = characters.prop_map(|characters| characters.into_iter().collect::<String>());
    let kept = texts.prop_map(|text| text.trim().to_owned());
    kept.prop_filter("not empty", |text| !text.is_empty()).boxed()
}

fn date() -> BoxedStrategy<Date> {
    (1..=9999_i16, 1..=12_i8, 1..=28_i8)
        .prop_map(|(year, month, day)| Date::new(year, month, day).unwrap())
        .boxed()
}

fn resident(foreign: bool) -> BoxedStrategy<Value> {
    let century = if foreign { 5..=8_u8 } else { 1..=4_u8 };
    (0..=99_u8, 1..=12_u8, 1..=28_u8, century, 0..=999_999_u32)
        .prop_map(|(year, month, day, century, serial)| {
            let text = format!("{year:02}{month:02}{day:02}{century}{serial:06}");
            Value::Resident(ResidentNumber::parse(&text).unwrap())
        })
        .boxed()
}

fn business() -> BoxedStrategy<Value> {
    (0..=999_999_999_u32)
        .prop_map(|number| {
            let head = format!("{number:09}");
            let last = (0..=9).map(|last| format!("{head}{last}"));
            let number = last.into_iter().find(|text| crate::convert::is_business(text));
            Value::Text(number.unwrap())
        })
        .boxed()
}

fn value(kind: &Type) -> BoxedStrategy<Value> {
    match kind {
        Type::Text { max } => text(*max).prop_map(Value::Text).boxed(),
        Type::Personal { max } => {
            text(*max).prop_map(|text| Value::Personal(Personal::new(text))).boxed()
        }
        Type::Integer { min, max } => (*min..=*max).prop_map(Value::Integer).boxed(),
        Type::Decimal { scale, min, max } => {
            let scale = *scale;
            (*min..=*max).prop_map(move |units| Value::Decimal(Decimal::new(units, scale))).boxed()
        }
        Type::Flag => any::<bool>().prop_map(Value::Flag).boxed(),
        Type::Date => date().prop_map(Value::Date).boxed(),
        Type::Time => (0..24_i8, 0..60_i8, 0..60_i8)
            .prop_map(|(hour, minute, second)| {
                Value::Time(Time::new(hour, minute, second, 0).unwrap())
            })
            .boxed(),
        Type::DateTime => (0..4_102_444_800_000_i64)
            .prop_map(|time| Value::DateTime(Timestamp::from_millisecond(time).unwrap()))
            .boxed(),
        Type::Bytes { length } => vec(any::<u8>(), *length).prop_map(Value::Bytes).boxed(),
        Type::Binary { max } => vec(any::<u8>(), 1..=(*max).min(20)).prop_map(Value::Bytes).boxed(),
        Type::Code(set) => {
            let names: Vec<String> = set.members.iter().map(|name| name.to_string()).collect();
            prop::sample::select(names).prop_map(Value::Text).boxed()
        }
        Type::Resident(rule) => resident(rule.foreign),
        Type::Business => business(),
        Type::Record { fields } => message(fields).prop_map(Value::Record).boxed(),
        Type::List { fields, max } => {
            vec(message(fields), 1..=(*max).min(3)).prop_map(Value::List).boxed()
        }
    }
}

fn message(fields: &Fields) -> BoxedStrategy<Message> {
    let mut all = Just(Message::new()).boxed();
    for (name, field) in fields {
        let name = name.clone();
        let one = match field.required {
            true => value(&field.kind).prop_map(Some).boxed(),
            false => prop::option::of(value(&field.kind)).boxed(),
        };
        all = (all, one)
            .prop_map(move |(mut message, value)| {
                if let Some(value) = value {
                    message.set(name.clone(), value);
                }
                message
            })
            .boxed();
    }
    all
}

/// The namespaces that a front declares beside its own, by prefix.
type Namespaces = [(String, String)];

/// A layout's bytes and back, without what stands around a table.
trait Bytes: Sized {
    fn encode(rows: &Rows<Self>, record: &Record<'_>, spaces: &Namespaces) -> Option<Vec<u8>>;
    fn decode(rows: &Rows<Self>, bytes: &[u8], spaces: &Namespaces) -> Result<Message, String>;
}

fn read<S>(rows: &Rows<S>, record: &Record<'_>) -> Result<Message, String> {
    rows.read(record).map_err(|error| error.to_string())
}

impl Bytes for XmlKind {
    fn encode(rows: &Rows<Self>, record: &Record<'_>, spaces: &Namespaces) -> Option<Vec<u8>> {
        let spaces = spaces.iter().map(|(prefix, name)| format!(" xmlns:{prefix}='{name}'"));
        let root = format!("m xmlns:t='urn:t'{}", spaces.collect::<String>());
        let mut out = XmlWriter::default();
        rows.element(["t:", &root], record, &mut out, Locals::QUALIFIED).ok()?;
        // The writer closes what it is told to open.
        let text = out.text.strip_suffix(&format!("</t:{root}>"))?;
        Some(format!("{text}</t:m>").into_bytes())
    }

    fn decode(rows: &Rows<Self>, bytes: &[u8], spaces: &Namespaces) -> Result<Message, String> {
        let mut reader = XmlReader::new(bytes, "urn:t").unwrap().declaring(spaces);
        let Ok(Node::Start(element)) = reader.structure() else {
            return Err("no element".to_owned());
        };
        let mut record = Record::new();
        let content = rows.content(&element, &mut reader, &mut record, Locals::QUALIFIED);
        content.map_err(|error| error.to_string())?;
        read(rows, &record)
    }
}

impl Bytes for JsonKind {
    fn encode(rows: &Rows<Self>, record: &Record<'_>, _: &Namespaces) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        rows.print(record, &mut out);
        Some(out)
    }

    fn decode(rows: &Rows<Self>, bytes: &[u8], _: &Namespaces) -> Result<Message, String> {
        read(rows, &rows.parse(bytes).map_err(|error| error.to_string())?)
    }
}

impl Bytes for Fixed {
    fn encode(rows: &Rows<Self>, record: &Record<'_>, _: &Namespaces) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        rows.join(record, &mut out).ok()?;
        Some(out)
    }

    fn decode(rows: &Rows<Self>, bytes: &[u8], _: &Namespaces) -> Result<Message, String> {
        let (record, rest) = rows.split(bytes).map_err(|error| error.to_string())?;
        assert!(rest.is_empty());
        read(rows, &record)
    }
}

impl Bytes for Column {
    fn encode(_: &Rows<Self>, record: &Record<'_>, _: &Namespaces) -> Option<Vec<u8>> {
        let mut line = String::new();
        for wire in record {
            if let Some(Wire::Text(text)) = wire {
                // A result line guards formulas, which a request line never has.
                if text.starts_with(['=', '+', '-', '@']) {
                    return None;
                }
                csv::push_field(&mut line, text);
            }
            line.push(',');
        }
        Some(line.into_bytes())
    }

    fn decode(rows: &Rows<Self>, bytes: &[u8], _: &Namespaces) -> Result<Message, String> {
        let line = std::str::from_utf8(bytes).unwrap();
        let fields = csv::split(line).map_err(|error| error.to_string())?;
        read(rows, &fields.into_iter().map(|field| Some(Wire::Text(field))).collect())
    }
}

/// A message to be compared. No list and an empty one are the same to formats that have no place
/// for the difference.
fn shown(message: &Message) -> serde_json::Value {
    let mut shown = crate::cases::shown(message);
    if let Some(fields) = shown.as_object_mut() {
        fields.retain(|_, value| value.as_array().is_none_or(|list| !list.is_empty()));
    }
    shown
}

/// Sends messages through a table; answers how many it could write.
fn try_table<S: Bytes>(place: &str, rows: &Rows<S>, fields: &Fields, spaces: &Namespaces) -> u32 {
    let config = Config { cases: 64, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let written = std::cell::Cell::new(0);
    let outcome = runner.run(&message(fields), |sent| {
        let encoded = match rows.write(&sent) {
            Ok(record) => S::encode(rows, &record, spaces),
            // What the target cannot hold is an error that names a field.
            Err(error) => {
                prop_assert!(!error.field.is_empty());
                None
            }
        };
        if let Some(bytes) = encoded {
            written.set(written.get() + 1);
            let back = S::decode(rows, &bytes, spaces).map_err(TestCaseError::fail)?;
            prop_assert_eq!(shown(&back), shown(&sent));
        }
        Ok(())
    });
    assert!(outcome.is_ok(), "{place}: {outcome:?}");
    written.get()
}

/// Tries both tables of every operation of a front; answers which were tried.
fn try_front<S: Bytes>(
    id: &str,
    operations: &Operations<S>,
    sector: &Sector,
    spaces: &Namespaces,
) -> Vec<String> {
    let mut tried = Vec::new();
    for operation in operations.iter() {
        let Operation { name, service, request, reply, one_way, .. } = operation;
        let terms = &sector.services[&*service.id.code];
        let tables =
            [(Table::Request, request, &terms.request), (Table::Reply, reply, &terms.reply)];
        for (table, rows, fields) in tables {
            let place = format!("{id} {name} {}", table.name());
            if one_way.of(table).is_empty() {
                assert!(
                    try_table(&place, rows, fields, spaces) > 0,
                    "{place}: nothing could be written"
                );
                tried.push(place);
            }
        }
    }
    tried
}

#[test]
fn what_is_invertible_comes_back_as_it_was() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
    let catalog = Catalog::load(&root, Arc::new(Nobody)).unwrap_or_else(|all| panic!("{all:?}"));
    let mut tried = Vec::new();
    for (id, front) in catalog.fronts() {
        let sector = &catalog.sectors[id.split('/').next().unwrap()];
        tried.extend(match front {
            FrontEntry::Soap(front) => try_front(id, &front.operations, sector, &front.namespaces),
            FrontEntry::Telegram(front) => try_front(id, &front.operations, sector, &[]),
            FrontEntry::Xml(front) => try_front(id, &front.operations, sector, &[]),
            FrontEntry::Rest(front) => try_front(id, &front.calls.operations, sector, &[]),
            FrontEntry::XRoadRest(front) => try_front(id, &front.calls.operations, sector, &[]),
            FrontEntry::Batch(front) => try_front(id, &front.operations, sector, &[]),
        });
    }
    assert!(tried.len() > 20, "{tried:?}");
}

/// A ledger's answer is what a reply's row would be written from.
#[test]
fn what_a_backend_answers_is_what_it_would_be_told() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
    let catalog = Catalog::load(&root, Arc::new(Nobody)).unwrap_or_else(|all| panic!("{all:?}"));
    let mut tried = 0;
    for (id, backend) in &catalog.backends {
        let BackendEntry::Contract(backend) = backend else { continue };
        let sector = &catalog.sectors[id.split('/').next().unwrap()];
        for (code, function) in &backend.functions {
            let fields = &sector.services[&**code].reply;
            for row in &function.reply {
                let ResultForm::Value { codec, .. } = &row.form else { continue };
                let mut runner = TestRunner::deterministic();
                let kind = &fields[&*row.field].kind;
                let outcome = runner.run(&value(kind), |sent| {
                    if let Ok(told) = codec.write(&sent) {
                        let back = codec.read(&told);
                        prop_assert!(back.as_ref() == Ok(&sent), "{id} {code} {}", row.name);
                    }
                    Ok(())
                });
                assert!(outcome.is_ok(), "{outcome:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 5);
}
