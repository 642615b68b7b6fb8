//! `naru mapping …`

mod new;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use mappings::{Problem, cases, inspect};

use super::{Failure, say};

/// Work with mappings.
#[derive(Subcommand)]
pub(super) enum Mapping {
    /// Run the cases of every mapping in a catalog and show how each failing one differs.
    Test {
        /// The catalog.
        #[arg(value_name = "DIR", default_value = "mappings/catalog")]
        catalog: PathBuf,
        /// Write what comes of each case that fails or has no `.out` yet. Read it before you keep
        /// it.
        #[arg(long)]
        update: bool,
    },
    /// Show one message field by field: where each came from, and which rule made it. Values are
    /// masked by the class of their field.
    Explain {
        /// The mapping, e.g. welfare/mohw/v1.
        mapping: String,
        /// The message, as the `.in` file of a case; an answer as NAME.reply.in.
        #[arg(value_name = "FILE")]
        message: PathBuf,
        /// The catalog.
        #[arg(long, value_name = "DIR", default_value = "mappings/catalog")]
        catalog: PathBuf,
    },
    /// Find what loads and is likely a slip: unused tables, fields that go nowhere, missing cases.
    /// Fails when there are warnings.
    Lint {
        /// The catalog.
        #[arg(value_name = "DIR", default_value = "mappings/catalog")]
        catalog: PathBuf,
    },
    /// Say what a new version breaks, and for whom. Fails when something breaks.
    Diff {
        /// The old mapping.yaml or services.yaml, or its folder.
        old: PathBuf,
        /// The new one.
        new: PathBuf,
    },
    /// Make a mapping from what another system has, as a start for the person who finishes it.
    New(Box<new::New>),
}

impl Mapping {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Test { catalog, update: false } => test(&catalog),
            Self::Test { catalog, update: true } => update(&catalog),
            Self::Explain { mapping, message, catalog } => {
                let explained = inspect::explain(&catalog, &mapping, &message);
                say(explained.map_err(|problems| listed("cannot be explained", &problems))?)
            }
            Self::Lint { catalog } => lint(&catalog),
            Self::Diff { old, new } => diff(&old, &new),
            Self::New(new) => new.run(),
        }
    }
}

fn unreadable(catalog: &Path, problems: &[Problem]) -> Failure {
    listed(&format!("{} does not load", catalog.display()), problems)
}

fn listed(what: &str, problems: &[Problem]) -> Failure {
    let lines: Vec<_> = problems.iter().map(|problem| format!("  {problem}")).collect();
    format!("{what}:\n{}", lines.join("\n")).into()
}

fn test(catalog: &Path) -> Result<(), Failure> {
    let results = cases::run(catalog).map_err(|problems| unreadable(catalog, &problems))?;
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

fn update(catalog: &Path) -> Result<(), Failure> {
    let written = cases::update(catalog).map_err(|problems| unreadable(catalog, &problems))?;
    for path in &written {
        say(format_args!("wrote {}", path.display()))?;
    }
    say(format_args!("{} written; read the difference before you keep them", written.len()))
}

fn lint(catalog: &Path) -> Result<(), Failure> {
    let findings = inspect::lint(catalog).map_err(|problems| unreadable(catalog, &problems))?;
    for finding in &findings {
        say(finding)?;
    }
    let warnings = findings.iter().filter(|finding| finding.is_warning).count();
    say(format_args!("{warnings} warnings, {} notes", findings.len() - warnings))?;
    match warnings {
        0 => Ok(()),
        _ => Err("there are warnings".into()),
    }
}

fn diff(old: &Path, new: &Path) -> Result<(), Failure> {
    let changes = inspect::diff(old, new).map_err(|problem| problem.to_string())?;
    for change in &changes {
        say(change)?;
    }
    let breaking = changes.iter().filter(|change| change.breaks).count();
    say(format_args!("{breaking} of {} changes break something", changes.len()))?;
    match breaking {
        0 => Ok(()),
        _ => Err("the new version breaks something".into()),
    }
}
