//! Durable state: the consents people gave, and the submits that must happen once.
//!
//! [`Store`] keeps both in one SQLite file and answers to [`gateway_core::consent::Consents`],
//! [`gateway_core::Outbox`] and, for administration, [`ConsentRegistry`]. It decides nothing: what
//! a consent allows is the pipeline's matter. Persons appear only as pseudonyms. Read [`Store`]
//! first, then [`ConsentRegistry`].

mod cache;
mod consents;
mod error;
mod outbox;
mod registry;
mod store;

pub use error::{Broken, RegistryError, StoreError};
pub use registry::ConsentRegistry;
pub use store::{DEFAULT_KEEP, Store};
