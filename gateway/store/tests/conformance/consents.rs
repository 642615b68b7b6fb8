//! Consents: granted, changed, found, used, listed.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use gateway_core::consent::{
    ActedBy, Change, ConsentError, Consents, Frequency, FrequencyUnit, Grant, Narrowing, Spent,
    UseLimit,
};
use gateway_core::proof::ProofMeans;
use gateway_core::purpose::{Bilingual, Retention};
use gateway_core::{Assurance, Clock, Consent, MemberId, Proof, Pseudonym, Purpose};
use gateway_store::{Act, Changed, ConsentRegistry, RegistryError, act_digest};
use uuid::Uuid;

use super::Backend;

pub(crate) fn purpose() -> Purpose {
    let text = |text: &str| Bilingual { ko: text.to_owned(), en: text.to_owned() };
    let items = ["history", "소득"].map(|item| (item.to_owned(), text(item)));
    Purpose {
        sector: "welfare".into(),
        code: "overlap-check".into(),
        title: text("overlap"),
        legal_basis: text("a law"),
        notice: text("a notice"),
        items: items.into(),
        controllers: vec![text("an office")],
        recipients: ["city-a", "city-b"].map(|id| MemberId(id.into())).into(),
        storage: vec!["KR".to_owned()],
        jurisdiction: "KR".to_owned(),
        retention: Retention::parse("P1Y").unwrap(),
        keep_record: Retention::parse("P3Y").unwrap(),
        assurance: Assurance::Low,
    }
}

pub(crate) fn terms(person: u8) -> Grant {
    Grant {
        sector: "welfare".into(),
        principal: Pseudonym([person; 32]),
        recipient: MemberId("city-a".into()),
        purpose: "overlap-check".into(),
        items: BTreeSet::from(["history".to_owned(), "소득".to_owned()]),
        valid_from: "2026-01-01T00:00:00Z".parse().unwrap(),
        valid_until: "2027-01-01T00:00:00.000000001Z".parse().unwrap(),
        limit: None,
        delegation: None,
    }
}

fn proof(act: &Act<'_>) -> (Proof, ActedBy) {
    let proof = Proof {
        means: ProofMeans::AgencyPaper { office: MemberId("city-b".into()) },
        assurance: Assurance::Low,
        time: "2026-11-02T00:00:00Z".parse().unwrap(),
        act: act_digest(act).unwrap(),
        evidence: "2026-17".to_owned(),
    };
    (proof, ActedBy::Principal)
}

pub(crate) async fn grant(
    store: &impl ConsentRegistry,
    id: u128,
    terms: Grant,
) -> Result<Changed, RegistryError> {
    let by = proof(&Act::Grant(&terms));
    store.grant(Uuid::from_u128(id), terms, by, &purpose()).await
}

pub(crate) async fn change(
    store: &impl ConsentRegistry,
    id: u128,
    change: Change,
) -> Result<Changed, RegistryError> {
    let consent = Uuid::from_u128(id);
    let by = proof(&Act::Change { consent, change: &change });
    store.change(consent, change, by).await
}

pub(crate) async fn find(store: &impl Consents, terms: &Grant) -> Vec<Consent> {
    let Grant { principal, recipient, purpose, .. } = terms;
    store.find(principal, recipient, purpose).await.unwrap().consents.to_vec()
}

pub(crate) async fn what_is_granted_is_found_as_it_was(backend: impl Backend) {
    let store = backend.consents().await;
    let first = grant(&store, 1, terms(1)).await.unwrap().consent;
    assert_eq!((first.revision, &first.grant), (1, &terms(1)));
    assert_eq!(find(&store, &terms(1)).await, std::slice::from_ref(&first));
    let second = grant(&store, 2, terms(1)).await.unwrap().consent;
    assert_ne!(first.reference, second.reference);
    assert_eq!(find(&store, &terms(1)).await, [first.clone(), second.clone()]);
    drop(store);
    let store = backend.consents().await;
    assert_eq!(find(&store, &terms(1)).await, [first.clone(), second]);
    assert_eq!(store.get(first.id).await.unwrap(), first);
    assert_eq!(store.by_reference(first.reference).await.unwrap(), first);
}

