//! Where files come from and results go to: a local folder or an SFTP server. A place knows
//! nothing of what is in a file.

use std::ffi::OsString;
use std::path::Path;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::names;
use super::spool::Intake;

/// A file as it was seen at its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Found {
    /// Its name as the place has it, which may be anything.
    pub(super) original: OsString,
    /// Its name as paths and logs may have it.
    pub(super) name: String,
    /// What tells it from a later file of the same name.
    pub(super) version: Version,
    /// False for links, devices and whatever else is neither file nor folder.
    pub(super) is_file: bool,
}

/// A file's size and when it was changed: what shows that it is still the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Version {
    /// Bytes.
    pub(super) size: u64,
    /// Seconds and nanoseconds, as the place has them.
    pub(super) modified: (i64, i64),
    /// The inode, where there is one.
    pub(super) inode: u64,
}

impl Found {
    /// A file of the name `original`.
    pub(super) fn new(original: OsString, version: Version, is_file: bool) -> Self {
        let name = names::safe(original.as_encoded_bytes()).into_owned();
        Self { original, name, version, is_file }
    }

    /// Whether its name may be used as it is.
    pub(super) fn is_plain(&self) -> bool {
        *self.original == *self.name
    }
}

/// What became of a file, which is also the folder that it is put away in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// Its records were handed in.
    Done,
    /// Nothing of it was done.
    Refused,
}

impl Outcome {
    /// The folder's name.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

/// Why a place cannot be used at the moment. All of it is tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlaceError {
    /// The operating system says no.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The file was changed while it was read.
    #[error("{0} is still being written")]
    Changing(String),
    /// The SFTP server says no, or cannot be reached.
    #[error("{what}: {why}")]
    Remote {
        /// What was tried.
        what: String,
        /// Why it failed.
        why: String,
    },
}

/// Says what was tried when the operating system said no.
pub(super) fn failing(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> PlaceError {
    move |source| PlaceError::Io { what: what.into(), source }
}

/// A folder of one member, wherever it is.
#[async_trait]
pub(super) trait Place: Send + Sync {
    /// Everything in it but folders.
    async fn list(&self) -> Result<Vec<Found>, PlaceError>;

    /// Reads a file into `intake`, from where that begins, and says when it changed meanwhile.
    async fn fetch(&self, found: &Found, intake: Intake) -> Result<Intake, PlaceError>;

    /// Whether there is something of this name.
    async fn has(&self, name: &str) -> Result<bool, PlaceError>;

    /// Puts a finished result there, under another name until it is whole.
    async fn deliver(&self, result: &Path, name: &str) -> Result<(), PlaceError>;

    /// Moves a file that was taken into `done/` or `refused/`, under a name that no earlier one
    /// has. A file that is gone, or is another one by now, is left alone.
    async fn put_away(&self, found: &Found, outcome: Outcome) -> Result<(), PlaceError>;

    /// Removes the marker that said a file is complete.
    async fn remove(&self, name: &str) -> Result<(), PlaceError>;
}

/// The names a file may be put away under, best first.
pub(super) fn numbered(name: &str) -> impl Iterator<Item = String> + '_ {
    std::iter::once(name.to_owned()).chain((2_u64..).map(move |number| format!("{number}-{name}")))
}
