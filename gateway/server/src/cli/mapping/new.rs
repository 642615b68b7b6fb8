//! `naru mapping new`

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use gateway_core::{Pseudonym, Pseudonymize};
use mappings::Catalog;
use mappings::import::copybook::CopybookScaffold;

use super::super::{Failure, say};

/// Writes `<sector>/<system>/v1/mapping.yaml`, and the sector's `services.yaml` where it has none,
/// then loads the catalog and says what is left to do.
#[derive(Args)]
pub(super) struct New {
    /// A COBOL copybook: the first record is the request, the second, or the same, the reply.
    #[arg(long, value_name = "FILE")]
    copybook: PathBuf,
    /// The catalog to write into.
    #[arg(long, value_name = "DIR", default_value = "mappings/catalog")]
    catalog: PathBuf,
    /// The sector, e.g. welfare.
    #[arg(long)]
    sector: String,
    /// The system, e.g. city-c.
    #[arg(long)]
    system: String,
    /// The item that holds the transaction code; the header ends with the group it is in.
    #[arg(long, value_name = "ITEM")]
    transaction: String,
    /// The transaction code of these records.
    #[arg(long, value_name = "CODE")]
    operation: String,
    /// The name of the service.
    #[arg(long)]
    service: String,
    /// The item of the header that holds a reply's result code.
    #[arg(long, value_name = "ITEM")]
    result: Option<String>,
    /// cp949, euc-kr, utf-8, ebcdic-037, ebcdic-500 or ebcdic-933.
    #[arg(long, default_value = "cp949")]
    encoding: String,
    /// How an ASCII digit carries a sign: translated ({, A to R) or ascii (p to y).
    #[arg(long)]
    overpunch: Option<String>,
    /// Of each alternative of a REDEFINES, the first too: the item that decides, and its codes.
    #[arg(long = "when", value_name = "ITEM=DECIDING-ITEM:CODE[,CODE…]", value_parser = alternative)]
    alternatives: Vec<Alternative>,
}

type Alternative = (String, String, Vec<String>);

fn alternative(text: &str) -> Result<Alternative, &'static str> {
    let (item, rest) = text.split_once('=').ok_or("wants ITEM=DECIDING-ITEM:CODE")?;
    let (decides, codes) = rest.split_once(':').ok_or("wants ITEM=DECIDING-ITEM:CODE")?;
    let codes = codes.split(',').map(str::to_owned).collect();
    Ok((item.to_uppercase(), decides.to_uppercase(), codes))
}

impl New {
    pub(super) fn run(self) -> Result<(), Failure> {
        let copybook = fs::read(&self.copybook)
            .map_err(|error| format!("{} cannot be read: {error}", self.copybook.display()))?;
        let scaffold = CopybookScaffold {
            sector: self.sector.clone(),
            system: self.system.clone(),
            operation: self.operation,
            service: self.service,
            transaction: self.transaction.to_uppercase(),
            result: self.result.map(|item| item.to_uppercase()),
            encoding: self.encoding,
            overpunch: self.overpunch,
            alternatives: self.alternatives,
        };
        let made = scaffold
            .write(&copybook)
            .map_err(|error| format!("{}: {error}", self.copybook.display()))?;
        let sector = self.catalog.join(&self.sector);
        let services = sector.join("services.yaml");
        if !services.exists() {
            write(&services, &made.services)?;
        }
        write(&sector.join(&self.system).join("v1").join("mapping.yaml"), &made.mapping)?;
        check(&self.catalog)
    }
}

/// Writes a file that is not there yet.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if path.exists() {
        return Err(format!("{} is there already; nothing was changed", path.display()).into());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    say(format_args!("wrote {}", path.display()))
}

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
