//! What every adapter must do, whatever it speaks and whatever stands behind it. A [`Backend`] says how
//! one is spoken to and what can go wrong there; what only one kind has is in `carriers` and `ledger`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::adapter::Settlement;
use gateway_core::wire::{Around, Method};
use gateway_core::{
    Adapter, Call, Content, Encoded, Fault, Kind, Operation, Response, SubmissionKey, Takes,
};
use zeroize::Zeroizing;

use crate::support::outbox::MemoryOutbox;
use crate::support::world::key;
use crate::support::{LONG, exchange};

/// What a backend is asked for, or made to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Says something.
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

/// What stands behind an adapter.
#[async_trait]
pub(crate) trait Backend: Send + Sync {
    /// A call that has it do this, and a submit where there is a key; none for what it cannot do.
    fn call(&self, what: What, key: Option<SubmissionKey>) -> Option<Call>;

    /// What it says to a query, and to a submit that went well.
    fn said(&self) -> [&'static str; 2];

    /// Its words in what came back.
    fn words(&self, response: &Response) -> String;

    /// How often it did something.
    async fn count(&self, subject: &Subject) -> usize;

    /// What may go wrong, each with whether a submit is done all the same.
    fn troubles(&self) -> &'static [(What, bool)];

    /// The trouble of the next call begins, where the call itself does not make it.
    fn trouble(&self, _what: What, _operation: Operation) {}

    /// It is over.
    fn calm(&self) {}

    /// How long is waited for it.
    fn limit(&self, what: What) -> Duration;

    /// Whether it is found out later what became of a submit, by finishing it; otherwise only the
    /// backend can be asked.
    fn finishes(&self) -> bool;

    /// What a refusal comes out as, and whether it is kept.
    fn refuses(&self, outcome: Result<Response, Fault>, ticket: Option<Vec<u8>>);

    /// The code of the fault when it cannot be reached.
    fn unreachable(&self) -> &'static str;

    /// What only this kind of adapter must do.
    async fn besides(&self, subject: &Subject);
}

/// An adapter whose backend is there.
pub(crate) struct Subject {
    pub(crate) adapter: Arc<dyn Adapter>,
    pub(crate) outbox: Arc<MemoryOutbox>,
    pub(crate) backend: Arc<dyn Backend>,
}

impl Subject {
    /// The whole suite.
    pub(crate) async fn conforms(&self) {
        self.adapter.probe().await.expect("it is ready");
        self.offers_what_it_is_asked().await;
        self.answers_a_query_twice_alike().await;
        self.submits_once_and_keeps_nothing_personal().await;
        self.passes_a_refusal_on().await;
        self.says_that_a_failed_query_did_nothing().await;
        self.does_not_know_what_became_of_an_unanswered_submit().await;
        self.does_not_take_what_it_does_not_offer().await;
        self.does_not_guess_what_it_kept().await;
        self.backend.besides(self).await;
        self.answers_a_query_twice_alike().await;
    }

    /// The backend's words to a query.
    pub(crate) async fn query(&self, what: What) -> Result<String, Fault> {
        let call = self.backend.call(what, None).expect("it can be asked");
        let (admitted, limit) = (exchange::query().await, self.backend.limit(what));
        Ok(self.backend.words(&self.adapter.call(&admitted, &call, limit).await?))
    }

    /// The same to a submit that its caller named `name`.
    pub(crate) async fn submit(&self, name: &str, what: What) -> Result<String, Fault> {
        Ok(self.backend.words(&self.submitted(name, what).await?))
    }

    async fn submitted(&self, name: &str, what: What) -> Result<Response, Fault> {
        let call = self.backend.call(what, Some(key(name).await)).expect("it can be submitted");
        self.adapter.call(&exchange::submit(name).await, &call, self.backend.limit(what)).await
    }

    async fn count(&self) -> usize {
        self.backend.count(self).await
    }

    async fn offers_what_it_is_asked(&self) {
        let key = key("offered").await;
        for call in [(What::Query, None), (What::Submit, Some(key))] {
            let call = self.backend.call(call.0, call.1).expect("it can do both");
            match (&self.adapter.profile().takes, &call.content) {
                (Takes::Functions(functions), Content::Arguments(arguments)) => {
                    let offered = functions.iter().find(|one| one.name == call.function);
                    let offered = offered.expect("the function is in the profile");
                    assert_eq!(offered.operation, call.operation);
                    for (argument, _) in arguments {
                        assert!(offered.arguments.contains(argument), "{argument}");
                    }
                }
                (Takes::Messages(formats), Content::Message { .. }) => assert!(!formats.is_empty()),
                _ => panic!("it takes arguments of functions, or messages"),
            }
        }
    }

