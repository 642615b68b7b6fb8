//! The store on SQLite: the conformance suite, and what only a file can have wrong.

#![cfg(test)]

mod conformance;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use conformance::{Backend, TestClock, shared_clock};
use gateway_core::Outbox;
use gateway_store::{ConsentStore, Store, StoreError};
use tempfile::TempDir;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

struct Sqlite {
    directory: TempDir,
    clock: Arc<TestClock>,
}

impl Sqlite {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), clock: shared_clock() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("naru.db")
    }

    async fn try_open(&self) -> Result<Store, StoreError> {
        Store::open(&self.path(), self.clock.clone(), DAY).await
    }
}

impl Backend for Sqlite {
    type Store = Store;
    type Consents = ConsentStore;

    async fn open(&self) -> Store {
        self.try_open().await.unwrap()
    }

    async fn consents(&self) -> ConsentStore {
        let path = self.directory.path().join("consents.db");
        ConsentStore::open(&path, self.clock.clone()).await.unwrap()
    }

    fn clock(&self) -> &TestClock {
        &self.clock
    }
}

macro_rules! conforms {
    ($($module:ident::$test:ident),* $(,)?) => { $(
        #[tokio::test]
        async fn $test() {
            conformance::$module::$test(Sqlite::new()).await;
        }
    )* };
}

conforms! {
    acts::another_operator_decides_an_act_once,
    acts::an_act_waits_over_a_restart_and_not_for_ever,
    consents::what_is_granted_is_found_as_it_was,
    consents::only_the_same_person_recipient_and_purpose_find_it,
    consents::a_withdrawal_holds_for_every_later_request,
    consents::a_consent_can_be_narrowed_and_never_widened,
    consents::revisions_are_chained_and_replay_to_the_state,
    consents::what_is_no_consent_is_refused,
    consents::uses_are_counted_once_per_key_and_period,
    consents::of_many_at_once_one_uses_a_single_use,
    consents::they_are_listed_by_person_and_by_recipient,
    letters::what_is_posted_is_taken_once_as_it_was,
    letters::what_a_dead_process_took_is_due_again,
    letters::a_key_is_one_letter,
    letters::a_member_has_its_share_of_the_queue,
    letters::a_lane_keeps_its_order,
    letters::an_outcome_is_kept_for_its_time,
    letters::the_dead_are_listed_replayed_and_discarded,
    letters::only_who_took_a_letter_ends_it,
    members::a_member_is_kept_with_its_state,
    members::a_key_belongs_to_one_member_until_it_is_revoked,
    outbox::a_key_is_fresh_once,
    outbox::of_many_at_once_one_is_fresh,
    outbox::an_outcome_is_answered_again_as_it_was,
    outbox::the_first_outcome_stands,
    outbox::a_released_key_is_fresh_unless_something_was_sent,
    outbox::what_a_dead_process_left_is_taken_up,
    outbox::a_ticket_is_attached_only_to_a_submit_in_work,
    outbox::outcomes_are_kept_as_long_as_configured,
}

#[tokio::test]
async fn a_store_has_one_gateway() {
    let sqlite = Sqlite::new();
    let store = sqlite.open().await;
    let refused = sqlite.try_open().await.err().unwrap();
    assert!(matches!(refused, StoreError::InUse(_)), "{refused}");
    store.close().await;
    drop(store);
    sqlite.open().await;
}

#[tokio::test]
async fn what_is_no_database_is_refused_and_left_alone() {
    let sqlite = Sqlite::new();
    let text = "not a database ".repeat(500);
    fs::write(sqlite.path(), &text).unwrap();
    let refused = sqlite.try_open().await.err().unwrap();
    assert!(matches!(refused, StoreError::Damaged { .. }), "{refused}");
    assert!(refused.to_string().contains("restore it"), "{refused}");
    assert_eq!(fs::read_to_string(sqlite.path()).unwrap(), text);
}

#[tokio::test]
async fn tables_of_another_version_are_refused() {
    let sqlite = Sqlite::new();
    sqlite.open().await.close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(sqlite.path());
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("UPDATE _sqlx_migrations SET version = version + 98").execute(&pool).await.unwrap();
    pool.close().await;
    let refused = sqlite.try_open().await.err().unwrap();
    assert!(matches!(refused, StoreError::Migration { .. }), "{refused}");
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_named() {
    let sqlite = Sqlite::new();
    let path = sqlite.directory.path().join("missing/naru.db");
    let refused = Store::open(&path, sqlite.clock.clone(), DAY).await.err().unwrap();
    assert!(matches!(refused, StoreError::Io { .. }), "{refused}");
    assert!(refused.to_string().contains("missing/naru.db"), "{refused}");
}

#[tokio::test]
async fn a_closed_store_is_an_internal_fault() {
    let sqlite = Sqlite::new();
    let store = sqlite.open().await;
    store.close().await;
    let fault = store.unsettled().await.unwrap_err();
    assert_eq!(fault.kind, gateway_core::Kind::Internal);
}

/// Each with a cache of its own, as two processes have.
#[tokio::test]
async fn what_one_gateway_changes_another_on_the_same_file_sees_at_once() {
    use conformance::consents::{change, find, grant, terms};
    use gateway_core::consent::Change;

    let sqlite = Sqlite::new();
    let (here, there) = (sqlite.consents().await, sqlite.consents().await);
    assert!(find(&there, &terms(1)).await.is_empty(), "having none is cached too");
    for id in 0..3 {
        grant(&here, id, terms(1)).await.unwrap();
        assert_eq!(find(&there, &terms(1)).await.len(), id as usize + 1);
    }
    for id in 0..3 {
        assert!(find(&here, &terms(1)).await[id as usize].withdrawn().is_none());
        change(&there, id, Change::Withdraw).await.unwrap();
        assert!(find(&here, &terms(1)).await[id as usize].withdrawn().is_some());
    }
}
