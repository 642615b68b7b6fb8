//! A pipeline over real fronts whose stages do what the test says: for the refusal matrix.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::caller::{Authenticate, Means};
use gateway_core::capacity::{Capacity, Claim, Turn};
use gateway_core::consent::{Consents, Found, Spent, UseKey};
use gateway_core::outbox::{Begun, Submission};
use gateway_core::policy::{AccessRequest, Authorize, Decision};
use gateway_core::quota::{
    ABNORMAL_USAGE, CONCURRENCY_EXCEEDED, Cause, Demand, Exceeded, Permit, Quota, QuotaState,
    RATE_EXCEEDED, REDUCED_CAPACITY, Renewal, Unit,
};
use gateway_core::route::Routes;
use gateway_core::{
    Answer, Assurance, Caller, Clock, Envelope, Evidence, Fault, Journal, Kind, MemberId, Outbox,
    Pipeline, Pseudonym, Pseudonymize, Receipt, Record, SubmissionKey,
};
use jiff::Timestamp;

/// The time in every scripted reply.
pub const NOW: &str = "2026-03-02T00:30:00.123Z";
/// The receipt in every scripted reply.
pub const RECEIPT: &str = "RECEIPT";

/// Every stage in one: each passes, until `fault` says otherwise.
pub struct Scripted {
    /// What is refused, in the access stage or, for a quota, in the quota stage.
    pub fault: Option<Fault>,
}

/// A pipeline that ends in `fault` for every request that its front can decode.
pub fn refusing(fault: Fault) -> Pipeline {
    pipeline(Scripted { fault: Some(fault) }, Routes::default())
}

/// A pipeline that lets every request pass to `routes`.
pub fn passing(routes: Routes) -> Pipeline {
    pipeline(Scripted { fault: None }, routes)
}

fn pipeline(scripted: Scripted, routes: Routes) -> Pipeline {
    let parts = Arc::new(scripted);
    Pipeline {
        configuration: "scripted".into(),
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
        journal: parts,
    }
}

impl Clock for Scripted {
    fn now(&self) -> Timestamp {
        NOW.parse().expect("a time")
    }
}

impl Pseudonymize for Scripted {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

#[async_trait]
impl Authenticate for Scripted {
    async fn authenticate(&self, _: &Evidence, envelope: &Envelope) -> Result<Caller, Fault> {
        let member = envelope.claimed_member.as_deref().unwrap_or("portal");
        Ok(Caller {
            member: MemberId(member.into()),
            means: Means::ApiKey,
            assurance: Assurance::Low,
        })
    }
}

impl Authorize for Scripted {
    fn decide(&self, _: &AccessRequest) -> Result<Decision, Fault> {
        match &self.fault {
            Some(fault) if fault.kind != Kind::RateLimited || fault.code == REDUCED_CAPACITY => {
                Err(fault.clone())
            }
            _ => Ok(Decision { allowed: true, policies: vec![] }),
        }
    }
}

#[async_trait]
impl Consents for Scripted {
    async fn find(&self, _: &Pseudonym, _: &MemberId, _: &str) -> Result<Found, Fault> {
        Ok(Found { consents: [].into(), as_of: Timestamp::UNIX_EPOCH })
    }

    async fn spend(&self, _: uuid::Uuid, _: &UseKey) -> Result<Spent, Fault> {
        Ok(Spent::Ended)
    }

    async fn give_back(&self, _: uuid::Uuid, _: &UseKey) -> Result<(), Fault> {
        Ok(())
    }
}

impl Quota for Scripted {
    fn spend(&self, _: &Demand<'_>) -> Result<Permit, Exceeded> {
        let Some(fault) = &self.fault else {
            return Ok(Permit::default());
        };
        let (renewal, cause) = match &*fault.code {
            RATE_EXCEEDED => (Renewal::Rate, Cause::Share),
            CONCURRENCY_EXCEEDED => (Renewal::Release, Cause::Share),
            ABNORMAL_USAGE => (Renewal::Rate, Cause::AbnormalUsage),
            _ => (Renewal::Calendar, Cause::Share),
        };
        let state = QuotaState {
            policy: "demo".into(),
            unit: Unit::Requests,
            renewal,
            limit: 5,
            window: Some(Duration::from_secs(60)),
            remaining: 0,
            reset: Duration::from_secs(12),
            violated: true,
            shadow: false,
        };
        Err(Exceeded { states: vec![state], cause })
    }

    fn give_back(&self, _: &Demand<'_>, _: &[QuotaState]) {}

    fn replied(&self, _: &Demand<'_>) {}
}

#[async_trait]
impl Capacity for Scripted {
    async fn turn(&self, _: &Claim<'_>) -> Result<Turn, Fault> {
        Ok(Turn::default())
    }
}

#[async_trait]
impl Outbox for Scripted {
    async fn begin(&self, _: &Submission, _: &[u8; 32]) -> Result<Begun, Fault> {
        Ok(Begun::Fresh)
    }

    async fn claim(&self, _: &SubmissionKey) -> Result<bool, Fault> {
        Ok(false)
    }

    async fn attach(&self, _: &SubmissionKey, _: &[u8]) -> Result<(), Fault> {
        Ok(())
    }

    async fn withdraw(&self, _: &SubmissionKey) -> Result<(), Fault> {
        Ok(())
    }

    async fn settle(&self, _: &SubmissionKey, _: &Result<Answer, Fault>) -> Result<(), Fault> {
        Ok(())
    }

    async fn release(&self, _: &SubmissionKey) -> Result<(), Fault> {
        Ok(())
    }

    async fn unsettled(&self) -> Result<Vec<Submission>, Fault> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Journal for Scripted {
    async fn append(&self, _: Record<'_>) -> Result<Receipt, Fault> {
        Ok(Receipt(RECEIPT.into()))
    }

    fn writable(&self) -> Result<(), Fault> {
        Ok(())
    }
}
