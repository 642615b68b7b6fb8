//! A folder on an SFTP server. The operating system's `ssh` makes the connection, so that host
//! keys, algorithms and hardware keys are what the operator knows them to be; the file protocol
//! (draft-ietf-secsh-filexfer-02) is spoken over its standard streams. Why, is in
//! `docs/adr` under SFTP.
//!
//! The server's key must be in the configured file before the first connection; nothing is trusted
//! on first use. A connection that fails is dropped and made again at the next look.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use russh_sftp::client::error::Error;
use russh_sftp::client::fs::Metadata;
use russh_sftp::client::{Config, SftpSession};
use russh_sftp::protocol::{OpenFlags, StatusCode};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::sync::Mutex;

use super::place::{Found, Outcome, Place, PlaceError, Version, failing, numbered};
use super::spool::Intake;
use super::ssh::{Ssh, SshError};

/// A watched folder on a server.
pub(super) struct SftpFolder {
    ssh: Ssh,
    /// Its path there; relative to the user's home folder unless it begins with `/`.
    folder: String,
    connection: Mutex<Option<Connection>>,
}

struct Connection {
    session: Arc<SftpSession>,
    /// Ends with the connection.
    _ssh: Child,
}

/// Seconds that the server may take to answer one request.
const ANSWER_SECONDS: u64 = 30;

impl SftpFolder {
    /// The folder at `folder` of the server that `ssh` connects to.
    pub(super) fn new(ssh: Ssh, folder: String) -> Self {
        Self { ssh, folder, connection: Mutex::default() }
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.folder.trim_end_matches('/'))
    }

    /// The connection, made anew where there is none.
    async fn session(&self) -> Result<Arc<SftpSession>, PlaceError> {
        let mut connection = self.connection.lock().await;
        if let Some(Connection { session, .. }) = &*connection {
            return Ok(session.clone());
        }
        let made = self.connect().await.map_err(|why| PlaceError::Remote {
            what: format!("no connection to {}", self.ssh.server()),
            why: why.to_string(),
        })?;
        let session = made.session.clone();
        *connection = Some(made);
        Ok(session)
    }

    async fn connect(&self) -> Result<Connection, SshError> {
        self.ssh.prepare()?;
        let mut connected = self.ssh.start()?;
        let config = Config { request_timeout_secs: ANSWER_SECONDS, ..Config::default() };
        match SftpSession::new_with_config(connected.streams, config).await {
            Ok(session) => Ok(Connection { session: Arc::new(session), _ssh: connected.child }),
            Err(error) => Err(connected.errors.why(&mut connected.child, error.to_string()).await),
        }
    }

    /// Names what was tried. What is not the server's own answer ends the connection.
    async fn failed(&self, what: impl Into<String>, error: Error) -> PlaceError {
        if !matches!(error, Error::Status(_)) {
            *self.connection.lock().await = None;
        }
        PlaceError::Remote { what: what.into(), why: error.to_string() }
    }

    async fn failed_io(&self, what: impl Into<String>, error: std::io::Error) -> PlaceError {
        *self.connection.lock().await = None;
        PlaceError::Remote { what: what.into(), why: error.to_string() }
    }

    /// What stands under a name, links not followed; nothing when there is nothing.
    async fn seen(&self, name: &str) -> Result<Option<Metadata>, PlaceError> {
        match self.session().await?.symlink_metadata(self.path(name)).await {
            Ok(seen) => Ok(Some(seen)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(self.failed(format!("{name} cannot be looked at"), error).await),
        }
    }

    /// Downloads from where `intake` is to the file's end.
    async fn download(&self, found: &Found, intake: &mut Intake) -> Result<(), PlaceError> {
        let what = || format!("{} cannot be read", found.name);
        let name = found.original.to_string_lossy();
        let opened = self.session().await?.open(self.path(&name)).await;
        let mut file = match opened {
            Ok(file) => file,
            Err(error) => return Err(self.failed(what(), error).await),
        };
        if let Err(error) = file.seek(std::io::SeekFrom::Start(intake.length())).await {
            return Err(self.failed_io(what(), error).await);
        }
        let mut buffer = vec![0; 64 << 10];
        while intake.length() <= found.version.size {
            let read = match file.read(&mut buffer).await {
                Ok(read) => read,
                Err(error) => return Err(self.failed_io(what(), error).await),
            };
            match buffer.get(..read) {
                Some(bytes) if read > 0 => intake.write(bytes).map_err(failing("the spool"))?,
                _ => break,
            }
        }
        Ok(())
    }

    async fn upload(&self, result: &Path, part: &str) -> Result<(), PlaceError> {
        let what = || format!("{part} cannot be written");
        let mut source = tokio::fs::File::open(result).await.map_err(failing("the spool"))?;
        let flags = OpenFlags::CREATE | OpenFlags::EXCLUDE | OpenFlags::WRITE;
        let opened = self.session().await?.open_with_flags(self.path(part), flags).await;
        let mut file = match opened {
            Ok(file) => file,
            Err(error) => return Err(self.failed(what(), error).await),
        };
        let written = async {
            tokio::io::copy(&mut source, &mut file).await?;
            file.flush().await?;
            file.sync_all().await?;
            file.close().await
        };
        match written.await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.failed_io(what(), error).await),
        }
    }

    async fn rename(&self, from: &str, to: &str) -> Result<(), PlaceError> {
        let renamed = self.session().await?.rename(self.path(from), self.path(to)).await;
        match renamed {
            Ok(()) => Ok(()),
            Err(error) => Err(self.failed(format!("{from} cannot be moved to {to}"), error).await),
        }
    }
}

