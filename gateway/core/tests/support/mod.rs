//! A gateway whose every part is scripted, and that writes down what was asked of each.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::adapter::{Function, Settlement};
use gateway_core::caller::{Authenticate, Means};
use gateway_core::capacity::{Capacity, Claim, Turn, reduced};
use gateway_core::consent::{Consents, Found, Grant, Spent, UseKey};
use gateway_core::front::{Exchange, Slot};
use gateway_core::outbox::{Begun, Submission};
use gateway_core::policy::{AccessRequest, Authorize, Decision};
use gateway_core::purpose::{Bilingual, Retention};
use gateway_core::quota::{Cause, Demand, Exceeded, Permit, Quota, QuotaState, Renewal, Unit};
use gateway_core::route::{Conditions, Provider, Route, Routes, Target};
use gateway_core::service::ConsentRule;
use gateway_core::*;
use jiff::Timestamp;
use uuid::Uuid;

pub(crate) const NOW: &str = "2026-01-01T00:00:00Z";
const ROUTE_DEADLINE: Duration = Duration::from_secs(1);

/// What each part does when it is asked.
pub(crate) struct Script {
    pub(crate) operation: Operation,
    pub(crate) decoded: Result<Option<String>, Fault>,
    pub(crate) authenticated: Result<(), Fault>,
    pub(crate) authorized: Result<(), Fault>,
    pub(crate) consents: Result<Vec<Consent>, Fault>,
    pub(crate) used_up: Option<u128>,
    pub(crate) spent: Result<(), ()>,
    pub(crate) unit: Unit,
    /// How long a turn is waited for; none where there is none.
    pub(crate) waited: Option<Duration>,
    pub(crate) begun: Begun,
    pub(crate) called: Option<Result<Response, Fault>>,
    pub(crate) repeatable: bool,
    pub(crate) read: Option<Result<Answer, Fault>>,
    pub(crate) looked_up: Result<Settlement, Fault>,
    pub(crate) encoded: Result<(), Fault>,
    pub(crate) appended: Result<(), Fault>,
    pub(crate) writable: Result<(), Fault>,
    pub(crate) unsettled: Vec<Submission>,
    pub(crate) claimed: bool,
    pub(crate) deadline: Option<&'static str>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            operation: Operation::Query,
            decoded: Ok(None),
            authenticated: Ok(()),
            authorized: Ok(()),
            consents: Ok(vec![consent()]),
            used_up: None,
            spent: Ok(()),
            unit: Unit::Requests,
            waited: Some(Duration::ZERO),
            begun: Begun::Fresh,
            called: Some(Ok(Response::Answer(answer()))),
            repeatable: false,
            read: None,
            looked_up: Ok(Settlement::Pending),
            encoded: Ok(()),
            appended: Ok(()),
            writable: Ok(()),
            unsettled: vec![],
            claimed: true,
            deadline: None,
        }
    }
}

pub(crate) fn submit() -> Script {
    Script { operation: Operation::Submit, decoded: Ok(Some("key-1".into())), ..Script::default() }
}

pub(crate) fn fault(kind: Kind) -> Fault {
    Fault::new(kind, "scripted", "scripted")
}

pub(crate) fn answer() -> Answer {
    let values = [("count", Value::Integer(2)), ("rows", Value::List(vec![]))];
    Answer { values: values.into_iter().collect(), proof: None }
}

pub(crate) fn consent() -> Consent {
    Consent {
        id: Uuid::nil(),
        reference: Uuid::max(),
        grant: Grant {
            sector: "sector".into(),
            principal: Pseudonym([0; 32]),
            recipient: MemberId("ministry".into()),
            purpose: "purpose".into(),
            items: BTreeSet::from(["count".to_owned()]),
            valid_from: "2025-01-01T00:00:00Z".parse().unwrap(),
            valid_until: "2027-01-01T00:00:00Z".parse().unwrap(),
            limit: None,
            delegation: None,
        },
        revision: 1,
        ended: None,
    }
}