pub(crate) async fn only_the_same_person_recipient_and_purpose_find_it(backend: impl Backend) {
    let store = backend.consents().await;
    grant(&store, 1, terms(1)).await.unwrap();
    let mut others = vec![terms(1); 3];
    others[0].principal = Pseudonym([2; 32]);
    others[1].recipient = MemberId("city-b".into());
    others[2].purpose = "overlap-check ".into();
    for other in others {
        assert!(find(&store, &other).await.is_empty());
    }
}

pub(crate) async fn a_withdrawal_holds_for_every_later_request(backend: impl Backend) {
    let store = backend.consents().await;
    grant(&store, 1, terms(1)).await.unwrap();
    assert!(find(&store, &terms(1)).await[0].is_live(backend.clock().now()));

    let withdrawn = change(&store, 1, Change::Withdraw).await.unwrap();
    assert_eq!(withdrawn.consent.withdrawn(), Some(backend.clock().now()));
    assert_eq!(find(&store, &terms(1)).await, std::slice::from_ref(&withdrawn.consent));

    backend.clock().advance(60);
    let again = change(&store, 1, Change::Withdraw).await.unwrap();
    assert_eq!(again, withdrawn, "the first one stands");
    assert_eq!(store.history(withdrawn.consent.id).await.unwrap().len(), 2);
    drop(store);
    assert_eq!(find(&backend.consents().await, &terms(1)).await, [withdrawn.consent]);
}

pub(crate) async fn a_consent_can_be_narrowed_and_never_widened(backend: impl Backend) {
    let store = backend.consents().await;
    grant(&store, 1, terms(1)).await.unwrap();
    let items = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect();
    let until = |text: &str| text.parse().unwrap();
    let narrowing = Narrowing {
        items: Some(items(&["history"])),
        valid_until: Some(until("2026-12-01T00:00:00Z")),
    };
    let narrowed = change(&store, 1, Change::Narrow(narrowing.clone())).await.unwrap();
    assert_eq!(narrowed.consent.grant.items, items(&["history"]));
    assert_eq!(find(&store, &terms(1)).await, [narrowed.consent]);
    for (wider, refused) in [
        (
            Narrowing { items: Some(items(&["history", "소득"])), ..narrowing.clone() },
            ConsentError::Wider,
        ),
        (Narrowing { items: Some(items(&[])), ..narrowing.clone() }, ConsentError::Items),
        (
            Narrowing { valid_until: Some(until("2027-01-01T00:00:00Z")), items: None },
            ConsentError::Wider,
        ),
        (
            Narrowing { valid_until: Some(until("2026-01-01T00:00:00Z")), items: None },
            ConsentError::Period,
        ),
    ] {
        let said = change(&store, 1, Change::Narrow(wider)).await;
        assert!(matches!(said, Err(RegistryError::Refused(error)) if error == refused));
    }
    change(&store, 1, Change::Withdraw).await.unwrap();
    let late = change(&store, 1, Change::Narrow(narrowing)).await;
    assert!(matches!(late, Err(RegistryError::Refused(ConsentError::Ended))));
}

pub(crate) async fn revisions_are_chained_and_replay_to_the_state(backend: impl Backend) {
    let store = backend.consents().await;
    grant(&store, 1, terms(1)).await.unwrap();
    let fewer = Narrowing { items: Some(["history".to_owned()].into()), valid_until: None };
    change(&store, 1, Change::Narrow(fewer)).await.unwrap();
    let last = change(&store, 1, Change::Withdraw).await.unwrap();
    let id = last.consent.id;
    store.recorded(id, 1, "receipt").await.unwrap();
    store.recorded(id, 1, "another").await.unwrap();

    let chain = store.history(id).await.unwrap();
    assert_eq!(chain[0].receipt.as_deref(), Some("receipt"), "the first one stands");
    assert_eq!(chain[0].revision.previous, None);
    for pair in chain.windows(2) {
        assert_eq!(pair[1].revision.previous, Some(pair[0].hash));
        assert!(pair[0].revision.proof.as_ref().is_some_and(|proof| proof.evidence == "2026-17"));
    }
    let replayed = Consent::replay(chain.iter().map(|kept| &kept.revision)).unwrap();
    assert_eq!(replayed, last.consent);
    assert_eq!(
        Consent::replay(chain[1..].iter().map(|kept| &kept.revision)),
        Err(ConsentError::Chain)
    );
}

