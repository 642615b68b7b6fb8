//! Acts that two operators have to agree on.

use gateway_core::Clock;
use gateway_store::{ActError, ActState, Acts, ProposedAct};
use uuid::Uuid;

use super::{Backend, TestClock};

fn act(clock: &TestClock, name: &str) -> ProposedAct {
    let proposed = clock.now();
    ProposedAct {
        id: Uuid::now_v7(),
        name: name.into(),
        target: Some("city-x".into()),
        content: "{}".into(),
        proposer: "one".into(),
        proposed,
        expires: proposed + std::time::Duration::from_secs(60),
        state: ActState::Proposed,
        decider: None,
        decided: None,
        reason: None,
    }
}

pub(crate) async fn another_operator_decides_an_act_once(backend: impl Backend) {
    let store = backend.open().await;
    let proposed = act(backend.clock(), "member.activate");
    store.propose(&proposed).await.unwrap();
    assert_eq!(store.acts(true, 9).await.unwrap(), std::slice::from_ref(&proposed));

    let own = store.approve(proposed.id, "one").await;
    assert!(matches!(own, Err(ActError::Own)));
    let (first, second) =
        tokio::join!(store.approve(proposed.id, "two"), store.approve(proposed.id, "three"));
    let approved = [first, second].into_iter().filter_map(Result::ok).collect::<Vec<_>>();
    assert_eq!(approved.len(), 1, "only one of them decided");
    assert_eq!(approved[0].state, ActState::Approved);
    let late = store.reject(proposed.id, "two").await;
    assert!(matches!(late, Err(ActError::Decided(ActState::Approved))));
    assert!(matches!(store.approve(Uuid::nil(), "two").await, Err(ActError::Unknown(_))));
}

pub(crate) async fn an_act_waits_over_a_restart_and_not_for_ever(backend: impl Backend) {
    let proposed = act(backend.clock(), "member.suspend");
    let approved = act(backend.clock(), "member.end");
    let store = backend.open().await;
    store.propose(&proposed).await.unwrap();
    store.propose(&approved).await.unwrap();
    store.approve(approved.id, "two").await.unwrap();
    drop(store);

    let store = backend.open().await;
    let open: Vec<_> = store.acts(true, 9).await.unwrap().iter().map(|act| act.state).collect();
    assert_eq!(open, [ActState::Proposed, ActState::Approved]);
    store.conclude(approved.id, None).await.unwrap();
    backend.clock().advance(60);
    assert!(matches!(store.approve(proposed.id, "two").await, Err(ActError::Expired)));
    let rejected = store.reject(proposed.id, "one").await.unwrap();
    assert_eq!((rejected.state, rejected.decider.as_deref()), (ActState::Rejected, Some("one")));
    assert_eq!(store.acts(true, 9).await.unwrap(), []);
    let all: Vec<_> = store.acts(false, 9).await.unwrap().iter().map(|act| act.state).collect();
    assert_eq!(all, [ActState::Rejected, ActState::Done]);
}
