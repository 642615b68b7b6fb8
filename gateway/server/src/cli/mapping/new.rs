//! `naru mapping new`

mod copybook;
mod wsdl;
mod xsd;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use gateway_core::{Pseudonym, Pseudonymize};
use mappings::Catalog;
use mappings::import::abi::AbiScaffold;
use mappings::import::openapi::OpenApiScaffold;
use mappings::import::{Scaffold, Side};

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
    /// The name of the service; of a copybook and of a schema.
    #[arg(long)]
    service: Option<String>,
    /// An operation of a WSDL, or the service of a schema, that changes something; all others only
    /// ask.
    #[arg(long = "submit", value_name = "OPERATION")]
    submits: Vec<String>,
    /// Of a WSDL and of OpenAPI, one of the two mappings: the front SYSTEM, which serves the
    /// contract, or the backend SYSTEM-provider, which calls it.
    #[arg(long, value_enum)]
    only: Option<Only>,
    #[command(flatten)]
    copybook: copybook::Copybook,
    #[command(flatten)]
    wsdl: wsdl::Wsdl,
    #[command(flatten)]
    xsd: xsd::Xsd,
}

const EXAMPLES: &str = "\
Examples:
  A telegram, by the copybook of its programs:
    naru mapping new --copybook PENSION.cpy --sector pension --system host \\
      --transaction PN-TRANSACTION --operation PN01 --service status --result PN-RESULT
  A SOAP service: the front `register`, which serves its contract, and the backend
  `register-provider`, which calls it:
    naru mapping new --wsdl register.wsdl --sector population --system register \\
      --submit reportMove
  Plain XML over HTTP, by the schema of its documents:
    naru mapping new --xsd register.xsd --sector population --system register \\
      --request nameRequest --reply nameResponse --service realNameCheck
  A REST service, by its OpenAPI document: a front and a backend:
    naru mapping new --openapi register.yaml --sector population --system register
  A contract on an EVM ledger, by what solc writes of it:
    naru mapping new --abi Welfare.json --sector welfare --system ledger";

#[derive(Clone, Copy, ValueEnum)]
enum Only {
    Front,
    Backend,
}

impl From<Only> for Side {
    fn from(only: Only) -> Self {
        match only {
            Only::Front => Self::Front,
            Only::Backend => Self::Backend,
        }
    }
}

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
    /// An XML Schema: a backend that is sent one document and answers with another.
    #[arg(long, value_name = "FILE", requires_all = ["request", "reply", "service"])]
    xsd: Option<PathBuf>,
    /// OpenAPI 3.0 or 3.1, in YAML or JSON: a REST front and a backend.
    #[arg(long, value_name = "FILE")]
    openapi: Option<PathBuf>,
    /// The JSON of a Solidity contract's ABI, or of a compiler's output with its `abi`: a ledger
    /// backend.
    #[arg(long, value_name = "FILE")]
    abi: Option<PathBuf>,
}

impl New {
    pub(super) fn run(self) -> Result<(), Failure> {
        let names = (self.sector.as_str(), self.system.as_str());
        let service = self.service.as_ref();
        let only = self.only.map(Side::from);
        let made = match &self.source {
            Source { copybook: Some(file), .. } => self.copybook.scaffold(file, names, service)?,
            Source { wsdl: Some(file), .. } => {
                self.wsdl.scaffold(file, names, only, &self.submits)?
            }
            Source { xsd: Some(file), .. } => {
                self.xsd.scaffold(file, names, service, &self.submits)?
            }
            Source { abi: Some(file), .. } => abi(file, names)?,
            Source { openapi: Some(file), .. } => openapi(file, names, only)?,
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

fn abi(file: &Path, (sector, system): (&str, &str)) -> Result<Scaffold, Failure> {
    let name = file.display().to_string();
    let bytes = fs::read(file).map_err(|error| format!("{name} cannot be read: {error}"))?;
    let scaffold = AbiScaffold { sector: sector.to_owned(), system: system.to_owned() };
    Ok(scaffold.write(&name, &bytes).map_err(|error| error.to_string())?)
}

fn openapi(
    file: &Path,
    (sector, system): (&str, &str),
    only: Option<Side>,
) -> Result<Scaffold, Failure> {
    let name = file.display().to_string();
    let bytes = fs::read(file).map_err(|error| format!("{name} cannot be read: {error}"))?;
    let scaffold = OpenApiScaffold { sector: sector.to_owned(), system: system.to_owned(), only };
    Ok(scaffold.write(&name, &bytes).map_err(|error| error.to_string())?)
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
