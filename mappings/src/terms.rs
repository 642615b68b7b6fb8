//! A sector's services as the engine checks against them: typed fields, closed sets of names and
//! the shared tables between them. Compiled from `services.yaml`; see [`crate::compile`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gateway_core::Service;

/// Everything a mapping of one sector is checked against.
pub(crate) struct Sector {
    pub(crate) name: Arc<str>,
    pub(crate) codes: BTreeMap<String, Arc<CodeSet>>,
    pub(crate) tables: BTreeMap<String, Arc<SharedTable>>,
    pub(crate) services: BTreeMap<String, Arc<Terms>>,
}

/// One service with its fields.
pub(crate) struct Terms {
    pub(crate) service: Arc<Service>,
    pub(crate) request: Fields,
    pub(crate) reply: Fields,
}

pub(crate) type Fields = BTreeMap<String, Field>;

#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) kind: Type,
    pub(crate) required: bool,
}

/// What a field of a service may hold.
#[derive(Clone)]
pub(crate) enum Type {
    Text { max: usize },
    Integer { min: i128, max: i128 },
    Flag,
    Date,
    Bytes { length: usize },
    Binary { max: usize },
    Code(Arc<CodeSet>),
    Resident,
    Personal { max: usize },
    List { fields: Fields, max: usize },
}

impl Type {
    /// Whether a value of one may stand where the other is promised.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Code(set), Self::Code(other)) => set.name == other.name,
            _ => self.name() == other.name(),
        }
    }

    /// Its name in `services.yaml`, for problems.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Integer { .. } => "integer",
            Self::Flag => "flag",
            Self::Date => "date",
            Self::Bytes { .. } => "bytes",
            Self::Binary { .. } => "binary",
            Self::Code(_) => "code",
            Self::Resident => "resident-number",
            Self::Personal { .. } => "personal-text",
            Self::List { .. } => "list",
        }
    }
}

/// A closed set of names, such as the programmes.
pub(crate) struct CodeSet {
    pub(crate) name: String,
    pub(crate) members: BTreeSet<Arc<str>>,
}

/// From each name of one set to a name of another; many may go to one.
pub(crate) struct SharedTable {
    pub(crate) from: Arc<CodeSet>,
    pub(crate) to: Arc<CodeSet>,
    pub(crate) rows: BTreeMap<Arc<str>, Arc<str>>,
}