    async fn answers_a_query_twice_alike(&self) {
        for _ in 0..2 {
            assert_eq!(self.query(What::Query).await.unwrap(), self.backend.said()[0]);
        }
    }

    async fn submits_once_and_keeps_nothing_personal(&self) {
        let before = self.count().await;
        let response = self.submitted("once", What::Submit).await.unwrap();
        assert_eq!(self.backend.words(&response), self.backend.said()[1]);
        assert_eq!(self.count().await, before + 1);
        let left = self.outbox.left_of(key("once").await);
        let ticket = left.ticket.as_deref().expect("it was kept before it was sent");
        assert!(!String::from_utf8_lossy(ticket).contains("hello"), "the message is not kept");
        match (self.adapter.lookup(&left, LONG).await.unwrap(), response) {
            (Settlement::Settled(Ok(found)), Response::Answer(answer)) => assert_eq!(found, answer),
            (Settlement::Pending, Response::Received(_)) => assert!(!self.backend.finishes()),
            (found, _) => panic!("what was answered, and not {found:?}"),
        }
        assert_eq!(self.count().await, before + 1, "looking does nothing");
    }

    async fn passes_a_refusal_on(&self) {
        let before = self.count().await;
        if let Some(call) = self.backend.call(What::Refuse, None) {
            let refused = self.adapter.call(&exchange::query().await, &call, LONG).await;
            self.backend.refuses(refused, None);
        }
        let refused = self.submitted("refused", What::Refuse).await;
        self.backend.refuses(refused, self.outbox.ticket(&key("refused").await));
        assert_eq!(self.count().await, before);
    }

    async fn says_that_a_failed_query_did_nothing(&self) {
        for (what, _) in self.backend.troubles() {
            self.backend.trouble(*what, Operation::Query);
            let fault = self.query(*what).await.unwrap_err();
            assert_eq!(fault.kind, Kind::BackendUnavailable, "{what:?}: {fault}");
            self.backend.calm();
        }
    }

    async fn does_not_know_what_became_of_an_unanswered_submit(&self) {
        for (what, is_done) in self.backend.troubles() {
            let name = format!("{what:?}");
            let before = self.count().await;
            self.backend.trouble(*what, Operation::Submit);
            let fault = self.submit(&name, *what).await.unwrap_err();
            assert_eq!(fault.kind, Kind::OutcomeUnknown, "{what:?}: {fault}");
            self.backend.calm();
            // It stays in the outbox, as the next process finds it.
            let left = self.outbox.left_of(key(&name).await);
            assert!(left.ticket.is_some(), "{what:?}");
            let found = self.adapter.lookup(&left, LONG).await.unwrap();
            if self.backend.finishes() {
                assert!(matches!(found, Settlement::Settled(Ok(_))), "{what:?}: {found:?}");
                assert_eq!(self.count().await, before + 1, "{what:?}");
            } else {
                assert!(matches!(found, Settlement::Pending), "{what:?}: nobody knows");
                assert_eq!(self.count().await, before + usize::from(*is_done), "{what:?}");
            }
        }
    }

    async fn does_not_take_what_it_does_not_offer(&self) {
        let around = Around::Http { method: Method::Post, path: "/".to_owned(), headers: vec![] };
        let message = Encoded { around, body: Zeroizing::new(b"hello".to_vec()) };
        let query = self.backend.call(What::Query, None).expect("it can be asked");
        let content = match &query.content {
            Content::Message { .. } => Content::Arguments(vec![]),
            Content::Arguments(_) => Content::Message { message, inquiry: None },
        };
        let call = Call { content, ..query };
        let fault = self.adapter.call(&exchange::query().await, &call, LONG).await.unwrap_err();
        assert_eq!(fault.kind, Kind::Unsupported);
    }

    async fn does_not_guess_what_it_kept(&self) {
        let mut unreadable = self.outbox.left_of(key("once").await);
        for ticket in [&b"not a ticket"[..], b"", b"{}"] {
            unreadable.ticket = Some(ticket.to_vec());
            let fault = self.adapter.lookup(&unreadable, LONG).await.unwrap_err();
            assert_eq!(fault.kind, Kind::Internal);
        }
    }

    /// The backend is away: nothing was sent, so nothing is kept.
    pub(crate) async fn says_that_nothing_was_sent(&self, name: &str) {
        assert_eq!(self.adapter.probe().await.unwrap_err().kind, Kind::BackendUnavailable);
        let code = self.backend.unreachable();
        let fault = self.query(What::Query).await.unwrap_err();
        assert_eq!((fault.kind, &*fault.code), (Kind::BackendUnavailable, code));
        let fault = self.submit(name, What::Submit).await.unwrap_err();
        assert_eq!((fault.kind, &*fault.code), (Kind::BackendUnavailable, code));
        assert_eq!(self.outbox.ticket(&key(name).await), None);
    }
}
