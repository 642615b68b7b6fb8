//! The content of elements → fields. A type within itself is cut off, and the number of fields is
//! limited, so that a small schema does not make a mapping without end.

mod attributes;

use std::sync::Arc;

use super::schema::{Header, Kind, Part, Schemas, XS};
use super::simple::{self, Simple, derivation};
use crate::import::ImportError;
use crate::import::fields::{Codes, Field, MAX_FIELDS, Note, Shape, Table, UNLIMITED_LIST, Wire};
use crate::import::tree::{Element, Name};

/// Records within records at most, so that a message stays below the depth that is read.
const MAX_DEPTH: usize = 24;

/// What an element holds.
enum Content {
    Simple(Simple),
    Complex(Table),
    /// Anything at all.
    Any,
}

/// How often something stands there.
#[derive(Clone, Copy)]
struct Occurs {
    optional: bool,
    /// None when there is no limit.
    max: Option<usize>,
}

impl Occurs {
    const ONCE: Self = Self { optional: false, max: Some(1) };

    fn of(element: &Element) -> Self {
        let number = |name| element.attribute(name).and_then(|text| text.trim().parse().ok());
        let max = match element.attribute("maxOccurs") {
            Some("unbounded") => None,
            _ => Some(number("maxOccurs").unwrap_or(1)),
        };
        Self { optional: number("minOccurs") == Some(0), max }
    }

    fn repeats(self) -> bool {
        self.max != Some(1)
    }

    /// Within something that stands there so often.
    fn within(self, outer: Self) -> Self {
        let max = self.max.zip(outer.max).map(|(own, outer)| own.saturating_mul(outer));
        Self { optional: self.optional || outer.optional, max }
    }
}

/// Turns elements into fields.
pub(in crate::import) struct Walk<'s> {
    schemas: &'s Schemas,
    pub(in crate::import) codes: Codes,
    /// Fields made so far.
    made: usize,
    /// The names on the way here, for notes.
    path: Vec<String>,
    /// The types, groups and elements being walked, by which those within themselves are known.
    open: Vec<(Kind, Name)>,
}

impl<'s> Walk<'s> {
    pub(in crate::import) fn new(schemas: &'s Schemas) -> Self {
        Self { schemas, codes: Codes::default(), made: 0, path: vec![], open: vec![] }
    }

    /// The fields of a global element that holds a message.
    pub(in crate::import) fn message(
        &mut self,
        name: &Name,
        path: &str,
        named_at: crate::import::At,
    ) -> Result<Table, ImportError> {
        self.path = vec![path.to_owned()];
        let part = self.schemas.find(Kind::Element, name, named_at)?;
        let content = self.element_content(part)?;
        Ok(self.as_table(content))
    }

    /// The field of a part of a message in the rpc style: an element of no namespace.
    pub(in crate::import) fn part(
        &mut self,
        name: &str,
        kind: &Name,
        path: &str,
        at: (&Header, &Element),
    ) -> Result<Field, ImportError> {
        self.path = vec![path.to_owned(), name.to_owned()];
        let content = self.named(kind, at, name)?;
        let wire = Wire::Element { space: "".into(), name: name.to_owned() };
        Ok(self.field(wire, content, Occurs::ONCE, false))
    }

    fn note(&self, says: impl Into<String>) -> Note {
        Note { path: self.path.join("."), says: says.into() }
    }

    /// What stands directly in a body.
    fn as_table(&self, content: Content) -> Table {
        match content {
            Content::Complex(table) => table,
            Content::Simple(simple) => {
                let mut table = Table::default();
                table.add(self.field(Wire::Text, Content::Simple(simple), Occurs::ONCE, false));
                table
            }
            Content::Any => {
                let notes = vec![self.note("any content may stand here")];
                Table { fields: vec![], notes }
            }
        }
    }

