//! The welfare contract on a real node, behind a line that can be cut.

use std::sync::Arc;
use std::time::Duration;

use adapters::ethereum::EthereumConfig;
use alloy::primitives::Address;
use async_trait::async_trait;
use gateway_core::{Call, Content, Fault, Kind, Operation, Response, SubmissionKey, Value};
use jiff::civil::date;

use crate::contract::{Backend, Subject, What};
use crate::support::line::{Line, State};
use crate::support::outbox::MemoryOutbox;
use crate::support::world::{World, benefit, overlap_call, terms};
use crate::support::{LONG, SHORT, exchange};

/// The contract, and the way to it.
pub(crate) struct Ledger {
    world: World,
    line: Arc<Line>,
    outbox: Arc<MemoryOutbox>,
    account: Address,
}

impl Ledger {
    /// An adapter of its own for the contract, and the line between them.
    pub(crate) async fn subject() -> (Subject, Arc<Line>) {
        let world = World::new().await;
        let line = Arc::new(Line::to(&world.url()).await);
        let config = EthereumConfig { url: line.url.clone(), ..world.config() };
        let adapter = world.connect(&config, 0);
        let (account, outbox) = (adapter.account(), world.outbox.clone());
        let ledger = Self { world, line: line.clone(), outbox: outbox.clone(), account };
        (Subject { adapter, outbox, backend: Arc::new(ledger) }, line)
    }
}

#[async_trait]
impl Backend for Ledger {
    fn call(&self, what: What, key: Option<SubmissionKey>) -> Option<Call> {
        let Some(key) = key else {
            let is_query = what != What::Refuse;
            return is_query.then(|| overlap_call(1, date(2026, 6, 1), date(2026, 6, 30)));
        };
        let mut arguments = terms(&benefit(1));
        arguments.push(("request".into(), Value::Bytes(key.0.to_vec())));
        let function = match what {
            What::Refuse => {
                // Of an application that nobody made.
                arguments.push(("application".into(), Value::Bytes(vec![7; 32])));
                "benefitGrant"
            }
            _ => "benefitApply",
        };
        let (operation, content) = (Operation::Submit, Content::Arguments(arguments));
        let function = function.to_owned();
        Some(Call { operation, function, content, key: Some(key), repeatable: false })
    }

    fn said(&self) -> [&'static str; 2] {
        ["no benefit", "applied"]
    }

    fn words(&self, response: &Response) -> String {
        let Response::Answer(answer) = response else {
            panic!("an answer, not {response:?}");
        };
        assert!(answer.proof.is_some(), "a ledger's answer has a proof");
        let words = match answer.values.get("overlapping") {
            Some(Value::Flag(false)) => "no benefit",
            None if answer.values.get("request").is_some() => "applied",
            other => panic!("{other:?}"),
        };
        words.to_owned()
    }

    /// Transactions of the account.
    async fn count(&self, _: &Subject) -> usize {
        let (mined, pending) = self.world.nonces(self.account).await;
        assert_eq!(mined, pending);
        usize::try_from(mined).unwrap()
    }

    fn troubles(&self) -> &'static [(What, bool)] {
        // Its requests get through and answers do not; or nothing does.
        &[(What::Lose, true), (What::Cut, false)]
    }

    fn trouble(&self, what: What, operation: Operation) {
        let state = if what == What::Cut { State::Cut } else { State::Mute };
        let line = self.line.clone();
        match operation {
            Operation::Query => line.set(state),
            // Once it was simulated and kept.
            Operation::Submit => self.outbox.at_next_attach(move || {
                line.set(state);
                async { Ok(()) }
            }),
        }
    }

    fn calm(&self) {
        self.line.set(State::Up);
    }

    fn limit(&self, what: What) -> Duration {
        if matches!(what, What::Lose | What::Cut) { SHORT } else { LONG }
    }

    fn finishes(&self) -> bool {
        true
    }

    fn refuses(&self, outcome: Result<Response, Fault>, ticket: Option<Vec<u8>>) {
        let fault = outcome.unwrap_err();
        assert_eq!((fault.kind, &*fault.code), (Kind::BackendRefused, "UnknownApplication"));
        assert_eq!(ticket, None, "nothing was sent");
    }

    fn unreachable(&self) -> &'static str {
        "node-unavailable"
    }

    async fn besides(&self, subject: &Subject) {
        let admitted = exchange::query().await;
        let query = self.call(What::Query, None).unwrap();
        let submit = self.call(What::Submit, Some(SubmissionKey([9; 32]))).unwrap();
        let unknown = Call { function: "noSuchFunction".into(), ..query };
        // A submit asked as a query would change something without a key.
        let disguised = Call { operation: Operation::Query, ..submit };
        for call in [unknown, disguised] {
            let fault = subject.adapter.call(&admitted, &call, LONG).await.unwrap_err();
            assert_eq!(fault.kind, Kind::Unsupported);
        }
    }
}
