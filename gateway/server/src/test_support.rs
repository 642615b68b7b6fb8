//! Small values that several unit tests need.

use std::sync::Arc;

use gateway_core::caller::Means;
use gateway_core::{Assurance, Caller, Envelope, MemberId, Message, Operation, Service, ServiceId};

/// A query of a service that no catalog has.
pub(crate) fn envelope() -> Envelope {
    let id = ServiceId { sector: "practice".into(), code: "echo".into() };
    Envelope {
        service: Arc::new(Service {
            id,
            operation: Operation::Query,
            subject: None,
            purpose: None,
            consent: None,
        }),
        message: Message::new(),
        idempotency_key: None,
        credential: None,
        claimed_member: None,
        claimed_subsystem: None,
        endpoint: None,
        mapping: "practice/rest/v1".into(),
        echo: Message::new(),
    }
}

/// A caller with an API key.
pub(crate) fn caller(member: &str) -> Caller {
    Caller { member: MemberId(member.into()), means: Means::ApiKey, assurance: Assurance::Low }
}
