//! Elements of a `xs:sequence` ↔ texts: qualified names, in order, lists as repeated elements.

use std::borrow::Cow;

use super::xml_text::{Element, Node, Space, XmlError, XmlReader, are_legal};
use crate::convert::{is_date_time, without_offset};
use crate::rows::{Form, Record, Row, Rows, Wire};
use crate::unfit::{FieldError, Unfit};

/// The XML Schema type of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum XmlKind {
    String,
    Boolean,
    Date,
    DateTime,
    Long,
}

impl XmlKind {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let all = [Self::String, Self::Boolean, Self::Date, Self::DateTime, Self::Long];
        all.into_iter().find(|kind| kind.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::DateTime => "dateTime",
            Self::Long => "long",
        }
    }

    /// The one spelling of a value that its type allows several of (XML Schema Part 2, 3.2).
    fn normalize(self, text: Cow<'_, str>) -> Result<Cow<'_, str>, Unfit> {
        let text = match (self, text) {
            (Self::String, text) => return Ok(text),
            (_, Cow::Borrowed(text)) => Cow::Borrowed(text.trim_ascii()),
            (_, Cow::Owned(text)) => Cow::Owned(text.trim_ascii().to_owned()),
        };
        match (self, &*text) {
            (Self::Boolean, "1") => Ok(Cow::Borrowed("true")),
            (Self::Boolean, "0") => Ok(Cow::Borrowed("false")),
            (Self::Long, number) if number.starts_with('+') => {
                Ok(Cow::Owned(number.replacen('+', "", 1)))
            }
            // The calendar day as written, whatever zone it was written in.
            (Self::Date, day) => {
                let day = day.strip_suffix('Z').unwrap_or_else(|| without_offset(day));
                Ok(Cow::Owned(day.to_owned()))
            }
            (Self::DateTime, time) if !time.is_empty() && !is_date_time(time) => {
                Err(Unfit::NotA("a date and time"))
            }
            _ => Ok(text),
        }
    }
}

/// Why the content of an element could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContentError {
    #[error(transparent)]
    Xml(#[from] XmlError),
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl Rows<XmlKind> {
    /// The children of the element just begun, up to its end. What was read is in `record` even
    /// when the rest could not be.
    pub(crate) fn children<'i>(
        &self,
        parent: &str,
        xml: &mut XmlReader<'i>,
        record: &mut Record<'i>,
    ) -> Result<(), ContentError> {
        record.resize(self.0.len(), None);
        let mut from = 0;
        while let Node::Start(element) = xml.structure()? {
            let (at, row) = self.expected(parent, &element, from)?;
            let Some(place) = record.get_mut(at) else {
                break;
            };
            row.child(&element, xml, place)?;
            let repeatable = matches!(row.form, Form::List { .. });
            from = at.saturating_add(usize::from(!repeatable));
        }
        Ok(())
    }

    /// The row of an element that may stand at or after the place `from`.
    fn expected(
        &self,
        parent: &str,
        element: &Element<'_>,
        from: usize,
    ) -> Result<(usize, &Row<XmlKind>), FieldError> {
        let at = self.position(element.name()).filter(|_| element.space == Space::Target);
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

    /// Appends the elements, with the prefix `t`.
    pub(crate) fn elements(&self, record: &Record<'_>, out: &mut String) -> Result<(), FieldError> {
        for (row, wire) in self.0.iter().zip(record) {
            match (&row.form, wire) {
                (Form::List { rows, .. }, Some(Wire::List(records))) => {
                    for record in records {
                        open(out, &row.name);
                        rows.elements(record, out)?;
                        close(out, &row.name);
                    }
                }
                (_, Some(Wire::Text(text))) => element(out, &row.name, text)?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl Row<XmlKind> {
    fn child<'i>(
        &self,
        element: &Element<'_>,
        xml: &mut XmlReader<'i>,
        place: &mut Option<Wire<'i>>,
    ) -> Result<(), ContentError> {
        match &self.form {
            Form::List { rows, max } => {
                let mut record = Vec::new();
                rows.children(&self.name, xml, &mut record)?;
                match place {
                    Some(Wire::List(records)) if records.len() < *max => records.push(record),
                    None => *place = Some(Wire::List(vec![record])),
                    Some(_) => {
                        let why = Unfit::TooManyRecords { max: *max };
                        return Err(FieldError::new(&self.name, why).into());
                    }
                }
            }
            Form::Value { shape, .. } => {
                let not_text = || FieldError::new(&self.name, Unfit::Intruder);
                let text = xml.text()?.ok_or_else(not_text)?;
                let text = shape.normalize(text);
                let text = text.map_err(|why| FieldError::new(&self.name, why))?;
                *place = (!element.nil).then_some(Wire::Text(text));
            }
        }
        Ok(())
    }
}

pub(crate) fn open(out: &mut String, name: &str) {
    out.extend(["<t:", name, ">"]);
}

pub(crate) fn close(out: &mut String, name: &str) {
    out.extend(["</t:", name, ">"]);
}

/// Appends one element of text.
pub(crate) fn element(out: &mut String, name: &str, text: &str) -> Result<(), FieldError> {
    if !are_legal(text) {
        return Err(FieldError::new(name, Unfit::Unencodable));
    }
    open(out, name);
    escape(out, text);
    close(out, name);
    Ok(())
}

/// Appends text so that it reads back as it is.
pub(crate) fn escape(out: &mut String, text: &str) {
    out.push_str(&quick_xml::escape::escape(text));
}