    fn field(&self, wire: Wire, content: Content, occurs: Occurs, nil: bool) -> Field {
        let mut notes = Vec::new();
        let optional = occurs.optional || nil;
        let mut required = !optional;
        let mut present = false;
        let shape = match content {
            Content::Simple(simple) => {
                notes.extend(simple.unsaid.iter().map(|says| self.note(says.as_str())));
                if !occurs.repeats() {
                    present = !occurs.optional && simple.may_be_empty;
                    required &= !simple.may_be_empty;
                }
                Shape::Value(simple.value)
            }
            Content::Complex(table) => Shape::Record(table),
            Content::Any => Shape::Record(Table::default()),
        };
        if nil && !occurs.optional && !present {
            notes.push(self.note("xsi:nil is read and not written; an absent value is left out"));
        }
        let shape = match (occurs.repeats(), shape) {
            (false, shape) => shape,
            (true, shape) => {
                let max = occurs.max.unwrap_or(UNLIMITED_LIST).clamp(1, 1_000_000);
                let table = match shape {
                    Shape::Record(table) => table,
                    shape => Table { fields: vec![text(shape)], notes: vec![] },
                };
                Shape::List { max, table }
            }
        };
        let name = String::new();
        Field { wire, name, required, present, default: None, shape, notes }
    }

    /// What an `element` element holds.
    fn element_content(&mut self, part: Part<'_>) -> Result<Content, ImportError> {
        let element = part.element;
        if let Some(kind) = element.attribute("type") {
            let name = part.of.resolve(element, kind)?;
            let hint = element.attribute("name").unwrap_or_default().to_owned();
            return self.named(&name, (part.of, element), &hint);
        }
        if let Some(complex) = element.first(XS, "complexType") {
            return self.complex(Part { element: complex, of: part.of });
        }
        match element.first(XS, "simpleType") {
            Some(kind) => {
                let hint = element.attribute("name").unwrap_or_default();
                let part = Part { element: kind, of: part.of };
                simple::anonymous(self.schemas, &mut self.codes, part, hint).map(Content::Simple)
            }
            None => Ok(Content::Any),
        }
    }

    /// What an element of a named type holds.
    fn named(
        &mut self,
        name: &Name,
        at: (&Header, &Element),
        hint: &str,
    ) -> Result<Content, ImportError> {
        if *name.space == *XS {
            return match name.local.as_str() {
                "anyType" => Ok(Content::Any),
                _ => simple::named(self.schemas, &mut self.codes, name, at, hint)
                    .map(Content::Simple),
            };
        }
        let part = self.schemas.find(Kind::Type, name, at.0.at(at.1))?;
        match part.element.name.as_str() {
            "simpleType" => {
                let simple = simple::named(self.schemas, &mut self.codes, name, at, hint);
                simple.map(Content::Simple)
            }
            _ => self.within(Kind::Type, name, Content::Any, |walk| walk.complex(part)),
        }
    }

    /// Walks something that has a name, unless it is within itself or too deep.
    fn within<T>(
        &mut self,
        kind: Kind,
        name: &Name,
        cut: T,
        walk: impl FnOnce(&mut Self) -> Result<T, ImportError>,
    ) -> Result<T, ImportError> {
        let open = (kind, name.clone());
        if self.open.contains(&open) || self.open.len() >= MAX_DEPTH {
            return Ok(cut);
        }
        self.open.push(open);
        let walked = walk(self);
        self.open.pop();
        walked
    }

    fn complex(&mut self, part: Part<'_>) -> Result<Content, ImportError> {
        let (element, of) = (part.element, part.of);
        if let Some(content) = element.first(XS, "simpleContent") {
            return self.simple_content(content, of);
        }
        let mut table = Table::default();
        if element.attribute("mixed").is_some_and(is_true) {
            table.notes.push(self.note("text between the elements is refused"));
        }
        if element.attribute("abstract").is_some_and(is_true) {
            let says = "the type is abstract: what types derived from it add is refused";
            table.notes.push(self.note(says));
        }
        let holder = element.first(XS, "complexContent").and_then(derivation);
        if let Some(derived) = holder {
            self.base(derived, of, &mut table)?;
        }
        let holder = holder.unwrap_or(element);
        self.particles(holder, of, Occurs::ONCE, &mut table)?;
        self.attributes(holder, of, &mut table)?;
        Ok(Content::Complex(table))
    }

