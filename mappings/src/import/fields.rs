//! What a message is made of, whatever described it: fields, each as it stands on the wire and as
//! the service has it, and beside them what a mapping cannot say.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::names::{member_name, service_name, unique_of};

/// The fields of a message, a record, or each record of a list.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) fields: Vec<Field>,
    /// What belongs to none of the fields.
    pub(super) notes: Vec<Note>,
}

/// One field.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) wire: Wire,
    /// Its name in the service.
    pub(super) name: String,
    /// It is always there and holds something.
    pub(super) required: bool,
    /// It must be written even when there is nothing in it.
    pub(super) present: bool,
    /// The text that stands for an absent value.
    pub(super) default: Option<String>,
    pub(super) shape: Shape,
    pub(super) notes: Vec<Note>,
}

/// How a field stands on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    Element {
        space: Arc<str>,
        name: String,
    },
    Attribute(String),
    /// The text of the element that holds the table.
    Text,
}

impl Wire {
    /// The name alone.
    pub(super) fn local(&self) -> &str {
        match self {
            Self::Element { name, .. } | Self::Attribute(name) => name,
            Self::Text => "value",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Shape {
    Value(Value),
    Record(Table),
    List { max: usize, table: Table },
}

/// One value: its type on the wire, and in the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) wire: &'static str,
    pub(super) term: Term,
}

/// The type of a service's field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Term {
    Text {
        max: usize,
    },
    Integer {
        min: i64,
        max: i64,
    },
    Decimal {
        scale: u8,
        min: i64,
        max: i64,
    },
    Bytes {
        length: usize,
    },
    Flag,
    Date,
    Time,
    DateTime,
    Binary {
        max: usize,
    },
    /// One of a set of codes, by the set's name.
    Code(String),
}

/// Characters of a text that has no limit of its own, and bytes of a document.
pub(super) const UNLIMITED_TEXT: usize = 1000;
pub(super) const UNLIMITED_BINARY: usize = 1_000_000;
/// Records of a list that has no limit of its own.
pub(super) const UNLIMITED_LIST: usize = 1000;
/// Fields of all messages at most.
pub(super) const MAX_FIELDS: usize = 5000;

/// What a person should know of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) path: String,
    pub(super) says: String,
}

impl Table {
    /// Every note, those of fields within fields too.
    pub(super) fn all_notes(&self) -> Vec<&Note> {
        let mut notes: Vec<&Note> = self.notes.iter().collect();
        for field in &self.fields {
            notes.extend(&field.notes);
            match &field.shape {
                Shape::Value(_) => {}
                Shape::Record(table) | Shape::List { table, .. } => {
                    notes.extend(table.all_notes());
                }
            }
        }
        notes
    }

    /// Adds a field under a name that no other has; false where the wire has it already.
    pub(super) fn add(&mut self, mut field: Field) -> bool {
        if self.fields.iter().any(|known| known.wire == field.wire) {
            return false;
        }
        let wanted = service_name(field.wire.local());
        field.name = unique_of(&wanted, |name| self.fields.iter().all(|one| one.name != *name));
        self.fields.push(field);
        true
    }
}

/// The closed sets of all messages, each with the table that puts its members into wire codes.
#[derive(Debug, Default)]
pub(super) struct Codes {
    /// By name: wire code and member, in the order of the source.
    pub(super) sets: BTreeMap<String, Vec<(String, String)>>,
}

impl Codes {
    /// The name of the set of these wire codes; `wanted` where no other set has it.
    pub(super) fn set(&mut self, wanted: &str, codes: &[String]) -> String {
        let mut rows: Vec<(String, String)> = Vec::new();
        for code in codes {
            if rows.iter().all(|(known, _)| known != code) {
                let free = |name: &str| rows.iter().all(|(_, member)| member != name);
                let member = unique_of(&member_name(code), free);
                rows.push((code.clone(), member));
            }
        }
        let wanted = service_name(wanted);
        let free = |name: &str| self.sets.get(name).is_none_or(|known| *known == rows);
        let name = unique_of(&wanted, free);
        self.sets.insert(name.clone(), rows);
        name
    }

    /// Whether a set has this wire code.
    pub(super) fn holds(&self, set: &str, code: &str) -> bool {
        self.sets.get(set).is_some_and(|rows| rows.iter().any(|(known, _)| known == code))
    }
}
