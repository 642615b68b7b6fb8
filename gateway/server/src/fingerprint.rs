//! What a deployment was made from, as a digest: two gateways with the same one decide alike, and a
//! record that names it can be held against the files it was made from.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::authenticate::{Sha256, sha256};
use crate::config::Config;
use crate::config::source::{Source, push};

/// The digests of a configuration and of what it names. Secrets are not in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Of everything, 16 hex digits; records name it, and `naru check` prints it.
    pub configuration: String,
    /// Of the catalog alone: whether a message decoded with one can be handled by another.
    pub formats: Sha256,
}

impl Fingerprint {
    /// Reads everything that `config` names.
    ///
    /// # Errors
    /// When a folder or file cannot be read.
    pub fn take(config: &Config, source: &Source) -> io::Result<Self> {
        let formats = digest(&config.path(&config.gateway.catalog))?;
        let policies = digest(&config.path(&config.gateway.policies))?;
        let all = [source.public_bytes(), formats.to_vec(), policies.to_vec()].concat();
        let mut configuration = hex::encode(sha256(&all));
        configuration.truncate(16);
        Ok(Self { configuration, formats })
    }
}

/// The names and contents of the files below `folder`. Examples are not part of what they show.
fn digest(folder: &Path) -> io::Result<Sha256> {
    let mut bytes = Vec::new();
    for path in files(folder)? {
        let name = path.strip_prefix(folder).unwrap_or(&path);
        push(&mut bytes, name.as_os_str().as_encoded_bytes());
        push(&mut bytes, &sha256(&fs::read(&path)?));
    }
    Ok(sha256(&bytes))
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true if path.ends_with("cases") => {}
            true => found.extend(files(&path)?),
            false => found.push(path),
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_and_name_counts_but_those_of_examples() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            digest(folder.path()).unwrap()
        };
        let first = write("a/mapping.yaml", "x: 1");
        assert_eq!(write("a/cases/one.in", "anything"), first);
        let second = write("a/mapping.yaml", "x: 2");
        assert_ne!(second, first);
        assert_ne!(write("a/other.yaml", ""), second);
        assert!(digest(&folder.path().join("nowhere")).is_err());
    }
}
