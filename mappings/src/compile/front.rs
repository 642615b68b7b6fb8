//! The fronts whose operations are all alike: telegram, REST, and what SOAP has in common with them.

use std::collections::BTreeSet;
use std::sync::Arc;

use gateway_core::Operation as Does;

use super::rows::{Compiler, Direction, Shaper};
use super::{Scope, faults, header, resources, shape, unused};
use crate::catalog::FrontEntry;
use crate::convert::Codec;
use crate::format::{
    HeaderFormat, MappingFile, Operation as OperationFormat, RestLayout, Success, TelegramLayout,
};
use crate::front::{Framing, JsonCalls, Replies, RestFront, TelegramFront};
use crate::header::{Content, Header};
use crate::layout::fixed::{Fixed, FixedKind};
use crate::operations::{KeyPart, Operation, Operations};
use crate::problem::Spot;
use crate::rows::{Form, Rows};

pub(crate) fn telegram(
    id: Arc<str>,
    file: &MappingFile,
    layout: &TelegramLayout,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<FrontEntry> {
    let shape_of = |format: &HeaderFormat, codec: &Codec, spot: &mut Spot<'_>| {
        let shape = shape::fixed(&header::as_row(format), codec, spot)?;
        Some(Fixed { cut: format.cut, ..shape })
    };
    let key = &mut spot.key("layout.telegram");
    let header = header::compile(file, &layout.header, shape_of, key);
    if header.rows.width() != layout.header_length {
        let message = format_args!("the fields of the header add up to {}", header.rows.width());
        key.key("header-length").problem(message);
    }
    let operations = operations(file, &header.rows, scope, &shape::fixed, true, spot);
    let replies = replies(file, spot)?;
    check_reply_header(&header, &replies, &mut spot.key("layout.telegram.header"));
    let framing = framing(layout, &header, &operations, &mut spot.key("layout.telegram"))?;
    Some(FrontEntry::Telegram(Arc::new(TelegramFront {
        id,
        framing,
        header,
        operations: Operations::new(operations),
        replies,
        receipt: Fixed { kind: FixedKind::Ascii, length: layout.receipt_length, cut: false },
    })))
}

/// What a reply's header always says must fit its fields, so that a refusal can always be written.
fn check_reply_header(header: &Header<Fixed>, replies: &Replies, spot: &mut Spot<'_>) {
    for (index, (row, role)) in header.rows.0.iter().zip(&header.roles).enumerate() {
        let texts: Vec<&str> = match &role.reply {
            Content::Constant(text) => vec![text],
            Content::ResultCode => replies.codes().collect(),
            Content::Received | Content::Sent => {
                spot.entry(index).problem("times are written in XML headers only");
                continue;
            }
            Content::Blank | Content::Echo | Content::ResultMessage => continue,
        };
        let Form::Value { shape, .. } = &row.form else {
            continue;
        };
        for text in texts {
            if let Err(why) = shape.write(Some(text), &mut Vec::new()) {
                let message = format_args!("the field cannot hold `{text}`: it {why}");
                spot.entry(index).problem(message);
            }
        }
    }
}

/// Every message must be countable with the digits that the framing has.
fn framing(
    layout: &TelegramLayout,
    header: &Header<Fixed>,
    operations: &[Operation<Fixed>],
    spot: &mut Spot<'_>,
) -> Option<Framing> {
    let format = &layout.framing;
    let digits = u32::try_from(format.length_digits).ok().filter(|digits| (1..=8).contains(digits));
    let Some(digits) = digits else {
        spot.key("framing.length-digits").problem("must be from 1 to 8");
        return None;
    };
    let counted = if format.inclusive { format.length_digits } else { 0 };
    let largest = 10_usize.pow(digits).saturating_sub(1).saturating_sub(counted);
    for operation in operations {
        let around = header.rows.width().saturating_add(layout.receipt_length);
        let reply = around.saturating_add(operation.reply.width());
        if reply > largest {
            let message = format_args!("the reply of `{}` has {reply} bytes", operation.name);
            spot.key("framing.length-digits").problem(message);
        }
        let request = header.rows.width().saturating_add(operation.request.width());
        if request > format.max {
            let message = format_args!("the request of `{}` has {request} bytes", operation.name);
            spot.key("framing.max").problem(message);
        }
    }
    Some(Framing {
        length_digits: format.length_digits,
        inclusive: format.inclusive,
        max: format.max,
    })
}

pub(crate) fn rest(
    id: Arc<str>,
    file: &MappingFile,
    layout: &RestLayout,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<FrontEntry> {
    unused(file.zone.is_some(), "zone", spot);
    unused(!file.organizations.is_empty(), "organizations", spot);
    unused(!file.idempotency_key.is_empty(), "idempotency-key", spot);
    unused(file.success.is_some(), "success", spot);
    unused(!file.refusals.is_empty(), "refusals", spot);
    let status = |text: &str| match text.parse::<u16>() {
        Ok(status @ 400..=599) => Ok(status),
        _ => Err("must be an HTTP status from 400 to 599".to_owned()),
    };
    let faults = faults::compile(&file.faults, status, &mut spot.key("faults"));
    let operations = operations(file, &Rows(vec![]), scope, &shape::json, false, spot);
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
    let Some(Success { code, message }) = file.success.clone() else {
        spot.key("success").problem("is missing: the code of a reply when all is well");
        return None;
    };
    Some(Replies { success: code, message, faults: faults? })
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
    let compiler = |direction| Compiler { direction, scope, shape, fixed };
    let request = compiler(Direction::Request);
    let request = request.rows(&format.request, &terms.request, &mut spot.key("request"));
    let reply = compiler(Direction::Reply);
    let reply = reply.rows(&format.reply, &terms.reply, &mut spot.key("reply"));
    Some(Operation {
        name: name.into(),
        service: terms.service.clone(),
        request,
        reply,
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
