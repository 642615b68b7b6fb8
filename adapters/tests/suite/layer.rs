//! The bounds around an adapter, over one that never answers.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use adapters::layer::{Layered, Limit, Timeout};
use async_trait::async_trait;
use gateway_core::adapter::Settlement;
use gateway_core::outbox::Submission;
use gateway_core::{
    Adapter, Admitted, Answer, Call, Content, Fault, Finality, Kind, Operation, Profile, Response,
    SubmissionKey, Takes,
};
use tokio::sync::Semaphore;

use crate::support::{LONG, SHORT, exchange};

/// Answers once for each permit it is given, and counts how many calls it has at once.
struct Patient {
    profile: Profile,
    answers: Semaphore,
    now: AtomicUsize,
    most: AtomicUsize,
}

fn patient(answers: usize) -> Arc<Patient> {
    let profile = Profile { takes: Takes::Messages(vec![]), finality: Finality::Immediate };
    let answers = Semaphore::new(answers);
    Arc::new(Patient { profile, answers, now: AtomicUsize::new(0), most: AtomicUsize::new(0) })
}

#[async_trait]
impl Adapter for Patient {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    async fn call(&self, _: &Admitted, _: &Call, _: Duration) -> Result<Response, Fault> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.answers.acquire().await.unwrap().forget();
        self.now.fetch_sub(1, Ordering::SeqCst);
        Ok(Response::Answer(Answer::default()))
    }

    async fn lookup(&self, _: &Submission, _: Duration) -> Result<Settlement, Fault> {
        std::future::pending().await
    }

    async fn probe(&self) -> Result<(), Fault> {
        Ok(())
    }
}

fn call(operation: Operation) -> Call {
    let content = Content::Arguments(vec![]);
    Call { operation, function: "f".into(), content, key: None, repeatable: false }
}

fn bounded(inner: &Arc<Patient>, concurrency: usize) -> Arc<Layered<Limit>> {
    let timed = Arc::new(Layered::new(Timeout, inner.clone()));
    Arc::new(Layered::new(Limit::new(NonZeroUsize::new(concurrency).unwrap()), timed))
}

#[tokio::test(start_paused = true)]
async fn a_query_that_is_not_answered_was_not_done_and_a_submit_may_have_been() {
    let adapter = bounded(&patient(0), 1);
    let admitted = exchange::query().await;
    for (operation, kind) in
        [(Operation::Query, Kind::BackendUnavailable), (Operation::Submit, Kind::OutcomeUnknown)]
    {
        let fault = adapter.call(&admitted, &call(operation), SHORT).await.unwrap_err();
        assert_eq!(fault.kind, kind);
    }
    let left = exchange::left_of(SubmissionKey([0; 32]), None);
    assert!(matches!(adapter.lookup(&left, SHORT).await, Ok(Settlement::Pending)));
}

#[tokio::test(start_paused = true)]
async fn a_submit_that_gets_no_turn_was_not_sent() {
    let inner = patient(0);
    let adapter = bounded(&inner, 1);
    let holder = adapter.clone();
    let held = tokio::spawn(async move {
        let admitted = exchange::query().await;
        holder.call(&admitted, &call(Operation::Query), LONG).await
    });
    while inner.now.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let admitted = exchange::submit("waiting").await;
    let fault = adapter.call(&admitted, &call(Operation::Submit), SHORT).await.unwrap_err();
    assert_eq!((fault.kind, &*fault.code), (Kind::BackendUnavailable, "busy"));
    assert_eq!(inner.now.load(Ordering::SeqCst), 1);
    held.abort();
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_than_allowed_are_under_way_and_all_get_their_turn() {
    let inner = patient(0);
    let adapter = bounded(&inner, 3);
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let adapter = adapter.clone();
            tokio::spawn(async move {
                let admitted = exchange::query().await;
                adapter.call(&admitted, &call(Operation::Query), LONG).await
            })
        })
        .collect();
    // On this one thread each of them has come as far as it can after a few rounds.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(inner.now.load(Ordering::SeqCst), 3);
    inner.answers.add_permits(20);
    for answered in futures_util::future::join_all(calls).await {
        answered.unwrap().unwrap();
    }
    assert_eq!(inner.most.load(Ordering::SeqCst), 3);
}