pub(crate) fn submission() -> Submission {
    Submission {
        key: SubmissionKey([0; 32]),
        exchange: ExchangeId(Uuid::nil()),
        service: ServiceId { sector: "sector".into(), code: "service".into() },
        backend: "backend".into(),
        mapping: "sector/backend/v1".into(),
        ticket: Some(b"ticket".to_vec()),
    }
}

/// All parts in one, behind every trait.
pub(crate) struct Parts {
    pub(crate) script: Script,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    profile: Profile,
}

impl Parts {
    fn note(&self, what: impl Into<String>) {
        self.asked.lock().unwrap().push(what.into());
    }
}

/// A pipeline over `script`, and its notes.
pub(crate) fn gateway(script: Script) -> (Pipeline, Arc<Parts>) {
    let function = Function { name: "f".into(), operation: script.operation, arguments: vec![] };
    let takes = Takes::Functions(vec![function]);
    let profile = Profile { takes, finality: Finality::Immediate };
    let parts = Arc::new(Parts { script, asked: Arc::default(), profile });
    let provider =
        Provider { name: "backend".into(), adapter: parts.clone(), deadline: ROUTE_DEADLINE };
    let target = Target { mapping: parts.clone(), providers: vec![Arc::new(provider)] };
    let mut routes = Routes::default();
    routes.add(submission().service, route(target)).unwrap();
    let pipeline = Pipeline {
        configuration: "configuration".into(),
        clock: parts.clone(),
        pseudonyms: parts.clone(),
        authenticator: parts.clone(),
        authorizer: parts.clone(),
        consents: parts.clone(),
        quota: parts.clone(),
        capacity: parts.clone(),
        routes,
        mirror: None,
        outbox: parts.clone(),
        journal: parts.clone(),
    };
    (pipeline, parts)
}

/// A route without conditions.
pub(crate) fn route(target: Target) -> Route {
    let conditions = Conditions::default();
    Route { conditions, target: Arc::new(target), canary: None, mirror: None }
}

/// Sends one request through `script`: the reply's body, and what was asked of the parts.
pub(crate) async fn exchange(script: Script) -> (String, Vec<String>) {
    let (pipeline, parts) = gateway(script);
    let reply = send(&pipeline, parts.clone()).await;
    let asked = parts.asked.lock().unwrap().clone();
    (reply, asked)
}

/// Sends one request to `pipeline`: the reply's body.
pub(crate) async fn send(pipeline: &Pipeline, parts: Arc<Parts>) -> String {
    let deadline = parts.script.deadline.map(|deadline| deadline.parse().unwrap());
    let inbound = Inbound {
        id: ExchangeId(Uuid::nil()),
        front: parts,
        evidence: Evidence::default(),
        attributes: Default::default(),
        body: "request".into(),
        received: NOW.parse().unwrap(),
        deadline,
    };
    let reply = pipeline.handle(inbound).await;
    String::from_utf8(reply.body.to_vec()).unwrap()
}

impl Clock for Parts {
    fn now(&self) -> Timestamp {
        NOW.parse().unwrap()
    }
}

impl Pseudonymize for Parts {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

impl Front for Parts {
    fn name(&self) -> &str {
        "test"
    }

    fn decode(&self, _: &Inbound) -> Result<Envelope, Fault> {
        let key = self.script.decoded.clone()?;
        let items = [("count", "count"), ("rows", "details")];
        let items = items.map(|(field, item)| (field.to_owned(), item.to_owned())).into();
        let person = Value::Resident(ResidentNumber::parse("900101-1234567").unwrap());
        let purpose = Arc::new(purpose());
        Ok(Envelope {
            service: Arc::new(Service {
                id: submission().service,
                operation: self.script.operation,
                subject: Some("person".into()),
                purpose: Some(purpose.clone()),
                consent: Some(ConsentRule { purpose, items }),
            }),
            message: [("person", person)].into_iter().collect(),
            idempotency_key: key,
            credential: None,
            claimed_member: None,
            claimed_subsystem: None,
            endpoint: None,
            mapping: "sector/test/v1".into(),
            echo: Message::new(),
        })
    }

