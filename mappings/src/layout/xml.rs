//! Elements of a `xs:sequence` ↔ texts: qualified names, in order, lists as repeated elements.
//!
//! A row is named as its element is. `prefix:name` is of another namespace that the mapping
//! declares, `@name` an attribute of the element that holds the row, and `.` that element's text.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(crate) use super::xml_text::escape;
use super::xml_text::{Element, Node, Space, XOP, XmlError, XmlReader, are_legal};
use crate::convert::{is_date_time, is_offset, without_offset};
use crate::rows::{Form, Record, Row, Rows, Wire};
use crate::unfit::{FieldError, Unfit};

/// The XML Schema type of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum XmlKind {
    String,
    Boolean,
    Date,
    DateTime,
    Time,
    Decimal,
    Byte,
    Short,
    Int,
    Long,
    Integer,
    /// Text, or an `xop:Include` that refers to an attachment.
    Base64,
    /// A reference to an attachment (WS-I Attachments Profile 1.0, section 4.4).
    SwaRef,
}

impl XmlKind {
    pub(crate) const ALL: [Self; 13] = [
        Self::String,
        Self::Boolean,
        Self::Date,
        Self::DateTime,
        Self::Time,
        Self::Decimal,
        Self::Byte,
        Self::Short,
        Self::Int,
        Self::Long,
        Self::Integer,
        Self::Base64,
        Self::SwaRef,
    ];

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::DateTime => "dateTime",
            Self::Time => "time",
            Self::Decimal => "decimal",
            Self::Byte => "byte",
            Self::Short => "short",
            Self::Int => "int",
            Self::Long => "long",
            Self::Integer => "integer",
            Self::Base64 => "base64Binary",
            Self::SwaRef => "swaRef",
        }
    }

    fn is_number(self) -> bool {
        self == Self::Decimal || self.numbers().is_some()
    }

    /// The whole numbers that it holds, where it is a type of them.
    pub(crate) fn numbers(self) -> Option<(i128, i128)> {
        match self {
            Self::Byte => Some((i8::MIN.into(), i8::MAX.into())),
            Self::Short => Some((i16::MIN.into(), i16::MAX.into())),
            Self::Int => Some((i32::MIN.into(), i32::MAX.into())),
            Self::Long => Some((i64::MIN.into(), i64::MAX.into())),
            Self::Integer => Some((i128::MIN, i128::MAX)),
            _ => None,
        }
    }

    /// The one spelling of a value that its type allows several of (XML Schema Part 2, 3.2).
    fn normalize(self, text: Cow<'_, str>) -> Result<Cow<'_, str>, Unfit> {
        let text = match (self, text) {
            (Self::String, text) => return Ok(text),
            (_, Cow::Borrowed(text)) => Cow::Borrowed(text.trim_ascii()),
            (_, Cow::Owned(text)) => Cow::Owned(text.trim_ascii().to_owned()),
        };
        // No type but a string has an empty text among its values.
        if text.is_empty() && self != Self::Base64 {
            return Err(Unfit::NotA(self.wanted()));
        }
        match (self, &*text) {
            (Self::Boolean, "1") => Ok(Cow::Borrowed("true")),
            (Self::Boolean, "0") => Ok(Cow::Borrowed("false")),
            (kind, number) if kind.is_number() => match number.strip_prefix('+') {
                Some(digits)
                    if !digits
                        .starts_with(|first: char| first == '.' || first.is_ascii_digit()) =>
                {
                    Err(Unfit::NotA(self.wanted()))
                }
                Some(digits) => Ok(Cow::Owned(digits.to_owned())),
                None => Ok(text),
            },
            // The calendar day as written, whatever zone it was written in.
            (Self::Date, day) => day_of(day).map(Cow::Owned).ok_or(Unfit::NotA(self.wanted())),
            (Self::DateTime, time) if !is_date_time(time) => Err(Unfit::NotA(self.wanted())),
            _ => Ok(text),
        }
    }

    fn wanted(self) -> &'static str {
        match self {
            Self::Boolean => "a yes or no",
            Self::Date => "a day as YYYY-MM-DD",
            Self::DateTime => "a date and time",
            Self::Time => "a time",
            Self::Decimal => "a number",
            Self::SwaRef => "a reference to an attachment",
            Self::String | Self::Base64 => "text",
            _ => "a whole number",
        }
    }
}

/// The day before its zone. There is no year zero (XML Schema Part 2, 3.2.7.1).
fn day_of(text: &str) -> Option<String> {
    let day = text.strip_suffix('Z').unwrap_or_else(|| without_offset(text));
    let offset = text.get(day.len()..).filter(|offset| !matches!(*offset, "" | "Z"));
    let is_day = offset.is_none_or(is_offset) && !day.starts_with("0000");
    is_day.then(|| day.to_owned())
}

/// Whether elements are of the target namespace, or of none: those that a table names, and those
/// of the records below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Locals {
    pub(crate) here: bool,
    pub(crate) below: bool,
}

impl Locals {
    pub(crate) const QUALIFIED: Self = Self { here: true, below: true };

