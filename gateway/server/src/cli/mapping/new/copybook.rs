//! `naru mapping new --copybook`

use std::fs;
use std::path::Path;

use clap::Args;
use mappings::import::Scaffold;
use mappings::import::copybook::CopybookScaffold;

use super::Failure;

/// What a copybook does not say.
#[derive(Args)]
#[command(next_help_heading = "Options of --copybook")]
pub(super) struct Copybook {
    /// The item that holds the transaction code; the header ends with the group it is in.
    #[arg(long, value_name = "ITEM", requires = "copybook")]
    transaction: Option<String>,
    /// The transaction code of these records.
    #[arg(long, value_name = "CODE", requires = "copybook")]
    operation: Option<String>,
    /// The item of the header that holds a reply's result code.
    #[arg(long, value_name = "ITEM", requires = "copybook")]
    result: Option<String>,
    /// cp949, euc-kr, utf-8, ebcdic-037, ebcdic-500 or ebcdic-933; cp949 when absent.
    #[arg(long, requires = "copybook")]
    encoding: Option<String>,
    /// How an ASCII digit carries a sign: translated ({, A to R) or ascii (p to y).
    #[arg(long, requires = "copybook")]
    overpunch: Option<String>,
    /// Of each alternative of a REDEFINES, the first too: the item that decides, and its codes.
    #[arg(
        long = "when",
        value_name = "ITEM=DECIDING-ITEM:CODE[,CODE…]",
        value_parser = alternative,
        requires = "copybook",
    )]
    alternatives: Vec<Alternative>,
}

type Alternative = (String, String, Vec<String>);

fn alternative(text: &str) -> Result<Alternative, &'static str> {
    let (item, rest) = text.split_once('=').ok_or("wants ITEM=DECIDING-ITEM:CODE")?;
    let (decides, codes) = rest.split_once(':').ok_or("wants ITEM=DECIDING-ITEM:CODE")?;
    let codes = codes.split(',').map(str::to_owned).collect();
    Ok((item.to_uppercase(), decides.to_uppercase(), codes))
}

impl Copybook {
    pub(super) fn scaffold(
        &self,
        file: &Path,
        (sector, system): (&str, &str),
        service: Option<&String>,
    ) -> Result<Scaffold, Failure> {
        let copybook = fs::read(file)
            .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        let scaffold = CopybookScaffold {
            sector: sector.to_owned(),
            system: system.to_owned(),
            operation: self.operation.clone().unwrap_or_default(),
            service: service.cloned().unwrap_or_default(),
            transaction: self.transaction.as_deref().unwrap_or_default().to_uppercase(),
            result: self.result.as_ref().map(|item| item.to_uppercase()),
            encoding: self.encoding.clone().unwrap_or_else(|| "cp949".to_owned()),
            overpunch: self.overpunch.clone(),
            alternatives: self.alternatives.clone(),
        };
        let made = scaffold.write(&copybook);
        Ok(made.map_err(|error| format!("{}: {error}", file.display()))?)
    }
}
