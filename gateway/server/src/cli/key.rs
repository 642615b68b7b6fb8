//! `naru key …`

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use clap::Subcommand;
use gateway_journal::LogKey;

use super::{Failure, say};
use crate::authenticate::sha256;

/// Make keys.
#[derive(Subcommand)]
pub(super) enum Key {
    /// The signing key of a log. Writes FILE, and FILE.pub for those who verify.
    Log {
        /// The log's origin, the first line of its checkpoints, e.g. log.example.go.kr/naru.
        #[arg(long)]
        origin: String,
        /// Where to write it; an existing file is not overwritten.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// A secret of 32 bytes: pseudonyms, commitments, a ledger account.
    Secret {
        /// Where to write it; an existing file is not overwritten.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// The secret of a subscription's callbacks, as the Standard Webhooks specification writes it.
    Webhook {
        /// Where to write it; an existing file is not overwritten.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// An API key. Writes it to FILE and prints the hash that goes into the configuration.
    Api {
        /// Where to write it; an existing file is not overwritten.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

impl Key {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Log { origin, out } => {
                let key = LogKey::generate(&origin)?;
                write_new(&out, &key.secret())?;
                let public = PathBuf::from(format!("{}.pub", out.display()));
                write_new(&public, &key.verifier().to_string())?;
                say(format_args!("{} signs, {} verifies", out.display(), public.display()))
            }
            Self::Secret { out } => write_new(&out, &hex::encode(random()?)),
            Self::Webhook { out } => {
                write_new(&out, &format!("whsec_{}", BASE64_STANDARD.encode(random()?)))
            }
            Self::Api { out } => {
                let key = BASE64_URL_SAFE_NO_PAD.encode(random()?);
                write_new(&out, &key)?;
                say(format_args!("sha256:{}", hex::encode(sha256(key.as_bytes()))))
            }
        }
    }
}

fn random() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "the system gives no random numbers")?;
    Ok(bytes)
}

/// Writes a file that only its owner can read and that was not there.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = written.map_err(|error| format!("{}: {error}", path.display()))?;
    writeln!(file, "{text}")?;
    Ok(file.sync_all()?)
}
