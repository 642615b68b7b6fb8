//! WSDLs → mappings that load, with what they cannot say beside it, or a sentence that says what
//! keeps one from being made.
#![cfg(test)]

mod forms;
mod refusals;

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::{Front, Pseudonym, Pseudonymize};
use mappings::Catalog;
use mappings::import::wsdl::WsdlScaffold;
use mappings::import::{Documents, ImportError, Refusal, Scaffold, Side};
use proptest::prelude::*;

struct Nobody;

impl Pseudonymize for Nobody {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

/// Documents by their paths.
struct Given(BTreeMap<&'static str, String>);

impl Documents for Given {
    fn read(&self, path: &str) -> Result<Vec<u8>, Refusal> {
        self.0.get(path).map(|text| text.clone().into_bytes()).ok_or(Refusal::Missing)
    }
}

fn wanted() -> WsdlScaffold {
    WsdlScaffold {
        sector: "tax".into(),
        system: "office".into(),
        port: None,
        only: None,
        submits: vec![],
    }
}

fn import(wsdl: &str) -> Result<Scaffold, ImportError> {
    wanted().write("a.wsdl", &Given([("a.wsdl", wsdl.to_owned())].into()))
}

#[track_caller]
fn loads(scaffold: &Scaffold) {
    load(scaffold);
}

fn front(scaffold: &Scaffold) -> Arc<dyn Front> {
    load(scaffold).front("tax/office/v1").unwrap().as_front()
}

#[track_caller]
fn load(scaffold: &Scaffold) -> Catalog {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("tax")).unwrap();
    std::fs::write(root.path().join("tax/services.yaml"), &scaffold.services).unwrap();
    for mapping in &scaffold.mappings {
        let folder = root.path().join("tax").join(&mapping.system).join("v1");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("mapping.yaml"), &mapping.text).unwrap();
    }
    Catalog::load(root.path(), Arc::new(Nobody)).unwrap_or_else(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        let texts: Vec<_> = scaffold.mappings.iter().map(|one| one.text.as_str()).collect();
        panic!("{}\n{}\n{}", problems.join("\n"), scaffold.services, texts.join("\n"))
    })
}

