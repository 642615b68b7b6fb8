//! Consents: granted, found, withdrawn, listed.

use std::collections::BTreeSet;

use gateway_core::consent::Consents;
use gateway_core::{Clock, Consent, MemberId, Pseudonym};
use gateway_store::{ConsentRegistry, RegistryError};
use uuid::Uuid;

use super::Backend;

fn consent(id: u128, person: u8) -> Consent {
    Consent {
        id: Uuid::from_u128(id),
        principal: Pseudonym([person; 32]),
        recipient: MemberId("city-a".into()),
        purpose: "overlap-check".into(),
        items: BTreeSet::from(["history".to_owned(), "소득".to_owned()]),
        valid_from: "2026-01-01T00:00:00Z".parse().unwrap(),
        valid_until: "2027-01-01T00:00:00.000000001Z".parse().unwrap(),
        withdrawn: None,
    }
}

async fn find(store: &impl Consents, consent: &Consent) -> Vec<Consent> {
    let Consent { principal, recipient, purpose, .. } = consent;
    store.find(principal, recipient, purpose).await.unwrap()
}

pub(crate) async fn what_is_granted_is_found_as_it_was(backend: impl Backend) {
    let store = backend.open().await;
    let (first, second) = (consent(1, 1), consent(2, 1));
    store.grant(&first).await.unwrap();
    assert_eq!(find(&store, &first).await, std::slice::from_ref(&first));
    store.grant(&second).await.unwrap();
    assert_eq!(find(&store, &first).await, [first.clone(), second.clone()]);
    drop(store);
    let store = backend.open().await;
    assert_eq!(find(&store, &first).await, [first, second]);
}

pub(crate) async fn only_the_same_person_recipient_and_purpose_find_it(backend: impl Backend) {
    let store = backend.open().await;
    let granted = consent(1, 1);
    store.grant(&granted).await.unwrap();
    let mut others = vec![granted.clone(); 3];
    others[0].principal = Pseudonym([2; 32]);
    others[1].recipient = MemberId("city-b".into());
    others[2].purpose = "overlap-check ".into();
    for other in others {
        assert!(find(&store, &other).await.is_empty());
    }
}

pub(crate) async fn a_withdrawal_holds_for_every_later_request(backend: impl Backend) {
    let store = backend.open().await;
    let granted = consent(1, 1);
    store.grant(&granted).await.unwrap();
    assert!(find(&store, &granted).await[0].is_live(backend.clock().now()));

    let withdrawn = store.withdraw(granted.id).await.unwrap();
    let when = backend.clock().now();
    assert_eq!(withdrawn.withdrawn, Some(when));
    assert_eq!(find(&store, &granted).await, std::slice::from_ref(&withdrawn));

    backend.clock().advance(60);
    assert_eq!(store.withdraw(granted.id).await.unwrap(), withdrawn, "the first one stands");
    drop(store);
    assert_eq!(find(&backend.open().await, &granted).await, [withdrawn]);
}

pub(crate) async fn what_is_no_consent_is_refused(backend: impl Backend) {
    let store = backend.open().await;
    let unknown = store.withdraw(Uuid::from_u128(9)).await;
    assert!(matches!(unknown, Err(RegistryError::Unknown(id)) if id == Uuid::from_u128(9)));

    store.grant(&consent(1, 1)).await.unwrap();
    let again = store.grant(&consent(1, 2)).await;
    assert!(matches!(again, Err(RegistryError::Exists(id)) if id == Uuid::from_u128(1)));

    let mut wrong = vec![consent(2, 1); 3];
    wrong[0].items.clear();
    wrong[1].valid_until = wrong[1].valid_from;
    wrong[2].withdrawn = Some(wrong[2].valid_from);
    for wrong in wrong {
        assert!(matches!(store.grant(&wrong).await, Err(RegistryError::Invalid(_))));
        assert_eq!(find(&store, &wrong).await.len(), 1, "nothing was recorded");
    }
}

pub(crate) async fn they_are_listed_by_person_and_by_recipient(backend: impl Backend) {
    let store = backend.open().await;
    let mut all: Vec<_> = (0..5).map(|id| consent(id, id as u8 % 2)).collect();
    all[4].recipient = MemberId("city-b".into());
    for consent in all.iter().rev() {
        store.grant(consent).await.unwrap();
    }
    all[0] = store.withdraw(all[0].id).await.unwrap();
    let pick = |numbers: &[usize]| numbers.iter().map(|n| all[*n].clone()).collect::<Vec<_>>();

    let person = |n| Pseudonym([n; 32]);
    assert_eq!(store.of_principal(&person(0)).await.unwrap(), pick(&[0, 2, 4]));
    assert_eq!(store.of_principal(&person(7)).await.unwrap(), []);

    let city = MemberId("city-a".into());
    assert_eq!(store.of_recipient(&city, None, 9).await.unwrap(), pick(&[0, 1, 2, 3]));
    assert_eq!(store.of_recipient(&city, None, 2).await.unwrap(), pick(&[0, 1]));
    let after = Some(all[1].id);
    assert_eq!(store.of_recipient(&city, after, 2).await.unwrap(), pick(&[2, 3]));
    assert_eq!(store.of_recipient(&city, Some(all[3].id), 2).await.unwrap(), []);
}
