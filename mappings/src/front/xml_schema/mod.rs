//! The XML Schema of field tables: what it accepts is what [`crate::layout::xml`] reads. WSDLs and the
//! schemas of plain XML are made of it.

mod facets;

use std::collections::{BTreeMap, BTreeSet};

use crate::layout::xml::{TEXT, XmlKind, escape};
use crate::rows::{Form, Row, Rows};

/// Declarations as far as they are written.
pub(crate) struct Schema {
    /// Elements of the mapping's namespace are qualified where nothing else is said.
    pub(crate) is_qualified: bool,
    /// Another prefix of the mapping's namespace, where names alone are of none.
    pub(crate) own_prefix: Option<String>,
    /// Before the names of the mapping's own types.
    pub(crate) prefix: &'static str,
    /// Declarations of the mapping's namespace.
    pub(crate) own: String,
    /// Global elements of others, by prefix and name.
    pub(crate) globals: BTreeMap<String, BTreeMap<String, String>>,
    /// The global elements that it has of its own.
    declared: BTreeSet<String>,
    /// How many types of text with attributes it has.
    texts: usize,
}

/// Where a table stands.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The prefix of the namespace that its schema is of.
    pub(crate) prefix: &'a str,
    /// Its fields may all be absent.
    pub(crate) is_optional: bool,
    /// Its elements are qualified.
    pub(crate) is_qualified: bool,
    /// Its values are held to facets.
    pub(crate) is_faceted: bool,
}

impl Schema {
    pub(crate) fn new(is_qualified: bool, prefix: &'static str) -> Self {
        Self {
            is_qualified,
            own_prefix: None,
            prefix,
            own: String::new(),
            globals: BTreeMap::new(),
            declared: BTreeSet::new(),
            texts: 0,
        }
    }

    /// A global element of the mapping's namespace that holds the fields of a table.
    pub(crate) fn element(&mut self, name: &str, rows: &Rows<XmlKind>, place: Place<'_>) {
        // Replies of several operations may have one element.
        if !self.declared.insert(name.to_owned()) {
            return;
        }
        let content = self.content(rows, place);
        self.own.push_str(&format!("<xs:element name=\"{name}\">{content}</xs:element>\n"));
    }

    /// The complex type of what holds a table's fields.
    pub(crate) fn content(&mut self, rows: &Rows<XmlKind>, place: Place<'_>) -> String {
        let attributes = |row: &&Row<XmlKind>| row.name.starts_with('@');
        let attributes: String =
            rows.0.iter().filter(attributes).map(|row| attribute(row, place)).collect();
        if let Some(row) = rows.0.iter().find(|row| *row.name == *TEXT) {
            return self.text_content(row, &attributes, place);
        }
        let fields = self.fields(rows, place);
        format!(
            "<xs:complexType><xs:sequence>\n{fields}</xs:sequence>{attributes}</xs:complexType>"
        )
    }

    /// The elements of a table's fields.
    pub(crate) fn fields(&mut self, rows: &Rows<XmlKind>, place: Place<'_>) -> String {
        let elements = rows.0.iter().filter(|row| !row.name.starts_with('@'));
        elements.map(|row| self.field(row, place)).collect()
    }

    /// Text with attributes. Only a named type can be extended.
    fn text_content(&mut self, row: &Row<XmlKind>, attributes: &str, place: Place<'_>) -> String {
        self.texts = self.texts.saturating_add(1);
        let name = format!("text{}", self.texts);
        let kind = restriction(row, place).simple_type(&name);
        self.own.push_str(&kind);
        self.own.push('\n');
        format!(
            "<xs:complexType><xs:simpleContent><xs:extension base=\"{}{name}\">{attributes}\
             </xs:extension></xs:simpleContent></xs:complexType>",
            self.prefix,
        )
    }

    fn field(&mut self, row: &Row<XmlKind>, place: Place<'_>) -> String {
        let must = must(row) && !place.is_optional;
        let mut occurs = if must { String::new() } else { " minOccurs=\"0\"".to_owned() };
        if let Form::List { max, .. } = &row.form {
            occurs.push_str(&format!(" maxOccurs=\"{max}\""));
        }
        let (prefix, name) = row.name.split_once(':').unwrap_or(("t", &row.name));
        let is_own = self.own_prefix.as_deref() == Some(prefix);
        let prefix = if is_own { "t" } else { prefix };
        if prefix == place.prefix {
            let default = self.is_qualified || prefix != "t";
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
}

/// Whether the field must be there and hold something.
fn must(row: &Row<XmlKind>) -> bool {
    row.required && row.default.is_none()
}

pub(crate) fn restriction(row: &Row<XmlKind>, place: Place<'_>) -> facets::Restriction {
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

pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(&mut out, text);
    out
}