    fn encode(&self, _: &Exchange<'_>, answer: &Message) -> Result<Draft, Fault> {
        self.script.encoded.clone()?;
        let names: Vec<_> = answer.iter().map(|(name, _)| name).collect();
        Ok(draft(format!("ok {} ", names.join(","))))
    }

    fn refuse(&self, _: &Exchange<'_>, fault: &Fault) -> Draft {
        draft(format!("{}/{} ", fault.kind, fault.code))
    }
}

fn draft(body: String) -> Draft {
    let receipt = Slot::Insert(body.len());
    Draft { status: 200, headers: vec![], body: body.into(), receipt }
}

#[async_trait]
impl Authenticate for Parts {
    async fn authenticate(&self, _: &Evidence, _: &Envelope) -> Result<Caller, Fault> {
        self.note("authenticate");
        self.script.authenticated.clone()?;
        let member = MemberId("ministry".into());
        Ok(Caller { member, means: Means::ApiKey, assurance: Assurance::Low })
    }
}

impl Authorize for Parts {
    fn decide(&self, _: &AccessRequest) -> Result<Decision, Fault> {
        self.note("authorize");
        self.script.authorized.clone()?;
        Ok(Decision { allowed: true, policies: vec!["allow".into()] })
    }
}

#[async_trait]
impl Consents for Parts {
    async fn find(&self, _: &Pseudonym, _: &MemberId, _: &str) -> Result<Found, Fault> {
        self.note("consent");
        let consents = self.script.consents.clone()?.into();
        Ok(Found { consents, as_of: NOW.parse().unwrap() })
    }

    async fn spend(&self, consent: Uuid, _: &UseKey) -> Result<Spent, Fault> {
        self.note(format!("spend {}", consent.as_u128()));
        let is_left = self.script.used_up != Some(consent.as_u128());
        Ok(if is_left { Spent::Counted } else { Spent::UsedUp })
    }

    async fn give_back(&self, consent: Uuid, _: &UseKey) -> Result<(), Fault> {
        self.note(format!("give back {}", consent.as_u128()));
        Ok(())
    }
}

/// What an exchange holds; it says when it is given back.
struct Held(Arc<Mutex<Vec<String>>>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.lock().unwrap().push("given back".to_owned());
    }
}

impl Quota for Parts {
    fn spend(&self, _: &Demand<'_>) -> Result<Permit, Exceeded> {
        self.note("quota");
        let state = QuotaState {
            policy: "p".into(),
            unit: self.script.unit,
            renewal: Renewal::Rate,
            limit: 1,
            window: Some(Duration::from_secs(1)),
            remaining: 0,
            reset: Duration::from_secs(1),
            violated: self.script.spent.is_err(),
            shadow: false,
        };
        let states = vec![state];
        match self.script.spent {
            Ok(()) => {
                let holds = self.script.unit == Unit::ConcurrentRequests;
                let held = holds.then(|| Box::new(Held(self.asked.clone())) as _);
                Ok(Permit { states, held })
            }
            Err(()) => Err(Exceeded { states, cause: Cause::Share }),
        }
    }

    fn give_back(&self, _: &Demand<'_>, states: &[QuotaState]) {
        self.note(format!("give back {}", states.len()));
    }

    fn replied(&self, demand: &Demand<'_>) {
        self.note(format!("replied {}", demand.bytes));
    }
}

#[async_trait]
impl Capacity for Parts {
    async fn turn(&self, claim: &Claim<'_>) -> Result<Turn, Fault> {
        let waited = self.script.waited.ok_or_else(|| reduced(claim.patience))?;
        Ok(Turn { held: None, waited })
    }
}

impl Mapping for Parts {
    fn id(&self) -> &str {
        "sector/backend/v1"
    }

