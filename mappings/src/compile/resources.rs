//! `http` of operations → resources: `METHOD /path/{field}`.

use std::sync::Arc;

use gateway_core::Operation as Does;

use crate::format::MappingFile;
use crate::operations::{Operation, Operations};
use crate::problem::Spot;
use crate::resources::{Method, Resource, Resources, Segment};
use crate::rows::{Form, Row};

/// The resources of all operations. Without `http` an operation is called by `POST /<its name>`.
pub(crate) fn compile<S>(
    file: &MappingFile,
    operations: &Operations<S>,
    spot: &mut Spot<'_>,
) -> Resources {
    let mut resources: Vec<Resource> = Vec::new();
    for operation in operations.iter() {
        let spot = &mut spot.key(format_args!("operations.{}", operation.name));
        let written = file.operations.get(&*operation.name).and_then(|each| each.http.as_deref());
        let Some(written) = written else {
            resources.push(by_name(operation));
            continue;
        };
        let spot = &mut spot.key("http");
        for (index, line) in written.iter().enumerate() {
            let spot = &mut spot.entry(index);
            let Some(resource) = resource(line, operation, spot) else {
                continue;
            };
            if resources.iter().any(|other| resource.collides_with(other)) {
                spot.problem("another operation is called by this method and path");
            }
            resources.push(resource);
        }
    }
    Resources::new(resources)
}

fn by_name<S>(operation: &Operation<S>) -> Resource {
    let path = vec![Segment::Literal(operation.name.to_string())];
    Resource::new(Method::Post, path, operation.name.clone())
}

fn resource<S>(line: &str, operation: &Operation<S>, spot: &mut Spot<'_>) -> Option<Resource> {
    let parsed =
        line.split_once(" /").and_then(|(method, path)| Some((Method::parse(method)?, path)));
    let Some((method, path)) = parsed else {
        spot.problem("must be GET, POST, PUT, PATCH or DELETE, a space, and a path from `/` on");
        return None;
    };
    if method == Method::Get && operation.service.operation == Does::Submit {
        spot.problem("the service changes something, so it cannot be called by GET");
    }
    let mut segments = Vec::new();
    for text in path.split('/') {
        segments.push(segment(text, operation, spot)?);
    }
    let resource = Resource::new(method, segments, operation.name.clone());
    for (at, row) in operation.request.0.iter().enumerate() {
        let stands_in_text = !method.has_body() || resource.has_in_path(at);
        if stands_in_text && !matches!(row.form, Form::Value { .. }) {
            let name = &row.name;
            spot.problem(format_args!("`{name}` is no single value, so it wants a body"));
        }
    }
    Some(resource)
}

fn segment<S>(text: &str, operation: &Operation<S>, spot: &mut Spot<'_>) -> Option<Segment> {
    let field = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let Some(field) = field else {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if matches!(text, "" | "." | "..") || !text.bytes().all(is_plain) {
            spot.problem(format_args!("`{text}` is no segment of a path"));
            return None;
        }
        return Some(Segment::Literal(text.to_owned()));
    };
    let row = |at| operation.request.0.get(at).filter(|row: &&Row<S>| row.required);
    match operation.request.position(field).and_then(|at| Some((at, row(at)?))) {
        Some((at, row)) => Some(Segment::Field { row: at, name: Arc::clone(&row.name) }),
        None => {
            spot.problem(format_args!("the request has no required field `{field}`"));
            None
        }
    }
}
