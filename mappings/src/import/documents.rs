//! The documents that one document refers to: files of its own folder, and nothing else. No network,
//! no path that leads out, no symbolic link that does, and no more bytes than a limit.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Bytes of one document at most.
pub(super) const MAX_BYTES: u64 = 8 << 20;

/// Where documents come from, by paths relative to the first one.
pub trait Documents {
    /// The bytes of a document.
    ///
    /// # Errors
    /// When there is none that may be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, Refusal>;
}

/// Why a document is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A URL, or a path from the root.
    #[error("only files beside the first document are read; save it there and name it by its path")]
    NotLocal,
    /// A path that leads out of the folder.
    #[error("it lies outside the folder of the first document; move it below that")]
    Outside,
    /// There is none.
    #[error("there is no such file")]
    Missing,
    /// It is too large.
    #[error("it is larger than {} MiB", MAX_BYTES >> 20)]
    TooLarge,
    /// Too many documents refer to others.
    #[error("more documents than {} are referred to", MAX_DOCUMENTS)]
    TooMany,
}

/// Documents of one import at most.
pub(super) const MAX_DOCUMENTS: usize = 200;

/// A folder of files.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder that a file is in, and the file's name in it.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn of(file: &Path) -> Result<(Self, String), Refusal> {
        let name = file.file_name().and_then(|name| name.to_str()).ok_or(Refusal::Missing)?;
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        let root = parent.unwrap_or(Path::new(".")).canonicalize();
        Ok((Self { root: root.map_err(|_| Refusal::Missing)? }, name.to_owned()))
    }
}

impl Documents for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>, Refusal> {
        let found = self.root.join(path).canonicalize().map_err(|_| Refusal::Missing)?;
        if !found.starts_with(&self.root) {
            return Err(Refusal::Outside);
        }
        let file = File::open(&found).map_err(|_| Refusal::Missing)?;
        let mut bytes = Vec::new();
        let limit = MAX_BYTES.saturating_add(1);
        file.take(limit).read_to_end(&mut bytes).map_err(|_| Refusal::Missing)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Refusal::TooLarge);
        }
        Ok(bytes)
    }
}

/// The path of a document that `base` refers to by `location`.
pub(super) fn resolve(base: &str, location: &str) -> Result<String, Refusal> {
    let is_url = location.split_once(':').is_some_and(|(scheme, _)| !scheme.contains('/'));
    if is_url || location.starts_with('/') || location.contains(['\\', '\0']) {
        return Err(Refusal::NotLocal);
    }
    let folder = base.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let location = location.split_once('#').map_or(location, |(path, _)| path);
    for part in location.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or(Refusal::Outside)?;
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_stay_in_the_folder() {
        assert_eq!(resolve("a/b.wsdl", "c.xsd"), Ok("a/c.xsd".into()));
        assert_eq!(resolve("a/b.wsdl", "../c/./d.xsd"), Ok("c/d.xsd".into()));
        assert_eq!(resolve("b.wsdl", "../c.xsd"), Err(Refusal::Outside));
        assert_eq!(resolve("a/b.wsdl", "x/../../../c.xsd"), Err(Refusal::Outside));
        for url in ["http://host/c.xsd", "file:///etc/passwd", "/etc/passwd", "a\\b", "urn:c"] {
            assert_eq!(resolve("b.wsdl", url), Err(Refusal::NotLocal), "{url}");
        }
    }

    #[test]
    fn links_that_lead_out_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("inside");
        std::fs::create_dir(&inside).unwrap();
        std::fs::write(folder.path().join("secret.xsd"), "secret").unwrap();
        std::fs::write(inside.join("first.wsdl"), "first").unwrap();
        std::os::unix::fs::symlink("../secret.xsd", inside.join("link.xsd")).unwrap();
        let (documents, name) = Folder::of(&inside.join("first.wsdl")).unwrap();
        assert_eq!(documents.read(&name), Ok(b"first".to_vec()));
        assert_eq!(documents.read("link.xsd"), Err(Refusal::Outside));
        assert_eq!(documents.read("none.xsd"), Err(Refusal::Missing));
    }
}
