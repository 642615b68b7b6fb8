//! One row of a field table: what stands on one side, what it becomes on the other.

use serde::Deserialize;

#[derive(Clone, Default, Deserialize)]
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

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Domain {
    pub(crate) from: String,
    pub(crate) via: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Zeros {
    None,
}
