//! `naru mapping new`

mod copybook;
mod wsdl;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use gateway_core::{Pseudonym, Pseudonymize};
use mappings::Catalog;
use mappings::import::Scaffold;

use super::super::{Failure, say, warn};

/// Writes `<sector>/<system>/v1/mapping.yaml`, and the sector's `services.yaml` where it has none,
/// then loads the catalog and says what is left to do.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct New {
    #[command(flatten)]
    source: Source,
    /// The catalog to write into.
    #[arg(long, value_name = "DIR", default_value = "mappings/catalog")]
    catalog: PathBuf,
    /// The sector, e.g. welfare.
    #[arg(long)]
    sector: String,
    /// The system, e.g. city-c.
    #[arg(long)]
    system: String,
    #[command(flatten)]
    copybook: copybook::Copybook,
    #[command(flatten)]
    wsdl: wsdl::Wsdl,
}

const EXAMPLES: &str = "\
Examples:
  A telegram, by the copybook of its programs:
    naru mapping new --copybook PENSION.cpy --sector pension --system host \\
      --transaction PN-TRANSACTION --operation PN01 --service status --result PN-RESULT
  A SOAP service: the front `register`, which serves its contract, and the backend
  `register-provider`, which calls it:
    naru mapping new --wsdl register.wsdl --sector population --system register \\
      --submit reportMove";

/// What a mapping is made of.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Source {
    /// A COBOL copybook: the first record is the request, the second, or the same, the reply.
    #[arg(long, value_name = "FILE", requires_all = ["transaction", "operation", "service"])]
    copybook: Option<PathBuf>,
    /// A WSDL 1.1 with a SOAP binding, literal. What it imports is read from its own folder.
    #[arg(long, value_name = "FILE")]
    wsdl: Option<PathBuf>,
}

impl New {
    pub(super) fn run(self) -> Result<(), Failure> {
        let names = (self.sector.as_str(), self.system.as_str());
        let made = match &self.source {
            Source { copybook: Some(file), .. } => self.copybook.scaffold(file, names)?,
            Source { wsdl: Some(file), .. } => self.wsdl.scaffold(file, names)?,
            _ => return Err("say what the mapping is made of, e.g. --wsdl FILE".into()),
        };
        self.write(&made)?;
        report(&made.unsaid);
        check(&self.catalog)
    }

    /// Writes everything or, where a file is there already, nothing.
    fn write(&self, made: &Scaffold) -> Result<(), Failure> {
        let sector = self.catalog.join(&self.sector);
        let services = sector.join("services.yaml");
        let mut files = Vec::new();
        match services.exists() {
            false => files.push((services, &made.services)),
            // What is said of a sector by hand is not touched.
            true => {
                files.push((sector.join(format!("services-{}.yaml", self.system)), &made.services))
            }
        }
        for mapping in &made.mappings {
            let path = sector.join(&mapping.system).join("v1").join("mapping.yaml");
            files.push((path, &mapping.text));
        }
        if let Some((path, _)) = files.iter().find(|(path, _)| path.exists()) {
            return Err(format!("{} is there already; nothing was changed", path.display()).into());
        }
        for (path, text) in &files {
            write(path, text)?;
        }
        match files.iter().any(|(path, _)| path.ends_with("services.yaml")) {
            true => Ok(()),
            false => say(format_args!(
                "the sector has a services.yaml: put what services-{}.yaml says into it",
                self.system
            )),
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    say(format_args!("wrote {}", path.display()))
}

/// Says what the source says and the mappings cannot.
fn report(unsaid: &[String]) {
    if unsaid.is_empty() {
        return;
    }
    let things = if unsaid.len() == 1 { "thing" } else { "things" };
    warn(format_args!("{} {things} of it the mapping CANNOT SAY:", unsaid.len()));
    for says in unsaid.iter().take(SHOWN) {
        warn(format_args!("  {says}"));
    }
    if unsaid.len() > SHOWN {
        warn(format_args!("  … and {} more, as comments in it", unsaid.len() - SHOWN));
    }
}

/// What is shown of a long list.
const SHOWN: usize = 20;

/// Loads what was written among the rest of the catalog.
fn check(catalog: &Path) -> Result<(), Failure> {
    match Catalog::load(catalog, Arc::new(NoPseudonyms)) {
        Ok(_) => say("it loads; what is marked TO SAY is yours to say"),
        Err(problems) => {
            let lines: Vec<_> = problems.iter().map(|problem| format!("  {problem}")).collect();
            Err(format!("it does not load yet:\n{}", lines.join("\n")).into())
        }
    }
}

/// Loading makes no pseudonyms.
struct NoPseudonyms;

impl Pseudonymize for NoPseudonyms {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}
