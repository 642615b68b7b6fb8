//! What is kept on disk of a file under way, so that a crash at any moment costs no record and
//! repeats none: a copy of it that nobody else can change, how far it has come, and its result as
//! far as it is written.
//!
//! It holds personal data: only its owner may read it, and it goes once the result is delivered.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::place::{Found, Outcome};

/// The files of one listener that are under way.
#[derive(Clone)]
pub(super) struct Spool {
    folder: PathBuf,
}

/// A file that is under way.
pub(super) struct Job {
    folder: PathBuf,
    /// What was taken.
    pub(super) found: Found,
}

/// How far a file has come. Written after the results that it counts are on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Data records of the file; none until it was checked.
    pub(super) of: Option<u64>,
    /// Records whose result is written.
    pub(super) records: u64,
    /// Of these, those that were answered.
    pub(super) succeeded: u64,
    /// And those that were refused.
    pub(super) failed: u64,
    /// Bytes of the result so far.
    pub(super) result_bytes: u64,
    /// Set once the result is complete.
    pub(super) outcome: Option<Outcome>,
    /// The name that the result is delivered under, once it was chosen.
    pub(super) result_name: Option<String>,
    /// Set once it is delivered.
    pub(super) delivered: bool,
}

const FOUND: &str = "found.json";
const PROGRESS: &str = "progress.json";
const INPUT: &str = "input";
const RESULT: &str = "result";

impl Spool {
    /// Opens the spool in `folder`, making it where it is not there.
    pub(super) fn open(folder: PathBuf) -> io::Result<Self> {
        let spool = Self { folder };
        private_folder(&spool.folder.join("files"))?;
        private_folder(&spool.folder.join("digests"))?;
        Ok(spool)
    }

    /// The files that were taken and are not finished, by name.
    pub(super) fn unfinished(&self) -> io::Result<Vec<Job>> {
        let mut jobs = Vec::new();
        for entry in fs::read_dir(self.folder.join("files"))? {
            let folder = entry?.path();
            if folder.join(INPUT).exists() {
                jobs.push(Job { found: read(&folder.join(FOUND))?, folder });
            }
        }
        jobs.sort_by(|one, other| one.folder.cmp(&other.folder));
        Ok(jobs)
    }

    /// Begins to take a file, or goes on with what an earlier attempt copied of it.
    pub(super) fn begin(&self, found: &Found) -> io::Result<Intake> {
        let folder = self.job_folder(found);
        private_folder(&folder)?;
        let same = read::<Found>(&folder.join(FOUND)).is_ok_and(|earlier| earlier == *found);
        if !same {
            gone_is_fine(fs::remove_file(folder.join(INPUT_PART)))?;
            write(&folder, FOUND, found)?;
        }
        Intake::open(folder)
    }

    /// The job of a file that was copied whole, and the name under which the same content was taken
    /// before.
    pub(super) fn take(&self, found: &Found, intake: Intake) -> io::Result<(Job, Option<String>)> {
        let folder = intake.folder.clone();
        let digest = intake.finish()?;
        let seen = self.folder.join("digests").join(&digest);
        let earlier = fs::read_to_string(&seen).ok();
        if earlier.is_none() {
            write_text(&self.folder.join("digests"), &digest, &found.name)?;
        }
        Ok((Job { folder, found: found.clone() }, earlier))
    }

    /// A job of which nothing needs to be copied, because it is refused for what it is.
    pub(super) fn refuse(&self, found: &Found) -> io::Result<Job> {
        let folder = self.job_folder(found);
        private_folder(&folder)?;
        write(&folder, FOUND, found)?;
        write_text(&folder, INPUT, "")?;
        Ok(Job { folder, found: found.clone() })
    }

    /// Forgets what was begun and never copied whole, of files that are not there any more.
    pub(super) fn forget_all_but(&self, found: &[Found]) -> io::Result<()> {
        for entry in fs::read_dir(self.folder.join("files"))? {
            let folder = entry?.path();
            let is_there = found.iter().any(|found| self.job_folder(found) == folder);
            if !is_there && !folder.join(INPUT).exists() {
                fs::remove_dir_all(folder)?;
            }
        }
        Ok(())
    }

