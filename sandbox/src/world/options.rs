//! What a world is made from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::WorldError;
use super::ports::PortChoice;

/// What a world is made from.
#[derive(Clone, Debug)]
pub struct WorldOptions {
    /// Where it stands; an earlier world there is wiped.
    pub directory: PathBuf,
    /// The contracts folder, with `artifacts/Welfare.json` and the installed node.
    pub contracts: PathBuf,
    /// The `naru` executable.
    pub naru: PathBuf,
    /// The mapping catalog.
    pub catalog: PathBuf,
    /// The folder of the Cedar policies; it is copied.
    pub policies: PathBuf,
    /// Which ports.
    pub ports: PortChoice,
    /// How often the ledger mines a block; with each transaction when `None`.
    pub block_time: Option<Duration>,
}

impl WorldOptions {
    /// A world from the folders of the source tree at `root`, on the documented ports, whose ledger
    /// mines a block with each transaction.
    pub fn in_tree(root: &Path, directory: PathBuf, naru: PathBuf) -> Self {
        Self {
            directory,
            contracts: root.join("sandbox/contracts"),
            naru,
            catalog: root.join("mappings/catalog"),
            policies: root.join("sandbox/config/policies"),
            ports: PortChoice::Documented,
            block_time: None,
        }
    }

    /// The same with absolute paths: child processes and the configuration stand elsewhere.
    pub(super) fn absolute(mut self) -> Result<Self, WorldError> {
        for path in [&mut self.contracts, &mut self.naru, &mut self.catalog, &mut self.policies] {
            *path = match path.canonicalize() {
                Ok(absolute) => absolute,
                Err(source) => {
                    let path = path.clone();
                    return Err(WorldError::Absent { path, source });
                }
            };
        }
        Ok(self)
    }
}
