//! `[bodies]`: which bodies are kept, sealed, and under what root key.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::secret::SecretRef;

/// `[bodies]`
#[derive(Clone, Debug, Deserialize)]
pub struct Bodies {
    /// Which parts of an exchange: `request`, `reply`, `call`, `answer`.
    pub keep: BTreeSet<String>,
    /// The root key. A file is made when it is missing, and replaced by each erasure.
    pub root: SecretRef,
    /// How long bodies are kept that serve no registered purpose.
    #[serde(default = "year")]
    pub otherwise_days: u32,
}

fn year() -> u32 {
    365
}

impl Bodies {
    /// What may be kept.
    pub const PARTS: [&str; 4] = ["request", "reply", "call", "answer"];
}