    fn map(&self, admitted: &Admitted, _: Occasion) -> Result<Call, Fault> {
        self.note("map");
        Ok(Call {
            operation: admitted.envelope().service.operation,
            function: "f".into(),
            content: Content::Arguments(vec![]),
            key: admitted.key(),
            repeatable: self.script.repeatable,
        })
    }

    fn answer(&self, _: &ServiceId, response: Response) -> Result<Answer, Fault> {
        match response {
            Response::Answer(answer) => Ok(answer),
            Response::Received(_) => self.script.read.clone().expect("this script reads none"),
        }
    }

    fn settlement(&self, _: &ServiceId, _: Received) -> Result<Settlement, Fault> {
        self.note("read report");
        Ok(Settlement::Settled(self.script.read.clone().expect("this script reads none")))
    }

    fn map_back(&self, _: &Admitted, answer: &Answer) -> Result<Message, Fault> {
        Ok(answer.values.clone())
    }

    fn refusal(&self, fault: Fault) -> Fault {
        fault
    }

    fn unsupported_by(&self, _: &Profile) -> Vec<String> {
        vec![]
    }
}

#[async_trait]
impl Adapter for Parts {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    async fn call(&self, _: &Admitted, _: &Call, d: Duration) -> Result<Response, Fault> {
        self.note(if d == ROUTE_DEADLINE { "call".into() } else { format!("call within {d:?}") });
        self.script.called.clone().expect("this script's backend panics")
    }

    async fn lookup(&self, _: &Submission, _: Duration) -> Result<Settlement, Fault> {
        self.note("lookup");
        self.script.looked_up.clone()
    }

    async fn probe(&self) -> Result<(), Fault> {
        Ok(())
    }
}

#[async_trait]
impl Outbox for Parts {
    async fn begin(&self, _: &Submission, _: &[u8; 32]) -> Result<Begun, Fault> {
        self.note("begin");
        Ok(self.script.begun.clone())
    }

    async fn claim(&self, _: &SubmissionKey) -> Result<bool, Fault> {
        self.note("claim");
        Ok(self.script.claimed)
    }

    async fn attach(&self, _: &SubmissionKey, _: &[u8]) -> Result<(), Fault> {
        Ok(())
    }

    async fn withdraw(&self, _: &SubmissionKey) -> Result<(), Fault> {
        self.note("withdraw");
        Ok(())
    }

    async fn settle(&self, _: &SubmissionKey, o: &Result<Answer, Fault>) -> Result<(), Fault> {
        self.note(if o.is_ok() { "settle done" } else { "settle refused" });
        Ok(())
    }

    async fn release(&self, _: &SubmissionKey) -> Result<(), Fault> {
        self.note("release");
        Ok(())
    }

    async fn unsettled(&self) -> Result<Vec<Submission>, Fault> {
        Ok(self.script.unsettled.clone())
    }
}

#[async_trait]
impl Journal for Parts {
    async fn append(&self, record: Record<'_>) -> Result<Receipt, Fault> {
        let outcome = record.fault.map_or_else(|| "ok".to_owned(), |fault| fault.kind.to_string());
        self.note(format!("journal {:?} {outcome}", record.kind));
        self.script.appended.clone()?;
        Ok(Receipt("receipt".into()))
    }

    fn writable(&self) -> Result<(), Fault> {
        self.script.writable.clone()
    }
}

/// What consents of the tests are for.
pub(crate) fn purpose() -> Purpose {
    let text = |text: &str| Bilingual { ko: text.to_owned(), en: text.to_owned() };
    let items = ["count", "details"].map(|item| (item.to_owned(), text(item)));
    Purpose {
        sector: "sector".into(),
        code: "purpose".into(),
        title: text("a purpose"),
        legal_basis: text("a law"),
        notice: text("a notice"),
        items: items.into(),
        controllers: vec![text("an office")],
        recipients: [MemberId("ministry".into())].into(),
        storage: vec!["KR".to_owned()],
        jurisdiction: "KR".to_owned(),
        retention: Retention::parse("P1Y").unwrap(),
        keep_record: Retention::parse("P3Y").unwrap(),
        assurance: Assurance::Low,
    }
}
