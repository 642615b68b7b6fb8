//! Each layer over a backend that does what a script says, when it says it, on paused time.

mod breaker;
mod hedge;
mod retry;
mod stack;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters::layer::{Event, Observe};
use async_trait::async_trait;
use gateway_core::adapter::Settlement;
use gateway_core::outbox::Submission;
use gateway_core::{
    Adapter, Admitted, Answer, Call, Content, Fault, Finality, Kind, Operation, Profile, Received,
    Response, Takes, Value,
};
use tokio::time::{Instant, sleep};

use crate::support::exchange;

/// What one call does.
pub(crate) enum Step {
    /// Answers, after this many milliseconds, with its number.
    Answers(u64),
    /// Fails so, after this many milliseconds.
    Fails(u64, Kind),
    /// Sends bytes with this status of HTTP, at once.
    Sends(u16),
}

/// A backend that follows a script, then keeps to its last step.
pub(crate) struct Scripted {
    profile: Profile,
    steps: Mutex<VecDeque<Step>>,
    /// When each call came, since the script was made.
    calls: Mutex<Vec<Duration>>,
    begun: Instant,
}

impl Scripted {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Arc<Self> {
        Arc::new(Self {
            profile: Profile { takes: Takes::Messages(vec![]), finality: Finality::Immediate },
            steps: Mutex::new(steps.into_iter().collect()),
            calls: Mutex::default(),
            begun: Instant::now(),
        })
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    /// When each call came, in milliseconds.
    pub(crate) fn moments(&self) -> Vec<u128> {
        self.calls.lock().unwrap().iter().map(Duration::as_millis).collect()
    }

    fn next(&self, number: usize) -> (u64, Result<Response, Fault>) {
        let mut steps = self.steps.lock().unwrap();
        let (wait, outcome) = match steps.front().expect("a script has a step") {
            Step::Answers(wait) => (*wait, Ok(Response::Answer(numbered(number)))),
            Step::Fails(wait, kind) => (*wait, Err(Fault::new(*kind, "scripted", "scripted"))),
            Step::Sends(status) => (0, Ok(sent(*status))),
        };
        if steps.len() > 1 {
            steps.pop_front();
        }
        (wait, outcome)
    }
}

#[async_trait]
impl Adapter for Scripted {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    async fn call(&self, _: &Admitted, _: &Call, _: Duration) -> Result<Response, Fault> {
        let number = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(self.begun.elapsed());
            calls.len()
        };
        let (wait, outcome) = self.next(number);
        sleep(Duration::from_millis(wait)).await;
        outcome
    }

    async fn lookup(&self, _: &Submission, _: Duration) -> Result<Settlement, Fault> {
        Ok(Settlement::Pending)
    }

    async fn probe(&self) -> Result<(), Fault> {
        Ok(())
    }
}

fn numbered(number: usize) -> Answer {
    let number = Value::Integer(number.try_into().unwrap());
    Answer { values: [("call", number)].into_iter().collect(), proof: None }
}

fn sent(status: u16) -> Response {
    let headers = Default::default();
    Response::Received(Received { status: Some(status), headers, body: "bytes".into() })
}

/// Which call an answer is of.
pub(crate) fn number(outcome: Result<Response, Fault>) -> usize {
    match outcome {
        Ok(Response::Answer(answer)) => match answer.values.get("call") {
            Some(Value::Integer(number)) => usize::try_from(*number).unwrap(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// Writes down what it is told.
#[derive(Default)]
pub(crate) struct Notes(Mutex<Vec<Event>>);

impl Notes {
    pub(crate) fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, wanted: &Event) -> usize {
        self.all().iter().filter(|event| *event == wanted).count()
    }
}

impl Observe for Notes {
    fn observe(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(crate) async fn query(adapter: &dyn Adapter, deadline: Duration) -> Result<Response, Fault> {
    let admitted = exchange::query().await;
    adapter.call(&admitted, &call(Operation::Query), deadline).await
}

pub(crate) async fn submit(adapter: &dyn Adapter, deadline: Duration) -> Result<Response, Fault> {
    let admitted = exchange::submit("key").await;
    adapter.call(&admitted, &call(Operation::Submit), deadline).await
}

fn call(operation: Operation) -> Call {
    let content = Content::Arguments(vec![]);
    Call { operation, function: "f".into(), content, key: None, repeatable: false }
}
