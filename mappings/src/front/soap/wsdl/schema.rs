//! The XML Schema of a front's messages: one schema for each namespace. Elements of the mapping's
//! own namespace are declared where they stand; those of others are global there and referred to.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{ElementForm, SoapFront, Style};
use super::{escaped, facets};
use crate::layout::xml::{TEXT, XmlKind};
use crate::rows::{Form, Row, Rows};

const SWA_REF: &str = "http://ws-i.org/profiles/basic/1.1/xsd";

pub(super) fn write(front: &SoapFront) -> String {
    let mut schema = Schema {
        front,
        own: String::new(),
        declared: BTreeSet::new(),
        texts: 0,
        globals: BTreeMap::new(),
    };
    schema.messages();
    schema.schemas()
}

struct Schema<'f> {
    front: &'f SoapFront,
    /// Declarations of the mapping's namespace.
    own: String,
    /// The global elements that it has.
    declared: BTreeSet<String>,
    /// How many types of text with attributes it has.
    texts: usize,
    /// Global elements, by prefix and name.
    globals: BTreeMap<String, BTreeMap<String, String>>,
}

/// Where a table stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// The prefix of the namespace that its schema is of.
    prefix: &'a str,
    /// Its fields may all be absent.
    is_optional: bool,
    /// Its elements are qualified.
    is_qualified: bool,
    /// Its values are held to facets.
    is_faceted: bool,
}

