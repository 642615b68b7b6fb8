//! The XML Schema of a front's messages: one schema for each namespace. Elements of the mapping's
//! own namespace are declared where they stand; those of others are global there and referred to.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{ElementForm, SoapFront, Style};
use crate::front::xml_schema::{Place, Schema, escaped, restriction};
use crate::layout::xml::XmlKind;
use crate::rows::{Form, Rows};

const SWA_REF: &str = "http://ws-i.org/profiles/basic/1.1/xsd";

pub(super) fn write(front: &SoapFront) -> String {
    let mut schema = Schema::new(front.elements == ElementForm::Qualified, "t:");
    let own = front.namespaces.iter().find(|(_, name)| *name == front.namespace);
    schema.own_prefix = own.map(|(prefix, _)| prefix.clone());
    messages(front, &mut schema);
    schemas(front, schema)
}

fn messages(front: &SoapFront, schema: &mut Schema) {
    let is_qualified = schema.is_qualified;
    let request = Place { prefix: "t", is_optional: false, is_qualified, is_faceted: true };
    // A refusal may be a response without fields.
    let reply = Place { is_optional: front.writes_empty_replies(), ..request };
    if let Some(header) = &front.header {
        let place = Place { is_optional: true, is_qualified: true, is_faceted: false, ..request };
        schema.element(&front.header_element, &header.rows, place);
    }
    if front.writes_faults() {
        let field =
            |name| format!("<xs:element name=\"{name}\" type=\"xs:string\" form=\"qualified\"/>");
        let fields: String = ["code", "reason", "exchange"].map(field).concat();
        let quota = "<xs:element name=\"retryAfter\" type=\"xs:nonNegativeInteger\" form=\"qualified\" \
                     minOccurs=\"0\"/><xs:element name=\"policy\" type=\"xs:string\" form=\"qualified\" \
                     minOccurs=\"0\" maxOccurs=\"unbounded\"/>";
        schema.own.push_str(&format!(
            "<xs:element name=\"fault\"><xs:complexType><xs:sequence>{fields}{quota}</xs:sequence>\
             </xs:complexType></xs:element>\n"
        ));
    }
    for shape in &front.shapes {
        let Some(operation) = front.operations.named(&shape.operation) else {
            continue;
        };
        let sides = [
            (&shape.request, &operation.request, request),
            (&shape.reply, &operation.reply, reply),
        ];
        for (element, rows, place) in sides {
            match front.style {
                Style::Wrapped | Style::Bare => schema.element(element, rows, place),
                Style::Rpc => part_types(schema, element, rows, place),
            }
        }
    }
}

/// The types of the parts of a message.
fn part_types(schema: &mut Schema, message: &str, rows: &Rows<XmlKind>, place: Place<'_>) {
    for row in &rows.0 {
        let name = format!("{message}.{}", row.name);
        let kind = match &row.form {
            Form::Value { .. } => restriction(row, place).simple_type(&name),
            Form::Record { rows } | Form::List { rows, .. } => {
                let named = format!("<xs:complexType name=\"{name}\">");
                let content = schema.content(rows, Place { is_optional: false, ..place });
                content.replacen("<xs:complexType>", &named, 1)
            }
        };
        schema.own.push_str(&kind);
        schema.own.push('\n');
    }
}

/// Every schema, each importing all others: which it refers to makes no difference.
fn schemas(front: &SoapFront, schema: Schema) -> String {
    let mut all: BTreeMap<String, (String, String)> = front
        .namespaces
        .iter()
        .filter(|(_, name)| *name != front.namespace)
        .map(|(prefix, name)| (prefix.clone(), (name.clone(), String::new())))
        .collect();
    all.insert("t".to_owned(), (front.namespace.clone(), schema.own));
    for (prefix, elements) in schema.globals {
        if let Some((_, declarations)) = all.get_mut(&prefix) {
            declarations.extend(elements.into_values().map(|element| element + "\n"));
        }
    }
    let swa =
        "<xs:simpleType name=\"swaRef\"><xs:restriction base=\"xs:anyURI\"/></xs:simpleType>\n";
    if front.attachments {
        all.insert("ref".to_owned(), (SWA_REF.to_owned(), swa.to_owned()));
    }
    let names: BTreeSet<String> = all.values().map(|(name, _)| escaped(name)).collect();
    let mut out = String::new();
    for (prefix, (name, declarations)) in all {
        let name = escaped(&name);
        let is_qualified = front.elements == ElementForm::Qualified || prefix != "t";
        let form = if is_qualified { " elementFormDefault=\"qualified\"" } else { "" };
        let swa = format!(" xmlns:ref=\"{SWA_REF}\"");
        let swa = if front.attachments { swa } else { String::new() };
        out.push_str(&format!("<xs:schema{swa} targetNamespace=\"{name}\"{form}>\n"));
        for other in names.iter().filter(|other| **other != name) {
            out.push_str(&format!("<xs:import namespace=\"{other}\"/>\n"));
        }
        out.push_str(&declarations);
        out.push_str("</xs:schema>\n");
    }
    if front.xroad.is_some() {
        return out;
    }
    let receipt = escaped(&front.receipt_namespace);
    out.push_str(&format!(
        "<xs:schema targetNamespace=\"{receipt}\" elementFormDefault=\"qualified\">\n\
         <xs:element name=\"receipt\" type=\"xs:string\"/>\n</xs:schema>\n"
    ));
    out
}
