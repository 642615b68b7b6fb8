//! Backends that are sent encoded messages, whatever the transport.

use std::time::Duration;

use async_trait::async_trait;
use gateway_core::adapter::Settlement;
use gateway_core::{
    Call, Content, Encoded, Fault, Kind, Operation, Received, Response, SubmissionKey,
};

use crate::contract::{Backend, Subject, What};
use crate::support::world::key;
use crate::support::{LONG, SHORT, exchange};

/// How a provider is spoken to. It does, and breaks, what a message says.
pub(crate) struct Carried {
    pub(crate) message: fn(What) -> Encoded,
    /// The provider's words in what it sent.
    pub(crate) words: fn(&Received) -> String,
}

#[async_trait]
impl Backend for Carried {
    fn call(&self, what: What, key: Option<SubmissionKey>) -> Option<Call> {
        let operation = if key.is_some() { Operation::Submit } else { Operation::Query };
        let content = Content::Message { message: (self.message)(what), inquiry: None };
        Some(Call { operation, function: format!("{what:?}"), content, key, repeatable: false })
    }

    fn said(&self) -> [&'static str; 2] {
        ["you said hello", "done"]
    }

    fn words(&self, response: &Response) -> String {
        match response {
            Response::Received(received) => (self.words)(received),
            Response::Answer(answer) => panic!("bytes, not {answer:?}"),
        }
    }

    async fn count(&self, subject: &Subject) -> usize {
        subject.query(What::Count).await.unwrap().parse().unwrap()
    }

    fn troubles(&self) -> &'static [(What, bool)] {
        &[
            (What::Slow, false),
            (What::Lose, true),
            (What::Large, false),
            (What::Cut, false),
            (What::Noise, false),
        ]
    }

    fn limit(&self, what: What) -> Duration {
        if what == What::Slow { SHORT } else { LONG }
    }

    fn finishes(&self) -> bool {
        false
    }

    /// What it means is the mapping's to say.
    fn refuses(&self, outcome: Result<Response, Fault>, _ticket: Option<Vec<u8>>) {
        assert_eq!(self.words(&outcome.unwrap()), "refused");
    }

    fn unreachable(&self) -> &'static str {
        "unreachable"
    }

    /// Asks what became of a submit, where the mapping says how.
    async fn besides(&self, subject: &Subject) {
        let lost = self.call(What::Lose, Some(key("asked").await)).unwrap();
        let message = (self.message)(What::Lose);
        let inquiry = Some((self.message)(What::Count));
        let lost = Call { content: Content::Message { message, inquiry }, ..lost };
        let admitted = exchange::submit("asked").await;
        let fault = subject.adapter.call(&admitted, &lost, LONG).await.unwrap_err();
        assert_eq!(fault.kind, Kind::OutcomeUnknown);
        // As the next process finds it, and without doing it again.
        let left = subject.outbox.left_of(key("asked").await);
        let count = self.count(subject).await;
        match subject.adapter.lookup(&left, LONG).await.unwrap() {
            Settlement::Reported(report) => assert_eq!((self.words)(&report), count.to_string()),
            other => panic!("a report, not {other:?}"),
        }
        assert_eq!(self.count(subject).await, count);
    }
}

pub(crate) fn received(response: Response) -> Received {
    match response {
        Response::Received(received) => received,
        Response::Answer(answer) => panic!("bytes, not {answer:?}"),
    }
}
