//! What every adapter must do, whatever stands behind it.

use std::sync::Arc;

use gateway_core::adapter::Settlement;
use gateway_core::{Adapter, Call, Kind, Operation, Takes};

use crate::support::outbox::MemoryOutbox;
use crate::support::world::{answer, arguments};
use crate::support::{LONG, exchange};

/// A backend that is ready, and what can be asked of it.
pub(crate) struct Subject {
    pub(crate) adapter: Arc<dyn Adapter>,
    pub(crate) outbox: Arc<MemoryOutbox>,
    pub(crate) query: Call,
    pub(crate) submit: Call,
    /// A submit that the backend refuses, and its own name for the refusal.
    pub(crate) refused: (Call, &'static str),
}

impl Subject {
    /// The whole suite. Afterwards the backend is as `submit` left it.
    pub(crate) async fn conforms(&self) {
        self.adapter.probe().await.expect("it is ready");
        self.offers_what_it_is_asked();
        self.answers_a_query().await;
        self.submits_and_finds_the_same_again().await;
        self.refuses_by_name_and_keeps_nothing().await;
        self.does_not_do_what_it_does_not_offer().await;
    }

    fn offers_what_it_is_asked(&self) {
        for call in [&self.query, &self.submit] {
            let Takes::Functions(functions) = &self.adapter.profile().takes else {
                panic!("a contract has functions");
            };
            let offered = functions.iter().find(|function| function.name == call.function);
            let offered = offered.expect("the function is in the profile");
            assert_eq!(offered.operation, call.operation);
            for (argument, _) in arguments(call) {
                assert!(offered.arguments.contains(argument), "{argument}");
            }
        }
    }

    async fn answers_a_query(&self) {
        let admitted = exchange::query().await;
        let first = answer(self.adapter.call(&admitted, &self.query, LONG).await.unwrap());
        let second = answer(self.adapter.call(&admitted, &self.query, LONG).await.unwrap());
        assert!(!first.values.is_empty());
        assert_eq!(first.values, second.values);
    }

    async fn submits_and_finds_the_same_again(&self) {
        let admitted = exchange::submit("contract").await;
        let key = self.submit.key.unwrap();
        let answer = answer(self.adapter.call(&admitted, &self.submit, LONG).await.unwrap());
        let found = self.adapter.lookup(&self.outbox.left_of(key), LONG).await.unwrap();
        assert!(matches!(found, Settlement::Settled(Ok(found)) if found == answer));
    }

    async fn refuses_by_name_and_keeps_nothing(&self) {
        let admitted = exchange::submit("refused").await;
        let (call, code) = &self.refused;
        let fault = self.adapter.call(&admitted, call, LONG).await.unwrap_err();
        assert_eq!((fault.kind, &*fault.code), (Kind::BackendRefused, *code));
        assert_eq!(self.outbox.ticket(&call.key.unwrap()), None);
    }

    async fn does_not_do_what_it_does_not_offer(&self) {
        let admitted = exchange::query().await;
        let unknown = Call { function: "noSuchFunction".into(), ..self.query.clone() };
        // A submit asked as a query would change something without a key.
        let disguised = Call { operation: Operation::Query, ..self.submit.clone() };
        for call in [unknown, disguised] {
            let fault = self.adapter.call(&admitted, &call, LONG).await.unwrap_err();
            assert_eq!(fault.kind, Kind::Unsupported);
        }
    }
}
