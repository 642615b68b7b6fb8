//! One row of a field table: what stands on one side, what it becomes on the other.

use gateway_core::LossKind;
use serde::Deserialize;

#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// Where the value comes from.
    pub(crate) from: Option<String>,
    /// What it becomes.
    pub(crate) to: Option<String>,
    /// The type on the wire or at the backend.
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    /// Bytes of a fixed-length field.
    pub(crate) length: Option<usize>,
    /// Characters at most, where the wire format says so.
    pub(crate) max: Option<usize>,
    #[serde(default)]
    pub(crate) required: bool,
    /// The text that stands for an absent value.
    pub(crate) default: Option<String>,
    pub(crate) convert: Option<String>,
    /// A code table of this mapping.
    pub(crate) table: Option<String>,
    /// A shared table of the sector, applied to the code.
    pub(crate) via: Option<String>,
    /// How a date, time or amount is written: `yyyyMMddHHmmss`; `plain`, `grouped`, `implied`.
    pub(crate) format: Option<String>,
    /// The first of the hundred years that a two-digit year means.
    #[serde(rename = "years-from")]
    pub(crate) years_from: Option<i16>,
    /// Digits after the point on the wire.
    pub(crate) scale: Option<u8>,
    /// What is done to a text before it reaches its target: `nfc`, `half-width`, `full-width`,
    /// `spaces`.
    #[serde(default)]
    pub(crate) normalize: Vec<String>,
    /// What may be lost where the target cannot hold the value.
    #[cfg_attr(test, schemars(with = "Option<crate::schema::Losses>"))]
    pub(crate) loss: Option<LossKind>,
    /// The row counts only when this holds.
    pub(crate) when: Option<When>,
    /// The fields of the service that one wire text holds, in order.
    pub(crate) parts: Option<Vec<Part>>,
    /// The wire fields that together make one field of the service, in order.
    pub(crate) join: Option<Vec<String>>,
    /// What stands between parts, or between the texts of a join.
    pub(crate) separator: Option<String>,
    /// How often a group of fixed-length fields stands there, used or not.
    pub(crate) occurs: Option<usize>,
    /// The rows of each record of a list.
    pub(crate) fields: Option<Vec<Row>>,
    /// The domain of a pseudonym.
    pub(crate) domain: Option<Domain>,
    /// `none`: zero bytes at the backend stand for an absent value.
    pub(crate) zeros: Option<Zeros>,
    /// A value that is always the same.
    pub(crate) constant: Option<String>,
}

/// A test of one field of the service.
#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct When {
    pub(crate) field: String,
    /// It is one of these values.
    pub(crate) is: Option<Vec<String>>,
    /// It is there and none of these values.
    pub(crate) not: Option<Vec<String>>,
    /// It is there, or is not.
    pub(crate) present: Option<bool>,
}

/// One field of the service within a wire text.
#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    /// The field.
    pub(crate) field: String,
    /// Characters, where there is no separator.
    pub(crate) length: Option<usize>,
    pub(crate) convert: Option<String>,
    pub(crate) table: Option<String>,
    pub(crate) via: Option<String>,
    pub(crate) format: Option<String>,
    #[serde(rename = "years-from")]
    pub(crate) years_from: Option<i16>,
    pub(crate) scale: Option<u8>,
}

#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Domain {
    pub(crate) from: String,
    pub(crate) via: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Zeros {
    None,
}
