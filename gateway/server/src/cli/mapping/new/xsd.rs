//! `naru mapping new --xsd`

use std::path::Path;

use clap::Args;
use mappings::import::xml::XsdScaffold;
use mappings::import::{Folder, Scaffold};

use super::Failure;

/// What a schema does not say.
#[derive(Args)]
#[command(next_help_heading = "Options of --xsd")]
pub(super) struct Xsd {
    /// The element of the document that is sent.
    #[arg(long, value_name = "ELEMENT", requires = "xsd")]
    request: Option<String>,
    /// The element of the document that comes back.
    #[arg(long, value_name = "ELEMENT", requires = "xsd")]
    reply: Option<String>,
}

impl Xsd {
    pub(super) fn scaffold(
        &self,
        file: &Path,
        (sector, system): (&str, &str),
        service: Option<&String>,
        submits: &[String],
    ) -> Result<Scaffold, Failure> {
        let unreadable = |error| format!("{}: {error}", file.display());
        let (folder, name) = Folder::of(file).map_err(unreadable)?;
        if submits.iter().any(|submit| Some(submit) != service) {
            return Err(
                "--submit names the service, where a schema has one that changes something".into(),
            );
        }
        let submits = !submits.is_empty();
        let scaffold = XsdScaffold {
            sector: sector.to_owned(),
            system: system.to_owned(),
            service: service.cloned().unwrap_or_default(),
            request: self.request.clone(),
            reply: self.reply.clone(),
            submits,
        };
        Ok(scaffold.write(&name, &folder).map_err(|error| error.to_string())?)
    }
}
