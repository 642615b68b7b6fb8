//! Letters: kept over any death, taken by one, in the order of their lane, ended once.

use gateway_core::letter::{Claim, Ending, Letter, LetterBox, Letters, Posted, State, Task};
use gateway_core::{Clock, MemberId, SubmissionKey};
use uuid::Uuid;

use super::{Backend, TestClock};

const PLENTY: u32 = 100;

fn id(n: u8) -> Uuid {
    Uuid::from_u128(n.into())
}

fn letter(n: u8, clock: &TestClock) -> Letter {
    Letter {
        id: id(n),
        task: Task::Exchange,
        member: MemberId("bank".into()),
        subject: "welfare/history".into(),
        lane: None,
        content: vec![n, 0, 255],
        posted: gateway_core::Clock::now(clock).round(jiff::Unit::Millisecond).unwrap(),
        attempts: 0,
    }
}

fn in_lane(n: u8, lane: &str, clock: &TestClock) -> Letter {
    Letter { lane: Some(lane.into()), task: Task::Delivery, ..letter(n, clock) }
}

fn claim(key: u8, digest: u8) -> Option<Claim> {
    Some(Claim { key: SubmissionKey([key; 32]), digest: [digest; 32] })
}

fn done(backend: &impl Backend) -> Ending {
    let keep_until = Some(backend.clock().now() + std::time::Duration::from_secs(60));
    Ending { state: State::Done, outcome: Some(b"sealed".to_vec()), reason: None, keep_until }
}

fn dead() -> Ending {
    let reason = Some("no such host".into());
    Ending { state: State::Dead, outcome: None, reason, keep_until: None }
}

async fn post(store: &impl Letters, letter: &Letter) {
    assert_eq!(store.post(letter, None, PLENTY).await.unwrap(), Posted::New);
}

async fn taken(store: &impl Letters) -> Vec<Uuid> {
    store.take(10).await.unwrap().iter().map(|letter| letter.id).collect()
}

pub(crate) async fn what_is_posted_is_taken_once_as_it_was(backend: impl Backend) {
    let store = backend.open().await;
    let letter = letter(1, backend.clock());
    post(&store, &letter).await;
    assert_eq!(store.take(10).await.unwrap(), [letter]);
    assert_eq!(store.take(10).await.unwrap(), [], "it is being worked on");
}

pub(crate) async fn what_a_dead_process_took_is_due_again(backend: impl Backend) {
    let store = backend.open().await;
    post(&store, &letter(1, backend.clock())).await;
    assert_eq!(taken(&store).await, [id(1)]);
    drop(store);
    let store = backend.open().await;
    assert_eq!(taken(&store).await, [id(1)]);
}

pub(crate) async fn a_key_is_one_letter(backend: impl Backend) {
    let store = backend.open().await;
    let posts = |n, key, digest| {
        let letter = letter(n, backend.clock());
        let store = &store;
        async move { store.post(&letter, claim(key, digest), PLENTY).await.unwrap() }
    };
    assert_eq!(posts(1, 7, 1).await, Posted::New);
    assert_eq!(posts(2, 7, 1).await, Posted::Known(id(1)));
    assert_eq!(posts(3, 7, 2).await, Posted::Reused);
    assert_eq!(posts(4, 8, 1).await, Posted::New);
    assert_eq!(taken(&store).await, [id(1), id(4)]);
    store.end(id(1), &done(&backend), &[]).await.unwrap();
    assert_eq!(posts(5, 7, 1).await, Posted::Known(id(1)), "also when it is done");
    backend.clock().advance(61);
    assert_eq!(posts(6, 7, 1).await, Posted::New, "until its time is over");
}

pub(crate) async fn a_member_has_its_share_of_the_queue(backend: impl Backend) {
    let store = backend.open().await;
    let post = |letter: Letter| {
        let store = &store;
        async move { store.post(&letter, None, 2).await.unwrap() }
    };
    assert_eq!(post(letter(1, backend.clock())).await, Posted::New);
    assert_eq!(post(letter(2, backend.clock())).await, Posted::New);
    assert_eq!(post(letter(3, backend.clock())).await, Posted::Full);
    let other = Letter { member: MemberId("city".into()), ..letter(4, backend.clock()) };
    assert_eq!(post(other).await, Posted::New);
    assert_eq!(post(in_lane(5, "lane", backend.clock())).await, Posted::New, "another task");
    assert_eq!(taken(&store).await.len(), 4);
    store.end(id(1), &dead(), &[]).await.unwrap();
    assert_eq!(post(letter(6, backend.clock())).await, Posted::New, "a dead one takes no place");
}

