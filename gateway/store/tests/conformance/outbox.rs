//! Submits: begun once, kept over any death, settled once.

use gateway_core::adapter::LedgerProof;
use gateway_core::outbox::{Begun, Submission};
use gateway_core::{
    Answer, ExchangeId, Fault, Kind, Message, Outbox, Retry, ServiceId, SubmissionKey, Value,
};
use uuid::Uuid;

use super::Backend;

const DIGEST: [u8; 32] = [5; 32];

fn submission(n: u8) -> Submission {
    Submission {
        key: SubmissionKey([n; 32]),
        exchange: ExchangeId(Uuid::from_u128(n.into())),
        service: ServiceId { sector: "welfare".into(), code: "benefitGrant".into() },
        backend: "ledger".into(),
        mapping: "welfare/ledger/v1".into(),
        ticket: None,
    }
}

/// What is left of `submission` once `ticket` was attached.
fn with_ticket(submission: &Submission, ticket: &[u8]) -> Submission {
    Submission { ticket: Some(ticket.to_vec()), ..submission.clone() }
}

fn answer() -> Result<Answer, Fault> {
    let list = vec![[("day", Value::Date("2026-11-02".parse().unwrap()))].into_iter().collect()];
    Ok(Answer {
        values: Message::from_iter([
            ("number", Value::Integer(i128::MAX)),
            ("small", Value::Integer(-1)),
            ("text", Value::Text("지급".into())),
            ("bytes", Value::Bytes(vec![0, 255])),
            ("flag", Value::Flag(true)),
            ("list", Value::List(list)),
        ]),
        proof: Some(LedgerProof {
            network: "eip155:31337".into(),
            transaction: Some("0xab".into()),
            block: u64::MAX,
            block_hash: "0xcd".into(),
        }),
    })
}

async fn begin(store: &impl Outbox, submission: &Submission) -> Begun {
    store.begin(submission, &DIGEST).await.unwrap()
}

pub(crate) async fn a_key_is_fresh_once(backend: impl Backend) {
    let store = backend.open().await;
    let first = submission(1);
    assert!(matches!(begin(&store, &first).await, Begun::Fresh));
    assert!(matches!(begin(&store, &first).await, Begun::Running));
    assert!(matches!(begin(&store, &submission(2)).await, Begun::Fresh));
    store.attach(&first.key, b"signed").await.unwrap();
    assert!(matches!(begin(&store, &first).await, Begun::Running));
    assert!(matches!(store.begin(&first, &[6; 32]).await.unwrap(), Begun::Reused));
}

pub(crate) async fn of_many_at_once_one_is_fresh(backend: impl Backend) {
    let store = backend.open().await;
    let first = submission(1);
    let begun = futures_util::future::join_all((0..20).map(|_| begin(&store, &first))).await;
    let fresh = begun.iter().filter(|begun| matches!(begun, Begun::Fresh)).count();
    let running = begun.iter().filter(|begun| matches!(begun, Begun::Running)).count();
    assert_eq!((fresh, running), (1, 19));
}

pub(crate) async fn an_outcome_is_answered_again_as_it_was(backend: impl Backend) {
    let store = backend.open().await;
    store_outcomes(&store).await;
    drop(store);
    let store = backend.open().await;
    match begin(&store, &submission(1)).await {
        Begun::Settled { mapping, outcome: Ok(found) } => {
            assert_eq!((&*mapping, found), ("welfare/ledger/v1", answer().unwrap()));
        }
        other => panic!("{other:?}"),
    }
    match begin(&store, &submission(2)).await {
        Begun::Settled { outcome: Err(found), .. } => {
            assert_eq!(found.kind, Kind::BackendRefused);
            assert_eq!(found.code, "overlapping-benefit");
            assert_eq!(found.public, "겹치는 급여가 있습니다");
            assert_eq!(found.retry, Retry::Never);
        }
        other => panic!("{other:?}"),
    }
    let reused = store.begin(&submission(1), &[6; 32]).await.unwrap();
    assert!(matches!(reused, Begun::Reused));
    assert_eq!(store.unsettled().await.unwrap(), []);
}

async fn store_outcomes(store: &impl Outbox) {
    let refused = Fault::new(Kind::BackendRefused, "overlapping-benefit", "겹치는 급여가 있습니다");
    for (n, outcome) in [(1, answer()), (2, Err(refused))] {
        begin(store, &submission(n)).await;
        store.attach(&submission(n).key, b"signed").await.unwrap();
        store.settle(&submission(n).key, &outcome).await.unwrap();
    }
}

pub(crate) async fn the_first_outcome_stands(backend: impl Backend) {
    let store = backend.open().await;
    let first = submission(1);
    begin(&store, &first).await;
    store.settle(&first.key, &answer()).await.unwrap();
    let late = Err(Fault::new(Kind::BackendRefused, "late", ""));
    store.settle(&first.key, &late).await.unwrap();
    store.release(&first.key).await.unwrap();
    assert!(matches!(begin(&store, &first).await, Begun::Settled { outcome: Ok(_), .. }));
}

