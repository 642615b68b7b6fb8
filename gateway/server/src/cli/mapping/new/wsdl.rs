//! `naru mapping new --wsdl`

use std::path::Path;

use clap::Args;
use mappings::import::wsdl::WsdlScaffold;
use mappings::import::{Folder, Scaffold, Side};

use super::Failure;

/// What a WSDL does not say.
#[derive(Args)]
#[command(next_help_heading = "Options of --wsdl")]
pub(super) struct Wsdl {
    /// The port to read; needed where ports are of several port types.
    #[arg(long, value_name = "NAME", requires = "wsdl")]
    port: Option<String>,
}

impl Wsdl {
    pub(super) fn scaffold(
        &self,
        file: &Path,
        (sector, system): (&str, &str),
        only: Option<Side>,
        submits: &[String],
    ) -> Result<Scaffold, Failure> {
        let unreadable = |error| format!("{}: {error}", file.display());
        let (folder, name) = Folder::of(file).map_err(unreadable)?;
        let scaffold = WsdlScaffold {
            sector: sector.to_owned(),
            system: system.to_owned(),
            port: self.port.clone(),
            only,
            submits: submits.to_vec(),
        };
        Ok(scaffold.write(&name, &folder).map_err(|error| error.to_string())?)
    }
}
