//! One table of fields, a default and a list, through each layout and back.

use gateway_core::{Message, Value};

use super::*;
use crate::layout::fixed::{Fixed, FixedKind};
use crate::layout::json::JsonKind;
use crate::layout::xml::{Locals, XmlKind, XmlWriter};
use crate::layout::xml_text::{Node, XmlReader};

/// `note` with a default, and `parts`, a list of `size`.
fn rows<S: Copy>(text: S, number: S) -> Rows<S> {
    let row = |name: &str, default: Option<&str>, form| Row {
        name: name.into(),
        field: Some(name.into()),
        required: default.is_none(),
        default: default.map(str::to_owned),
        choice: None,
        when: None,
        loss: None,
        form,
    };
    let note = Form::Value { codec: Codec::Text { max: 8 }, shape: text };
    let size = Form::Value { codec: Codec::Integer { min: 0, max: 999 }, shape: number };
    let parts = Form::List { rows: Rows::new(vec![row("size", None, size)]), max: 3, count: None };
    Rows::new(vec![row("note", Some("none"), note), row("parts", None, parts)])
}

fn message(note: Option<&str>, sizes: &[i128]) -> Message {
    let size = |size: &i128| Message::from_iter([("size", Value::Integer(*size))]);
    let mut message = Message::new();
    message.set("parts", Value::List(sizes.iter().map(size).collect()));
    if let Some(note) = note {
        message.set("note", Value::Text(note.to_owned()));
    }
    message
}

#[test]
fn an_absent_value_is_its_default_both_ways() {
    let rows = rows((), ());
    let absent = message(None, &[1]);
    let record = rows.write(&absent).unwrap();
    assert_eq!(record[0], Some(Wire::Text("none".into())));
    let list = record[1].clone();
    assert_eq!(rows.read(&vec![None, list]).unwrap(), message(Some("none"), &[1]));
}

#[test]
fn a_list_keeps_its_limit_both_ways() {
    let rows = rows((), ());
    let too_many = Unfit::TooManyRecords { max: 3 };
    assert_eq!(rows.write(&message(None, &[1, 2, 3, 4])).unwrap_err().why, too_many);
    let part = vec![Some(Wire::Text("1".into()))];
    let record = vec![None, Some(Wire::List(vec![part; 4]))];
    assert_eq!(rows.read(&record).unwrap_err().why, too_many);
    assert_eq!(rows.read(&vec![None, None]).unwrap_err().why, Unfit::Missing);
}

#[test]
fn every_layout_carries_a_list() {
    let sent = message(Some("a<b>&\"c"), &[7, 800]);

    let json = rows(JsonKind::String, JsonKind::Integer);
    let mut body = Vec::new();
    json.print(&json.write(&sent).unwrap(), &mut body);
    assert_eq!(body, br#"{"note":"a<b>&\"c","parts":[{"size":7},{"size":800}]}"#);
    assert_eq!(json.read(&json.parse(&body).unwrap()).unwrap(), sent);
    let four = br#"{"parts":[{"size":1},{"size":1},{"size":1},{"size":1}]}"#;
    assert!(json.parse(four).is_err());

    let xml = rows(XmlKind::String, XmlKind::Long);
    let mut out = XmlWriter::default();
    out.text.push_str("<t:m xmlns:t='urn:t'>");
    xml.elements(&xml.write(&sent).unwrap(), &mut out, Locals::QUALIFIED).unwrap();
    out.text.push_str("</t:m>");
    let mut reader = XmlReader::new(out.text.as_bytes(), "urn:t").unwrap();
    let Ok(Node::Start(element)) = reader.structure() else {
        panic!("no element");
    };
    let mut record = Record::new();
    xml.content(&element, &mut reader, &mut record, Locals::QUALIFIED).unwrap();
    assert_eq!(xml.read(&record).unwrap(), sent);

    let field = Fixed::new;
    let fixed = rows(field(FixedKind::Hangul, 8), field(FixedKind::Digits, 3));
    let mut body = Vec::new();
    fixed.join(&fixed.write(&sent).unwrap(), &mut body).unwrap();
    assert_eq!(body, b"a<b>&\"c 007800   ");
    let (record, rest) = fixed.split(&body).unwrap();
    assert!(rest.is_empty());
    assert_eq!(fixed.read(&record).unwrap(), sent);
}