pub(crate) async fn what_is_no_consent_is_refused(backend: impl Backend) {
    let store = backend.consents().await;
    let unknown = change(&store, 9, Change::Withdraw).await;
    assert!(matches!(unknown, Err(RegistryError::Unknown(id)) if id == Uuid::from_u128(9)));

    grant(&store, 1, terms(1)).await.unwrap();
    let again = grant(&store, 1, terms(2)).await;
    assert!(matches!(again, Err(RegistryError::Exists(id)) if id == Uuid::from_u128(1)));

    let mut wrong = vec![terms(1); 4];
    wrong[0].items.clear();
    wrong[1].items.insert("shoe-size".to_owned());
    wrong[2].valid_until = wrong[2].valid_from;
    wrong[3].recipient = MemberId("nobody".into());
    for wrong in wrong {
        assert!(matches!(grant(&store, 2, wrong).await, Err(RegistryError::Refused(_))));
    }
    let other = proof(&Act::Grant(&terms(2)));
    let said = store.grant(Uuid::from_u128(2), terms(1), other, &purpose()).await;
    assert!(matches!(said, Err(RegistryError::OtherAct)), "a proof covers one act");
    let mut strict = purpose();
    strict.assurance = Assurance::Substantial;
    let low = proof(&Act::Grant(&terms(1)));
    let said = store.grant(Uuid::from_u128(2), terms(1), low, &strict).await;
    assert!(matches!(said, Err(RegistryError::Refused(ConsentError::Assurance))));
    assert_eq!(find(&store, &terms(1)).await.len(), 1, "nothing was recorded");
}

pub(crate) async fn uses_are_counted_once_per_key_and_period(backend: impl Backend) {
    let store = backend.consents().await;
    let value = NonZeroU32::new(2).unwrap();
    let limit = UseLimit::Periodic(Frequency { unit: FrequencyUnit::Day, value });
    grant(&store, 1, Grant { limit: Some(limit), ..terms(1) }).await.unwrap();
    let (id, key) = (Uuid::from_u128(1), |n| Pseudonym([n; 32]));
    for (n, wanted) in [
        (1, Spent::Counted),
        (1, Spent::Counted),
        (2, Spent::Counted),
        (3, Spent::UsedUp),
        (2, Spent::Counted),
    ] {
        assert_eq!(store.spend(id, &key(n)).await.unwrap(), wanted, "{n}");
    }
    store.give_back(id, &key(1)).await.unwrap();
    assert_eq!(store.spend(id, &key(3)).await.unwrap(), Spent::UsedUp, "another holds it");
    store.give_back(id, &key(1)).await.unwrap();
    assert_eq!(store.spend(id, &key(3)).await.unwrap(), Spent::Counted, "both gave it back");
    backend.clock().advance(24 * 60 * 60);
    assert_eq!(store.spend(id, &key(4)).await.unwrap(), Spent::Counted, "another day");
    drop(store);
    let store = backend.consents().await;
    store.spend(id, &key(5)).await.unwrap();
    assert_eq!(store.spend(id, &key(6)).await.unwrap(), Spent::UsedUp, "uses are durable");
    change(&store, 1, Change::Withdraw).await.unwrap();
    assert_eq!(store.spend(id, &key(1)).await.unwrap(), Spent::Ended);
}

pub(crate) async fn of_many_at_once_one_uses_a_single_use(backend: impl Backend) {
    let store = backend.consents().await;
    grant(&store, 1, Grant { limit: Some(UseLimit::Once), ..terms(1) }).await.unwrap();
    let keys: Vec<_> = (0..16).map(|n| Pseudonym([n; 32])).collect();
    let all = keys.iter().map(|key| store.spend(Uuid::from_u128(1), key));
    let spent = futures_util::future::join_all(all).await;
    let counted = spent.iter().filter(|spent| matches!(spent, Ok(Spent::Counted)));
    assert_eq!(counted.count(), 1);
}

pub(crate) async fn they_are_listed_by_person_and_by_recipient(backend: impl Backend) {
    let store = backend.consents().await;
    let mut all = Vec::new();
    for id in 0..5 {
        let mut terms = terms(id as u8 % 2);
        if id == 4 {
            terms.recipient = MemberId("city-b".into());
        }
        all.push(grant(&store, id, terms).await.unwrap().consent);
    }
    all[0] = change(&store, 0, Change::Withdraw).await.unwrap().consent;
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
