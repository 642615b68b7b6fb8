//! `naru mapping new --wsdl`

use std::path::Path;

use clap::{Args, ValueEnum};
use mappings::import::wsdl::{Side, WsdlScaffold};
use mappings::import::{Folder, Scaffold};

use super::Failure;

/// What a WSDL does not say.
#[derive(Args)]
#[command(next_help_heading = "Options of --wsdl")]
pub(super) struct Wsdl {
    /// The port to read; needed where ports are of several port types.
    #[arg(long, value_name = "NAME", requires = "wsdl")]
    port: Option<String>,
    /// One of the two mappings: the front SYSTEM, which serves the contract, or the backend
    /// SYSTEM-provider, which calls it.
    #[arg(long, value_enum, requires = "wsdl")]
    only: Option<Only>,
    /// An operation that changes something; all others only ask.
    #[arg(long = "submit", value_name = "OPERATION", requires = "wsdl")]
    submits: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Only {
    Front,
    Backend,
}

impl Wsdl {
    pub(super) fn scaffold(
        &self,
        file: &Path,
        (sector, system): (&str, &str),
    ) -> Result<Scaffold, Failure> {
        let unreadable = |error| format!("{}: {error}", file.display());
        let (folder, name) = Folder::of(file).map_err(unreadable)?;
        let scaffold = WsdlScaffold {
            sector: sector.to_owned(),
            system: system.to_owned(),
            port: self.port.clone(),
            only: self.only.map(|only| match only {
                Only::Front => Side::Front,
                Only::Backend => Side::Backend,
            }),
            submits: self.submits.clone(),
        };
        Ok(scaffold.write(&name, &folder).map_err(|error| error.to_string())?)
    }
}
