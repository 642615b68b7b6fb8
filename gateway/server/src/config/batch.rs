//! `[[listen.batch]]`: folders that members put files into.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::Deserialize;

use crate::listen::batch::Complete;
use crate::secret::SecretRef;

/// `[[listen.batch]]`
#[derive(Debug, Deserialize)]
pub struct BatchListener {
    /// The watched folder.
    pub folder: PathBuf,
    /// The mapping of the files, e.g. `welfare/city-b/v1`.
    pub front: String,
    /// The member the folder belongs to.
    pub member: String,
    /// How often to look.
    #[serde(default = "thousand")]
    pub poll_ms: u64,
    /// How it is known that a file is complete.
    #[serde(default = "renamed")]
    pub complete: Complete,
    /// Records of one file handed in at once.
    #[serde(default = "sixteen")]
    pub concurrency: NonZeroUsize,
    /// The SFTP server that the folder is on; this machine when absent.
    pub sftp: Option<Sftp>,
}

/// `sftp` of a `[[listen.batch]]`
#[derive(Debug, Deserialize)]
pub struct Sftp {
    /// The server's name or address.
    pub host: String,
    /// Its port.
    #[serde(default = "twenty_two")]
    pub port: u16,
    /// The user there.
    pub user: String,
    /// OpenSSH's `known_hosts` with the server's key; no other server is talked to.
    pub known_hosts: PathBuf,
    /// The user's private key, as `file:PATH`: `ssh` reads it itself.
    pub key: Option<SecretRef>,
    /// Or the user's password.
    pub password: Option<SecretRef>,
}

fn thousand() -> u64 {
    1_000
}

fn renamed() -> Complete {
    Complete::Renamed
}

fn sixteen() -> NonZeroUsize {
    NonZeroUsize::MIN.saturating_add(15)
}

fn twenty_two() -> u16 {
    22
}