    fn below(self) -> Self {
        Self { here: self.below, below: self.below }
    }

    /// The prefix of an element that a row names.
    fn prefix(self, name: &str) -> &'static str {
        if self.here && !name.contains(':') { "t:" } else { "" }
    }
}

/// The row that stands for the text of the element that holds it.
pub(crate) const TEXT: &str = ".";

/// Why the content of an element could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContentError {
    #[error(transparent)]
    Xml(#[from] XmlError),
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl Rows<XmlKind> {
    /// The attributes and children of the element just begun, up to its end. What was read is in
    /// `record` even when the rest could not be.
    pub(crate) fn content<'i>(
        &self,
        parent: &Element<'i>,
        xml: &mut XmlReader<'i>,
        record: &mut Record<'i>,
        locals: Locals,
    ) -> Result<(), ContentError> {
        record.resize(self.0.len(), None);
        self.attributes(parent, record)?;
        if let Some(at) = self.position(TEXT)
            && let (Some(row), Some(place)) = (self.0.get(at), record.get_mut(at))
        {
            *place = row.text(parent, xml)?.map(Wire::Text);
            return Ok(());
        }
        let mut from = 0;
        while let Node::Start(element) = xml.structure()? {
            let (at, row) = self.expected(parent.name(), &element, from, xml, locals)?;
            let Some(place) = record.get_mut(at) else {
                break;
            };
            row.child(&element, xml, place, locals)?;
            let repeatable = matches!(row.form, Form::List { .. });
            from = at.saturating_add(usize::from(!repeatable));
        }
        Ok(())
    }

    fn attributes(&self, element: &Element<'_>, record: &mut Record<'_>) -> Result<(), FieldError> {
        if element.has_foreign_attributes {
            return Err(FieldError::new(element.name(), Unfit::Attribute));
        }
        if !element.has_attributes {
            return Ok(());
        }
        for (name, value) in element.attributes() {
            let named = |row: &Row<_>| row.name.strip_prefix('@') == Some(name.as_str());
            let at = self.0.iter().position(named);
            let found = at.and_then(|at| Some((self.0.get(at)?, record.get_mut(at)?)));
            let Some((row, place)) = found else {
                return Err(FieldError::new(element.name(), Unfit::Attribute));
            };
            if let Form::Value { shape, .. } = &row.form {
                let text = shape.normalize(Cow::Owned(value));
                let text = text.map_err(|why| FieldError::new(&row.name, why))?;
                *place = Some(Wire::Text(Cow::Owned(text.into_owned())));
            }
        }
        Ok(())
    }

    /// The row of an element that may stand at or after the place `from`.
    fn expected(
        &self,
        parent: &str,
        element: &Element<'_>,
        from: usize,
        xml: &XmlReader<'_>,
        locals: Locals,
    ) -> Result<(usize, &Row<XmlKind>), FieldError> {
        let at = match (element.space, locals.here) {
            (Space::Target, true) | (Space::None, false) => self.position(element.name()),
            (Space::Target, false) => {
                let name = format!("{}:{}", xml.prefix_of_target(), element.name());
                self.position(&name)
            }
            (Space::Declared(space), _) => {
                let name = format!("{}:{}", xml.prefix(space), element.name());
                self.position(&name)
            }
            _ => None,
        };
        match at.and_then(|at| Some((at, self.0.get(at)?))) {
            Some((at, row)) if at >= from => Ok((at, row)),
            Some((_, row)) => Err(FieldError::new(&row.name, Unfit::Repeated)),
            None => {
                let before = from.checked_sub(1).and_then(|at| self.0.get(at));
                let before = before.map_or(parent, |row| &row.name);
                Err(FieldError::new(before, Unfit::Intruder))
            }
        }
    }

    /// Appends the element `tag` with what the record holds.
    pub(crate) fn element(
        &self,
        tag: [&str; 2],
        record: &Record<'_>,
        out: &mut XmlWriter,
        locals: Locals,
    ) -> Result<(), FieldError> {
        out.text.extend(["<", tag[0], tag[1]]);
        self.write_attributes(record, out)?;
        out.text.push('>');
        self.elements(record, out, locals)?;
        out.text.extend(["</", tag[0], tag[1], ">"]);
        Ok(())
    }

    /// Appends the attributes of the element that holds a record.
    pub(crate) fn write_attributes(
        &self,
        record: &Record<'_>,
        out: &mut XmlWriter,
    ) -> Result<(), FieldError> {
        for (row, wire) in self.0.iter().zip(record) {
            if let (Some(name), Some(Wire::Text(text))) = (row.name.strip_prefix('@'), wire) {
                legal(&row.name, text)?;
                out.text.extend([" ", name, "=\""]);
                escape(&mut out.text, text);
                out.text.push('"');
            }
        }
        Ok(())
    }

    /// Appends the elements of a record.
    pub(crate) fn elements(
        &self,
        record: &Record<'_>,
        out: &mut XmlWriter,
        locals: Locals,
    ) -> Result<(), FieldError> {
        for (row, wire) in self.0.iter().zip(record) {
            let prefix = locals.prefix(&row.name);
            match (&row.form, wire) {
                (Form::List { rows, .. }, Some(Wire::List(records))) => {
                    for record in records {
                        rows.element([prefix, &row.name], record, out, locals.below())?;
                    }
                }
                (Form::Record { rows }, Some(Wire::Record(record))) => {
                    rows.element([prefix, &row.name], record, out, locals.below())?;
                }
                (Form::Value { shape, .. }, Some(Wire::Text(text))) => match &*row.name {
                    TEXT => {
                        legal(TEXT, text)?;
                        escape(&mut out.text, text);
                    }
                    name if name.starts_with('@') => {}
                    name => {
                        legal(name, text)?;
                        out.text.extend(["<", prefix, name, ">"]);
                        out.value(*shape, text);
                        out.text.extend(["</", prefix, name, ">"]);
                    }
                },
                _ => {}
            }
        }
        Ok(())
    }
}