#[async_trait]
impl Place for SftpFolder {
    async fn list(&self) -> Result<Vec<Found>, PlaceError> {
        let listed = self.session().await?.read_dir(self.folder.clone()).await;
        let entries = match listed {
            Ok(entries) => entries,
            Err(error) => return Err(self.failed("the folder cannot be listed", error).await),
        };
        let mut found = Vec::new();
        for entry in entries {
            let (name, seen) = (entry.file_name(), entry.metadata());
            // A server may name anything. A name with a slash is none, and one that is not UTF-8
            // cannot be asked for again.
            if name.contains(['/', '\0', '\u{fffd}']) {
                tracing::warn!("a file on {} has no usable name", self.ssh.server());
            } else if !seen.file_type().is_dir() {
                let is_file = seen.file_type().is_file();
                found.push(Found::new(OsString::from(name), version(&seen), is_file));
            }
        }
        Ok(found)
    }

    async fn fetch(&self, found: &Found, mut intake: Intake) -> Result<Intake, PlaceError> {
        let name = found.original.to_string_lossy();
        let is_same = |seen: Option<Metadata>| {
            seen.is_some_and(|seen| seen.file_type().is_file() && version(&seen) == found.version)
        };
        let changing = || PlaceError::Changing(found.name.clone());
        if !is_same(self.seen(&name).await?) {
            return Err(changing());
        }
        if intake.length() > found.version.size {
            intake.restart().map_err(failing("the spool"))?;
        }
        self.download(found, &mut intake).await?;
        match intake.length() == found.version.size && is_same(self.seen(&name).await?) {
            true => Ok(intake),
            false => {
                intake.restart().map_err(failing("the spool"))?;
                Err(changing())
            }
        }
    }

    async fn has(&self, name: &str) -> Result<bool, PlaceError> {
        Ok(self.seen(name).await?.is_some())
    }

    async fn deliver(&self, result: &Path, name: &str) -> Result<(), PlaceError> {
        let part = format!("{name}.part");
        self.remove(&part).await?;
        self.upload(result, &part).await?;
        // A rename replaces nothing; what stands there is from before a crash, and the same.
        self.remove(name).await?;
        self.rename(&part, name).await
    }

    async fn put_away(&self, found: &Found, outcome: Outcome) -> Result<(), PlaceError> {
        let name = found.original.to_string_lossy();
        match self.seen(&name).await? {
            Some(seen) if version(&seen) == found.version => {}
            // It is gone, or another file has come under its name.
            _ => return Ok(()),
        }
        let away = outcome.folder();
        if self.seen(away).await?.is_none() {
            let made = self.session().await?.create_dir(self.path(away)).await;
            if let Err(error) = made {
                return Err(self.failed(format!("{away} cannot be made"), error).await);
            }
        }
        for free in numbered(&found.name) {
            let free = format!("{away}/{free}");
            if self.seen(&free).await?.is_none() {
                return self.rename(&name, &free).await;
            }
        }
        Ok(())
    }

    async fn remove(&self, name: &str) -> Result<(), PlaceError> {
        match self.session().await?.remove_file(self.path(name)).await {
            Ok(()) => Ok(()),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(self.failed(format!("{name} cannot be removed"), error).await),
        }
    }
}

fn is_absent(error: &Error) -> bool {
    matches!(error, Error::Status(status) if status.status_code == StatusCode::NoSuchFile)
}

fn version(seen: &Metadata) -> Version {
    let modified = (seen.mtime.unwrap_or_default().into(), 0);
    Version { size: seen.size.unwrap_or_default(), modified, inode: 0 }
}