    fn job_folder(&self, found: &Found) -> PathBuf {
        self.folder.join("files").join(&found.name)
    }
}

impl Job {
    /// The copy of the file.
    pub(super) fn input(&self) -> PathBuf {
        self.folder.join(INPUT)
    }

    /// Its result, whole or not.
    pub(super) fn result(&self) -> PathBuf {
        self.folder.join(RESULT)
    }

    /// How far it has come.
    pub(super) fn progress(&self) -> io::Result<Progress> {
        match read(&self.folder.join(PROGRESS)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Progress::default()),
            progress => progress,
        }
    }

    /// Keeps how far it has come, for good.
    pub(super) fn keep(&self, progress: &Progress) -> io::Result<()> {
        write(&self.folder, PROGRESS, progress)
    }

    /// Goes on with the result after `progress`; what was written after it is written again.
    pub(super) fn write_result(&self, progress: Progress) -> io::Result<ResultFile> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(self.result())?;
        if file.metadata()?.len() != progress.result_bytes {
            file.set_len(progress.result_bytes)?;
        }
        file.seek(io::SeekFrom::End(0))?;
        let file = BufWriter::with_capacity(64 << 10, file);
        Ok(ResultFile { file, progress, folder: self.folder.clone() })
    }

    /// Forgets it: the result is delivered and the file put away.
    pub(super) fn finish(self) -> io::Result<()> {
        fs::remove_dir_all(&self.folder)
    }
}

/// A result that is being written.
pub(super) struct ResultFile {
    file: BufWriter<File>,
    folder: PathBuf,
    /// How far it has come, when it is saved.
    pub(super) progress: Progress,
}

impl ResultFile {
    /// Appends to it.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.progress.result_bytes = self.progress.result_bytes.saturating_add(bytes.len() as u64);
        Ok(())
    }

    /// Puts it on disk, and then how far it has come.
    pub(super) async fn save(&mut self) -> io::Result<()> {
        self.file.flush()?;
        let file = self.file.get_ref().try_clone()?;
        let (folder, progress) = (self.folder.clone(), self.progress.clone());
        let saving = tokio::task::spawn_blocking(move || {
            file.sync_data()?;
            write(&folder, PROGRESS, &progress)
        });
        saving.await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

/// The copy of a file that is being made.
pub(super) struct Intake {
    folder: PathBuf,
    file: File,
    digest: Context,
    length: u64,
}

const INPUT_PART: &str = "input.part";

impl Intake {
    fn open(folder: PathBuf) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(folder.join(INPUT_PART))?;
        let mut hashing = Hashing(Context::new(&SHA256));
        let length = io::copy(&mut file, &mut hashing)?;
        Ok(Self { folder, file, digest: hashing.0, length })
    }

    /// Bytes copied so far.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Begins anew.
    pub(super) fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        (self.digest, self.length) = (Context::new(&SHA256), 0);
        Ok(())
    }

    /// Appends to the copy.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.digest.update(bytes);
        self.length = self.length.saturating_add(bytes.len() as u64);
        Ok(())
    }

    /// Makes the copy the file that is worked on; answers with its SHA-256 in hex.
    fn finish(self) -> io::Result<String> {
        self.file.sync_all()?;
        fs::rename(self.folder.join(INPUT_PART), self.folder.join(INPUT))?;
        File::open(&self.folder)?.sync_all()?;
        Ok(hex::encode(self.digest.finish()))
    }
}

struct Hashing(Context);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

fn write<T: Serialize>(folder: &Path, name: &str, value: &T) -> io::Result<()> {
    write_text(folder, name, &serde_json::to_string(value)?)
}

/// Replaces a small file, whole or not at all.
fn write_text(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let part = folder.join(format!("{name}.new"));
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&part, folder.join(name))?;
    File::open(folder)?.sync_all()
}
