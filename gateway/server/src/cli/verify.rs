//! `naru verify`

use std::io::{Read, Write};
use std::path::PathBuf;

use clap::Args;
use gateway_journal::{VerifierKey, verify};

use super::{Failure, say};

/// Verifies one receipt.
#[derive(Args)]
#[command(after_help = "A receipt is one word: the HTTP header Naru-Receipt, the SOAP header \
`receipt`, the telegram's field, or the column of a batch result. Nothing is asked over the network.")]
pub(super) struct Verify {
    /// A file with the receipt, or - for standard input.
    #[arg(value_name = "RECEIPT")]
    receipt: PathBuf,
    /// A file with the log's verifier key, one line: name+hash+key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Print the receipt as the standard text c2sp.org/tlog-proof@v1, for other tools; only when it
    /// verifies.
    #[arg(long)]
    text: bool,
}

impl Verify {
    pub(super) fn run(self) -> Result<(), Failure> {
        let key = std::fs::read_to_string(&self.key)
            .map_err(|error| format!("the key {}: {error}", self.key.display()))?;
        let key: VerifierKey = key
            .trim()
            .parse()
            .map_err(|error| format!("the key {}: {error}", self.key.display()))?;
        let receipt = self.read().map_err(|error| format!("the receipt: {error}"))?;
        let verified =
            verify(receipt.trim(), &key).map_err(|error| format!("NOT verified: {error}"))?;
        if self.text {
            let text = gateway_journal::receipt::text(receipt.trim())?;
            return Ok(std::io::stdout().write_all(text.as_bytes())?);
        }
        say(format_args!("verified: entry {} of {}", verified.index, verified.origin))?;
        say(format_args!("tree size {}", verified.tree_size))?;
        say(verified.leaf)
    }

    fn read(&self) -> std::io::Result<String> {
        if self.receipt.as_os_str() != "-" {
            return std::fs::read_to_string(&self.receipt);
        }
        let mut receipt = String::new();
        std::io::stdin().read_to_string(&mut receipt)?;
        Ok(receipt)
    }
}
