//! Data items and how they stand in one another.

use crate::layout::fixed::{Number, Picture, SignPlace, Storage};
use gateway_core::framing::format::ByteOrder;

use super::CopybookError;
use super::clauses::{self, Clauses};
use super::source;

/// How a number is stored, by the words of a copybook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    Display,
    Packed,
    Binary,
    Native,
}

/// One data item with those below it.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) line: usize,
    pub(super) level: u8,
    /// Nothing for `FILLER`.
    pub(super) name: Option<String>,
    pub(super) redefines: Option<String>,
    pub(super) occurs: Option<Occurs>,
    pub(super) content: Content,
    /// Level 88: names of values.
    pub(super) conditions: Vec<Condition>,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Group(Vec<Item>),
    Field { picture: Picture, text: String, usage: Usage, sign: SignPlace },
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Occurs {
    pub(super) max: usize,
    /// The item that says how many entries there are.
    pub(super) depending_on: Option<String>,
}

/// Level 88.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) name: String,
    /// The values it stands for; nothing where a range is among them.
    pub(super) values: Option<Vec<String>>,
}

impl Item {
    /// Bytes of one occurrence.
    pub(super) fn width(&self) -> usize {
        match &self.content {
            Content::Group(items) => {
                let own = items.iter().filter(|item| item.redefines.is_none());
                own.map(Item::whole_width).fold(0, usize::saturating_add)
            }
            Content::Field { picture, usage, sign, .. } => match picture {
                Picture::Text { length } | Picture::Edited { length } => *length,
                Picture::Graphic { characters } => characters.saturating_mul(2),
                Picture::Number { digits, scale, signed } => {
                    let storage = match usage {
                        Usage::Display => Storage::Zoned(*sign),
                        Usage::Packed => Storage::Packed,
                        Usage::Binary => Storage::Binary { order: ByteOrder::Big, full: false },
                        Usage::Native => Storage::Binary { order: ByteOrder::Big, full: true },
                    };
                    let (digits, scale, signed) = (*digits, *scale, *signed);
                    Number { storage, digits, scale, signed }.width()
                }
            },
        }
    }

    /// Bytes of all occurrences.
    pub(super) fn whole_width(&self) -> usize {
        let times = self.occurs.as_ref().map_or(1, |occurs| occurs.max);
        self.width().saturating_mul(times)
    }

    pub(super) fn children(&self) -> &[Item] {
        match &self.content {
            Content::Group(items) => items,
            Content::Field { .. } => &[],
        }
    }
}

/// What a group hands down to what is in it.
#[derive(Clone, Copy, Default)]
struct Inherited {
    usage: Option<Usage>,
    sign: Option<SignPlace>,
}

/// Reads the records, level 01, of a copybook. Items without one are a record of their own.
pub(super) fn records(text: &str) -> Result<Vec<Item>, CopybookError> {
    let mut flat = Vec::new();
    for sentence in source::sentences(text)? {
        if let Some(clauses) = clauses::read(&sentence)? {
            flat.push(clauses);
        }
    }
    let mut rest = flat.into_iter().peekable();
    let mut items = Vec::new();
    while rest.peek().is_some() {
        items.extend(item(&mut rest, Inherited::default())?);
    }
    if items.is_empty() {
        return Err(CopybookError::Empty);
    }
    match items.iter().all(|item| item.level == 1) {
        true => Ok(items),
        false => Ok(vec![Item {
            line: 1,
            level: 1,
            name: None,
            redefines: None,
            occurs: None,
            content: Content::Group(items),
            conditions: vec![],
        }]),
    }
}

type Flat = std::iter::Peekable<std::vec::IntoIter<Clauses>>;

/// The next item with all that are below it.
fn item(rest: &mut Flat, inherited: Inherited) -> Result<Option<Item>, CopybookError> {
    let Some(own) = rest.next() else {
        return Ok(None);
    };
    let line = own.line;
    if own.level == 88 {
        return Err(CopybookError::Structure { line, why: "a level 88 wants an item before it" });
    }
    let usage = own.usage.or(inherited.usage);
    let sign = own.sign.or(inherited.sign);
    let mut conditions = Vec::new();
    while let Some(condition) = rest.next_if(|next| next.level == 88) {
        let name = condition.name.unwrap_or_default();
        conditions.push(Condition { name, values: condition.values });
    }
    let mut children = Vec::new();
    while rest.peek().is_some_and(|next| next.level > own.level) {
        children.extend(item(rest, Inherited { usage, sign })?);
    }
    let content = match (own.picture, children.is_empty()) {
        (Some((picture, text)), true) => {
            let usage = usage.unwrap_or(Usage::Display);
            let is_number = matches!(picture, Picture::Number { .. });
            if usage != Usage::Display && !is_number {
                let why = "a text cannot be stored as a number";
                return Err(CopybookError::Structure { line, why });
            }
            Content::Field { picture, text, usage, sign: sign.unwrap_or_default() }
        }
        (None, false) => Content::Group(children),
        (Some(_), false) => {
            let why = "an item with a picture cannot hold others";
            return Err(CopybookError::Structure { line, why });
        }
        (None, true) => {
            let why = "an item wants a picture, or items below it";
            return Err(CopybookError::Structure { line, why });
        }
    };
    Ok(Some(Item {
        line,
        level: own.level,
        name: own.name,
        redefines: own.redefines,
        occurs: own.occurs,
        content,
        conditions,
    }))
}
