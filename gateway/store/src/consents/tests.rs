use std::collections::BTreeSet;
use std::time::Duration;

use gateway_core::Clock;

use super::*;

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        "2026-11-02T12:00:00Z".parse().unwrap()
    }
}

fn example() -> Consent {
    Consent {
        id: Uuid::from_u128(1),
        principal: Pseudonym([1; 32]),
        recipient: MemberId("city-a".into()),
        purpose: "overlap-check".into(),
        items: BTreeSet::from(["history".to_owned()]),
        valid_from: "2026-01-01T00:00:00Z".parse().unwrap(),
        valid_until: "2027-01-01T00:00:00Z".parse().unwrap(),
        withdrawn: None,
    }
}

async fn store(directory: &tempfile::TempDir) -> Store {
    let path = directory.path().join("naru.db");
    Store::open(&path, Arc::new(Noon), Duration::ZERO).await.unwrap()
}

async fn find(store: &Store, consent: &Consent) -> Vec<Consent> {
    let Consent { principal, recipient, purpose, .. } = consent;
    store.find(principal, recipient, purpose).await.unwrap()
}

/// A request reads, then the withdrawal happens, then the request puts what it read away.
#[tokio::test]
async fn what_was_read_before_a_withdrawal_is_not_cached_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory).await;
    let consent = example();
    store.grant(&consent).await.unwrap();
    let key = Key::of(&consent);

    let before = store.cache.generation();
    let read: Arc<[Consent]> = store.read(&key).await.unwrap().into();
    assert_eq!(&read[..], std::slice::from_ref(&consent));
    store.withdraw(consent.id).await.unwrap();
    store.cache.keep(before, key.clone(), read);

    assert!(store.cache.get(&key).is_none());
    assert!(find(&store, &consent).await[0].withdrawn.is_some());
}

/// The same with the last two steps the other way round.
#[tokio::test]
async fn what_was_cached_before_a_withdrawal_is_forgotten_by_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory).await;
    let consent = example();
    store.grant(&consent).await.unwrap();
    let key = Key::of(&consent);
    assert!(find(&store, &consent).await[0].withdrawn.is_none());
    assert!(store.cache.get(&key).is_some(), "found once, it is cached");

    store.withdraw(consent.id).await.unwrap();
    assert!(store.cache.get(&key).is_none());
    assert!(find(&store, &consent).await[0].withdrawn.is_some());
}

#[tokio::test]
async fn having_no_consent_is_cached_until_one_is_granted() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory).await;
    let consent = example();
    assert!(find(&store, &consent).await.is_empty());
    assert!(store.cache.get(&Key::of(&consent)).is_some());
    store.grant(&consent).await.unwrap();
    assert_eq!(find(&store, &consent).await, [consent]);
}

#[tokio::test]
async fn a_failing_disk_is_an_internal_fault_and_not_a_missing_consent() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory).await;
    let consent = example();
    sqlx::query("DROP TABLE consents").execute(&store.writing).await.unwrap();
    let Consent { principal, recipient, purpose, .. } = &consent;
    let fault = store.find(principal, recipient, purpose).await.unwrap_err();
    assert_eq!((fault.kind, &*fault.code), (gateway_core::Kind::Internal, "store-unavailable"));
    assert!(matches!(store.grant(&consent).await, Err(RegistryError::Store(_))));
}

#[tokio::test]
async fn what_was_never_written_there_is_not_read_as_a_consent() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory).await;
    let consent = example();
    store.grant(&consent).await.unwrap();
    for (change, column) in [
        ("UPDATE consents SET valid_until = 'soon'", "valid_until"),
        ("UPDATE consents SET items = '{}'", "items"),
        ("UPDATE consents SET principal = x'00'", "principal"),
    ] {
        sqlx::query(change).execute(&store.writing).await.unwrap();
        let refused = store.of_recipient(&consent.recipient, None, 9).await.unwrap_err();
        let named =
            matches!(&refused, RegistryError::Store(Broken::Column(name)) if *name == column);
        assert!(named, "{refused}");
    }
}
