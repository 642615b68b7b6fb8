//! The XML Schema of one operation's documents: request, reply, refusal.

use super::XmlFront;
use crate::front::xml_schema::{Place, Schema, escaped};
use crate::layout::xml::XmlKind;
use crate::rows::Rows;

pub(super) fn of(front: &XmlFront, operation: &str) -> Option<String> {
    let operation = front.operations.named(operation)?;
    let (request, reply) = front.roots.get(&operation.name)?;
    let is_qualified = front.namespace.is_some();
    let mut schema = Schema::new(is_qualified, front.prefix());
    let place = Place { prefix: "t", is_optional: false, is_qualified, is_faceted: true };
    schema.element(request, &operation.request, place);

    let form = &front.reply;
    let mut content = header(&mut schema, &form.header.rows, form.header_element.as_deref(), place);
    content.push_str(&match &form.body_element {
        Some(name) => {
            let body = schema.content(&operation.reply, place);
            format!("<xs:element name=\"{name}\" minOccurs=\"0\">{body}</xs:element>\n")
        }
        None => schema.fields(&operation.reply, Place { is_optional: true, ..place }),
    });
    root(&mut schema, reply, &content);

    let form = &front.refusal;
    let content = header(&mut schema, &form.header.rows, form.header_element.as_deref(), place);
    root(&mut schema, &form.root, &content);
    Some(document(front, &schema))
}

/// The fields of a header, all of which may be absent.
fn header(
    schema: &mut Schema,
    rows: &Rows<XmlKind>,
    element: Option<&str>,
    place: Place<'_>,
) -> String {
    let place = Place { is_optional: true, is_faceted: false, ..place };
    match element {
        Some(name) => {
            format!("<xs:element name=\"{name}\">{}</xs:element>\n", schema.content(rows, place))
        }
        None => schema.fields(rows, place),
    }
}

fn root(schema: &mut Schema, name: &str, content: &str) {
    schema.own.push_str(&format!(
        "<xs:element name=\"{name}\"><xs:complexType><xs:sequence>\n{content}</xs:sequence>\
         </xs:complexType></xs:element>\n"
    ));
}

fn document(front: &XmlFront, schema: &Schema) -> String {
    let target = front.namespace.as_deref().map(escaped).map(|name| {
        format!(" xmlns:t=\"{name}\" targetNamespace=\"{name}\" elementFormDefault=\"qualified\"")
    });
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"{}>\n{}</xs:schema>\n",
        target.unwrap_or_default(),
        schema.own,
    )
}
