//! SOAP fronts: what the layout says of the envelope, and how each operation stands in its body.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Scope, faults, front, header, integrations, shape, unused};
use crate::catalog::FrontEntry;
use crate::convert::Codec;
use crate::format::{
    ElementFormName, HeaderFormat, MappingFile, ReplyRole, SoapLayout, SoapNames, SoapStyle,
    XRoadSoapLayout,
};
use crate::front::SoapFront;
use crate::front::soap::xroad::XRoad;
use crate::front::soap::{ElementForm, METASERVICES, Refusals, Shape, Style, Version};
use crate::header::Header;
use crate::layout::xml::{TEXT, XmlKind};
use crate::operations::Operations;
use crate::problem::Spot;
use crate::rows::{Form, Rows};
use crate::xroad::{ClientId, Clients};

pub(crate) fn compile(
    id: Arc<str>,
    file: &MappingFile,
    layout: &SoapLayout,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<FrontEntry> {
    let here = &mut spot.key("layout.soap");
    let header = own_header(file, layout, scope, here);
    let versions = versions(&layout.versions, here);
    let target = (layout.namespace.as_str(), layout.element_form);
    let namespaces = namespaces(&layout.namespaces, target, here);
    let nothing = Rows::new(vec![]);
    let rows = header.as_ref().map_or(&nothing, |header| &header.rows);
    let operations = front::operations(file, rows, scope, &shape::xml, false, spot);
    for operation in &operations {
        let spot = &mut spot.key(format_args!("operations.{}", operation.name));
        for (key, rows) in [("request", &operation.request), ("reply", &operation.reply)] {
            let spot = &mut spot.key(key);
            names(rows, &namespaces, layout.attachments, spot);
            if layout.style == SoapStyle::Rpc {
                parts(rows, spot);
            }
        }
    }
    let integrations = integrations::compile(file, layout, &mut spot.key("layout.soap"));
    let style = match layout.style {
        SoapStyle::DocumentWrapped => Style::Wrapped,
        SoapStyle::DocumentBare => Style::Bare,
        SoapStyle::Rpc => Style::Rpc,
    };
    let header_element = layout.header_element.clone().unwrap_or_else(|| HEADER.to_owned());
    let key = &mut spot.key("layout.soap");
    if !is_name(&header_element) || header_element == "receipt" {
        key.key("header-element").problem("cannot be an element of the header");
    }
    let has_none = layout.header_element.is_some() && layout.header.is_empty();
    unused(has_none, "header-element", key);
    let shapes = shapes(file, style, &header_element, spot);
    let refusals = refusals(file, layout, spot)?;
    Some(FrontEntry::Soap(Arc::new(SoapFront {
        id,
        service: layout.service.clone(),
        namespace: layout.namespace.clone(),
        namespaces,
        receipt_namespace: layout.receipt_namespace.clone(),
        versions,
        style,
        elements: element_form(layout.element_form),
        addressing: layout.addressing,
        attachments: layout.attachments,
        header,
        header_element,
        integrations,
        xroad: None,
        operations: Operations::new(operations),
        shapes,
        refusals,
    })))
}

/// X-Road's message protocol: SOAP 1.1, document/literal wrapped, with headers of its own.
pub(crate) fn xroad(
    id: Arc<str>,
    file: &MappingFile,
    layout: &XRoadSoapLayout,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<FrontEntry> {
    unused(file.zone.is_some(), "zone", spot);
    unused(file.success.is_some(), "success", spot);
    unused(!file.refusals.is_empty(), "refusals", spot);
    let provider = match layout.provider.parse::<ClientId>() {
        Ok(provider) => Some(provider),
        Err(error) => {
            let spot = &mut spot.key("layout.xroad-soap.provider");
            spot.problem(format_args!("the identifier {error}"));
            None
        }
    };
    let (clients, refused) = Clients::new(&file.organizations);
    for (client, error) in refused {
        let spot = &mut spot.key("organizations");
        spot.key(client).problem(format_args!("the identifier of the client {error}"));
    }
    let operations = front::operations(file, &Rows::new(vec![]), scope, &shape::xml, false, spot);
    for operation in &operations {
        let spot = &mut spot.key(format_args!("operations.{}", operation.name));
        if METASERVICES.contains(&&*operation.name) {
            spot.problem("is a metaservice of X-Road's own");
        }
        for (key, rows) in [("request", &operation.request), ("reply", &operation.reply)] {
            names(rows, &[], layout.attachments, &mut spot.key(key));
        }
    }
    let shapes = shapes(file, Style::Wrapped, HEADER, spot);
    let faults = faults::compile(&file.faults, xroad_code, &mut spot.key("faults"))?;
    Some(FrontEntry::Soap(Arc::new(SoapFront {
        id,
        service: layout.service.clone(),
        namespace: layout.namespace.clone(),
        namespaces: vec![],
        receipt_namespace: String::new(),
        versions: vec![Version::V11],
        style: Style::Wrapped,
        elements: element_form(layout.element_form),
        addressing: false,
        attachments: layout.attachments,
        header: None,
        header_element: HEADER.to_owned(),
        integrations: None,
        xroad: Some(XRoad { provider: provider?, version: layout.version.clone(), clients }),
        operations: Operations::new(operations),
        shapes,
        refusals: Refusals::XRoad(faults),
    })))
}

/// Where in X-Road an error arose, and what it is.
fn xroad_code(text: &str) -> Result<String, String> {
    const ORIGINS: [&str; 3] = ["Client.", "Server.ClientProxy.", "Server.ServerProxy."];
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    };
    match ORIGINS.iter().find_map(|origin| text.strip_prefix(origin)).is_some_and(is_name) {
        true => Ok(text.to_owned()),
        false => Err(format!("must begin with {}", ORIGINS.join(" or "))),
    }
}

fn element_form(name: ElementFormName) -> ElementForm {
    match name {
        ElementFormName::Qualified => ElementForm::Qualified,
        ElementFormName::Unqualified => ElementForm::Unqualified,
    }
}

fn own_header(
    file: &MappingFile,
    layout: &SoapLayout,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<Header<XmlKind>> {
    if layout.header.is_empty() {
        unused(!file.organizations.is_empty(), "organizations", spot);
        return None;
    }
    Some(header::compile(file, &layout.header, scope.zone, header_shape, spot))
}

/// What XML must know of a header's field.
pub(super) fn header_shape(
    format: &HeaderFormat,
    _: &Codec,
    spot: &mut Spot<'_>,
) -> Option<XmlKind> {
    shape::fixed_only(&header::as_row(format), spot);
    unused(format.cut, "cut", spot);
    shape::parse(format.kind.as_deref(), XmlKind::parse, "an XML Schema type", spot)
}

fn versions(names: &[String], spot: &mut Spot<'_>) -> Vec<Version> {
    let mut versions = Vec::new();
    for name in names {
        match Version::parse(name) {
            Some(version) if !versions.contains(&version) => versions.push(version),
            _ => spot.key("versions").problem("must be \"1.1\", \"1.2\" or both"),
        }
    }
    if names.is_empty() {
        spot.key("versions").problem("must name at least one");
    }
    versions
}

/// Prefixes that the gateway's own envelopes use.
const TAKEN: [&str; 14] =
    ["soap", "t", "n", "wsa", "xop", "xs", "xsi", "xrd", "id", "xml", "xmlns", "u", "x", "i"];

/// Prefixes of other namespaces than the mapping's. Where names alone are of no namespace, the
/// mapping's own may have a prefix too.
pub(super) fn namespaces(
    declared: &BTreeMap<String, String>,
    (target, form): (&str, ElementFormName),
    spot: &mut Spot<'_>,
) -> Vec<(String, String)> {
    let mut names = BTreeSet::new();
    for (prefix, name) in declared {
        let spot = &mut spot.key(format_args!("namespaces.{prefix}"));
        if TAKEN.contains(&prefix.as_str()) || !is_name(prefix) {
            spot.problem("cannot be used as a prefix");
        }
        if name.is_empty() || *name == target && form == ElementFormName::Qualified {
            spot.problem("must be another namespace than the mapping's");
        }
        if !names.insert(name) {
            spot.problem("is the namespace of another prefix");
        }
    }
    declared.clone().into_iter().collect()
}

/// A name without a colon (Namespaces in XML, section 3), as far as ASCII goes.
pub(crate) fn is_name(text: &str) -> bool {
    let is_first = |first: char| first.is_alphabetic() || first == '_';
    let is_rest = |next: char| next.is_alphanumeric() || matches!(next, '_' | '-' | '.');
    text.starts_with(is_first) && text.chars().all(is_rest)
}

/// Checks what rows are named, and that what refers to attachments may.
pub(super) fn names(
    rows: &Rows<XmlKind>,
    namespaces: &[(String, String)],
    attachments: bool,
    spot: &mut Spot<'_>,
) {
    let mut texts = false;
    for (index, row) in rows.0.iter().enumerate() {
        let spot = &mut spot.entry(index);
        let is_list = !matches!(row.form, Form::Value { .. });
        let is_known = match row.name.split_once(':') {
            Some((prefix, name)) => {
                is_name(name) && namespaces.iter().any(|(known, _)| known == prefix)
            }
            None => match row.name.strip_prefix('@') {
                Some(name) => is_name(name) && !is_list,
                None => *row.name == *TEXT && !is_list || is_name(&row.name),
            },
        };
        if !is_known {
            let wanted =
                "is not an element, `@attribute`, `prefix:element` of `namespaces`, or `.`";
            spot.problem(format_args!("`{}` {wanted}", row.name));
        }
        texts |= *row.name == *TEXT;
        match &row.form {
            Form::Record { rows } | Form::List { rows, .. } => {
                names(rows, namespaces, attachments, &mut spot.key("fields"));
            }
            Form::Value { shape, .. } => {
                let is_element = is_name(&row.name) || row.name.contains(':');
                match shape {
                    XmlKind::SwaRef if !attachments => {
                        spot.key("type").problem("wants `attachments: true` in the layout");
                    }
                    XmlKind::SwaRef | XmlKind::Base64 if !is_element => {
                        spot.key("type").problem("is for elements only");
                    }
                    _ => {}
                }
            }
        }
    }
    let others = rows.0.iter().any(|row| *row.name != *TEXT && !row.name.starts_with('@'));
    if texts && others {
        spot.problem("beside the text `.` only attributes may stand");
    }
}

/// A part of a message in the rpc style is one element, of no namespace (WS-I Basic Profile 1.1,
/// section 4.7.20), that stands there once.
fn parts(rows: &Rows<XmlKind>, spot: &mut Spot<'_>) {
    for (index, row) in rows.0.iter().enumerate() {
        if matches!(row.form, Form::List { .. }) || !is_name(&row.name) {
            let says = "in the rpc style a field beside the others is one element of its own";
            spot.entry(index).problem(says);
        }
    }
}

/// The element of a header of the mapping's own, unless it says another.
const HEADER: &str = "header";

fn shapes(file: &MappingFile, style: Style, header: &str, spot: &mut Spot<'_>) -> Vec<Shape> {
    let mut shapes = Vec::new();
    let mut elements = BTreeMap::new();
    for (name, format) in &file.operations {
        let spot = &mut spot.key(format_args!("operations.{name}"));
        let SoapNames { using, action, request, reply } = format.soap.clone().unwrap_or_default();
        if style != Style::Bare && (request.is_some() || reply.is_some()) {
            spot.key("soap").problem("elements have names of their own in the bare style only");
        }
        let request = request.unwrap_or_else(|| name.clone());
        let reply = reply.unwrap_or_else(|| format!("{name}Response"));
        for (element, is_reply) in [(&request, false), (&reply, true)] {
            if !is_name(element) || [header, "fault", "receipt"].contains(&element.as_str()) {
                spot.problem(format_args!("`{element}` cannot be an element of the body"));
            }
            // Replies of several operations may be alike; requests are told apart by their elements.
            let earlier = elements.insert(element.clone(), is_reply);
            if earlier.is_some_and(|earlier| !(earlier && is_reply)) {
                spot.problem(format_args!("another operation has the element `{element}`"));
            }
        }
        shapes.push(Shape {
            operation: name.as_str().into(),
            request,
            reply,
            action,
            using: using.unwrap_or(true),
            title: format.title.clone(),
            notes: format.notes.clone(),
        });
    }
    shapes
}

fn refusals(file: &MappingFile, layout: &SoapLayout, spot: &mut Spot<'_>) -> Option<Refusals> {
    let says_result = |field: &HeaderFormat| field.reply == ReplyRole::ResultCode;
    if layout.header.iter().any(says_result) {
        return front::replies(file, spot).map(Refusals::InHeader);
    }
    unused(!file.refusals.is_empty(), "refusals", spot);
    unused(file.success.is_some(), "success", spot);
    let code = |text: &str| match is_name(text) {
        true => Ok(text.to_owned()),
        false => Err("must be a name, since SOAP 1.2 writes it as one".to_owned()),
    };
    faults::compile(&file.faults, code, &mut spot.key("faults")).map(Refusals::Faults)
}
