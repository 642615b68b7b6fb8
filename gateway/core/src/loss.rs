//! What a mapping may lose because it says so, and what was lost.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One value that reached the other side with less than it had. Holds no part of the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The field, by the wire's name for it.
    pub field: Arc<str>,
    /// How.
    pub kind: LossKind,
}

/// What may be lost of a field, when its row says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// The end of a text, or digits after the point.
    Truncate,
    /// Characters that the other side lacks, each written as `?`.
    Replace,
    /// The whole value.
    Drop,
}

impl fmt::Display for LossKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncate => "truncate",
            Self::Replace => "replace",
            Self::Drop => "drop",
        })
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};{}", self.field, self.kind)
    }
}