    /// What a derived type has of its base: all of it when it extends, its attributes otherwise.
    fn base(
        &mut self,
        derived: &Element,
        of: &Header,
        table: &mut Table,
    ) -> Result<(), ImportError> {
        let Some(base) = derived.attribute("base") else { return Ok(()) };
        let name = of.resolve(derived, base)?;
        if name.local == "anyType" && *name.space == *XS {
            return Ok(());
        }
        match self.named(&name, (of, derived), "")? {
            Content::Complex(inherited) => {
                table.notes.extend(inherited.notes);
                let extends = derived.name == "extension";
                let kept = inherited.fields.into_iter();
                let kept = kept.filter(|one| extends || matches!(one.wire, Wire::Attribute(_)));
                kept.for_each(|field| self.put(field, table));
            }
            Content::Simple(_) | Content::Any => {
                table.notes.push(self.note("what its base type says is cut off"));
            }
        }
        Ok(())
    }

    fn simple_content(&mut self, content: &Element, of: &Header) -> Result<Content, ImportError> {
        let Some(derived) = derivation(content) else { return Ok(Content::Any) };
        let hint = self.path.last().cloned().unwrap_or_default();
        let part = Part { element: derived, of };
        let simple = simple::anonymous(self.schemas, &mut self.codes, part, &hint)?;
        let mut table = Table::default();
        self.text_attributes(derived, of, &mut table)?;
        if table.fields.is_empty() && table.notes.is_empty() {
            return Ok(Content::Simple(simple));
        }
        let text = self.field(Wire::Text, Content::Simple(simple), Occurs::ONCE, false);
        self.put(text, &mut table);
        Ok(Content::Complex(table))
    }

    /// The attributes of simple content, those of its base types too.
    fn text_attributes(
        &mut self,
        derived: &Element,
        of: &Header,
        table: &mut Table,
    ) -> Result<(), ImportError> {
        self.attributes(derived, of, table)?;
        let Some(base) = derived.attribute("base") else { return Ok(()) };
        let name = of.resolve(derived, base)?;
        if *name.space == *XS {
            return Ok(());
        }
        let part = self.schemas.find(Kind::Type, &name, of.at(derived))?;
        let inner = part.element.first(XS, "simpleContent").and_then(derivation);
        let Some(inner) = inner else { return Ok(()) };
        let of = part.of;
        self.within(Kind::Type, &name, (), |walk| walk.text_attributes(inner, of, table))
    }

    /// The particles directly within a type, a derivation, a group or another particle.
    fn particles(
        &mut self,
        holder: &Element,
        of: &Header,
        outer: Occurs,
        table: &mut Table,
    ) -> Result<(), ImportError> {
        for child in holder.children.iter().filter(|child| *child.space == *XS) {
            match child.name.as_str() {
                "element" => self.element(Part { element: child, of }, outer, table)?,
                "sequence" | "choice" | "all" => self.model(child, of, outer, table)?,
                "group" => self.group(child, of, outer, table)?,
                "any" => table.notes.push(self.note("elements of any name are refused here")),
                _ => {}
            }
        }
        Ok(())
    }

    /// A sequence, a choice, or all in any order.
    fn model(
        &mut self,
        model: &Element,
        of: &Header,
        outer: Occurs,
        table: &mut Table,
    ) -> Result<(), ImportError> {
        let own = Occurs::of(model);
        if own.max == Some(0) {
            return Ok(());
        }
        let mut occurs = own.within(outer);
        let is_particle = |one: &&Element| {
            let names = ["element", "sequence", "choice", "all", "group", "any"];
            *one.space == *XS && names.contains(&one.name.as_str())
        };
        let inside: Vec<&Element> = model.children.iter().filter(is_particle).collect();
        if occurs.repeats() && inside.len() > 1 {
            let names: Vec<&str> = inside.iter().map(|one| named_or(one)).collect();
            let says = format!("{} in turns, several times: they are refused", names.join(", "));
            table.notes.push(self.note(says));
            return Ok(());
        }
        match model.name.as_str() {
            "choice" if inside.len() > 1 => {
                let names: Vec<&str> = inside.iter().map(|one| named_or(one)).collect();
                let says = format!("that only one of {} is there is not checked", names.join(", "));
                table.notes.push(self.note(says));
                occurs.optional = true;
            }
            "all" if inside.len() > 1 => {
                table.notes.push(self.note("the elements are read in this order and no other"));
            }
            "sequence" if own.optional && inside.len() > 1 => {
                let says = "that elements of a sequence are there together is not checked";
                table.notes.push(self.note(says));
            }
            _ => {}
        }
        self.particles(model, of, occurs, table)
    }

