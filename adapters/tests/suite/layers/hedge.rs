//! A late query is asked twice, and the first good answer counts.

use std::sync::Arc;

use adapters::layer::{Event, Hedge, HedgePolicy, Layered};
use gateway_core::Kind::{BackendRefused, BackendUnavailable};

use super::Step::{Answers, Fails};
use super::{Notes, Scripted, ms, number, query, submit};

const POLICY: HedgePolicy = HedgePolicy { after: ms(100), budget_percent: 100 };

fn hedge(inner: &Arc<Scripted>, policy: HedgePolicy) -> (Layered<Hedge>, Arc<Notes>) {
    let notes = Arc::new(Notes::default());
    (Layered::new(Hedge::new(policy, notes.clone()), inner.clone()), notes)
}

#[tokio::test(start_paused = true)]
async fn a_late_query_is_asked_twice_and_the_first_answer_counts() {
    for (first, second, winner) in [(5_000, 10, 2), (150, 5_000, 1)] {
        let inner = Scripted::new([Answers(first), Answers(second)]);
        let (adapter, notes) = hedge(&inner, POLICY);
        assert_eq!(number(query(&adapter, ms(10_000)).await), winner);
        assert_eq!(inner.moments(), [0, 100]);
        assert_eq!(notes.all(), [Event::Hedged]);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_in_time_is_asked_once() {
    for step in [Answers(99), Fails(99, BackendUnavailable), Fails(99, BackendRefused)] {
        let inner = Scripted::new([step, Answers(0)]);
        let (adapter, _) = hedge(&inner, POLICY);
        let _ = query(&adapter, ms(10_000)).await;
        assert_eq!(inner.calls(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_waits_for_the_other_and_a_refusal_does_not() {
    let inner = Scripted::new([Fails(200, BackendUnavailable), Answers(500)]);
    let (adapter, _) = hedge(&inner, POLICY);
    assert_eq!(number(query(&adapter, ms(10_000)).await), 2);

    let inner = Scripted::new([Answers(500), Fails(0, BackendUnavailable)]);
    let (adapter, _) = hedge(&inner, POLICY);
    assert_eq!(number(query(&adapter, ms(10_000)).await), 1);

    let inner = Scripted::new([Fails(200, BackendRefused), Answers(500)]);
    let (adapter, _) = hedge(&inner, POLICY);
    assert_eq!(query(&adapter, ms(10_000)).await.unwrap_err().kind, BackendRefused);
}

#[tokio::test(start_paused = true)]
async fn a_submit_is_never_sent_twice() {
    let inner = Scripted::new([Answers(5_000)]);
    let (adapter, notes) = hedge(&inner, POLICY);
    submit(&adapter, ms(10_000)).await.unwrap();
    assert_eq!((inner.calls(), notes.all()), (1, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_is_slow_as_a_whole_is_not_asked_twice_as_much() {
    let inner = Scripted::new([Answers(150)]);
    let (adapter, notes) = hedge(&inner, HedgePolicy { budget_percent: 10, ..POLICY });
    for _ in 0..100 {
        query(&adapter, ms(1_000)).await.unwrap();
    }
    let hedged = notes.count(&Event::Hedged);
    // A tenth of the calls, and one a second of reserve over the fifteen that this takes.
    assert!((10..=40).contains(&hedged), "{hedged}");
}
