//! What every store must do, whatever it is made of. One function is one test; `tests/sqlite.rs`
//! runs them all on SQLite, and another backend runs the same ones.

pub(crate) mod acts;
pub(crate) mod consents;
pub(crate) mod letters;
pub(crate) mod members;
pub(crate) mod outbox;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use gateway_core::consent::Consents;
use gateway_core::letter::{LetterBox, Letters};
use gateway_core::{Clock, Outbox};
use gateway_store::{Acts, ConsentRegistry, MemberRegistry};
use jiff::Timestamp;

/// A place where a store can be opened, dropped without farewell, and opened again.
pub(crate) trait Backend {
    type Store: Outbox + Letters + LetterBox + Acts + MemberRegistry;
    type Consents: Consents + ConsentRegistry;

    /// Opens the store with outcomes kept for a day.
    async fn open(&self) -> Self::Store;

    /// Opens the consents.
    async fn consents(&self) -> Self::Consents;

    fn clock(&self) -> &TestClock;
}

/// A clock that stands until it is moved.
#[derive(Default)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let start: Timestamp = "2026-11-02T00:00:00.123456789Z".parse().unwrap();
        start + std::time::Duration::from_secs(self.0.load(Ordering::SeqCst) as u64)
    }
}

pub(crate) fn shared_clock() -> Arc<TestClock> {
    Arc::default()
}
