//! The evidence log: append-only, in the C2SP [tlog-tiles] layout, so that tools not written here
//! mirror, witness and verify it.
//!
//! It is not a message store: an entry ([`leaf`]) holds no personal data and no bodies, only salted
//! commitments to them. Read [`log`] next, then [`receipt`]. Behind `log`, `writer` is the thread
//! that makes entries durable, `publish` the one that writes tiles, and `recover` what a start does.
//!
//! In the log's directory lie `checkpoint` and `tile/` (public: serve them as they are), `wal/`
//! (entries whose tiles are not known to be on disk yet, with their attachments) and `lock`.
//! Attachments are what an entry must not hold; `keeper` hands them to a [`gateway_core::archive`].
//!
//! [tlog-tiles]: https://c2sp.org/tlog-tiles

mod attach;
pub mod audit;
pub mod bundle;
pub mod commitment;
pub mod cosignature;
mod delay;
mod edge;
mod error;
mod keeper;
pub mod key;
pub mod leaf;
pub mod log;
pub mod mirror;
pub mod notary;
mod publish;
pub mod published;
pub mod receipt;
mod recover;
pub mod stamps;
mod tiles;
pub mod timestamp;
mod tree;
pub mod vault;
mod wal;
mod writer;

pub use audit::{Audit, Trust, audit};
pub use commitment::{CommitmentKey, Part, commit, kind_name};
pub use cosignature::{CosignerKey, Witnesses};
pub use error::LogError;
pub use keeper::MOST_WAITING;
pub use key::{KeyError, LogKey, VerifierKey};
pub use log::{Log, LogConfig};
pub use mirror::{Mirror, MirrorError};
pub use notary::{NotaryConfig, Post, Standing, TimestampConfig};
pub use published::{Folder, Published};
pub use receipt::{Verified, VerifyError, verify, verify_text};
pub use timestamp::Authority;
pub use tree::MissingHash;
pub use vault::{FileRoot, GivenRoot, Keeping, RootKeys, Vault, VaultError};
