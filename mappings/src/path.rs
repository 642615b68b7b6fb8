//! Where a field stands in a message: its name, or the names of the records around it first.

use std::fmt;
use std::sync::Arc;

/// `address.city` as the names on the way; at least one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path(Arc<[Arc<str>]>);

impl Path {
    /// Whether it is the field of this name, in no record.
    pub(crate) fn is(&self, name: &str) -> bool {
        matches!(&*self.0, [only] if **only == *name)
    }

    pub(crate) fn names(&self) -> &[Arc<str>] {
        &self.0
    }
}

impl From<&str> for Path {
    fn from(text: &str) -> Self {
        Self(text.split('.').map(Into::into).collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}