impl Row<XmlKind> {
    fn child<'i>(
        &self,
        element: &Element<'i>,
        xml: &mut XmlReader<'i>,
        place: &mut Option<Wire<'i>>,
        locals: Locals,
    ) -> Result<(), ContentError> {
        match &self.form {
            Form::List { rows, max, .. } => {
                if element.nil {
                    return Err(FieldError::new(&self.name, Unfit::Intruder).into());
                }
                let mut record = Vec::new();
                rows.content(element, xml, &mut record, locals.below())?;
                match place {
                    Some(Wire::List(records)) if records.len() < *max => records.push(record),
                    None => *place = Some(Wire::List(vec![record])),
                    Some(_) => {
                        let why = Unfit::TooManyRecords { max: *max };
                        return Err(FieldError::new(&self.name, why).into());
                    }
                }
            }
            // As a value that is nil, it is not there.
            Form::Record { .. } if element.nil => match xml.structure()? {
                Node::End => {}
                _ => return Err(FieldError::new(&self.name, Unfit::Intruder).into()),
            },
            Form::Record { rows } => {
                let mut record = Vec::new();
                rows.content(element, xml, &mut record, locals.below())?;
                *place = Some(Wire::Record(record));
            }
            Form::Value { .. } => {
                if element.has_attributes || element.has_foreign_attributes {
                    return Err(FieldError::new(&self.name, Unfit::Attribute).into());
                }
                *place = self.text(element, xml)?.map(Wire::Text);
            }
        }
        Ok(())
    }

    /// The text of the element just begun, up to its end; none where it is nil.
    fn text<'i>(
        &self,
        element: &Element<'_>,
        xml: &mut XmlReader<'i>,
    ) -> Result<Option<Cow<'i, str>>, ContentError> {
        let unfit = |why| FieldError::new(&self.name, why);
        let Form::Value { shape, .. } = &self.form else {
            return Err(unfit(Unfit::Intruder).into());
        };
        let text = match shape {
            XmlKind::Base64 => xml.binary()?,
            _ => xml.text()?,
        };
        let text = text.ok_or_else(|| unfit(Unfit::Intruder))?;
        if element.nil {
            return match text.is_empty() {
                true => Ok(None),
                false => Err(unfit(Unfit::Intruder).into()),
            };
        }
        let text = shape.normalize(text).map_err(unfit)?;
        match shape {
            XmlKind::SwaRef => Ok(Some(Cow::Owned(xml.attachment(&text)?))),
            _ => Ok(Some(text)),
        }
    }
}

fn legal(name: &str, text: &str) -> Result<(), FieldError> {
    match are_legal(text) {
        true => Ok(()),
        false => Err(FieldError::new(name, Unfit::Unencodable)),
    }
}

/// A document as far as it is written, with the attachments that it refers to.
#[derive(Default)]
pub(crate) struct XmlWriter {
    pub(crate) text: String,
    /// Whether base64 texts are packaged as attachments.
    pub(crate) packages: bool,
    /// Each with its `Content-ID` and media type.
    pub(crate) attachments: Vec<(String, String, Vec<u8>)>,
}

impl XmlWriter {
    fn value(&mut self, kind: XmlKind, text: &str) {
        match kind {
            XmlKind::Base64 if self.packages => {
                let id = self.attach(text);
                self.text.extend(["<xop:Include xmlns:xop=\"", XOP, "\" href=\"cid:", &id, "\"/>"]);
            }
            XmlKind::SwaRef => {
                let id = self.attach(text);
                self.text.extend(["cid:", &id]);
            }
            _ => escape(&mut self.text, text),
        }
    }

    /// Takes the bytes of a base64 text out of the document.
    fn attach(&mut self, base64: &str) -> String {
        let id = format!("{}@naru", self.attachments.len().saturating_add(1));
        // The codec that wrote the text writes nothing but base64.
        let content = STANDARD.decode(base64).unwrap_or_default();
        self.attachments.push((id.clone(), "application/octet-stream".to_owned(), content));
        id
    }
}
