//! An exchange that was let through: made by the pipeline's own stages, because nothing else can.

use std::sync::Arc;

use async_trait::async_trait;
use gateway_core::caller::{Authenticate, Means};
use gateway_core::consent::{Consents, Found, Spent, UseKey};
use gateway_core::journal::Trail;
use gateway_core::outbox::Submission;
use gateway_core::policy::{AccessRequest, Authorize, Decision};
use gateway_core::quota::{Demand, Exceeded, Permit, Quota, QuotaState};
use gateway_core::{
    Admitted, Assurance, Caller, Clock, Envelope, Evidence, ExchangeId, Fault, MemberId, Message,
    Occasion, Operation, Pseudonym, Pseudonymize, Service, ServiceId, SubmissionKey, stage,
};

/// A world in which everyone may do everything.
struct Anyone;

#[async_trait]
impl Authenticate for Anyone {
    async fn authenticate(&self, _: &Evidence, _: &Envelope) -> Result<Caller, Fault> {
        let member = MemberId("city-a".into());
        Ok(Caller { member, means: Means::ApiKey, assurance: Assurance::Low })
    }
}

impl Authorize for Anyone {
    fn decide(&self, _: &AccessRequest) -> Result<Decision, Fault> {
        Ok(Decision { allowed: true, policies: vec![] })
    }
}

#[async_trait]
impl Consents for Anyone {
    async fn find(&self, _: &Pseudonym, _: &MemberId, _: &str) -> Result<Found, Fault> {
        Ok(Found { consents: [].into(), as_of: jiff::Timestamp::UNIX_EPOCH })
    }

    async fn spend(&self, _: uuid::Uuid, _: &UseKey) -> Result<Spent, Fault> {
        Ok(Spent::Ended)
    }

    async fn give_back(&self, _: uuid::Uuid, _: &UseKey) -> Result<(), Fault> {
        Ok(())
    }
}

impl Quota for Anyone {
    fn spend(&self, _: &Demand<'_>) -> Result<Permit, Exceeded> {
        Ok(Permit::default())
    }

    fn give_back(&self, _: &Demand<'_>, _: &[QuotaState]) {}

    fn replied(&self, _: &Demand<'_>) {}
}

impl Pseudonymize for Anyone {
    fn pseudonym(&self, _: &str, _: &str, identifier: &[u8]) -> Pseudonym {
        Pseudonym(alloy::primitives::keccak256(identifier).0)
    }
}

impl Clock for Anyone {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
}

/// An admitted query.
pub(crate) async fn query() -> Admitted {
    admit(Operation::Query, None).await
}

/// An admitted submit, whose caller named it `name`.
pub(crate) async fn submit(name: &str) -> Admitted {
    admit(Operation::Submit, Some(name.to_owned())).await
}

async fn admit(operation: Operation, idempotency_key: Option<String>) -> Admitted {
    let service = Service { id: service(), operation, subject: None, purpose: None, consent: None };
    let envelope = Envelope {
        service: Arc::new(service),
        message: Message::new(),
        idempotency_key,
        credential: None,
        claimed_member: None,
        claimed_subsystem: None,
        endpoint: None,
        mapping: "welfare/rest/v1".into(),
        echo: Message::new(),
    };
    let (world, mut trail) = (Anyone, Trail::default());
    let evidence = Evidence::default();
    let identified = stage::authenticate(Arc::new(envelope), &evidence, &world, &mut trail).await;
    let authorized =
        stage::authorize(identified.unwrap(), &evidence, &world, world.now(), &mut trail).unwrap();
    let consented = stage::consent(authorized, &world, &world, world.now(), &mut trail).await;
    let exchange = ExchangeId(uuid::Uuid::nil());
    let occasion = Occasion { exchange, now: world.now() };
    let consented = consented.unwrap();
    let admitted = stage::admit(consented, &world, &world, &world, occasion, 0, &mut trail).await;
    admitted.unwrap()
}

/// What is left of a submit once its process has died.
pub(crate) fn left_of(key: SubmissionKey, ticket: Option<Vec<u8>>) -> Submission {
    let exchange = ExchangeId(uuid::Uuid::nil());
    let (backend, mapping) = ("ledger".into(), "welfare/ledger/v1".into());
    Submission { key, exchange, service: service(), backend, mapping, ticket }
}

fn service() -> ServiceId {
    ServiceId { sector: "welfare".into(), code: "benefitGrant".into() }
}
