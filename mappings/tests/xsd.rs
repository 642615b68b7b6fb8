//! Schemas alone → a backend of plain XML, whose documents are as the schema says.
#![cfg(test)]

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::{Pseudonym, Pseudonymize};
use mappings::Catalog;
use mappings::import::xml::XsdScaffold;
use mappings::import::{Documents, ImportError, Refusal, Scaffold};
use proptest::prelude::*;

struct Nobody;

impl Pseudonymize for Nobody {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

struct Given(BTreeMap<&'static str, String>);

impl Documents for Given {
    fn read(&self, path: &str) -> Result<Vec<u8>, Refusal> {
        self.0.get(path).map(|text| text.clone().into_bytes()).ok_or(Refusal::Missing)
    }
}

fn wanted() -> XsdScaffold {
    XsdScaffold {
        sector: "tax".into(),
        system: "office".into(),
        service: "ask".into(),
        request: Some("Ask".into()),
        reply: Some("Answer".into()),
        submits: false,
    }
}

fn import(schema: &str) -> Result<Scaffold, ImportError> {
    wanted().write("a.xsd", &Given([("a.xsd", schema.to_owned())].into()))
}

/// What a case of the backend shows of its request.
#[track_caller]
fn written(scaffold: &Scaffold, message: &str) -> String {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("tax/office/v1");
    let cases = folder.join("cases");
    std::fs::create_dir_all(&cases).unwrap();
    std::fs::write(root.path().join("tax/services.yaml"), &scaffold.services).unwrap();
    std::fs::write(folder.join("mapping.yaml"), &scaffold.mappings[0].text).unwrap();
    if let Err(problems) = Catalog::load(root.path(), Arc::new(Nobody)) {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        let text = &scaffold.mappings[0].text;
        panic!("{}\n{}\n{text}", problems.join("\n"), scaffold.services);
    }
    let case = format!("{{\"service\": \"ask\", \"caller\": \"mohw\", \"message\": {message}}}");
    std::fs::write(cases.join("ask.in"), case).unwrap();
    mappings::cases::update(root.path()).unwrap();
    std::fs::read_to_string(cases.join("ask.out")).unwrap()
}

fn schema(head: &str) -> String {
    format!(
        "<x:schema xmlns:x='http://www.w3.org/2001/XMLSchema' {head}>
         <x:element name='Ask'><x:complexType><x:sequence>
           <x:element name='who' type='x:string'/>
           <x:element name='in' form='qualified' type='x:int' minOccurs='0'/></x:sequence>
           <x:attribute name='mark' type='x:int' use='required'/></x:complexType></x:element>
         <x:element name='Answer'><x:complexType><x:sequence>
           <x:element name='done' type='x:boolean'/></x:sequence></x:complexType></x:element>
         </x:schema>"
    )
}

const MESSAGE: &str = r#"{"who": "a", "in": 2, "mark": 1}"#;

#[test]
fn documents_are_as_the_schema_says() {
    for (head, document) in [
        ("", "<Ask mark=\"1\"><who>a</who><in>2</in></Ask>"),
        (
            "targetNamespace='urn:t' elementFormDefault='qualified'",
            "<t:Ask xmlns:t=\"urn:t\" mark=\"1\"><t:who>a</t:who><t:in>2</t:in></t:Ask>",
        ),
        (
            "targetNamespace='urn:t'",
            "<t:Ask xmlns:t=\"urn:t\" xmlns:ns1=\"urn:t\" mark=\"1\"><who>a</who><ns1:in>2</ns1:in></t:Ask>",
        ),
    ] {
        let written = written(&import(&schema(head)).unwrap(), MESSAGE);
        assert!(written.contains(document), "{head}\n{written}");
    }
}

#[test]
fn elements_that_are_not_there_are_named_with_those_that_are() {
    let documents = Given([("a.xsd", schema(""))].into());
    let slip = XsdScaffold { reply: Some("Anwser".into()), ..wanted() };
    let choices = vec!["Answer".to_owned(), "Ask".to_owned()];
    let refused = ImportError::Choose { option: "--reply", choices };
    assert_eq!(slip.write("a.xsd", &documents), Err(refused));
    assert!(matches!(import("<a/>").unwrap_err(), ImportError::Root { .. }));
    let missing = import(&schema(""))
        .map(|_| ())
        .and_then(|()| wanted().write("b.xsd", &documents).map(|_| ()));
    let why = Refusal::Missing;
    assert_eq!(missing, Err(ImportError::File { path: "b.xsd".into(), why }));
}

proptest! {
    #[test]
    fn no_slip_makes_it_panic_or_write_what_does_not_load(
        from in 0..800_usize,
        length in 0..40_usize,
        text in "[<>'/a-z:=0-9]{0,8}",
    ) {
        let mut schema = schema("targetNamespace='urn:t'");
        let from = from.min(schema.len());
        schema.replace_range(from..(from + length).min(schema.len()), &text);
        if let Ok(scaffold) = import(&schema) {
            written(&scaffold, "{}");
        }
    }
}
