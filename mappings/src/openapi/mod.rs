//! OpenAPI 3.1 of the fronts whose messages are JSON, made from what they enforce: the schemas say
//! exactly what [`crate::rows`] accepts, so a client that validates by them is never surprised.

mod parts;
mod schema;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::front::{JsonCalls, RestFront, XRoadFront, service_code};
use crate::layout::json::JsonKind;
use crate::operations::Operation;
use crate::resources::Resource;

/// What a document is about, besides its operations.
struct Subject<'a> {
    title: &'a str,
    /// Where the paths begin.
    server: &'a str,
    /// What surrounds the operations: responses, parameters, headers, ways of authentication.
    components: Map<String, Value>,
    /// Names of parameters for every operation, and for those that change something.
    parameters: (&'static [&'static str], &'static [&'static str]),
    /// Names of headers of a reply.
    headers: &'static [&'static str],
    /// Status → name of a response among the components.
    responses: BTreeMap<String, String>,
    /// The ways of authentication, one of which is wanted.
    security: Value,
}

/// The document of a sector's REST services, served at `server`. Outcomes of submits are kept for
/// `keep_days`.
pub(crate) fn of_rest(front: &RestFront, server: &str, keep_days: u32) -> Value {
    let (responses, problems) = parts::problems(&front.faults);
    let mut components = parts::rest_components(front.key_max, keep_days);
    components.insert("responses".to_owned(), problems);
    let subject = Subject {
        title: &front.sector,
        server,
        components,
        parameters: (&["traceparent", "tracestate"], &["Idempotency-Key"]),
        headers: &["Naru-Exchange", "Naru-Receipt", "RateLimit", "RateLimit-Policy"],
        responses,
        // The alternative is a certificate, which few clients know as a security scheme.
        security: json!([{ "apiKey": [] }, {}]),
    };
    let all = front.calls.resources.iter().map(|resource| (resource, resource.template(0, true)));
    document(subject, &front.calls, all)
}

/// The document of one X-Road service; nothing when the provider has none by this code. As X-Road
/// wants it, the address is not told (PR-META 4).
pub(crate) fn of_xroad(front: &XRoadFront, code: &str) -> Option<Value> {
    let all = front.calls.resources.iter();
    let all = all.filter(|resource| service_code(resource) == Some(code));
    let mut all = all.map(|resource| (resource, resource.template(1, true))).peekable();
    all.peek()?;
    let (responses, components) = parts::xroad_components();
    let subject = Subject {
        title: code,
        server: "http://example.org/xroad-endpoint",
        components,
        parameters: (&["X-Road-Client", "X-Road-Id", "X-Road-UserId", "X-Road-Issue"], &[]),
        headers: &[
            "X-Road-Client",
            "X-Road-Service",
            "X-Road-Id",
            "X-Road-Request-Id",
            "X-Road-Request-Hash",
        ],
        responses,
        security: json!([]),
    };
    Some(document(subject, &front.calls, all))
}

fn document<'r>(
    subject: Subject<'_>,
    calls: &'r JsonCalls,
    resources: impl Iterator<Item = (&'r Resource, String)>,
) -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut schemas = parts::schemas();
    for (resource, template) in resources {
        let Some(operation) = calls.operations.named(&resource.operation) else {
            continue;
        };
        let described = operation_object(resource, operation, &subject, &mut schemas);
        let template = if template.is_empty() { "/".to_owned() } else { template };
        let method = resource.method.name().to_ascii_lowercase();
        paths.entry(template).or_default().insert(method, described);
    }
    let mut components = subject.components;
    components.insert("schemas".to_owned(), Value::Object(schemas));
    json!({
        "openapi": "3.1.0",
        "info": { "title": subject.title, "version": "1" },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{ "url": subject.server }],
        "security": subject.security,
        "paths": paths,
        "components": components,
    })
}

fn operation_object(
    resource: &Resource,
    operation: &Operation<JsonKind>,
    subject: &Subject<'_>,
    schemas: &mut Map<String, Value>,
) -> Value {
    let is_submit = operation.service.operation == gateway_core::Operation::Submit;
    let (for_all, for_submits) = subject.parameters;
    let named = for_all.iter().chain(if is_submit { for_submits } else { &[] });
    let mut parameters: Vec<Value> = named.map(|name| reference("parameters", name)).collect();
    parameters.extend(schema::parameters(resource, &operation.request));

    let name = format!("{}{}", operation.name, resource.method.name());
    let mut described = Map::new();
    described.insert("operationId".to_owned(), json!(operation_id(resource, operation)));
    if resource.method.has_body() {
        let outside = |at| resource.has_in_path(at);
        schemas.insert(format!("{name}Request"), schema::request(&operation.request, outside));
        let schema = reference("schemas", &format!("{name}Request"));
        let content = json!({ "application/json": { "schema": schema } });
        described.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
    }
    described.insert("parameters".to_owned(), json!(parameters));
    schemas.insert(format!("{}Reply", operation.name), schema::reply(&operation.reply));
    described.insert("responses".to_owned(), responses(operation, subject));
    Value::Object(described)
}

/// The operation's name, and the rest of its path where it is called in several ways.
fn operation_id(resource: &Resource, operation: &Operation<JsonKind>) -> String {
    let path = resource.template(0, false).replace(['/', '*'], "-");
    format!("{}{}{}", operation.name, resource.method.name(), path)
}

fn responses(operation: &Operation<JsonKind>, subject: &Subject<'_>) -> Value {
    let headers =
        subject.headers.iter().map(|name| ((*name).to_owned(), reference("headers", name)));
    let schema = reference("schemas", &format!("{}Reply", operation.name));
    let mut responses = Map::new();
    responses.insert(
        "200".to_owned(),
        json!({
            "description": "The answer.",
            "headers": headers.collect::<Map<_, _>>(),
            "content": { "application/json": { "schema": schema } },
        }),
    );
    for (status, name) in &subject.responses {
        responses.insert(status.clone(), reference("responses", name));
    }
    Value::Object(responses)
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

#[cfg(test)]
mod tests;
