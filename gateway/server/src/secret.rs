//! Secrets by reference. The reference stands in the configuration, the secret never does.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zeroize::Zeroizing;

/// `file:PATH` or `env:NAME`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SecretRef {
    source: Source,
    name: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    File,
    Env,
}

/// Why a secret cannot be had. It never repeats the secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The reference has no known scheme.
    #[error("a secret is named by file:PATH or env:NAME, never written here")]
    Reference,
    /// The file cannot be read.
    #[error("file:{0} cannot be read: {1}")]
    File(String, #[source] std::io::Error),
    /// The variable is not set.
    #[error("env:{0} is not set")]
    Env(String),
    /// The content is not what is wanted.
    #[error("{0} must hold 32 bytes as 64 hex digits")]
    Key(String),
}

impl TryFrom<String> for SecretRef {
    type Error = SecretError;

    fn try_from(text: String) -> Result<Self, SecretError> {
        let (source, name) = match text.split_once(':') {
            Some(("file", name)) => (Source::File, name),
            Some(("env", name)) => (Source::Env, name),
            _ => return Err(SecretError::Reference),
        };
        Ok(Self { source, name: name.to_owned() })
    }
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.source {
            Source::File => write!(f, "file:{}", self.name),
            Source::Env => write!(f, "env:{}", self.name),
        }
    }
}

impl SecretRef {
    /// The secret's text without surrounding white space; files are relative to `base`.
    ///
    /// # Errors
    /// When the file or variable is not there.
    pub fn resolve(&self, base: &Path) -> Result<Zeroizing<String>, SecretError> {
        let text = match self.source {
            Source::File => std::fs::read_to_string(base.join(&self.name))
                .map_err(|error| SecretError::File(self.name.clone(), error))?,
            #[allow(
                clippy::disallowed_methods,
                reason = "the one place that reads the environment"
            )]
            Source::Env => {
                std::env::var(&self.name).map_err(|_| SecretError::Env(self.name.clone()))?
            }
        };
        let text = Zeroizing::new(text);
        Ok(Zeroizing::new(text.trim().to_owned()))
    }

    /// The file that holds the secret, for a program that reads it itself.
    pub fn file(&self, base: &Path) -> Option<PathBuf> {
        matches!(self.source, Source::File).then(|| base.join(&self.name))
    }

    /// A secret of 32 bytes, written as hex.
    ///
    /// # Errors
    /// As [`SecretRef::resolve`], or when it is anything else.
    pub fn resolve_key(&self, base: &Path) -> Result<Zeroizing<[u8; 32]>, SecretError> {
        let text = self.resolve(base)?;
        let mut key = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.as_str(), key.as_mut_slice())
            .map_err(|_| SecretError::Key(self.to_string()))?;
        Ok(key)
    }
}
