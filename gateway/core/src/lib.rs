//! The domain of Naru: what an exchange is and in which order it is decided.
//!
//! Read [`pipeline`] first; it is the whole product on one screen. Nothing here opens a socket,
//! reads a clock or the environment, or calls a cryptographic library: those stand behind the
//! traits of this crate and are implemented in the packages around it.

pub mod adapter;
pub mod archive;
pub mod caller;
pub mod capacity;
pub mod clock;
pub mod consent;
mod decimal;
pub mod envelope;
pub mod fault;
pub mod framing;
pub mod front;
pub mod journal;
pub mod keys;
pub mod letter;
mod loss;
pub mod mapping;
pub mod member;
pub mod mirror;
pub mod outbox;
mod person;
pub mod pipeline;
pub mod policy;
pub mod proof;
pub mod pseudonym;
pub mod purpose;
pub mod quota;
pub mod route;
pub mod service;
pub mod stage;
pub mod value;
pub mod wire;

pub use adapter::{
    Adapter, Answer, Call, Content, Finality, LedgerProof, Operation, Profile, Response, Takes,
};
pub use caller::{Assurance, Caller, Evidence, MemberId};
pub use clock::Clock;
pub use consent::{Consent, ConsentUse};
pub use decimal::{Decimal, SCALE_MAX};
pub use envelope::{Envelope, ExchangeId, Inbound};
pub use fault::{Fault, Kind, Origin, Retry};
pub use front::{Draft, Front, Reply};
pub use journal::{Journal, Receipt, Record};
pub use loss::{Loss, LossKind};
pub use mapping::{Mapping, Occasion};
pub use outbox::{Outbox, SubmissionKey};
pub use person::{CheckDigit, InvalidResidentNumber, Personal, ResidentNumber};
pub use pipeline::Pipeline;
pub use policy::{AccessRequest, Decision, Endpoint};
pub use proof::Proof;
pub use pseudonym::{Pseudonym, Pseudonymize};
pub use purpose::Purpose;
pub use service::{Service, ServiceId};
pub use stage::Admitted;
pub use value::{Message, Value};
pub use wire::{Encoded, Received};
