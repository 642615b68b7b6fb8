//! Durable state: the consents people gave, the submits that must happen once, and work for later.
//!
//! [`Store`] keeps submits and letters in one SQLite file and answers to [`gateway_core::Outbox`] and
//! [`gateway_core::letter::Letters`] with [`gateway_core::letter::LetterBox`]. [`ConsentStore`] keeps
//! consents in another and answers to [`gateway_core::consent::Consents`] and, for administration,
//! [`ConsentRegistry`]. Persons appear only as pseudonyms. Read [`Store`] first, then
//! [`ConsentRegistry`]. [`ArchiveStore`] is a file of its own, beside the evidence log.

mod acts;
mod archive;
mod consents;
mod database;
mod error;
mod letter_box;
mod letters;
mod members;
mod outbox;
mod quota_counts;
mod registry;
mod store;

pub use acts::{ActError, ActState, Acts, ProposedAct};
pub use archive::{ArchiveStore, ArchivedEntry, ExchangeFilter, ExchangeRecord, OUTCOME_REFUSED};
pub use consents::{Act, Changed, ConsentStore, Kept, act_digest};
pub use error::{Broken, RegistryError, StoreError};
pub use members::{KeyKind, MemberContent, MemberRegistry, StoredKey, StoredMember};
pub use quota_counts::QuotaCount;
pub use registry::ConsentRegistry;
pub use store::{DEFAULT_KEEP, Store};