#[track_caller]
fn says(text: &str, wanted: &[&str]) {
    for line in wanted {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

/// A WSDL of one operation, `ask`, whose schemas are given.
fn wsdl(schemas: &str) -> String {
    binding(schemas, "document", "<s:body use='literal'/>", "element='t:ask'", "element='t:answer'")
}

fn binding(schemas: &str, style: &str, body: &str, request: &str, reply: &str) -> String {
    format!(
        "<w:definitions xmlns:w='http://schemas.xmlsoap.org/wsdl/' xmlns:t='urn:tax'
           xmlns:s='http://schemas.xmlsoap.org/wsdl/soap/'
           xmlns:x='http://www.w3.org/2001/XMLSchema' targetNamespace='urn:tax'>
         <w:types>{schemas}</w:types>
         <w:message name='in'><w:part name='p' {request}/></w:message>
         <w:message name='out'><w:part name='p' {reply}/></w:message>
         <w:portType name='port'><w:operation name='ask'>
           <w:input message='t:in'/><w:output message='t:out'/></w:operation></w:portType>
         <w:binding name='bound' type='t:port'><s:binding style='{style}' transport='http'/>
           <w:operation name='ask'><s:operation soapAction='urn:tax#ask'/>
             <w:input>{body}</w:input><w:output>{body}</w:output></w:operation></w:binding>
         <w:service name='office'><w:port name='soap' binding='t:bound'>
           <s:address location='http://tax.example/office'/></w:port></w:service>
         </w:definitions>"
    )
}

const ANSWER: &str = "<x:element name='answer'><x:complexType><x:sequence>
    <x:element name='done' type='x:boolean'/></x:sequence></x:complexType></x:element>";

fn schema(content: &str) -> String {
    format!(
        "<x:schema targetNamespace='urn:tax' elementFormDefault='qualified'>{content}{ANSWER}</x:schema>"
    )
}

/// A question with these elements.
fn asking(elements: &str) -> String {
    wsdl(&schema(&format!(
        "<x:element name='ask'><x:complexType>{elements}</x:complexType></x:element>"
    )))
}

#[test]
fn values_have_their_types_and_facets() {
    let facets = |base: &str, facets: &str| {
        format!(
            "<x:simpleType><x:restriction base='x:{base}'>{facets}</x:restriction></x:simpleType>"
        )
    };
    let element = |name: &str, kind: &str| format!("<x:element name='{name}'>{kind}</x:element>");
    let elements = [
        element("Name", &facets("string", "<x:minLength value='1'/><x:maxLength value='40'/>")),
        element("Exact", &facets("token", "<x:length value='13'/><x:pattern value='[0-9]+'/>")),
        element(
            "Kind",
            &facets("string", "<x:enumeration value='IN_PROGRESS'/><x:enumeration value='No'/>"),
        ),
        element(
            "Amount",
            &facets("decimal", "<x:totalDigits value='12'/><x:fractionDigits value='2'/>"),
        ),
        element("Small", &facets("int", "<x:minInclusive value='1'/><x:maxExclusive value='10'/>")),
        "<x:element name='Big' type='x:unsignedLong'/><x:element name='Day' type='x:date'/>
         <x:element name='At' type='x:dateTime'/><x:element name='Hour' type='x:time'/>
         <x:element name='Sure' type='x:boolean' minOccurs='0' default='1'/>
         <x:element name='Paper' type='x:base64Binary' minOccurs='0'/>
         <x:element name='Rate' type='x:double' minOccurs='0'/>
         <x:element name='Text' type='x:string'/>
         <x:element name='Nil' type='x:int' nillable='true'/>"
            .to_owned(),
    ];
    let scaffold =
        import(&asking(&format!("<x:sequence>{}</x:sequence>", elements.concat()))).unwrap();
    loads(&scaffold);
    says(
        &scaffold.services,
        &[
            "name: { type: text, max: 40, required: true }",
            "exact: { type: text, max: 13, required: true }",
            "kind: { type: code, of: kind, required: true }",
            "kind: [in-progress, \"no\"]",
            "amount: { type: decimal, scale: 2, min: -10000000000, max: 10000000000, required: true }",
            "small: { type: integer, min: 1, max: 9, required: true }",
            "big: { type: integer, min: 0, max: 9223372036854775807, required: true }",
            "at: { type: date-time, required: true }",
            "paper: { type: binary, max: 1000000 }",
            "text: { type: text, max: 1000 }",
        ],
    );
    let [front, backend] = &scaffold.mappings[..] else { panic!("two mappings") };
    assert_eq!((&*front.system, &*backend.system), ("office", "office-provider"));
    says(
        &front.text,
        &[
            "- { from: Name, to: name, type: string, required: true }",
            "- { from: Kind, to: kind, type: string, table: kind, required: true }",
            "\"IN_PROGRESS\": in-progress",
            "- { from: Sure, to: sure, type: boolean, default: \"true\" }",
            "- { from: Text, to: text, type: string }",
            "soap: { action: \"urn:tax#ask\", request: ask, reply: answer }",
            "style: document-bare",
        ],
    );
    // A text that the schema allows to be empty is written even so.
    says(
        &backend.text,
        &[
            "- { from: text, to: Text, type: string, default: \"\" }",
            "call: { action: \"urn:tax#ask\", answer: answer }",
            "# The WSDL says that the provider is at http://tax.example/office",
        ],
    );
    let unsaid = scaffold.unsaid.join("\n");
    says(
        &unsaid,
        &[
            "ask.request.Exact: the pattern [0-9]+ is not checked",
            "ask.request.Exact: that there are 13 characters at least is not checked",
            "ask.request.Big: a number of more than 64 bits is refused",
            "ask.request.Rate: a floating-point number is read as its text",
            "ask.request.Nil: xsi:nil is read and not written",
        ],
    );
    assert_eq!(scaffold.unsaid.len(), 5, "{unsaid}");
    for note in &scaffold.unsaid {
        says(&front.text, &[&format!("# CANNOT SAY: {note}")]);
        says(&backend.text, &[&format!("# CANNOT SAY: {note}")]);
    }
    assert_eq!(
        import(&asking(&format!("<x:sequence>{}</x:sequence>", elements.concat()))).unwrap(),
        scaffold
    );
}

#[test]
fn types_become_records_lists_and_attributes() {
    let types = schema(
        "<x:complexType name='Base'><x:sequence><x:element name='id' type='x:int'/></x:sequence>
           <x:attribute name='lang' use='required'/></x:complexType>
         <x:complexType name='Person'><x:complexContent><x:extension base='t:Base'><x:sequence>
           <x:element name='name' type='x:string' maxOccurs='unbounded'/>
           <x:group ref='t:Place'/></x:sequence><x:attributeGroup ref='t:Marks'/>
         </x:extension></x:complexContent></x:complexType>
         <x:group name='Place'><x:sequence><x:element name='city' type='x:string'/></x:sequence></x:group>
         <x:attributeGroup name='Marks'><x:attribute name='mark' type='x:int' default='3'/></x:attributeGroup>
         <x:complexType name='Money'><x:simpleContent><x:extension base='x:decimal'>
           <x:attribute name='currency' type='x:string' use='required'/></x:extension></x:simpleContent>
         </x:complexType>
         <x:element name='ask'><x:complexType><x:sequence>
           <x:element name='person' type='t:Person' maxOccurs='3'/>
           <x:element name='pay' type='t:Money'/>
           <x:choice><x:element name='a' type='x:int'/><x:element name='b' type='x:int'/></x:choice>
           <x:element ref='t:note' minOccurs='0'/>
         </x:sequence></x:complexType></x:element>
         <x:element name='note' type='x:string'/>",
    );
    let scaffold = import(&wsdl(&types)).unwrap();
    loads(&scaffold);
    says(
        &scaffold.mappings[0].text,
        &[
            "- from: person\n        to: person\n        type: list\n        required: true\n        fields:",
            "- { from: \"@lang\", to: lang, type: string }",
            "- { from: \"@mark\", to: mark, type: int, default: \"3\" }",
            "- from: name\n            to: name\n            type: list",
            "- { from: \".\", to: value, type: string }",
            "- { from: \".\", to: value, type: decimal, required: true }",
            "- { from: \"@currency\", to: currency, type: string }",
            "- { from: a, to: a, type: int }",
        ],
    );
    says(&scaffold.services, &["max: 3\n", "max: 1000\n"]);
    says(
        &scaffold.unsaid.join("\n"),
        &["ask.request: that only one of a, b is there is not checked"],
    );
}

#[test]
fn every_namespace_and_form_is_said() {
    let schemas = |default: &str| {
        format!(
            "<x:schema targetNamespace='urn:tax' elementFormDefault='{default}'
               xmlns:o='urn:other'><x:import namespace='urn:other'/>{ANSWER}
             <x:element name='ask'><x:complexType><x:sequence>
               <x:element name='own' type='x:int'/>
               <x:element name='in' form='qualified' type='x:int'/>
               <x:element name='other' type='o:Other'/></x:sequence></x:complexType></x:element>
             </x:schema>
             <x:schema targetNamespace='urn:other' elementFormDefault='qualified'>
             <x:complexType name='Other'><x:sequence><x:element name='deep' type='x:int'/>
               </x:sequence></x:complexType></x:schema>"
        )
    };
    let qualified = import(&wsdl(&schemas("qualified"))).unwrap();
    loads(&qualified);
    says(
        &qualified.mappings[0].text,
        &[
            "ns1: \"urn:other\"",
            "from: own, to: own",
            "from: in, to: in",
            "from: \"ns1:deep\", to: deep",
        ],
    );
    let unqualified = import(&wsdl(&schemas("unqualified"))).unwrap();
    loads(&unqualified);
    says(
        &unqualified.mappings[1].text,
        &[
            "element-form: unqualified",
            "ns1: \"urn:other\"",
            "ns2: \"urn:tax\"",
            "from: own, to: own",
            "from: in, to: \"ns2:in\"",
            "from: deep, to: \"ns1:deep\"",
        ],
    );
}

#[test]
fn parts_of_rpc_are_elements_of_no_namespace() {
    let types = schema(
        "<x:complexType name='Person'><x:sequence><x:element name='name' type='x:string'/>
         </x:sequence></x:complexType>",
    );
    let body = "<s:body use='literal' namespace='urn:rpc'/>";
    let rpc = binding(&types, "rpc", body, "type='t:Person'", "type='x:int'");
    let scaffold = import(&rpc).unwrap();
    loads(&scaffold);
    says(
        &scaffold.mappings[0].text,
        &[
            "style: rpc",
            "namespace: \"urn:rpc\"",
            "- from: p\n        to: p\n        type: record",
            "ns1:name",
        ],
    );
    says(&scaffold.mappings[1].text, &["function: ask", "answer: askResponse"]);
}

#[test]
fn one_side_alone_and_operations_that_change_something() {
    let wsdl = asking("<x:sequence/>");
    let documents = Given([("a.wsdl", wsdl)].into());
    let only = |side| WsdlScaffold { only: Some(side), ..wanted() };
    let front = only(Side::Front).write("a.wsdl", &documents).unwrap();
    let backend = only(Side::Backend).write("a.wsdl", &documents).unwrap();
    assert_eq!([front.mappings.len(), backend.mappings.len()], [1, 1]);
    loads(&front);
    loads(&backend);
    says(&front.services, &["operation: query  # TO SAY"]);
    let submits = WsdlScaffold { submits: vec!["ask".into()], ..wanted() };
    let scaffold = submits.write("a.wsdl", &documents).unwrap();
    loads(&scaffold);
    says(&scaffold.services, &["operation: submit\n"]);
    let slip = WsdlScaffold { submits: vec!["akk".into()], ..wanted() };
    let choices = vec!["ask".to_owned()];
    let refused = ImportError::Choose { option: "--submit", choices };
    assert_eq!(slip.write("a.wsdl", &documents), Err(refused));
}

#[test]
fn what_a_mapping_cannot_say_is_said_to_be_so() {
    for (elements, note) in [
        ("<x:sequence><x:any/></x:sequence>", "ask.request: elements of any name are refused here"),
        ("<x:sequence/><x:anyAttribute/>", "ask.request: attributes of any name are refused here"),
        ("<x:sequence><x:element name='a'/></x:sequence>", "ask.request.a: any content"),
        (
            "<x:sequence><x:element name='a' type='x:anyType'/></x:sequence>",
            "ask.request.a: any content",
        ),
        (
            "<x:choice maxOccurs='9'><x:element name='a' type='x:int'/><x:element name='b' type='x:int'/></x:choice>",
            "ask.request: a, b in turns, several times: they are refused",
        ),
        (
            "<x:all><x:element name='a' type='x:int'/><x:element name='b' type='x:int'/></x:all>",
            "ask.request: the elements are read in this order and no other",
        ),
        (
            "<x:sequence><x:element name='a' type='x:int'/><x:element name='a' type='x:int'/></x:sequence>",
            "ask.request.a: `a` in a second place: there it is refused",
        ),
        (
            "<x:sequence><x:element name='a' type='x:int' fixed='1'/></x:sequence>",
            "ask.request.a: that it is always `1` is not checked",
        ),
        ("<x:sequence/><x:attribute name='a' form='qualified'/>", "the attribute a of a namespace"),
    ] {
        let scaffold =
            import(&asking(elements)).unwrap_or_else(|error| panic!("{elements}: {error}"));
        loads(&scaffold);
        assert_eq!(scaffold.unsaid.len(), 1, "{elements} {:?}", scaffold.unsaid);
        says(&scaffold.unsaid.join("\n"), &[note]);
    }
}

#[test]
fn types_within_themselves_end_somewhere() {
    let cyclic = schema(
        "<x:complexType name='Tree'><x:sequence><x:element name='leaf' type='x:int'/>
           <x:element name='branch' type='t:Tree' minOccurs='0'/></x:sequence></x:complexType>
         <x:element name='ask' type='t:Tree'/>",
    );
    let scaffold = import(&wsdl(&cyclic)).unwrap();
    loads(&scaffold);
    says(
        &scaffold.unsaid.join("\n"),
        &["ask.request.branch: any content, or a type within itself"],
    );
    let types = "<x:element name='ask' type='t:a'/><x:simpleType name='a'><x:restriction base='t:b'/></x:simpleType>
         <x:simpleType name='b'><x:restriction base='t:a'/></x:simpleType>";
    let refused = import(&wsdl(&schema(types))).unwrap_err();
    assert!(matches!(refused, ImportError::Unsupported { .. }), "{refused}");
    for types in [
        "<x:complexType name='a'><x:complexContent><x:extension base='t:a'/></x:complexContent></x:complexType>
         <x:element name='ask' type='t:a'/>",
        "<x:group name='g'><x:sequence><x:group ref='t:g'/></x:sequence></x:group>
         <x:element name='ask'><x:complexType><x:group ref='t:g'/></x:complexType></x:element>",
    ] {
        let scaffold = import(&wsdl(&schema(types))).unwrap();
        loads(&scaffold);
        assert_eq!(scaffold.unsaid.len(), 1, "{:?}", scaffold.unsaid);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = import(&String::from_utf8_lossy(&bytes));
    }

    /// Whatever is cut out of a WSDL or put into it.
    #[test]
    fn no_slip_makes_it_panic_or_write_what_does_not_load(
        from in 0..3000_usize,
        length in 0..40_usize,
        text in "[<>'/a-z:=0-9]{0,8}",
    ) {
        let mut wsdl = asking(
            "<x:sequence><x:element name='a' type='x:int' minOccurs='0' maxOccurs='9'/>
             <x:element name='b'><x:simpleType><x:restriction base='x:string'>
               <x:enumeration value='A B'/><x:maxLength value='3'/></x:restriction></x:simpleType>
             </x:element></x:sequence><x:attribute name='c' type='x:decimal'/>",
        );
        let from = from.min(wsdl.len());
        let to = (from + length).min(wsdl.len());
        if wsdl.is_char_boundary(from) && wsdl.is_char_boundary(to) {
            wsdl.replace_range(from..to, &text);
        }
        if let Ok(scaffold) = import(&wsdl) {
            loads(&scaffold);
        }
    }
}
