//! REST, and what fronts whose operations are all alike have in common with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use gateway_core::Operation as Does;

use super::rows::{Compiler, Direction, Shaper};
use super::{Scope, faults, invert, resources, shape, unused};
use crate::catalog::FrontEntry;
use crate::format::{MappingFile, Operation as OperationFormat, RestLayout, Success};
use crate::front::{JsonCalls, Replies, RestFront};
use crate::operations::{KeyPart, Operation, Operations, Ways};
use crate::problem::Spot;
use crate::rows::Rows;

pub(crate) fn rest(
    id: Arc<str>,
    file: &MappingFile,
    layout: &RestLayout,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<FrontEntry> {
    unused(!file.organizations.is_empty(), "organizations", spot);
    unused(!file.idempotency_key.is_empty(), "idempotency-key", spot);
    unused(file.success.is_some(), "success", spot);
    unused(!file.refusals.is_empty(), "refusals", spot);
    let status = |text: &str| match text.parse::<u16>() {
        Ok(status @ 400..=599) => Ok(status),
        _ => Err("must be an HTTP status from 400 to 599".to_owned()),
    };
    let faults = faults::compile(&file.faults, status, &mut spot.key("faults"));
    let operations = operations(file, &Rows::new(vec![]), scope, &shape::json, false, spot);
    let operations = Operations::new(operations);
    let resources = resources::compile(file, &operations, spot);
    Some(FrontEntry::Rest(Arc::new(RestFront {
        id,
        sector: scope.sector.name.clone(),
        key_max: layout.key_max,
        calls: JsonCalls { operations, resources },
        faults: faults?,
    })))
}

/// The codes of a front's replies.
pub(crate) fn replies(file: &MappingFile, spot: &mut Spot<'_>) -> Option<Replies> {
    unused(!file.refusals.is_empty(), "refusals", spot);
    let code = |text: &str| Ok(text.to_owned());
    let faults = faults::compile(&file.faults, code, &mut spot.key("faults"));
    let Some(Success { code, lossy, message }) = file.success.clone() else {
        spot.key("success").problem("is missing: the code of a reply when all is well");
        return None;
    };
    Some(Replies { success: code, lossy, message, faults: faults? })
}

pub(crate) fn operations<S>(
    file: &MappingFile,
    header: &Rows<S>,
    scope: &Scope<'_>,
    shape: &Shaper<'_, S>,
    fixed: bool,
    spot: &mut Spot<'_>,
) -> Vec<Operation<S>> {
    let mut operations = Vec::new();
    let mut services = BTreeSet::new();
    for (name, format) in &file.operations {
        let spot = &mut spot.key(format_args!("operations.{name}"));
        let compiled = operation(name, format, scope, shape, fixed, spot);
        let Some(mut operation) = compiled else {
            continue;
        };
        if !services.insert(operation.service.id.code.clone()) {
            spot.problem("another operation of this mapping is the same service");
        }
        operation.key = key(&file.idempotency_key, header, &operation);
        let must_have_key = operation.service.operation == Does::Submit;
        if must_have_key && operation.key.is_empty() && !file.idempotency_key.is_empty() {
            spot.problem("the service changes something, and its idempotency key is not in it");
        }
        operations.push(operation);
    }
    operations
}

/// One operation without its key.
pub(crate) fn operation<S>(
    name: &str,
    format: &OperationFormat,
    scope: &Scope<'_>,
    shape: &Shaper<'_, S>,
    fixed: bool,
    spot: &mut Spot<'_>,
) -> Option<Operation<S>> {
    unused(format.function.is_some(), "function", spot);
    unused(format.call.is_some(), "call", spot);
    let service = format.service.as_deref().unwrap_or(name);
    let Some(terms) = scope.sector.services.get(service) else {
        spot.problem(format_args!("the sector has no service `{service}`"));
        return None;
    };
    let compiler = |direction| Compiler { direction, scope, shape, fixed, within_list: false };
    let request = compiler(Direction::Request);
    let request = request.rows(&format.request, &terms.request, &mut spot.key("request"));
    let reply = compiler(Direction::Reply);
    let reply = reply.rows(&format.reply, &terms.reply, &mut spot.key("reply"));
    let one_way = Ways {
        request: invert::one_way(&request, &terms.request),
        reply: invert::one_way(&reply, &terms.reply),
    };
    for table in &format.invertible {
        for reason in one_way.of(*table) {
            spot.key("invertible").problem(format_args!("the {} is not: {reason}", table.name()));
        }
    }
    Some(Operation {
        name: name.into(),
        service: terms.service.clone(),
        request,
        reply,
        one_way,
        key: vec![],
    })
}

/// Where the key's parts stand; nowhere when one of them is not there or may be absent.
fn key<S>(names: &[String], header: &Rows<S>, operation: &Operation<S>) -> Vec<KeyPart> {
    let part = |name: &String| {
        let required = |rows: &Rows<S>, at: usize| rows.0.get(at).is_some_and(|row| row.required);
        let in_header = header.position(name).filter(|at| required(header, *at));
        let body = &operation.request;
        let in_body = body.position(name).filter(|at| required(body, *at));
        in_header.map(KeyPart::Header).or(in_body.map(KeyPart::Body))
    };
    names.iter().map(part).collect::<Option<_>>().unwrap_or_default()
}