pub(crate) async fn a_released_key_is_fresh_unless_something_was_sent(backend: impl Backend) {
    let store = backend.open().await;
    let (unsent, sent) = (submission(1), submission(2));
    begin(&store, &unsent).await;
    store.release(&unsent.key).await.unwrap();
    // Nothing was sent, so even another request may have the key.
    assert!(matches!(store.begin(&unsent, &[6; 32]).await.unwrap(), Begun::Fresh));

    begin(&store, &unsent).await;
    store.attach(&unsent.key, b"signed").await.unwrap();
    store.withdraw(&unsent.key).await.unwrap();
    store.release(&unsent.key).await.unwrap();
    assert!(matches!(begin(&store, &unsent).await, Begun::Fresh));

    begin(&store, &sent).await;
    store.attach(&sent.key, b"signed").await.unwrap();
    store.release(&sent.key).await.unwrap();
    let left = with_ticket(&sent, b"signed");
    assert_eq!(store.unsettled().await.unwrap(), std::slice::from_ref(&left));
    assert!(matches!(store.begin(&sent, &[6; 32]).await.unwrap(), Begun::Reused));
    // The one who takes it up again has it for itself.
    match begin(&store, &Submission { exchange: ExchangeId(Uuid::nil()), ..sent.clone() }).await {
        Begun::Interrupted(found) => assert_eq!(found, left),
        other => panic!("{other:?}"),
    }
    assert!(matches!(begin(&store, &sent).await, Begun::Running));
    assert_eq!(store.unsettled().await.unwrap(), []);
}

pub(crate) async fn what_a_dead_process_left_is_taken_up(backend: impl Backend) {
    let store = backend.open().await;
    for n in 1..=4 {
        begin(&store, &submission(n)).await;
    }
    for n in [3, 2] {
        store.attach(&submission(n).key, &[n]).await.unwrap();
    }
    store.settle(&submission(4).key, &answer()).await.unwrap();
    assert_eq!(store.unsettled().await.unwrap(), [], "all are in work");
    drop(store);

    let store = backend.open().await;
    let left = [2, 3].map(|n| with_ticket(&submission(n), &[n]));
    assert_eq!(store.unsettled().await.unwrap(), left, "oldest first");
    assert!(matches!(begin(&store, &submission(1)).await, Begun::Fresh));
    match begin(&store, &submission(2)).await {
        Begun::Interrupted(found) => assert_eq!(found, left[0]),
        other => panic!("{other:?}"),
    }
    assert!(matches!(begin(&store, &submission(4)).await, Begun::Settled { outcome: Ok(_), .. }));
    // Recovery settles without having begun, and has what it claimed for itself.
    let claimed = &left[1].key;
    assert!(store.claim(claimed).await.unwrap());
    assert!(!store.claim(claimed).await.unwrap(), "it is taken");
    assert!(!store.claim(&left[0].key).await.unwrap(), "a request has taken it up");
    assert!(matches!(begin(&store, &submission(3)).await, Begun::Running));
    store.attach(claimed, b"signed anew").await.unwrap();
    store.release(claimed).await.unwrap();
    assert_eq!(store.unsettled().await.unwrap(), [with_ticket(&submission(3), b"signed anew")]);
    assert!(store.claim(claimed).await.unwrap());
    store.settle(claimed, &answer()).await.unwrap();
    assert!(!store.claim(claimed).await.unwrap(), "it is settled");
    assert!(matches!(begin(&store, &submission(3)).await, Begun::Settled { outcome: Ok(_), .. }));
}

pub(crate) async fn a_ticket_is_attached_only_to_a_submit_in_work(backend: impl Backend) {
    let store = backend.open().await;
    let first = submission(1);
    let refused = store.attach(&first.key, b"signed").await.unwrap_err();
    assert_eq!((refused.kind, &*refused.code), (Kind::Internal, "store-unavailable"));
    begin(&store, &first).await;
    store.attach(&first.key, b"signed").await.unwrap();
    store.attach(&first.key, b"signed again").await.unwrap();
    store.settle(&first.key, &answer()).await.unwrap();
    assert!(store.attach(&first.key, b"late").await.is_err());
}

pub(crate) async fn outcomes_are_kept_as_long_as_configured(backend: impl Backend) {
    const DAY: i64 = 24 * 60 * 60;
    let store = backend.open().await;
    store_outcomes(&store).await;
    begin(&store, &submission(3)).await;
    store.attach(&submission(3).key, b"signed").await.unwrap();
    backend.clock().advance(DAY);
    drop(store);
    let store = backend.open().await;
    assert!(matches!(begin(&store, &submission(1)).await, Begun::Settled { .. }), "not older yet");

    backend.clock().advance(1);
    // One that is settled sweeps what has expired, and so does a start.
    store.settle(&submission(3).key, &answer()).await.unwrap();
    for n in [1, 2] {
        assert!(matches!(begin(&store, &submission(n)).await, Begun::Fresh));
    }
    assert!(matches!(begin(&store, &submission(3)).await, Begun::Settled { .. }));
    backend.clock().advance(DAY + 1);
    drop(store);
    let store = backend.open().await;
    assert!(matches!(begin(&store, &submission(3)).await, Begun::Fresh));
}
