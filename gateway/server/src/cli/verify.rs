//! `naru verify`

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use gateway_journal::bundle::{Bundle, VerifiedEntry};
use gateway_journal::{VerifierKey, verify};

use super::{Failure, say};

/// Verifies one receipt, or an evidence bundle.
#[derive(Args)]
#[command(after_help = "A receipt is one word: the HTTP header Naru-Receipt, the SOAP header \
`receipt`, the telegram's field, or the column of a batch result. Nothing is asked over the network.")]
pub(super) struct Verify {
    /// A file with the receipt, or - for standard input.
    #[arg(value_name = "RECEIPT", required_unless_present = "bundle")]
    receipt: Option<PathBuf>,
    /// An evidence bundle instead of a receipt: its entries, and the parts that are opened in it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["receipt", "text"])]
    bundle: Option<PathBuf>,
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
        match (&self.bundle, &self.receipt) {
            (Some(bundle), _) => verify_bundle(bundle, &key),
            (None, Some(receipt)) => self.verify_receipt(receipt, &key),
            (None, None) => Err("name a file with a receipt, or --bundle FILE".into()),
        }
    }

    fn verify_receipt(&self, receipt: &Path, key: &VerifierKey) -> Result<(), Failure> {
        let receipt = read(receipt).map_err(|error| format!("the receipt: {error}"))?;
        let verified =
            verify(receipt.trim(), key).map_err(|error| format!("NOT verified: {error}"))?;
        if self.text {
            let text = gateway_journal::receipt::text(receipt.trim())?;
            return Ok(std::io::stdout().write_all(text.as_bytes())?);
        }
        say(format_args!("verified: entry {} of {}", verified.index, verified.origin))?;
        say(format_args!("tree size {}", verified.tree_size))?;
        say(verified.leaf)
    }
}

fn verify_bundle(file: &Path, key: &VerifierKey) -> Result<(), Failure> {
    let text = read(file).map_err(|error| format!("the bundle {}: {error}", file.display()))?;
    let entries = Bundle::verify(&text, key).map_err(|error| format!("NOT verified: {error}"))?;
    for VerifiedEntry { entry, opened } in entries {
        say(format_args!("verified: entry {} of {}", entry.index, entry.origin))?;
        say(entry.leaf)?;
        for (part, bytes) in opened {
            say(format_args!("opened: {}, {} bytes", part.name(), bytes.len()))?;
            match String::from_utf8(bytes) {
                Ok(text) => say(text)?,
                Err(error) => say(hex::encode(error.into_bytes()))?,
            }
        }
    }
    Ok(())
}

fn read(file: &Path) -> std::io::Result<String> {
    if file.as_os_str() != "-" {
        return std::fs::read_to_string(file);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}
