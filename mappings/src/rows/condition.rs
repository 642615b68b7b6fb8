//! When a row counts: decided by a field of the service, the same way in both directions.

use gateway_core::{Message, Value};

use crate::path::Path;

/// A test of one field.
pub(crate) struct Condition {
    pub(crate) field: Path,
    pub(crate) test: Test,
}

/// What is asked of the field.
pub(crate) enum Test {
    /// It is there, or it is not.
    Present(bool),
    /// It is one of these.
    Is(Vec<Value>),
    /// It is there and none of these.
    Not(Vec<Value>),
}

impl Condition {
    pub(crate) fn holds(&self, message: &Message) -> bool {
        let value = message.at(self.field.names());
        match (&self.test, value) {
            (Test::Present(wanted), value) => value.is_some() == *wanted,
            (Test::Is(values), Some(value)) => values.contains(value),
            (Test::Not(values), Some(value)) => !values.contains(value),
            (Test::Is(_) | Test::Not(_), None) => false,
        }
    }
}
