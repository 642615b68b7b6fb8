//! Plain XML over HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::Operation as Does;
use jiff::tz::Offset;

use super::rows::Shaper;
use super::soap::{header_shape, is_name, names};
use super::{Scope, faults, front, header, resources, shape, unused};
use crate::catalog::FrontEntry;
use crate::format::{HeaderFormat, MappingFile, ReplyRole, RequestRole, Success, XmlLayout};
use crate::front::XmlFront;
use crate::front::xml::encoding::DocumentEncoding;
use crate::front::xml::{RefusalForm, ReplyForm, ResultCode};
use crate::header::Header;
use crate::layout::xml::{TEXT, XmlKind};
use crate::operations::{Operation, Operations};
use crate::problem::Spot;
use crate::rows::Rows;

pub(crate) fn compile(
    id: Arc<str>,
    file: &MappingFile,
    layout: &XmlLayout,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<FrontEntry> {
    unused(!file.organizations.is_empty(), "organizations", spot);
    unused(!file.refusals.is_empty(), "refusals", spot);
    let xml: &Shaper<'_, XmlKind> = &shape::xml;
    let operations = front::operations(file, &Rows::new(vec![]), scope, xml, false, spot);
    for operation in &operations {
        let spot = &mut spot.key(format_args!("operations.{}", operation.name));
        names(&operation.request, &[], false, &mut spot.key("request"));
        names(&operation.reply, &[], false, &mut spot.key("reply"));
        if layout.reply.body_element.is_none() {
            elements_only(&operation.reply, &mut spot.key("reply"));
        }
    }
    check_keys(file, layout, &operations, spot);
    let roots = roots(file, layout, spot);
    let here = &mut spot.key("layout.xml");
    let encodings = encodings(&layout.encodings, here);
    let reply = ReplyForm {
        header: form(scope.zone, file, &layout.reply.header, &mut here.key("reply")),
        header_element: layout.reply.header_element.clone(),
        body_element: layout.reply.body_element.clone(),
    };
    let refusal = RefusalForm {
        root: layout.refusal.root.clone(),
        header: form(scope.zone, file, &layout.refusal.header, &mut here.key("refusal")),
        header_element: layout.refusal.header_element.clone(),
    };
    let says = |field: &HeaderFormat| field.reply == ReplyRole::ResultCode;
    if !layout.refusal.header.iter().any(says) {
        here.key("refusal.header").problem("no field holds the `result-code`");
    }
    check_elements(layout, here);
    let code = |text: &str| Ok(ResultCode::parse(text));
    let faults = faults::compile(&file.faults, code, &mut spot.key("faults"));
    let operations = Operations::new(operations);
    let resources = resources::compile(file, &operations, spot);
    let Some(Success { code, lossy, message }) = file.success.clone() else {
        spot.key("success").problem("is missing: the code of a reply when all is well");
        return None;
    };
    Some(FrontEntry::Xml(Arc::new(XmlFront {
        id,
        service: layout.service.clone(),
        namespace: layout.namespace.clone(),
        encodings,
        credential: layout.credential.clone(),
        key_max: layout.key_max,
        operations,
        resources,
        roots,
        reply,
        refusal,
        success: ResultCode { code, name: message.clone() },
        lossy: lossy.map(|code| ResultCode { code, name: message }),
        faults: faults?,
    })))
}

/// A reply's header: of a request no header is read.
fn form(
    zone: Option<Offset>,
    file: &MappingFile,
    formats: &[HeaderFormat],
    spot: &mut Spot<'_>,
) -> Header<XmlKind> {
    for (index, field) in formats.iter().enumerate() {
        let spot = &mut spot.key(format_args!("header[{index}]"));
        unused(field.request != RequestRole::Ignored, "request", spot);
        if field.reply == ReplyRole::Echo {
            spot.key("reply").problem("a request has no header whose fields could be repeated");
        }
        if !is_name(&field.name) {
            spot.key("name").problem("must be the name of an element");
        }
    }
    header::compile(file, formats, zone, header_shape, spot)
}

/// The key stands in the documents, or in the header `Idempotency-Key`.
fn check_keys(
    file: &MappingFile,
    layout: &XmlLayout,
    operations: &[Operation<XmlKind>],
    spot: &mut Spot<'_>,
) {
    let submits = |operation: &Operation<_>| operation.service.operation == Does::Submit;
    match (layout.key_max.is_some(), !file.idempotency_key.is_empty()) {
        (true, true) => spot
            .key("idempotency-key")
            .problem("with `key-max` the header Idempotency-Key is the key, and nothing else"),
        (false, false) if operations.iter().any(submits) => spot
            .key("layout.xml")
            .problem("a service changes something: `key-max` or an `idempotency-key` is wanted"),
        _ => {}
    }
}

/// Without an element around them, fields of a reply are elements of the root.
fn elements_only(rows: &Rows<XmlKind>, spot: &mut Spot<'_>) {
    for (index, row) in rows.0.iter().enumerate() {
        if row.name.starts_with('@') || *row.name == *TEXT {
            spot.entry(index).problem("wants a `body-element` that has it");
        }
    }
}

/// The roots of each operation's documents.
fn roots(
    file: &MappingFile,
    layout: &XmlLayout,
    spot: &mut Spot<'_>,
) -> BTreeMap<Arc<str>, (String, String)> {
    let mut roots = BTreeMap::new();
    for (name, format) in &file.operations {
        let spot = &mut spot.key(format_args!("operations.{name}"));
        let own = format.xml.clone().unwrap_or_default();
        let request = own.request.unwrap_or_else(|| name.clone());
        let usual = || layout.reply.root.clone().unwrap_or_else(|| format!("{name}Response"));
        let reply = own.reply.unwrap_or_else(usual);
        for root in [&request, &reply] {
            if !is_name(root) {
                spot.problem(format_args!("`{root}` cannot be the root of a document"));
            }
        }
        if request == reply || [&request, &reply].contains(&&layout.refusal.root) {
            spot.problem("request, reply and refusal must have different roots");
        }
        roots.insert(name.as_str().into(), (request, reply));
    }
    roots
}

fn encodings(names: &[String], spot: &mut Spot<'_>) -> Vec<DocumentEncoding> {
    let mut encodings = Vec::new();
    for name in names {
        match DocumentEncoding::parse(name) {
            Some(encoding) if !encodings.contains(&encoding) => encodings.push(encoding),
            _ => spot.key("encodings").problem("must be utf-8, euc-kr or both"),
        }
    }
    if names.is_empty() {
        spot.key("encodings").problem("must name at least one");
    }
    encodings
}

/// What the layout itself names.
fn check_elements(layout: &XmlLayout, spot: &mut Spot<'_>) {
    let named = [
        ("reply.header-element", layout.reply.header_element.as_ref()),
        ("reply.body-element", layout.reply.body_element.as_ref()),
        ("refusal.root", Some(&layout.refusal.root)),
        ("refusal.header-element", layout.refusal.header_element.as_ref()),
    ];
    for (key, name) in named {
        if name.is_some_and(|name| !is_name(name)) {
            spot.key(key).problem("must be the name of an element");
        }
    }
    let is_segment = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if layout.service.is_empty() || !layout.service.bytes().all(is_segment) {
        spot.key("service").problem("must be letters, digits, `-` and `_`");
    }
}