impl Schema<'_> {
    fn messages(&mut self) {
        let front = self.front;
        let is_qualified = front.elements == ElementForm::Qualified;
        let request = Place { prefix: "t", is_optional: false, is_qualified, is_faceted: true };
        // A refusal may be a response without fields.
        let reply = Place { is_optional: front.writes_empty_replies(), ..request };
        if let Some(header) = &front.header {
            let place =
                Place { is_optional: true, is_qualified: true, is_faceted: false, ..request };
            self.element(&front.header_element, &header.rows, place);
        }
        if front.writes_faults() {
            let field = |name| {
                format!("<xs:element name=\"{name}\" type=\"xs:string\" form=\"qualified\"/>")
            };
            let fields: String = ["code", "reason", "exchange"].map(field).concat();
            self.own.push_str(&format!(
                "<xs:element name=\"fault\"><xs:complexType><xs:sequence>{fields}</xs:sequence>\
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
                    Style::Wrapped | Style::Bare => self.element(element, rows, place),
                    Style::Rpc => self.part_types(element, rows, place),
                }
            }
        }
    }

    /// A global element of the mapping's namespace that holds the fields of a table.
    fn element(&mut self, name: &str, rows: &Rows<XmlKind>, place: Place<'_>) {
        // Replies of several operations may have one element.
        if !self.declared.insert(name.to_owned()) {
            return;
        }
        let content = self.content(rows, place);
        self.own.push_str(&format!("<xs:element name=\"{name}\">{content}</xs:element>\n"));
    }

    /// The types of the parts of a message.
    fn part_types(&mut self, message: &str, rows: &Rows<XmlKind>, place: Place<'_>) {
        for row in &rows.0 {
            let name = format!("{message}.{}", row.name);
            let kind = match &row.form {
                Form::Value { .. } => restriction(row, place).simple_type(&name),
                Form::Record { rows } | Form::List { rows, .. } => {
                    let named = format!("<xs:complexType name=\"{name}\">");
                    let content = self.content(rows, Place { is_optional: false, ..place });
                    content.replacen("<xs:complexType>", &named, 1)
                }
            };
            self.own.push_str(&kind);
            self.own.push('\n');
        }
    }

    /// The complex type of what holds a table's fields.
    fn content(&mut self, rows: &Rows<XmlKind>, place: Place<'_>) -> String {
        let attributes = |row: &&Row<XmlKind>| row.name.starts_with('@');
        let attributes: String =
            rows.0.iter().filter(attributes).map(|row| attribute(row, place)).collect();
        if let Some(row) = rows.0.iter().find(|row| *row.name == *TEXT) {
            return self.text_content(row, &attributes, place);
        }
        let elements = rows.0.iter().filter(|row| !row.name.starts_with('@'));
        let fields: String = elements.map(|row| self.field(row, place)).collect();
        format!(
            "<xs:complexType><xs:sequence>\n{fields}</xs:sequence>{attributes}</xs:complexType>"
        )
    }

    /// Text with attributes. Only a named type can be extended.
    fn text_content(&mut self, row: &Row<XmlKind>, attributes: &str, place: Place<'_>) -> String {
        self.texts = self.texts.saturating_add(1);
        let name = format!("text{}", self.texts);
        let kind = restriction(row, place).simple_type(&name);
        self.own.push_str(&kind);
        self.own.push('\n');
        format!(
            "<xs:complexType><xs:simpleContent><xs:extension base=\"t:{name}\">{attributes}\
             </xs:extension></xs:simpleContent></xs:complexType>"
        )
    }

    fn field(&mut self, row: &Row<XmlKind>, place: Place<'_>) -> String {
        let must = must(row) && !place.is_optional;
        let mut occurs = if must { String::new() } else { " minOccurs=\"0\"".to_owned() };
        if let Form::List { max, .. } = &row.form {
            occurs.push_str(&format!(" maxOccurs=\"{max}\""));
        }
        let (prefix, name) = row.name.split_once(':').unwrap_or(("t", &row.name));
        let named = self.front.namespaces.iter().find(|(known, _)| known == prefix);
        // The mapping's own namespace has a prefix where names alone are of none.
        let is_own = named.is_some_and(|(_, space)| *space == self.front.namespace);
        let prefix = if is_own { "t" } else { prefix };
        if prefix == place.prefix {
            let default = self.front.elements == ElementForm::Qualified || prefix != "t";
            let is_qualified = place.is_qualified || is_own;
            let form = if default || !is_qualified { "" } else { " form=\"qualified\"" };
            let declared = self.declaration(row, name, &format!("{occurs}{form}"), place);
            return format!("{declared}\n");
        }
        let declared = self.declaration(row, name, "", Place { prefix, ..place });
        self.globals.entry(prefix.to_owned()).or_default().insert(name.to_owned(), declared);
        format!("<xs:element ref=\"{prefix}:{name}\"{occurs}/>\n")
    }

    fn declaration(
        &mut self,
        row: &Row<XmlKind>,
        name: &str,
        attributes: &str,
        place: Place<'_>,
    ) -> String {
        match &row.form {
            Form::Record { rows } | Form::List { rows, .. } => {
                let content = self.content(rows, Place { is_optional: false, ..place });
                format!("<xs:element name=\"{name}\"{attributes}>{content}</xs:element>")
            }
            Form::Value { .. } => {
                let nillable = if must(row) { "" } else { " nillable=\"true\"" };
                let kind = restriction(row, place);
                match kind.is_built_in() {
                    true => format!(
                        "<xs:element name=\"{name}\" type=\"{}\"{attributes}{nillable}/>",
                        kind.base
                    ),
                    false => format!(
                        "<xs:element name=\"{name}\"{attributes}{nillable}>{}</xs:element>",
                        kind.simple_type("")
                    ),
                }
            }
        }
    }

    /// Every schema, each importing all others: which it refers to makes no difference.
    fn schemas(self) -> String {
        let front = self.front;
        let mut all: BTreeMap<String, (String, String)> = front
            .namespaces
            .iter()
            .filter(|(_, name)| *name != front.namespace)
            .map(|(prefix, name)| (prefix.clone(), (name.clone(), String::new())))
            .collect();
        all.insert("t".to_owned(), (front.namespace.clone(), self.own));
        for (prefix, elements) in self.globals {
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
}

/// Whether the field must be there and hold something.
fn must(row: &Row<XmlKind>) -> bool {
    row.required && row.default.is_none()
}

fn restriction(row: &Row<XmlKind>, place: Place<'_>) -> facets::Restriction {
    match &row.form {
        Form::Value { codec, shape } if place.is_faceted => facets::of(codec, *shape, must(row)),
        Form::Value { shape, .. } => facets::plain(*shape),
        Form::Record { .. } | Form::List { .. } => facets::plain(XmlKind::String),
    }
}

fn attribute(row: &Row<XmlKind>, place: Place<'_>) -> String {
    let name = row.name.trim_start_matches('@');
    let presence = if must(row) { "required" } else { "optional" };
    let kind = restriction(row, place).simple_type("");
    format!("<xs:attribute name=\"{name}\" use=\"{presence}\">{kind}</xs:attribute>")
}
