//! The mapping engine: every caller's wire format ↔ the sector's services ↔ every backend's terms,
//! as data. No sector, system or operation is named in this code; they are in `catalog/`.
//!
//! [`Catalog::load`] reads and checks the YAML ([`format`], [`compile`]) into fronts ([`front`])
//! and backend mappings ([`backend`]). The heart is [`rows`]: one compiled field table. Everything
//! is pure: no socket, no clock, and no file but the catalog's.

mod backend;
pub mod cases;
mod catalog;
mod charset;
mod compile;
mod convert;
mod faults;
mod format;
mod front;
mod header;
pub mod import;
pub mod inspect;
mod invertibility;
mod layout;
mod openapi;
mod operations;
mod path;
mod problem;
mod provider;
mod resources;
#[cfg(test)]
mod round_trip;
mod rows;
#[cfg(test)]
mod schema;
mod terms;
mod unfit;
pub mod xroad;

pub use catalog::{Catalog, FrontEntry};
pub use front::{
    BatchError, BatchFile, BatchFront, BatchLimits, BatchReader, BatchRecord, DESCRIPTORS,
    GrpcFront, Metadata, RestFront, SoapFront, SoapMetadata, TelegramFront, XRoadFront, XRoadRest,
    XmlFront, collected_exchange, pending_reply, status_message,
};
pub use invertibility::Invertibility;
pub use problem::Problem;
