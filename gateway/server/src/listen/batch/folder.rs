//! A folder of this machine. Links are never followed, neither when a file is found nor, should it
//! be replaced in between, when it is opened.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::place::{Found, Outcome, Place, PlaceError, Version, failing, numbered};
use super::spool::Intake;

/// A watched folder.
#[derive(Clone)]
pub(super) struct LocalFolder {
    path: PathBuf,
}

impl LocalFolder {
    /// The folder at `path`.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Runs what blocks on the disk where it holds up nobody.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> Result<T, PlaceError> + Send + 'static,
    ) -> Result<T, PlaceError> {
        let path = self.path.clone();
        let done = tokio::task::spawn_blocking(move || work(&path)).await;
        done.unwrap_or_else(|error| Err(failing("a folder's work")(io::Error::other(error))))
    }
}

#[async_trait]
impl Place for LocalFolder {
    async fn list(&self) -> Result<Vec<Found>, PlaceError> {
        self.blocking(|path| list(path).map_err(failing("the folder cannot be listed"))).await
    }

    async fn fetch(&self, found: &Found, intake: Intake) -> Result<Intake, PlaceError> {
        let found = found.clone();
        self.blocking(move |path| fetch(path, &found, intake)).await
    }

    async fn has(&self, name: &str) -> Result<bool, PlaceError> {
        let name = name.to_owned();
        let say = failing("the folder cannot be searched");
        self.blocking(move |path| exists(&path.join(name)).map_err(say)).await
    }

    async fn deliver(&self, result: &Path, name: &str) -> Result<(), PlaceError> {
        let (result, name) = (result.to_owned(), name.to_owned());
        let say = failing(format!("the result {name} cannot be written"));
        self.blocking(move |path| deliver(path, &result, &name).map_err(say)).await
    }

    async fn put_away(&self, found: &Found, outcome: Outcome) -> Result<(), PlaceError> {
        let found = found.clone();
        let say = failing(format!("{} cannot be moved to {}/", found.name, outcome.folder()));
        self.blocking(move |path| put_away(path, &found, outcome).map_err(say)).await
    }

    async fn remove(&self, name: &str) -> Result<(), PlaceError> {
        let say = failing(format!("{name} cannot be removed"));
        let name = name.to_owned();
        self.blocking(move |path| gone_is_fine(fs::remove_file(path.join(name))).map_err(say)).await
    }
}

fn list(folder: &Path) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.metadata() {
            Ok(seen) if seen.is_dir() => {}
            Ok(seen) => found.push(Found::new(entry.file_name(), version(&seen), seen.is_file())),
            // It was moved away since the folder was opened.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn version(seen: &Metadata) -> Version {
    let modified = (seen.mtime(), seen.mtime_nsec());
    Version { size: seen.size(), modified, inode: seen.ino() }
}

/// Opens without following a link, and without waiting where it is no file.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)
}

fn fetch(folder: &Path, found: &Found, mut intake: Intake) -> Result<Intake, PlaceError> {
    let say = || failing(format!("{} cannot be read", found.name));
    let mut file = open(&folder.join(&found.original)).map_err(say())?;
    let is_same =
        |file: &File| file.metadata().map(|seen| seen.is_file() && version(&seen) == found.version);
    let changing = || PlaceError::Changing(found.name.clone());
    if !is_same(&file).map_err(say())? {
        return Err(changing());
    }
    // What an earlier attempt copied may have changed since: a local file is copied anew.
    intake.restart().map_err(say())?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut buffer).map_err(say())?;
        match buffer.get(..read) {
            Some(bytes) if read > 0 => intake.write(bytes).map_err(failing("the spool"))?,
            _ => break,
        }
    }
    match is_same(&file).map_err(say())? && intake.length() == found.version.size {
        true => Ok(intake),
        false => Err(changing()),
    }
}

fn exists(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn deliver(folder: &Path, result: &Path, name: &str) -> io::Result<()> {
    let part = folder.join(format!("{name}.part"));
    // Whatever stands there is of an earlier attempt, or a link that must not be written through.
    gone_is_fine(fs::remove_file(&part))?;
    let mut out = OpenOptions::new().write(true).create_new(true).open(&part)?;
    io::copy(&mut File::open(result)?, &mut out)?;
    out.sync_all()?;
    fs::rename(&part, folder.join(name))?;
    File::open(folder)?.sync_all()
}

fn put_away(folder: &Path, found: &Found, outcome: Outcome) -> io::Result<()> {
    let path = folder.join(&found.original);
    match fs::symlink_metadata(&path) {
        Ok(seen) if version(&seen) == found.version => {}
        // It is gone, or another file has come under its name.
        Ok(_) => return Ok(()),
        Err(error) => return gone_is_fine(Err(error)),
    }
    let away = folder.join(outcome.folder());
    there_is_fine(fs::create_dir(&away))?;
    for name in numbered(&found.name) {
        let target = away.join(name);
        if !exists(&target)? {
            fs::rename(&path, target)?;
            break;
        }
    }
    File::open(folder)?.sync_all()
}

fn there_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}
