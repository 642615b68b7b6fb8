//! The shape of a batch file around the fields of its operations.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::HeaderFormat;

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct BatchLayout {
    /// The names of files that are taken, with one `*`.
    pub(crate) files: String,
    /// UTF-8, or EUC-KR where it is not valid UTF-8, when absent.
    pub(crate) encoding: Option<EncodingFormat>,
    /// Records of fixed-length fields; CSV when absent.
    pub(crate) fixed: Option<FixedFormat>,
    #[serde(default)]
    pub(crate) marks: Marks,
    pub(crate) header: Vec<HeaderFormat>,
    /// The fields of a data record after its mark.
    pub(crate) columns: Vec<ColumnFormat>,
    /// The column that counts the data records from 1.
    pub(crate) number: String,
    /// The column that names the operation.
    pub(crate) operation: String,
    /// The column whose sum is the trailer's control total.
    pub(crate) total: Option<String>,
    /// The column whose equal values are done in the order of the file.
    pub(crate) sequence: Option<String>,
    /// The fields of the trailer after its mark; count and total when absent.
    pub(crate) trailer: Option<Vec<TrailerFormat>>,
    /// The columns of a result record between its message and its receipt.
    pub(crate) results: Vec<ColumnFormat>,
    #[serde(default)]
    pub(crate) bad_records: BadRecordsFormat,
}

#[derive(Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum EncodingFormat {
    #[serde(rename = "utf-8")]
    Utf8,
    EucKr,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct FixedFormat {
    /// Bytes of every record, its line end not counted.
    pub(crate) record_length: usize,
    /// Whether LF or CRLF follows each record.
    #[serde(default = "yes")]
    pub(crate) line_ends: bool,
    /// Bytes of the code in a result record.
    pub(crate) code_length: usize,
    /// Bytes of the message in a result record; a longer one is cut.
    pub(crate) message_length: usize,
    /// Bytes of the receipt in a result record; when absent it is the rest of the line.
    pub(crate) receipt_length: Option<usize>,
}

fn yes() -> bool {
    true
}

/// What each kind of record begins with.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Marks {
    pub(crate) header: String,
    pub(crate) data: String,
    pub(crate) trailer: String,
    /// A record of a result.
    pub(crate) result: String,
    /// The only record of the result of a refused file.
    pub(crate) refusal: String,
}

impl Default for Marks {
    fn default() -> Self {
        let [header, data, trailer, result, refusal] = ["H", "D", "T", "R", "E"].map(str::to_owned);
        Self { header, data, trailer, result, refusal }
    }
}

/// A column: its name, and its type and bytes where records are of fixed length.
#[derive(Clone)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(untagged))]
pub(crate) enum ColumnFormat {
    Named(String),
    Fixed(FixedColumn),
}

#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct FixedColumn {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) length: usize,
}

/// By hand, because an untagged enum guesses at scalars before a field's type is known, and takes
/// the type `N` for a boolean.
impl<'de> Deserialize<'de> for ColumnFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = ColumnFormat;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name, or `name`, `type` and `length`")
            }

            fn visit_str<E>(self, name: &str) -> Result<ColumnFormat, E> {
                Ok(ColumnFormat::Named(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ColumnFormat, A::Error> {
                let fixed = FixedColumn::deserialize(MapAccessDeserializer::new(map));
                fixed.map(ColumnFormat::Fixed)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl ColumnFormat {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Named(name) | Self::Fixed(FixedColumn { name, .. }) => name,
        }
    }
}

#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct TrailerFormat {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) length: Option<usize>,
    /// What it says of the file; nothing that is checked when absent.
    pub(crate) is: Option<TrailerRole>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TrailerRole {
    Count,
    Total,
}

/// What a data record that cannot be decoded refuses.
#[derive(Clone, Copy, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BadRecordsFormat {
    /// Itself.
    #[default]
    RefuseRecord,
    /// The whole file.
    RefuseFile,
}
