//! Durable state: the consents people gave, the submits that must happen once, and work for later.
//!
//! [`Store`] keeps all in one SQLite file and answers to [`gateway_core::consent::Consents`],
//! [`gateway_core::Outbox`], [`gateway_core::letter::Letters`] with [`gateway_core::letter::LetterBox`] and, for administration, [`ConsentRegistry`]. It decides nothing: what
//! a consent allows is the pipeline's matter. Persons appear only as pseudonyms. Read [`Store`]
//! first, then [`ConsentRegistry`]. [`ArchiveStore`] is a file of its own, beside the evidence log.

mod acts;
mod archive;
mod cache;
mod consents;
mod error;
mod letter_box;
mod letters;
mod outbox;
mod quota_counts;
mod registry;
mod store;

pub use acts::{ActError, ActState, Acts, ProposedAct};
pub use archive::{ArchiveStore, ExchangeFilter, ExchangeRecord, OUTCOME_REFUSED};
pub use error::{Broken, RegistryError, StoreError};
pub use quota_counts::QuotaCount;
pub use registry::ConsentRegistry;
pub use store::{DEFAULT_KEEP, Store};
