//! One row of a field table: what stands on one side, what it becomes on the other.

use gateway_core::LossKind;
use serde::Deserialize;

use crate::layout::fixed::SignPlace;

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
    /// What a fixed-length field holds, as COBOL says it, instead of `type` and `length`.
    pub(crate) picture: Option<String>,
    /// How its number is stored; as digits when absent.
    pub(crate) usage: Option<Usage>,
    /// Where its digits have their sign.
    pub(crate) sign: Option<SignPlace>,
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
    /// The field before a group that says how many of its records are used.
    #[serde(rename = "counted-by")]
    pub(crate) counted_by: Option<String>,
    /// The field before a group that says how many of its records stand there.
    #[serde(rename = "depending-on")]
    pub(crate) depending_on: Option<String>,
    /// The field that says which of the alternatives stands here.
    #[serde(rename = "chosen-by")]
    pub(crate) chosen_by: Option<String>,
    /// Groups of fixed-length fields that lie over the same bytes.
    pub(crate) alternatives: Option<Vec<Alternative>>,
    /// The rows of each record of a list.
    pub(crate) fields: Option<Vec<Row>>,
    /// The domain of a pseudonym.
    pub(crate) domain: Option<Domain>,
    /// `none`: zero bytes at the backend, or the number zero, stand for an absent value.
    pub(crate) zeros: Option<Zeros>,
    /// A value that is always the same.
    pub(crate) constant: Option<String>,
}

/// One of several groups of fields in the same place.
#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Alternative {
    /// The texts of the deciding field by which it is chosen.
    pub(crate) when: Vec<String>,
    pub(crate) fields: Vec<Row>,
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

/// How COBOL stores a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Usage {
    /// A byte for each digit.
    #[default]
    Display,
    #[serde(rename = "comp-3", alias = "packed-decimal")]
    Packed,
    /// Binary, as many bytes as the digits want; no number with more digits.
    #[serde(rename = "comp", alias = "comp-4", alias = "binary")]
    Binary,
    /// Binary, any number that the bytes hold.
    #[serde(rename = "comp-5")]
    Native,
}

#[derive(Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Zeros {
    None,
}
