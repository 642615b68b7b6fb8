//! The parts of a document that are the same for every operation.

use std::collections::BTreeMap;

use gateway_core::Kind;
use serde_json::{Map, Value, json};

use crate::faults::FaultTable;
use crate::front::problem;

/// Schemas of what every operation may answer.
pub(super) fn schemas() -> Map<String, Value> {
    let mut schemas = Map::new();
    let text = json!({ "type": "string" });
    schemas.insert(
        "Problem".to_owned(),
        json!({
            "description": "RFC 9457.",
            "type": "object",
            "properties": {
                "type": { "type": "string", "format": "uri" },
                "title": text,
                "status": { "type": "integer", "minimum": 400, "maximum": 599 },
                "detail": text,
                "kind": { "enum": Kind::ALL },
                "code": { "type": "string", "pattern": "^[a-z0-9-]+$" },
                "exchange": { "type": "string", "format": "uuid" },
                "violated-policies": { "type": "array", "items": text },
            },
            "required": ["type", "title", "status", "detail", "kind", "code", "exchange"],
            "additionalProperties": false,
        }),
    );
    schemas
}

/// Response names by status, and the responses: one for each status that a fault may have.
pub(super) fn problems(faults: &FaultTable<u16>) -> (BTreeMap<String, String>, Value) {
    let mut says: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for (kind, status) in &faults.kinds {
        says.entry(*status).or_default().push(kind.to_string());
    }
    for (kind, codes) in &faults.codes {
        for (code, status) in codes {
            says.entry(*status).or_default().push(format!("{kind}/{code}"));
        }
    }
    let mut names = BTreeMap::new();
    let mut responses = Map::new();
    for (status, faults) in says {
        let name = format!("Problem{status}");
        let mut headers = Map::new();
        let mut carried = vec!["Naru-Exchange", "Naru-Receipt", "RateLimit", "RateLimit-Policy"];
        carried.extend(match status {
            401 => Some("WWW-Authenticate"),
            405 => Some("Allow"),
            429 | 503 | 504 => Some("Retry-After"),
            _ => None,
        });
        for header in carried {
            headers.insert(header.to_owned(), super::reference("headers", header));
        }
        let schema = super::reference("schemas", "Problem");
        let response = json!({
            "description": faults.join(", "),
            "headers": headers,
            "content": { problem::MEDIA_TYPE: { "schema": schema } },
        });
        names.insert(status.to_string(), name.clone());
        responses.insert(name, response);
    }
    (names, Value::Object(responses))
}

/// Parameters, headers and ways of authentication of the REST front.
pub(super) fn rest_components(key_max: usize, keep_days: u32) -> Map<String, Value> {
    let key = format!(
        "Names one request: a second request under the same key has no second effect. Its outcome is \
         kept for {keep_days} days and answered again until then: 400 where it is missing, 422 when \
         it was used for another request, 409 while the first is being worked on."
    );
    let pattern = format!(r#"^"(?:[ !#-\[\]-~]|\\["\\]){{1,{key_max}}}"$"#);
    let parameters = json!({
        "Idempotency-Key": {
            "name": "Idempotency-Key", "in": "header", "required": true,
            "description": key, "schema": { "type": "string", "pattern": pattern },
        },
        "traceparent": {
            "name": "traceparent", "in": "header",
            "description": "W3C Trace Context, which the log lines of the exchange repeat. One that is not valid is as if absent.",
            "schema": { "type": "string" },
        },
        "tracestate": {
            "name": "tracestate", "in": "header",
            "schema": { "type": "string" },
        },
    });
    let headers = [
        (
            "Naru-Exchange",
            "The exchange, in logs and in the evidence log.",
            json!({ "format": "uuid" }),
        ),
        ("Naru-Receipt", "The receipt of the evidence log.", json!({})),
        ("RateLimit", "What is left of the quota.", json!({})),
        ("RateLimit-Policy", "The quota.", json!({})),
        (
            "Retry-After",
            "Seconds until the same request makes sense again.",
            json!({ "pattern": "^[0-9]+$" }),
        ),
        ("WWW-Authenticate", "How to say who calls.", json!({})),
        ("Allow", "The methods that the path is called by.", json!({})),
    ];
    let header =
        |(name, says, schema): (&str, &str, Value)| (name.to_owned(), header(says, schema));
    let schemes = json!({
        "apiKey": {
            "type": "apiKey", "in": "header", "name": "X-API-Key",
            "description": "Not wanted where a client certificate says who calls.",
        },
    });
    let mut components = Map::new();
    components.insert("parameters".to_owned(), parameters);
    components
        .insert("headers".to_owned(), Value::Object(headers.map(header).into_iter().collect()));
    components.insert("securitySchemes".to_owned(), schemes);
    components
}

fn header(says: &str, mut schema: Value) -> Value {
    if let Value::Object(schema) = &mut schema {
        schema.insert("type".to_owned(), json!("string"));
    }
    json!({ "description": says, "schema": schema })
}

/// The responses by status, and parameters, headers and responses of X-Road's REST protocol.
pub(super) fn xroad_components() -> (BTreeMap<String, String>, Map<String, Value>) {
    let parameter = |name: &str, required: bool, says: &str| {
        let schema = json!({ "type": "string" });
        let parameter = json!({
            "name": name, "in": "header", "required": required, "description": says, "schema": schema,
        });
        (name.to_owned(), parameter)
    };
    let parameters: Map<String, Value> = [
        parameter("X-Road-Client", true, "The consumer: instance/class/member[/subsystem]."),
        parameter("X-Road-Id", false, "Names one message; a second by it has no second effect."),
        parameter("X-Road-UserId", false, "Whose action it is."),
        parameter("X-Road-Issue", false, "The document that is the cause of it."),
    ]
    .into_iter()
    .collect();
    let headers = [
        ("X-Road-Client", "The consumer."),
        ("X-Road-Service", "The service."),
        ("X-Road-Id", "The message."),
        ("X-Road-Request-Id", "The request."),
        ("X-Road-Request-Hash", "SHA-512 over the request, in base64."),
        ("X-Road-Error", "The type of an error of X-Road's own."),
    ];
    let headers = headers.map(|(name, says)| (name.to_owned(), header(says, json!({}))));
    let error = json!({
        "type": "object",
        "properties": {
            "type": { "type": "string" },
            "message": { "type": "string" },
            "detail": { "type": "string" },
        },
        "required": ["type", "message", "detail"],
    });
    let response = json!({
        "description": "An error of X-Road's own.",
        "headers": { "X-Road-Error": super::reference("headers", "X-Road-Error") },
        "content": { "application/json": { "schema": error } },
    });
    let refusal = json!({
        "description": "The provider's own refusal.",
        "content": { problem::MEDIA_TYPE: { "schema": super::reference("schemas", "Problem") } },
    });
    let names = [("400", "Error"), ("500", "Error"), ("default", "Refusal")];
    let mut components = Map::new();
    components.insert("parameters".to_owned(), Value::Object(parameters));
    components.insert("headers".to_owned(), Value::Object(headers.into_iter().collect()));
    components.insert("responses".to_owned(), json!({ "Error": response, "Refusal": refusal }));
    let names = names.map(|(status, name)| (status.to_owned(), name.to_owned()));
    (names.into_iter().collect(), components)
}