pub(crate) async fn a_lane_keeps_its_order(backend: impl Backend) {
    let store = backend.open().await;
    for n in [1, 2, 3] {
        post(&store, &in_lane(n, "first", backend.clock())).await;
    }
    post(&store, &in_lane(4, "second", backend.clock())).await;
    assert_eq!(taken(&store).await, [id(1), id(4)]);
    assert!(taken(&store).await.is_empty(), "the next waits for the one in work");
    let later = backend.clock().now() + std::time::Duration::from_secs(5);
    store.postpone(id(1), later, "503").await.unwrap();
    assert!(taken(&store).await.is_empty(), "and for one that is tried again later");
    backend.clock().advance(5);
    let again = store.take(10).await.unwrap();
    assert_eq!((again[0].id, again[0].attempts), (id(1), 1));
    store.end(id(1), &dead(), &[]).await.unwrap();
    assert_eq!(taken(&store).await, [id(2)], "but not for a dead one");
    let gone = Ending { state: State::Done, outcome: None, reason: None, keep_until: None };
    store.end(id(2), &gone, &[]).await.unwrap();
    assert_eq!(store.look(id(2)).await.unwrap(), None, "done without outcome leaves nothing");
    assert_eq!(taken(&store).await, [id(3)]);
}

pub(crate) async fn an_outcome_is_kept_for_its_time(backend: impl Backend) {
    let store = backend.open().await;
    post(&store, &letter(1, backend.clock())).await;
    let (envelope, outcome) = store.look(id(1)).await.unwrap().unwrap();
    assert_eq!((envelope.state, outcome), (State::Waiting, None));
    taken(&store).await;
    let following = in_lane(2, "lane", backend.clock());
    store.end(id(1), &done(&backend), std::slice::from_ref(&following)).await.unwrap();
    assert_eq!(store.take(10).await.unwrap(), [following]);
    drop(store);
    let store = backend.open().await;
    let (envelope, outcome) = store.look(id(1)).await.unwrap().unwrap();
    assert_eq!((envelope.state, envelope.attempts), (State::Done, 1));
    assert_eq!(outcome.as_deref(), Some(&b"sealed"[..]));
    backend.clock().advance(60);
    assert_eq!(store.look(id(1)).await.unwrap(), None);
    assert_eq!(store.list(State::Done, None, 10).await.unwrap(), []);
}

pub(crate) async fn the_dead_are_listed_replayed_and_discarded(backend: impl Backend) {
    let store = backend.open().await;
    for n in 1..=5 {
        post(&store, &letter(n, backend.clock())).await;
    }
    taken(&store).await;
    for n in 1..=4 {
        store.end(id(n), &dead(), &[]).await.unwrap();
    }
    let ids = |page: Vec<gateway_core::letter::Envelope>| -> Vec<_> {
        page.iter().map(|envelope| envelope.id).collect()
    };
    let page = store.list(State::Dead, None, 3).await.unwrap();
    assert_eq!(page[0].reason.as_deref(), Some("no such host"));
    assert_eq!(ids(page), [id(1), id(2), id(3)]);
    assert_eq!(ids(store.list(State::Dead, Some(id(3)), 3).await.unwrap()), [id(4)]);
    assert!(store.replay(id(2)).await.unwrap());
    assert!(!store.replay(id(2)).await.unwrap(), "it waits already");
    assert!(!store.replay(id(5)).await.unwrap(), "it is being worked on");
    assert!(!store.discard(id(5)).await.unwrap(), "it is being worked on");
    assert!(store.discard(id(1)).await.unwrap());
    assert!(!store.discard(id(1)).await.unwrap());
    let again = store.take(10).await.unwrap();
    assert_eq!((again[0].id, again[0].attempts), (id(2), 0));
    assert_eq!(again[0].content, [2, 0, 255], "its content was kept");
}

pub(crate) async fn only_who_took_a_letter_ends_it(backend: impl Backend) {
    let store = backend.open().await;
    post(&store, &letter(1, backend.clock())).await;
    assert!(store.end(id(1), &dead(), &[]).await.is_err(), "nobody took it");
    let now = backend.clock().now();
    assert!(store.postpone(id(1), now, "").await.is_err());
    taken(&store).await;
    store.end(id(1), &dead(), &[]).await.unwrap();
    assert!(store.end(id(1), &done(&backend), &[]).await.is_err(), "it has ended");
}
