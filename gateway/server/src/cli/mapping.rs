//! `naru mapping …`

mod new;

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::{Failure, say};

/// Work with mappings.
#[derive(Subcommand)]
pub(super) enum Mapping {
    /// Run the cases of every mapping in a catalog and show how each failing one differs.
    Test {
        /// The catalog.
        #[arg(value_name = "DIR", default_value = "mappings/catalog")]
        catalog: PathBuf,
    },
    /// Make a mapping from what another system has, as a start for the person who finishes it.
    New(Box<new::New>),
}

impl Mapping {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Test { catalog } => test(&catalog),
            Self::New(new) => new.run(),
        }
    }
}

fn test(catalog: &Path) -> Result<(), Failure> {
    let results = mappings::cases::run(catalog).map_err(|problems| {
        let lines: Vec<_> = problems.iter().map(|problem| format!("  {problem}")).collect();
        format!("{} does not load:\n{}", catalog.display(), lines.join("\n"))
    })?;
    for result in &results {
        say(result)?;
    }
    let failed = results.iter().filter(|result| !result.passed()).count();
    say(format_args!("{} passed, {failed} failed", results.len() - failed))?;
    match failed {
        0 => Ok(()),
        _ => Err("some cases failed".into()),
    }
}
