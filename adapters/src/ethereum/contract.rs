//! A contract as it is configured: where it is, and what its ABI says it can do. It is all that a
//! check of the configuration needs; nothing is opened.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use gateway_core::{Profile, Takes};

use super::config::EthereumConfig;
use super::interface::Interface;

/// A configured contract whose ABI has been read.
#[derive(Clone)]
pub struct Contract {
    pub(super) config: EthereumConfig,
    pub(super) interface: Arc<Interface>,
    profile: Profile,
}

/// Why the file that `abi` names is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// It cannot be read.
    #[error("abi: {} cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It holds no ABI.
    #[error("abi: {} holds no contract ABI: {source}", path.display())]
    Abi {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

impl Contract {
    /// Reads the ABI file. A relative `abi` is taken from the current folder.
    ///
    /// # Errors
    /// When the file cannot be read or holds no ABI.
    pub fn load(config: EthereumConfig) -> Result<Self, ContractError> {
        let path = || config.abi.clone();
        let artifact = fs::read_to_string(&config.abi)
            .map_err(|source| ContractError::File { path: path(), source })?;
        let interface = Interface::parse(&artifact)
            .map_err(|source| ContractError::Abi { path: path(), source })?;
        let takes = Takes::Functions(interface.functions());
        let profile = Profile { takes, finality: config.finality.into() };
        Ok(Self { config, interface: Arc::new(interface), profile })
    }

    /// What it can do. Functions that want money, overloads, and functions with types that no
    /// gateway value has are left out, so that no mapping can name them.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }
}
