//! `[consent]`: where the consents of persons are kept, and what signs their receipts.

use std::path::PathBuf;

use serde::Deserialize;

use crate::secret::SecretRef;

/// `[consent]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Consent {
    /// The SQLite file of the consents, which several gateways on one machine may share; in the folder
    /// of the state when absent.
    pub store: Option<PathBuf>,
    /// 32 bytes in hex: the Ed25519 seed that signs receipts. None are signed without it.
    pub receipt_key: Option<SecretRef>,
}
