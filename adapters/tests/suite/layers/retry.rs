//! A query is asked again, within bounds; a submit never is.

use std::sync::Arc;

use adapters::layer::{Event, Layered, Retry, RetryPolicy};
use gateway_core::Kind::{BackendRefused, BackendUnavailable, OutcomeUnknown};

use super::Step::{Answers, Fails, Sends};
use super::{Notes, Scripted, ms, number, query, submit};

const POLICY: RetryPolicy = RetryPolicy { attempts: 3, backoff: ms(100), budget_percent: 100 };

fn retry(inner: &Arc<Scripted>, policy: RetryPolicy) -> (Layered<Retry>, Arc<Notes>) {
    let notes = Arc::new(Notes::default());
    (Layered::new(Retry::new(policy, notes.clone()), inner.clone()), notes)
}

#[tokio::test(start_paused = true)]
async fn a_query_is_asked_again_after_a_growing_pause() {
    let failing = || Fails(0, BackendUnavailable);
    let inner = Scripted::new([failing(), failing(), Answers(0)]);
    let (adapter, notes) = retry(&inner, POLICY);
    assert_eq!(number(query(&adapter, ms(10_000)).await), 3);
    assert_eq!(notes.count(&Event::Retried), 2);
    let moments = inner.moments();
    let (first, second) = (moments[1] - moments[0], moments[2] - moments[1]);
    assert!((100..=150).contains(&first), "100 ms and up to half of it again: {first}");
    assert!((200..=300).contains(&second), "twice as long: {second}");
}

#[tokio::test(start_paused = true)]
async fn the_last_failure_is_the_answer_when_all_attempts_fail() {
    let inner = Scripted::new([Fails(0, BackendUnavailable)]);
    let (adapter, _) = retry(&inner, POLICY);
    assert_eq!(query(&adapter, ms(10_000)).await.unwrap_err().kind, BackendUnavailable);
    assert_eq!(inner.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_answer() {
    let inner = Scripted::new([Fails(0, BackendRefused)]);
    let (adapter, _) = retry(&inner, POLICY);
    assert_eq!(query(&adapter, ms(10_000)).await.unwrap_err().kind, BackendRefused);
    assert_eq!(inner.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_says_not_now_is_asked_again_and_any_other_answer_is_one() {
    for (status, calls) in [(503, 3), (429, 3), (200, 1), (404, 1), (500, 1)] {
        let inner = Scripted::new([Sends(status)]);
        let (adapter, _) = retry(&inner, POLICY);
        query(&adapter, ms(10_000)).await.unwrap();
        assert_eq!(inner.calls(), calls, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_submit_is_sent_once_whatever_becomes_of_it() {
    for kind in [BackendUnavailable, OutcomeUnknown] {
        let inner = Scripted::new([Fails(0, kind)]);
        let (adapter, notes) = retry(&inner, POLICY);
        assert_eq!(submit(&adapter, ms(10_000)).await.unwrap_err().kind, kind);
        assert_eq!((inner.calls(), notes.all()), (1, vec![]));
    }
}

#[tokio::test(start_paused = true)]
async fn no_attempt_begins_after_the_deadline() {
    let inner = Scripted::new([Fails(80, BackendUnavailable)]);
    let policy = RetryPolicy { attempts: 100, ..POLICY };
    let (adapter, _) = retry(&inner, policy);
    assert_eq!(query(&adapter, ms(1_000)).await.unwrap_err().kind, BackendUnavailable);
    let moments = inner.moments();
    assert!(moments.len() > 2, "{moments:?}");
    assert!(moments.iter().all(|moment| *moment < 1_000), "{moments:?}");
}

#[tokio::test(start_paused = true)]
async fn a_backend_in_trouble_is_not_given_several_times_its_load() {
    let inner = Scripted::new([Fails(0, BackendUnavailable)]);
    let (adapter, notes) = retry(&inner, RetryPolicy { budget_percent: 10, ..POLICY });
    for _ in 0..200 {
        query(&adapter, ms(1_000)).await.unwrap_err();
    }
    let retried = notes.count(&Event::Retried);
    // A tenth of the calls, and one a second of reserve over the ten seconds of the window and the
    // few that the test takes.
    assert!((20..=50).contains(&retried), "{retried}");
    assert_eq!(inner.calls(), 200 + retried);
}
