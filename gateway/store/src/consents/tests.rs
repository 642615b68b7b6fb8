use std::collections::BTreeSet;
use std::time::Duration;

use gateway_core::consent::{ActedBy, Change, Consents, Grant, Revision};
use gateway_core::{MemberId, Pseudonym};
use jiff::Timestamp;

use super::cache::Key;
use super::*;
use crate::{ConsentRegistry, RegistryError};

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        "2026-11-02T12:00:00Z".parse().unwrap()
    }
}

const ID: Uuid = Uuid::from_u128(1);

fn key() -> Key {
    Key {
        principal: Pseudonym([1; 32]),
        recipient: MemberId("city-a".into()),
        purpose: "overlap-check".into(),
    }
}

/// A consent that ended yesterday, had nobody changed it.
fn begun(valid_until: &str) -> Revision {
    let Key { principal, recipient, purpose } = key();
    let terms = Grant {
        sector: "welfare".into(),
        principal,
        recipient,
        purpose,
        items: BTreeSet::from(["history".to_owned()]),
        valid_from: "2026-01-01T00:00:00Z".parse().unwrap(),
        valid_until: valid_until.parse().unwrap(),
        limit: None,
        delegation: None,
    };
    Revision {
        consent: ID,
        number: 1,
        at: terms.valid_from,
        change: Change::Grant { reference: Uuid::from_u128(2), terms: Box::new(terms) },
        proof: None,
        acted_by: ActedBy::Gateway,
        previous: None,
    }
}

async fn store(directory: &tempfile::TempDir) -> ConsentStore {
    let path = directory.path().join("consents.db");
    ConsentStore::open(&path, Arc::new(Noon)).await.unwrap()
}

async fn find(store: &ConsentStore) -> Vec<Consent> {
    let Key { principal, recipient, purpose } = key();
    store.find(&principal, &recipient, &purpose).await.unwrap().consents.to_vec()
}

async fn withdraw(store: &ConsentStore) {
    store.append(ID, Change::Withdraw, None, ActedBy::Gateway).await.unwrap();
}

/// A request reads, then the withdrawal happens, then the request puts what it read away.
#[tokio::test]
async fn what_was_read_before_a_withdrawal_is_not_cached_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory).await;
    store.begin_all(vec![begun("2027-01-01T00:00:00Z")]).await.unwrap();

    let before = store.catch_up().await.unwrap();
    let read: Arc<[Consent]> = store.read(&key()).await.unwrap().into();
    assert_eq!(read.len(), 1);
    withdraw(&store).await;
    store.catch_up().await.unwrap();
    store.cache.keep(before, key(), read);

    assert!(store.cache.get(&key()).is_none());
    assert!(find(&store).await[0].withdrawn().is_some());
}

/// The same with the last two steps the other way round.
#[tokio::test]
async fn what_was_cached_before_a_withdrawal_is_forgotten_by_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory).await;
    store.begin_all(vec![begun("2027-01-01T00:00:00Z")]).await.unwrap();
    assert!(find(&store).await[0].withdrawn().is_none());
    assert!(store.cache.get(&key()).is_some(), "found once, it is cached");

    withdraw(&store).await;
    assert!(find(&store).await[0].withdrawn().is_some());
}

#[tokio::test]
async fn uses_of_consents_leave_the_cache_alone() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory).await;
    store.begin_all(vec![begun("2027-01-01T00:00:00Z")]).await.unwrap();
    find(&store).await;
    let before = store.changes.header();
    store.look_again(ID, Timestamp::MAX).await.unwrap();
    assert_ne!(store.changes.header(), before, "any write is seen");
    assert!(store.cache.generation(store.changes.header()).is_none());
    find(&store).await;
    assert!(store.cache.get(&key()).is_some(), "and only a revision forgets");
    assert!(store.cache.generation(store.changes.header()).is_some());
}

#[tokio::test]
async fn a_failing_disk_is_an_internal_fault_and_not_a_missing_consent() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory).await;
    sqlx::query("DROP TABLE consents").execute(&store.writing).await.unwrap();
    let Key { principal, recipient, purpose } = key();
    let fault = store.find(&principal, &recipient, &purpose).await.unwrap_err();
    assert_eq!((fault.kind, &*fault.code), (gateway_core::Kind::Internal, "store-unavailable"));
    assert!(matches!(store.get(ID).await, Err(RegistryError::Store(_))));
}

#[tokio::test]
async fn a_chain_that_was_tampered_with_is_not_read() {
    for change in [
        "UPDATE revisions SET body = replace(body, 'history', 'incomes')",
        "UPDATE revisions SET body = '{}'",
        "UPDATE revisions SET hash = zeroblob(32)",
        "DELETE FROM revisions WHERE number = 1",
    ] {
        let directory = tempfile::tempdir().unwrap();
        let store = store(&directory).await;
        store.begin_all(vec![begun("2027-01-01T00:00:00Z")]).await.unwrap();
        withdraw(&store).await;
        assert_eq!(store.history(ID).await.unwrap().len(), 2);
        sqlx::query(change).execute(&store.writing).await.unwrap();
        let refused = store.history(ID).await;
        assert!(matches!(refused, Err(RegistryError::Store(Broken::Column(_)))), "{change}");
    }
}

#[tokio::test]
async fn what_is_over_ends_and_what_has_ended_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory).await;
    store.begin_all(vec![begun("2026-11-02T12:00:00Z")]).await.unwrap();
    assert!(!store.remove(ID).await.unwrap(), "it has not ended");
    assert_eq!(store.due(9).await.unwrap().len(), 1);
    let ended = store.expire(ID).await.unwrap().consent;
    assert!(ended.ended.is_some_and(|ended| !ended.withdrawn));
    assert!(matches!(store.expire(ID).await, Err(RegistryError::Refused(_))));
    assert_eq!(store.due(9).await.unwrap(), [ended]);
    let later = Noon.now() + Duration::from_secs(1);
    store.look_again(ID, later).await.unwrap();
    assert_eq!(store.due(9).await.unwrap(), []);
    assert_eq!(store.unrecorded(later, 9).await.unwrap().len(), 2);
    assert!(store.remove(ID).await.unwrap());
    assert!(matches!(store.history(ID).await, Err(RegistryError::Unknown(_))));
    assert!(find(&store).await.is_empty());
}
