//! Time is passed in, so that a test decides what time it is.

use jiff::Timestamp;

/// The one source of the current time.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;
}
