//! A sector's services as the engine checks against them: typed fields, closed sets of names and
//! the shared tables between them. Compiled from `services.yaml`; see [`crate::compile`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gateway_core::{Purpose, SCALE_MAX, Service};
use serde::Deserialize;

use crate::convert::PersonRule;

/// Everything a mapping of one sector is checked against.
pub(crate) struct Sector {
    pub(crate) name: Arc<str>,
    pub(crate) codes: BTreeMap<String, Arc<CodeSet>>,
    pub(crate) tables: BTreeMap<String, Arc<SharedTable>>,
    pub(crate) purposes: BTreeMap<String, Arc<Purpose>>,
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
    pub(crate) class: Class,
}

/// How secret a field is. Whatever it is, no value is logged or recorded; a personal or sensitive
/// one moreover never reaches a ledger but as a pseudonym, and `explain` masks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Class {
    /// Anyone may see it beside the exchange.
    Public,
    /// It names a person or says something of one.
    Personal,
    /// It says of a person what the law protects further: health, belief, convictions.
    Sensitive,
}

/// The field at the end of a path through records.
pub(crate) fn field_at<'f>(fields: &'f Fields, path: &str) -> Option<&'f Field> {
    match path.split_once('.') {
        None => fields.get(path),
        Some((record, rest)) => match &fields.get(record)?.kind {
            Type::Record { fields } => field_at(fields, rest),
            _ => None,
        },
    }
}

/// What a field of a service may hold.
#[derive(Clone)]
pub(crate) enum Type {
    Text {
        max: usize,
    },
    Integer {
        min: i128,
        max: i128,
    },
    /// Bounds in the smallest unit.
    Decimal {
        scale: u8,
        min: i128,
        max: i128,
    },
    Flag,
    Date,
    Time,
    DateTime,
    Bytes {
        length: usize,
    },
    Binary {
        max: usize,
    },
    Code(Arc<CodeSet>),
    Resident(PersonRule),
    Business,
    Personal {
        max: usize,
    },
    Record {
        fields: Fields,
    },
    List {
        fields: Fields,
        max: usize,
    },
}

impl Type {
    /// Whole numbers as bounds of a decimal; none when it would not fit.
    pub(crate) fn decimal(scale: u8, min: i64, max: i64) -> Option<Self> {
        let unit = 10_i128.pow(scale.min(SCALE_MAX).into());
        (scale <= SCALE_MAX).then(|| Self::Decimal {
            scale,
            min: i128::from(min).saturating_mul(unit),
            max: i128::from(max).saturating_mul(unit),
        })
    }

    /// Whether a value of one may stand where the other is promised.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Code(set), Self::Code(other)) => set.name == other.name,
            (Self::Decimal { scale, .. }, Self::Decimal { scale: other, .. }) => scale == other,
            _ => self.name() == other.name(),
        }
    }

    /// Its name in `services.yaml`, for problems.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Integer { .. } => "integer",
            Self::Decimal { .. } => "decimal",
            Self::Flag => "flag",
            Self::Date => "date",
            Self::Time => "time",
            Self::DateTime => "date-time",
            Self::Bytes { .. } => "bytes",
            Self::Binary { .. } => "binary",
            Self::Code(_) => "code",
            Self::Resident(rule) if rule.foreign => "foreigner-number",
            Self::Resident(_) => "resident-number",
            Self::Business => "business-number",
            Self::Personal { .. } => "personal-text",
            Self::Record { .. } => "record",
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
