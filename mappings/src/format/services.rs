//! `services.yaml`: a sector's services in their own terms.

use std::collections::{BTreeMap, BTreeSet};

use gateway_core::Operation;
use serde::Deserialize;

use crate::terms::Class;

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct ServicesFile {
    pub(crate) naru: String,
    pub(crate) sector: String,
    /// Closed sets of names.
    #[serde(default)]
    pub(crate) codes: BTreeMap<String, Vec<String>>,
    /// From one closed set to another.
    #[serde(default)]
    pub(crate) tables: BTreeMap<String, SharedTableFormat>,
    pub(crate) services: BTreeMap<String, ServiceFormat>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct SharedTableFormat {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) rows: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceFormat {
    #[cfg_attr(test, schemars(with = "crate::schema::Operations"))]
    pub(crate) operation: Operation,
    pub(crate) subject: Option<String>,
    /// What it is asked for, as `purposes.yaml` registers it; required where it needs a consent.
    pub(crate) purpose: Option<String>,
    pub(crate) consent: Option<ConsentFormat>,
    pub(crate) request: BTreeMap<String, FieldFormat>,
    pub(crate) reply: BTreeMap<String, FieldFormat>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsentFormat {
    /// Reply field → item of the purpose.
    pub(crate) items: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldFormat {
    #[serde(rename = "type")]
    pub(crate) kind: TypeName,
    #[serde(default)]
    pub(crate) required: bool,
    /// How secret it is; personal for what names a person, public otherwise, when absent.
    pub(crate) class: Option<Class>,
    /// Digits after the point of a `decimal`.
    pub(crate) scale: Option<u8>,
    /// What is checked of a registration number of a person.
    pub(crate) check: Option<CheckPolicy>,
    /// Which closed set a `code` is of.
    pub(crate) of: Option<String>,
    /// How many bytes a `bytes` has.
    pub(crate) length: Option<usize>,
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
    /// The fields of a `record`, or of each record of a `list`.
    pub(crate) fields: Option<BTreeMap<String, FieldFormat>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TypeName {
    Text,
    Integer,
    Decimal,
    Flag,
    Date,
    Time,
    DateTime,
    Bytes,
    /// A document or picture, of any length up to its `max`.
    Binary,
    Code,
    Record,
    List,
    ResidentNumber,
    ForeignerNumber,
    BusinessNumber,
    PersonalText,
}

impl FieldFormat {
    /// Adds the sets of codes that it and the fields in it are of.
    pub(crate) fn collect_sets<'f>(&'f self, sets: &mut BTreeSet<&'f str>) {
        sets.extend(self.of.as_deref());
        for field in self.fields.iter().flat_map(BTreeMap::values) {
            field.collect_sets(sets);
        }
    }
}

/// What is checked of a registration number of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CheckPolicy {
    /// That it begins with a day of birth.
    BirthDate,
    /// The check digit as well, where the person was born while numbers had one. Refuses numbers
    /// given anew since October 2020.
    Digit,
}
