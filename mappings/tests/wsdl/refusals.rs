//! What no mapping is made of: documents that are too much, lie elsewhere, or are no literal WSDL.

use mappings::import::{At, ImportError, Refusal, TreeError};

use super::{ANSWER, Given, binding, import, loads, says, schema, wanted, wsdl};

/// Each type holds the next ten times: a schema of a kilobyte that would be a mapping without end.
#[test]
fn types_that_multiply_are_refused() {
    let level = |number: usize| {
        let next = |at: usize| format!("<x:element name='e{at}' type='t:T{}'/>", number + 1);
        let inner: String = (0..10).map(next).collect();
        format!("<x:complexType name='T{number}'><x:sequence>{inner}</x:sequence></x:complexType>")
    };
    let types: String = (0..10).map(level).collect();
    let last = "<x:complexType name='T10'/><x:element name='ask' type='t:T0'/>";
    let refused = import(&wsdl(&schema(&format!("{types}{last}")))).unwrap_err();
    assert_eq!(refused, ImportError::TooLarge { most: 5000 });
}

#[test]
fn documents_of_the_folder_are_followed_and_no_others() {
    let importing = |location: &str| {
        wsdl(&format!(
            "<x:schema targetNamespace='urn:tax' elementFormDefault='qualified'>
             <x:include schemaLocation='{location}'/></x:schema>"
        ))
    };
    // A schema without a namespace takes that of the one that includes it.
    let included = format!(
        "<x:schema xmlns:x='http://www.w3.org/2001/XMLSchema' elementFormDefault='qualified'>
         <x:include schemaLocation='../types/b.xsd'/><x:element name='ask' type='Ask'/>{ANSWER}
         <x:complexType name='Ask'><x:sequence><x:element name='who' type='x:int'/></x:sequence>
         </x:complexType></x:schema>"
    );
    let files = [("a.wsdl", importing("types/b.xsd")), ("types/b.xsd", included)];
    let scaffold = wanted().write("a.wsdl", &Given(files.into())).unwrap();
    loads(&scaffold);
    says(&scaffold.mappings[0].text, &["- { from: who, to: who, type: int, required: true }"]);

    for (location, why) in [
        ("http://schemas.example/b.xsd", Refusal::NotLocal),
        ("file:///etc/passwd", Refusal::NotLocal),
        ("/etc/passwd", Refusal::NotLocal),
        ("../b.xsd", Refusal::Outside),
        ("b.xsd", Refusal::Missing),
    ] {
        let refused = import(&importing(location)).unwrap_err();
        assert_eq!(refused, ImportError::File { path: location.into(), why });
    }
    // An import by URL is not followed, and what is missing is named.
    let remote = schema(
        "<x:import namespace='urn:far' schemaLocation='http://far.example/far.xsd'/>
         <x:element name='ask' type='f:Far' xmlns:f='urn:far'/>",
    );
    let refused = import(&wsdl(&remote)).unwrap_err();
    assert!(
        matches!(&refused, ImportError::Unknown { space, name, .. } if space == "urn:far" && name == "Far"),
        "{refused}"
    );
}

#[test]
fn what_is_no_literal_wsdl_is_refused_with_its_place() {
    let at = |line| At { file: "a.wsdl".into(), line };
    let tree = |line, why| ImportError::Tree { at: at(line), why };
    assert_eq!(import("").unwrap_err(), tree(1, TreeError::Syntax));
    assert_eq!(import("<a>\n<b>").unwrap_err(), tree(2, TreeError::Syntax));
    let bomb = "<!DOCTYPE a [<!ENTITY b 'bb'>]>\n<a>&b;</a>";
    assert_eq!(import(bomb).unwrap_err(), tree(1, TreeError::Doctype));
    assert_eq!(import(&"<a>".repeat(100)).unwrap_err(), tree(1, TreeError::TooDeep));
    assert!(matches!(import("<a/>").unwrap_err(), ImportError::Root { .. }));
    let wsdl2 = "<description xmlns='http://www.w3.org/ns/wsdl'/>";
    assert!(matches!(import(wsdl2).unwrap_err(), ImportError::Root { .. }));

    let encoded =
        binding(&schema(""), "rpc", "<s:body use='encoded'/>", "type='x:int'", "type='x:int'");
    let refused = import(&encoded).unwrap_err();
    assert!(
        matches!(&refused, ImportError::Unsupported { at, what: "use=\"encoded\"", .. } if at.line > 1),
        "{refused}"
    );
    let unknown = wsdl(&schema("<x:element name='ask' type='t:Missing'/>"));
    assert!(matches!(import(&unknown).unwrap_err(), ImportError::Unknown { kind: "type", .. }));
    let unbound = wsdl(&schema("<x:element name='ask' type='q:Missing'/>"));
    let refused = import(&unbound).unwrap_err();
    let ImportError::Tree { why: TreeError::Prefix(prefix), .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!(prefix, "q");
    let redefined = wsdl(&schema("<x:redefine schemaLocation='b.xsd'/>"));
    assert!(matches!(import(&redefined).unwrap_err(), ImportError::Unsupported { .. }));
    let typed =
        binding(&schema(""), "document", "<s:body use='literal'/>", "type='x:int'", "type='x:int'");
    let refused = import(&typed).unwrap_err().to_string();
    assert!(
        refused.contains("ask: the operation is left out: a part of the document"),
        "{refused}"
    );
}
