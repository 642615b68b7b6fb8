//! A backend that keeps failing is left alone, and found again when it answers.

use std::sync::Arc;
use std::time::Duration;

use adapters::layer::{Breaker, BreakerPolicy, Circuit, Event, Layered};
use futures_util::future::join_all;
use gateway_core::Adapter;
use gateway_core::Kind::{BackendRefused, BackendUnavailable, OutcomeUnknown};
use tokio::time::{advance, timeout};

use super::Step::{Answers, Fails};
use super::{Notes, Scripted, ms, query, submit};

const POLICY: BreakerPolicy = BreakerPolicy { failures: 3, open: ms(5_000) };
const LONG: Duration = ms(10_000);

fn breaker(inner: &Arc<Scripted>) -> (Layered<Breaker>, Arc<Notes>) {
    let notes = Arc::new(Notes::default());
    (Layered::new(Breaker::new(POLICY, notes.clone()), inner.clone()), notes)
}

fn failing() -> super::Step {
    Fails(0, BackendUnavailable)
}

#[tokio::test(start_paused = true)]
async fn it_opens_after_failures_in_a_row_and_says_when_to_come_back() {
    let inner = Scripted::new([failing(), failing(), Answers(0), failing()]);
    let (adapter, notes) = breaker(&inner);
    for _ in 0..6 {
        assert!(adapter.accepts().is_ok());
        let _ = query(&adapter, LONG).await;
    }
    assert_eq!(inner.calls(), 6, "an answer in between starts the count anew");
    advance(ms(2_000)).await;
    let refused = query(&adapter, LONG).await.unwrap_err();
    assert_eq!((refused.kind, &*refused.code), (BackendUnavailable, "circuit-open"));
    assert_eq!(refused.retry, gateway_core::Retry::After(ms(3_000)));
    assert_eq!(adapter.accepts().unwrap_err().code, "circuit-open");
    assert_eq!(inner.calls(), 6, "the backend is left alone");
    assert_eq!(notes.all(), [Circuit::Closed, Circuit::Open].map(Event::Circuit));
}

#[tokio::test(start_paused = true)]
async fn one_call_is_let_through_to_see_and_the_rest_follow_its_answer() {
    let inner = Scripted::new([failing(), failing(), failing(), Answers(100)]);
    let (adapter, notes) = breaker(&inner);
    for _ in 0..3 {
        query(&adapter, LONG).await.unwrap_err();
    }
    advance(POLICY.open).await;
    let outcomes = join_all((0..10).map(|_| query(&adapter, LONG))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(inner.calls(), 4, "only one was let through");
    assert!(query(&adapter, LONG).await.is_ok());
    let circuits = [Circuit::Closed, Circuit::Open, Circuit::HalfOpen, Circuit::Closed];
    assert_eq!(notes.all(), circuits.map(Event::Circuit));
}

#[tokio::test(start_paused = true)]
async fn it_opens_again_when_the_one_fails() {
    let inner = Scripted::new([failing()]);
    let (adapter, _) = breaker(&inner);
    for _ in 0..3 {
        query(&adapter, LONG).await.unwrap_err();
    }
    for round in 1..4 {
        advance(POLICY.open).await;
        assert_eq!(query(&adapter, LONG).await.unwrap_err().code, "scripted");
        assert_eq!(query(&adapter, LONG).await.unwrap_err().code, "circuit-open");
        assert_eq!(inner.calls(), 3 + round);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_given_up_has_shown_nothing_and_the_next_may_try() {
    let inner = Scripted::new([failing(), failing(), failing(), Answers(1_000), Answers(0)]);
    let (adapter, _) = breaker(&inner);
    for _ in 0..3 {
        query(&adapter, LONG).await.unwrap_err();
    }
    advance(POLICY.open).await;
    assert!(timeout(ms(10), query(&adapter, LONG)).await.is_err());
    assert!(query(&adapter, LONG).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_answer_and_a_lost_submit_is_a_failure() {
    let inner = Scripted::new([Fails(0, BackendRefused)]);
    let (adapter, _) = breaker(&inner);
    for _ in 0..10 {
        assert_eq!(submit(&adapter, LONG).await.unwrap_err().kind, BackendRefused);
    }
    let inner = Scripted::new([Fails(0, OutcomeUnknown)]);
    let (adapter, _) = breaker(&inner);
    for _ in 0..3 {
        assert_eq!(submit(&adapter, LONG).await.unwrap_err().kind, OutcomeUnknown);
    }
    let refused = submit(&adapter, LONG).await.unwrap_err();
    assert_eq!(refused.kind, BackendUnavailable, "nothing was sent");
    assert_eq!(inner.calls(), 3);
}