    fn group(
        &mut self,
        reference: &Element,
        of: &Header,
        outer: Occurs,
        table: &mut Table,
    ) -> Result<(), ImportError> {
        let Some(name) = reference.attribute("ref") else { return Ok(()) };
        let name = of.resolve(reference, name)?;
        let part = self.schemas.find(Kind::Group, &name, of.at(reference))?;
        let own = Occurs::of(reference);
        if own.max == Some(0) {
            return Ok(());
        }
        let (occurs, path) = (own.within(outer), self.note("the group is within itself: cut off"));
        let mut inner = Table { fields: vec![], notes: vec![path] };
        let kind = Kind::Group;
        inner = self.within(kind, &name, inner, |walk| {
            let mut inner = Table::default();
            walk.particles(part.element, part.of, occurs, &mut inner)?;
            Ok(inner)
        })?;
        table.notes.extend(inner.notes);
        inner.fields.into_iter().for_each(|field| self.put(field, table));
        Ok(())
    }

    fn element(
        &mut self,
        local: Part<'_>,
        outer: Occurs,
        table: &mut Table,
    ) -> Result<(), ImportError> {
        let occurs = Occurs::of(local.element);
        if occurs.max == Some(0) {
            return Ok(());
        }
        let occurs = occurs.within(outer);
        let (part, space, reference) = match local.element.attribute("ref") {
            Some(name) => {
                let name = local.of.resolve(local.element, name)?;
                let at = local.of.at(local.element);
                (self.schemas.find(Kind::Element, &name, at)?, name.space.clone(), Some(name))
            }
            None => (local, space_of(local), None),
        };
        let element = part.element;
        let name = element.name_of(part.of.at(element))?;
        self.path.push(name.clone());
        let walked = match &reference {
            Some(known) => {
                self.within(Kind::Element, known, Content::Any, |walk| walk.element_content(part))
            }
            None => self.element_content(part),
        };
        let taken = walked.and_then(|content| self.count().map(|()| content));
        let made = taken.map(|content| {
            let is_flag = |name| element.attribute(name).is_some_and(is_true);
            if let Content::Any = content {
                let says = "any content, or a type within itself: the element is refused";
                table.notes.push(self.note(says));
                return;
            }
            let wire = Wire::Element { space, name };
            let mut field = self.field(wire, content, occurs, is_flag("nillable"));
            if is_flag("abstract") {
                let says = "the element is abstract, and what stands in its place is refused";
                field.notes.push(self.note(says));
            }
            self.fixed(element, &mut field);
            self.put(field, table);
        });
        self.path.pop();
        made
    }

    fn count(&mut self) -> Result<(), ImportError> {
        self.made = self.made.saturating_add(1);
        match self.made > MAX_FIELDS {
            true => Err(ImportError::TooLarge { most: MAX_FIELDS }),
            false => Ok(()),
        }
    }

    /// Adds a field, or says that its name is taken.
    fn put(&self, field: Field, table: &mut Table) {
        let name = field.wire.local().to_owned();
        if !table.add(field) {
            let says = format!("`{name}` in a second place: there it is refused");
            table.notes.push(self.note(says));
        }
    }
}

/// The row of each record of a list of plain values.
fn text(shape: Shape) -> Field {
    Field {
        wire: Wire::Text,
        name: "value".to_owned(),
        required: false,
        present: false,
        default: None,
        shape,
        notes: vec![],
    }
}

fn is_true(text: &str) -> bool {
    matches!(text.trim(), "1" | "true")
}

fn named_or(particle: &Element) -> &str {
    let name = particle.attribute("name").or_else(|| particle.attribute("ref"));
    name.unwrap_or(&particle.name)
}

/// The namespace of an element that is declared in place.
fn space_of(part: Part<'_>) -> Arc<str> {
    let form = part.element.attribute("form");
    let qualified = form.map_or(part.of.elements_qualified, |form| form == "qualified");
    if qualified { part.of.target.clone() } else { "".into() }
}
