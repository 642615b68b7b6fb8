//! Attributes → fields, and what elements and attributes say of values of their own.

use super::{Content, Occurs, Walk};
use crate::import::ImportError;
use crate::import::fields::{Field, Shape, Table, Term, Wire};
use crate::import::tree::{Element, Name};
use crate::import::xsd::schema::{Header, Kind, Part, XS};

impl Walk<'_> {
    /// What an element or attribute says of a value of its own.
    pub(super) fn fixed(&self, element: &Element, field: &mut Field) {
        if let Some(text) = element.attribute("fixed") {
            field.notes.push(self.note(format!("that it is always `{text}` is not checked")));
        }
        let Some(text) = element.attribute("default").filter(|text| !text.is_empty()) else {
            return;
        };
        let usable = match &field.shape {
            Shape::Value(value) => self.usable(&value.term, text),
            Shape::Record(_) | Shape::List { .. } => None,
        };
        match usable {
            // It takes the place of what is absent.
            Some(text) => {
                field.default = Some(text);
                field.present = false;
            }
            None => field.notes.push(self.note(format!("the default `{text}` is not used"))),
        }
    }

    /// A default as a row has it, where it is one of the type's values as they are written.
    fn usable(&self, term: &Term, text: &str) -> Option<String> {
        match term {
            Term::Flag => match text.trim() {
                "1" | "true" => Some("true".to_owned()),
                "0" | "false" => Some("false".to_owned()),
                _ => None,
            },
            Term::Text { max } if text.chars().count() <= *max => Some(text.to_owned()),
            Term::Code(set) if self.codes.holds(set, text) => Some(text.to_owned()),
            Term::Integer { min, max } => {
                let number: i64 = text.trim().parse().ok()?;
                (*min..=*max).contains(&number).then(|| number.to_string())
            }
            _ => None,
        }
    }

    pub(super) fn attributes(
        &mut self,
        holder: &Element,
        of: &Header,
        table: &mut Table,
    ) -> Result<(), ImportError> {
        for child in holder.children.iter().filter(|child| *child.space == *XS) {
            match child.name.as_str() {
                "attribute" => self.attribute(Part { element: child, of }, table)?,
                "anyAttribute" => {
                    table.notes.push(self.note("attributes of any name are refused here"));
                }
                "attributeGroup" => {
                    let Some(name) = child.attribute("ref") else { continue };
                    let name = of.resolve(child, name)?;
                    let part = self.schemas.find(Kind::AttributeGroup, &name, of.at(child))?;
                    self.within(Kind::AttributeGroup, &name, (), |walk| {
                        walk.attributes(part.element, part.of, table)
                    })?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn attribute(&mut self, local: Part<'_>, table: &mut Table) -> Result<(), ImportError> {
        if local.element.attribute("use") == Some("prohibited") {
            return Ok(());
        }
        let (part, qualified) = match local.element.attribute("ref") {
            Some(text) => {
                let name = local.of.resolve(local.element, text)?;
                if name.space.starts_with("http://www.w3.org/XML/") {
                    table.notes.push(self.note(format!("the attribute {text} is refused")));
                    return Ok(());
                }
                let at = local.of.at(local.element);
                (self.schemas.find(Kind::Attribute, &name, at)?, !name.space.is_empty())
            }
            None => {
                let form = local.element.attribute("form");
                let default = local.of.attributes_qualified;
                let qualified = form.map_or(default, |form| form == "qualified");
                (local, qualified && !local.of.target.is_empty())
            }
        };
        let name = part.element.name_of(part.of.at(part.element))?;
        if qualified {
            let says = format!("the attribute {name} of a namespace is refused");
            table.notes.push(self.note(says));
            return Ok(());
        }
        self.count()?;
        self.path.push(format!("@{name}"));
        let content = match self.element_content(part) {
            // An attribute without a type is any text.
            Ok(Content::Any) => {
                let name = Name { space: XS.into(), local: "string".to_owned() };
                self.named(&name, (part.of, part.element), &name.local.clone())
            }
            content => content,
        };
        let optional = local.element.attribute("use") != Some("required");
        let occurs = Occurs { optional, ..Occurs::ONCE };
        let made = content.map(|content| {
            let mut field = self.field(Wire::Attribute(name), content, occurs, false);
            self.fixed(local.element, &mut field);
            field
        });
        self.path.pop();
        self.put(made?, table);
        Ok(())
    }
}
