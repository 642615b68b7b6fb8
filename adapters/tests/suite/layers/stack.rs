//! All layers together, in the order in which a backend has them.

use std::num::NonZeroUsize;
use std::sync::Arc;

use adapters::layer::{BreakerPolicy, Event, HedgePolicy, Layers, RetryPolicy};
use gateway_core::Kind::{BackendUnavailable, OutcomeUnknown};
use gateway_core::{Adapter, Operation};

use super::Step::{Answers, Fails};
use super::{Notes, Scripted, ms, number, query, submit};

fn layered(inner: &Arc<Scripted>) -> (Arc<dyn Adapter>, Arc<Notes>) {
    let layers = Layers {
        concurrency: NonZeroUsize::MIN.saturating_add(3),
        retry: Some(RetryPolicy { attempts: 3, backoff: ms(10), budget_percent: 100 }),
        breaker: Some(BreakerPolicy { failures: 3, open: ms(5_000) }),
        hedge: Some(HedgePolicy { after: ms(500), budget_percent: 100 }),
    };
    let notes = Arc::new(Notes::default());
    (layers.around(inner.clone(), notes.clone()), notes)
}

fn attempts(notes: &Notes, wanted: Operation) -> usize {
    let called =
        |event: &Event| matches!(event, Event::Called { operation, .. } if *operation == wanted);
    notes.all().iter().filter(|event| called(event)).count()
}

#[tokio::test(start_paused = true)]
async fn a_submit_passes_once_and_its_outcome_is_what_the_backend_said() {
    for kind in [BackendUnavailable, OutcomeUnknown] {
        let inner = Scripted::new([Fails(2_000, kind)]);
        let (adapter, notes) = layered(&inner);
        assert_eq!(submit(&*adapter, ms(10_000)).await.unwrap_err().kind, kind);
        assert_eq!((inner.calls(), attempts(&notes, Operation::Submit)), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_submit_that_nobody_answers_ends_as_unknown_and_a_query_as_not_done() {
    let inner = Scripted::new([Answers(3_600_000)]);
    let (adapter, _) = layered(&inner);
    assert_eq!(submit(&*adapter, ms(1_000)).await.unwrap_err().kind, OutcomeUnknown);
    assert_eq!(query(&*adapter, ms(1_000)).await.unwrap_err().kind, BackendUnavailable);
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_counted_and_no_more_are_made_once_the_circuit_is_open() {
    let failing = || Fails(0, BackendUnavailable);
    let inner = Scripted::new([failing(), failing(), Answers(0)]);
    let (adapter, notes) = layered(&inner);
    assert_eq!(number(query(&*adapter, ms(10_000)).await), 3);
    assert_eq!((attempts(&notes, Operation::Query), notes.count(&Event::Retried)), (3, 2));

    let inner = Scripted::new([failing()]);
    let (adapter, notes) = layered(&inner);
    for _ in 0..5 {
        query(&*adapter, ms(10_000)).await.unwrap_err();
    }
    assert_eq!(attempts(&notes, Operation::Query), 3);
    assert_eq!(adapter.accepts().unwrap_err().code, "circuit-open");
}
