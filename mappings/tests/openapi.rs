//! OpenAPI documents → a REST front and a backend that load, with what they cannot say beside it.
#![cfg(test)]

use std::sync::Arc;

use gateway_core::{Pseudonym, Pseudonymize};
use mappings::Catalog;
use mappings::import::openapi::OpenApiScaffold;
use mappings::import::{ImportError, Scaffold};
use proptest::prelude::*;

struct Nobody;

impl Pseudonymize for Nobody {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

fn import(document: &str) -> Result<Scaffold, ImportError> {
    let wanted = OpenApiScaffold { sector: "tax".into(), system: "office".into(), only: None };
    wanted.write("a.yaml", document.as_bytes())
}

#[track_caller]
fn loads(scaffold: &Scaffold) {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("tax")).unwrap();
    std::fs::write(root.path().join("tax/services.yaml"), &scaffold.services).unwrap();
    for mapping in &scaffold.mappings {
        let folder = root.path().join("tax").join(&mapping.system).join("v1");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("mapping.yaml"), &mapping.text).unwrap();
    }
    if let Err(problems) = Catalog::load(root.path(), Arc::new(Nobody)) {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        let texts: Vec<_> = scaffold.mappings.iter().map(|one| one.text.as_str()).collect();
        panic!("{}\n{}\n{}", problems.join("\n"), scaffold.services, texts.join("\n"));
    }
}

#[track_caller]
fn says(text: &str, wanted: &[&str]) {
    for line in wanted {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

const DOCUMENT: &str = "
openapi: 3.1.0
servers: [{ url: https://register.example/v2 }]
paths:
  /people/{number}:
    parameters:
      - { name: number, in: path, required: true, schema: { type: string, maxLength: 13 } }
    get:
      operationId: find_person
      parameters:
        - { name: detail, in: query, schema: { type: boolean } }
        - { name: x-trace, in: header, schema: { type: string } }
        - { name: tags, in: query, schema: { type: array, items: { type: string } } }
      responses:
        '200': { $ref: '#/components/responses/Person' }
    put:
      requestBody:
        content: { application/json: { schema: { $ref: '#/components/schemas/Person' } } }
      responses:
        '200': { $ref: '#/components/responses/Person' }
  /photo:
    get:
      responses: { '200': { content: { image/png: {} } } }
  '/people/{a}-{b}':
    get:
      responses: { '200': { $ref: '#/components/responses/Person' } }
components:
  responses:
    Person:
      content: { application/json: { schema: { $ref: '#/components/schemas/Person' } } }
  schemas:
    Base:
      type: object
      required: [id]
      properties: { id: { type: integer, format: int32, minimum: 1.0 } }
    Status: { type: string, enum: [IN_PROGRESS, DONE] }
    Person:
      allOf:
        - $ref: '#/components/schemas/Base'
        - type: object
          required: [status, name]
          properties:
            status: { $ref: '#/components/schemas/Status' }
            name: { type: string, minLength: 1, maxLength: 40 }
            born: { type: [string, 'null'], format: date }
            seen: { anyOf: [{ type: string, format: date-time }, { type: 'null' }] }
            rate: { type: number }
            home: { type: object, properties: { city: { type: string } } }
            children: { type: array, maxItems: 5, items: { type: object, properties: { age: { type: integer } } } }
            parent: { $ref: '#/components/schemas/Person' }
            either: { oneOf: [{ type: string }, { type: integer }] }
            names: { type: array, items: { type: string } }
            any: {}
";

#[test]
fn paths_become_operations_of_a_front_and_a_backend() {
    let scaffold = import(DOCUMENT).unwrap();
    loads(&scaffold);
    says(
        &scaffold.services,
        &[
            "findPerson:\n    operation: query",
            "putPeopleNumber:\n    operation: submit",
            "status: [in-progress, done]",
            "number: { type: text, max: 13, required: true }",
            "id: { type: integer, min: 1, max: 2147483647, required: true }",
            "status: { type: code, of: status, required: true }",
            "name: { type: text, max: 40, required: true }",
            "born: { type: date }",
            "seen: { type: date-time }",
            "max: 5\n",
        ],
    );
    let [front, backend] = &scaffold.mappings[..] else { panic!("two mappings") };
    says(
        &front.text,
        &["http: [\"GET /people/{number}\"]", "- { from: detail, to: detail, type: boolean }"],
    );
    says(
        &backend.text,
        &[
            "call: { method: PUT, path: \"/people/{number}\" }",
            "# The document says that the provider is at https://register.example/v2",
            "- { from: status, to: status, type: string, table: status, required: true }",
        ],
    );
    let unsaid = scaffold.unsaid.join("\n");
    says(
        &unsaid,
        &[
            "GET /photo: the operation is left out: its answer is not JSON",
            "GET /people/{a}-{b}: the operation is left out: its path is not made of plain segments",
            "findPerson.request.x-trace: a parameter in the header is not sent",
            "findPerson.request.tags: an array whose entries are no objects is not sent",
            "findPerson.reply.parent: a type within itself is cut off: the member is refused",
            "findPerson.reply.either: one of several types: the member is refused",
            "findPerson.reply.names: an array whose entries are no objects: the member is refused",
            "findPerson.reply.any: any value at all: the member is refused",
            "findPerson.reply.rate: more than 4 digits after the point",
        ],
    );
    assert_eq!(import(DOCUMENT).unwrap(), scaffold);
}

#[test]
fn what_is_no_openapi_document_is_refused_with_its_place() {
    let refused = |document: &str| import(document).unwrap_err().to_string();
    says(&refused("a: [1"), &["a.yaml: ", "line 1"]);
    says(&refused("{\"openapi\": "), &["a.yaml: EOF while parsing a value at line 1"]);
    says(&refused("swagger: '2.0'"), &["it is no OpenAPI 3 document"]);
    says(&refused("openapi: 4.0.0"), &["it is OpenAPI 4.0.0; 3.0 and 3.1 are read"]);
    says(&refused("openapi: 3.0.0"), &["no operation can be made of it"]);
    let remote = "openapi: 3.0.0\npaths: { /a: { get: { responses: { '200': { $ref: 'http://far/b' } } } } }";
    says(&refused(remote), &["only references within the document are followed"]);
    let circle = "openapi: 3.0.0\npaths: { /a: { get: { responses: { '200': { $ref: '#/x' } } } } }\nx: { $ref: '#/x' }";
    says(&refused(circle), &["references go round in a circle"]);
    let nowhere = circle.replace("x: {", "y: {");
    says(&refused(&nowhere), &["#/x leads nowhere"]);
    assert!(
        import(&format!("{}{}", "{\"openapi\": \"3.0.0\", \"x\": ", "[".repeat(1000))).is_err()
    );
    let bomb: String =
        (1..20).map(|n| format!("a{n}: &a{n} [*a{0},*a{0},*a{0},*a{0}]\n", n - 1)).collect();
    assert!(import(&format!("a0: &a0 [1,2,3,4]\n{bomb}openapi: 3.0.0")).is_err());
}

proptest! {
    #[test]
    fn no_slip_makes_it_panic_or_write_what_does_not_load(
        from in 0..3000_usize,
        length in 0..40_usize,
        text in "[{}/a-z:,\\[\\]0-9'#$]{0,8}",
    ) {
        let mut document = DOCUMENT.to_owned();
        let from = from.min(document.len());
        document.replace_range(from..(from + length).min(document.len()), &text);
        if let Ok(scaffold) = import(&document) {
            loads(&scaffold);
        }
    }
}
