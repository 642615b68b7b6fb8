//! Where everything stands in the world's directory.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Marks a directory as a world, so that only a world is ever wiped.
const MARKER: &str = ".naru-world";

/// The directory of one world.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
}

/// Why a directory cannot be a world.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// It holds something else, which would be lost.
    #[error("{} is not empty and is no practice world; it is left alone", .0.display())]
    NotAWorld(PathBuf),
    /// It cannot be read or written.
    #[error("cannot prepare {}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Layout {
    /// An empty world directory at `root`; an earlier world there is wiped.
    ///
    /// # Errors
    /// When something other than a world stands there, or it cannot be written.
    pub fn create(root: &Path) -> Result<Self, LayoutError> {
        let failed = |source| LayoutError::Io { path: root.to_owned(), source };
        if root.exists() {
            let empty = fs::read_dir(root).map_err(failed)?.next().is_none();
            if !empty && !root.join(MARKER).exists() {
                return Err(LayoutError::NotAWorld(root.to_owned()));
            }
            fs::remove_dir_all(root).map_err(failed)?;
        }
        fs::create_dir_all(root).map_err(failed)?;
        // Absolute, because child processes are given paths in it.
        let layout = Self { root: fs::canonicalize(root).map_err(failed)? };
        layout.write(MARKER, "This directory is made anew by `naru world`.\n")?;
        let folders = ["keys", "pki", "samples", "receipts", "inbox/city-b", "inbox/city-d"];
        for folder in folders.into_iter().chain(["log", "state"]) {
            let path = layout.path(folder);
            fs::create_dir_all(&path).map_err(|source| LayoutError::Io { path, source })?;
        }
        Ok(layout)
    }

    /// The directory itself, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path in it.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Writes a file that anybody may read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, relative: &str, content: impl AsRef<[u8]>) -> Result<(), LayoutError> {
        let path = self.path(relative);
        fs::write(&path, content).map_err(|source| LayoutError::Io { path, source })
    }

    /// Writes a file that only its owner may read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_secret(
        &self,
        relative: &str,
        content: impl AsRef<[u8]>,
    ) -> Result<(), LayoutError> {
        let path = self.path(relative);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        options
            .open(&path)
            .and_then(|mut file| file.write_all(content.as_ref()))
            .map_err(|source| LayoutError::Io { path, source })
    }

    /// Copies the files of another folder into `relative`, without its subfolders.
    ///
    /// # Errors
    /// When one of them cannot be read or written.
    pub fn copy_files(&self, from: &Path, relative: &str) -> Result<(), LayoutError> {
        let failed = |source| LayoutError::Io { path: from.to_owned(), source };
        let target = self.path(relative);
        fs::create_dir_all(&target).map_err(failed)?;
        for entry in fs::read_dir(from).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.path().is_file() {
                fs::copy(entry.path(), target.join(entry.file_name())).map_err(failed)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_a_world_is_wiped() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("thesis.txt"), "years of work").unwrap();
        let refused = Layout::create(directory.path());
        assert!(matches!(refused, Err(LayoutError::NotAWorld(_))));
        assert!(directory.path().join("thesis.txt").exists());

        let world = directory.path().join("world");
        Layout::create(&world).unwrap().write("old", "").unwrap();
        let anew = Layout::create(&world).unwrap();
        assert!(!anew.path("old").exists());
    }

    #[test]
    fn secrets_are_for_their_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::create(&directory.path().join("world")).unwrap();
        layout.write_secret("keys/x.key", "00").unwrap();
        let mode = fs::metadata(layout.path("keys/x.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
