//! What every adapter that carries encoded messages must do, whatever its transport.

use std::sync::Arc;

use gateway_core::adapter::Settlement;
use gateway_core::{
    Adapter, Call, Content, Encoded, Fault, Kind, Operation, Received, Response, SubmissionKey,
};

use crate::support::outbox::MemoryOutbox;
use crate::support::world::key;
use crate::support::{LONG, SHORT, exchange};

/// What a provider is asked for in the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Repeats what it was told.
    Query,
    /// Does something.
    Submit,
    /// Says how often it did.
    Count,
    /// Says no, in its own words.
    Refuse,
    /// Never answers.
    Slow,
    /// Does something and breaks the connection.
    Lose,
    /// Answers with more than is allowed.
    Large,
    /// Breaks off within its answer.
    Cut,
    /// Answers with something that is not of its protocol.
    Noise,
}

/// An adapter whose provider is there, and how the provider is spoken to.
pub(crate) struct Subject {
    pub(crate) adapter: Arc<dyn Adapter>,
    pub(crate) outbox: Arc<MemoryOutbox>,
    pub(crate) message: fn(What) -> Encoded,
    /// The provider's words in what it sent.
    pub(crate) words: fn(&Received) -> String,
}

impl Subject {
    /// The whole suite.
    pub(crate) async fn conforms(&self) {
        self.adapter.probe().await.expect("it is ready");
        self.answers_a_query_as_the_provider_does().await;
        self.submits_once_and_keeps_nothing_personal().await;
        self.passes_a_refusal_on().await;
        self.says_that_a_failed_query_did_nothing().await;
        self.does_not_know_what_became_of_an_unanswered_submit().await;
        self.asks_what_became_of_a_submit().await;
        self.does_not_take_arguments().await;
        self.answers_a_query_as_the_provider_does().await;
    }

    pub(crate) async fn query(&self, what: What) -> Result<String, Fault> {
        let limit = if what == What::Slow { SHORT } else { LONG };
        let call = self.call(what, None, None);
        let response = self.adapter.call(&exchange::query().await, &call, limit).await?;
        Ok((self.words)(&received(response)))
    }

    pub(crate) async fn submit(&self, name: &str, what: What) -> Result<String, Fault> {
        self.submit_with(name, what, None).await
    }

    async fn submit_with(
        &self,
        name: &str,
        what: What,
        inquiry: Option<What>,
    ) -> Result<String, Fault> {
        let limit = if what == What::Slow { SHORT } else { LONG };
        let call = self.call(what, Some(key(name).await), inquiry);
        let response = self.adapter.call(&exchange::submit(name).await, &call, limit).await?;
        Ok((self.words)(&received(response)))
    }

    fn call(&self, what: What, key: Option<SubmissionKey>, inquiry: Option<What>) -> Call {
        let message = (self.message)(what);
        let inquiry = inquiry.map(self.message);
        let operation = if key.is_some() { Operation::Submit } else { Operation::Query };
        let content = Content::Message { message, inquiry };
        Call { operation, function: format!("{what:?}"), content, key, repeatable: false }
    }

    async fn count(&self) -> usize {
        self.query(What::Count).await.unwrap().parse().unwrap()
    }

    async fn answers_a_query_as_the_provider_does(&self) {
        assert_eq!(self.query(What::Query).await.unwrap(), "you said hello");
    }

    async fn submits_once_and_keeps_nothing_personal(&self) {
        let before = self.count().await;
        assert_eq!(self.submit("once", What::Submit).await.unwrap(), "done");
        assert_eq!(self.count().await, before + 1);
        let ticket =
            self.outbox.ticket(&key("once").await).expect("it was kept before it was sent");
        assert!(!String::from_utf8_lossy(&ticket).contains("hello"), "the message is not kept");
    }

    /// What it means is the mapping's to say.
    async fn passes_a_refusal_on(&self) {
        assert_eq!(self.query(What::Refuse).await.unwrap(), "refused");
        assert_eq!(self.submit("refused", What::Refuse).await.unwrap(), "refused");
    }

    async fn says_that_a_failed_query_did_nothing(&self) {
        for what in [What::Slow, What::Lose, What::Large, What::Cut, What::Noise] {
            let fault = self.query(what).await.unwrap_err();
            assert_eq!(fault.kind, Kind::BackendUnavailable, "{what:?}: {fault}");
        }
    }

    async fn does_not_know_what_became_of_an_unanswered_submit(&self) {
        for what in [What::Slow, What::Lose, What::Large, What::Cut, What::Noise] {
            let name = format!("{what:?}");
            let before = self.count().await;
            let fault = self.submit(&name, what).await.unwrap_err();
            assert_eq!(fault.kind, Kind::OutcomeUnknown, "{what:?}: {fault}");
            // It stays in the outbox, and is not sent again by itself.
            let left = self.outbox.left_of(key(&name).await);
            assert!(left.ticket.is_some(), "{what:?}");
            let found = self.adapter.lookup(&left, LONG).await.unwrap();
            assert!(matches!(found, Settlement::Pending), "without an inquiry nobody knows");
            assert_eq!(self.count().await, before + usize::from(what == What::Lose), "{what:?}");
        }
    }

    async fn asks_what_became_of_a_submit(&self) {
        let lost = self.submit_with("asked", What::Lose, Some(What::Count)).await;
        assert_eq!(lost.unwrap_err().kind, Kind::OutcomeUnknown);
        // As the next process finds it, and without doing it again.
        let left = self.outbox.left_of(key("asked").await);
        let count = self.count().await;
        match self.adapter.lookup(&left, LONG).await.unwrap() {
            Settlement::Reported(report) => {
                assert_eq!((self.words)(&report), count.to_string());
            }
            other => panic!("a report, not {other:?}"),
        }
        let mut unreadable = left;
        unreadable.ticket = Some(b"not a ticket".to_vec());
        let fault = self.adapter.lookup(&unreadable, LONG).await.unwrap_err();
        assert_eq!(fault.kind, Kind::Internal);
    }

    async fn does_not_take_arguments(&self) {
        let call =
            Call { content: Content::Arguments(vec![]), ..self.call(What::Query, None, None) };
        let fault = self.adapter.call(&exchange::query().await, &call, LONG).await.unwrap_err();
        assert_eq!(fault.kind, Kind::Unsupported);
    }

    /// The provider is away: nothing was sent, so nothing is kept.
    pub(crate) async fn says_that_nothing_was_sent(&self, name: &str) {
        assert_eq!(self.adapter.probe().await.unwrap_err().kind, Kind::BackendUnavailable);
        let fault = self.query(What::Query).await.unwrap_err();
        assert_eq!((fault.kind, &*fault.code), (Kind::BackendUnavailable, "unreachable"));
        let fault = self.submit(name, What::Submit).await.unwrap_err();
        assert_eq!((fault.kind, &*fault.code), (Kind::BackendUnavailable, "unreachable"));
        assert_eq!(self.outbox.ticket(&key(name).await), None);
    }
}

pub(crate) fn received(response: Response) -> Received {
    match response {
        Response::Received(received) => received,
        Response::Answer(answer) => panic!("bytes, not {answer:?}"),
    }
}
