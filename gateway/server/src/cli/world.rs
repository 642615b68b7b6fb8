//! `naru world`

use std::path::PathBuf;

use clap::Args;

use super::{Failure, block_on};

/// Starts the practice world.
#[derive(Args)]
pub(super) struct World {
    /// Where it lives; emptied first.
    #[arg(long, value_name = "DIR", default_value = "target/world")]
    directory: PathBuf,
    /// The root of the source tree, with `sandbox/` and `mappings/`.
    #[arg(long, value_name = "DIR", default_value = ".")]
    root: PathBuf,
    /// Stop after the tour; the exit code says whether every step went as it should.
    #[arg(long)]
    once: bool,
}

impl World {
    pub(super) fn run(self) -> Result<(), Failure> {
        let naru = std::env::current_exe()?;
        let options = sandbox::RunOptions {
            directory: self.directory,
            root: self.root,
            naru,
            once: self.once,
        };
        block_on(async { Ok(sandbox::run(options).await?) })
    }
}
