//! A provider without a network behind it: it answers what a test says, or what it was asked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::adapter::{Content, Finality, Response, Settlement, Takes};
use gateway_core::mapping::Occasion;
use gateway_core::outbox::Submission;
use gateway_core::route::{Conditions, Provider, Route, Routes, Target};
use gateway_core::wire::Received;
use gateway_core::{
    Adapter, Admitted, Answer, Call, Fault, Mapping, Message, Operation, Profile, Service,
    ServiceId,
};

/// Mapping and adapter in one. Every step passes, until its fault says otherwise.
#[derive(Default)]
pub struct Echo {
    /// What writing the call ends in.
    pub unwritable: Option<Fault>,
    /// What calling ends in.
    pub failure: Option<Fault>,
    /// What reading the answer ends in.
    pub unreadable: Option<Fault>,
    /// The answer; the request's own fields when there is none.
    pub answer: Option<Message>,
    /// The deadline of the last call.
    pub deadline: Mutex<Option<Duration>>,
}

impl Echo {
    /// Routes these services here.
    pub fn routes<'s>(
        self: &Arc<Self>,
        services: impl Iterator<Item = &'s Arc<Service>>,
    ) -> Routes {
        let mut routes = Routes::default();
        for service in services {
            let provider = Provider {
                name: "echo".into(),
                adapter: self.clone(),
                deadline: Duration::from_secs(60),
            };
            let target = Target { mapping: self.clone(), providers: vec![Arc::new(provider)] };
            let route = Route {
                conditions: Conditions::default(),
                target: Arc::new(target),
                canary: None,
                mirror: None,
            };
            routes.add(service.id.clone(), route).expect("each service once");
        }
        routes
    }
}

fn outcome<T>(fault: &Option<Fault>, well: T) -> Result<T, Fault> {
    fault.clone().map_or(Ok(well), Err)
}

impl Mapping for Echo {
    fn id(&self) -> &str {
        "test/echo/v1"
    }

    fn map(&self, _: &Admitted, _: Occasion) -> Result<Call, Fault> {
        let call = Call {
            operation: Operation::Query,
            function: "echo".into(),
            content: Content::Arguments(vec![]),
            key: None,
            repeatable: false,
        };
        outcome(&self.unwritable, call)
    }

    fn answer(&self, _: &ServiceId, response: Response) -> Result<Answer, Fault> {
        match response {
            Response::Answer(answer) => outcome(&self.unreadable, answer),
            Response::Received(_) => unreachable!("the adapter answers"),
        }
    }

    fn settlement(&self, _: &ServiceId, _: Received) -> Result<Settlement, Fault> {
        Ok(Settlement::Pending)
    }

    fn map_back(&self, admitted: &Admitted, _: &Answer) -> Result<Message, Fault> {
        Ok(self.answer.clone().unwrap_or_else(|| admitted.envelope().message.clone()))
    }

    fn refusal(&self, fault: Fault) -> Fault {
        fault
    }

    fn unsupported_by(&self, _: &Profile) -> Vec<String> {
        vec![]
    }
}

#[async_trait]
impl Adapter for Echo {
    fn profile(&self) -> &Profile {
        const PROFILE: &Profile =
            &Profile { takes: Takes::Functions(vec![]), finality: Finality::Immediate };
        PROFILE
    }

    async fn call(&self, _: &Admitted, _: &Call, deadline: Duration) -> Result<Response, Fault> {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = Some(deadline);
        outcome(&self.failure, Response::Answer(Answer::default()))
    }

    async fn lookup(&self, _: &Submission, _: Duration) -> Result<Settlement, Fault> {
        Ok(Settlement::Pending)
    }

    async fn probe(&self) -> Result<(), Fault> {
        Ok(())
    }
}
