//! The root key, in generations: an erasure makes a new one and destroys the old one, so that no backup
//! of what was wrapped under it can be opened any more.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::VaultError;
use super::key::{self, Secret};

/// Wraps the shards' keys. Every function may be called again after a crash, with the same result.
pub trait RootKeys: Send + Sync {
    /// Makes the key of a generation, unless it is there.
    ///
    /// # Errors
    /// Any [`VaultError`].
    fn create(&self, generation: u64) -> Result<(), VaultError>;

    /// Wraps `plain` with the key of a generation.
    ///
    /// # Errors
    /// [`VaultError::Root`] when there is no such key.
    fn wrap(&self, generation: u64, plain: &[u8; 32]) -> Result<Vec<u8>, VaultError>;

    /// Opens what [`RootKeys::wrap`] made.
    ///
    /// # Errors
    /// As there; [`VaultError::Unopened`] when it was wrapped with another key.
    fn unwrap(&self, generation: u64, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, VaultError>;

    /// Destroys the key of a generation, for good.
    ///
    /// # Errors
    /// [`VaultError::Root`].
    fn destroy(&self, generation: u64) -> Result<(), VaultError>;

    /// Whether it can make and destroy keys by itself.
    fn replaces_itself(&self) -> bool {
        true
    }
}

/// What a root key wraps is bound to this.
const BOUND: &[u8] = b"naru shard key v1";

/// Keys in files of 64 hex digits: the first generation in the file itself, later ones in files beside
/// it, whose names end in a point and the generation.
pub struct FileRoot(PathBuf);

impl FileRoot {
    /// The first generation is in `file`; it is made when it is not there.
    pub fn new(file: PathBuf) -> Self {
        Self(file)
    }

    fn path(&self, generation: u64) -> PathBuf {
        match generation {
            0 => self.0.clone(),
            later => {
                let mut name = self.0.as_os_str().to_owned();
                name.push(format!(".{later}"));
                name.into()
            }
        }
    }

    fn secret(&self, generation: u64) -> Result<Secret, VaultError> {
        let path = self.path(generation);
        let text = Zeroizing::new(fs::read_to_string(&path).map_err(|e| failed(&path, &e))?);
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), bytes.as_mut_slice()).map_err(|_| {
            VaultError::Root(format!("{} must hold 32 bytes as 64 hex digits", path.display()))
        })?;
        Ok(Secret::new(bytes))
    }
}

impl RootKeys for FileRoot {
    fn create(&self, generation: u64) -> Result<(), VaultError> {
        let path = self.path(generation);
        if path.exists() {
            return Ok(());
        }
        let draft = path.with_extension("new");
        let text = Zeroizing::new(hex::encode(Secret::random()?.expose()));
        let write = || {
            let mut options = OpenOptions::new();
            let mut file =
                options.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            sync_folder(&path)
        };
        write().map_err(|error| failed(&path, &error))
    }

    fn wrap(&self, generation: u64, plain: &[u8; 32]) -> Result<Vec<u8>, VaultError> {
        key::seal(self.secret(generation)?.expose(), BOUND, plain)
    }

    fn unwrap(&self, generation: u64, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, VaultError> {
        unwrapped(self.secret(generation)?.expose(), wrapped)
    }

    /// Overwrites the file before it removes it. On a file system that keeps earlier versions, or on
    /// flash memory, that may not reach every copy: there the root key belongs into a token.
    fn destroy(&self, generation: u64) -> Result<(), VaultError> {
        let path = self.path(generation);
        let destroy = || {
            let length = match fs::metadata(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                found => found?.len(),
            };
            let mut file = OpenOptions::new().write(true).open(&path)?;
            io::copy(&mut io::Read::take(io::repeat(0), length), &mut file)?;
            file.sync_all()?;
            fs::remove_file(&path)?;
            sync_folder(&path)
        };
        destroy().map_err(|error| failed(&path, &error))
    }
}

/// A key that somebody else provides, such as an environment variable. It is of every generation: an
/// erasure cannot replace it, and whoever has a backup and it can open what was erased.
pub struct GivenRoot(Secret);

impl GivenRoot {
    /// Takes the key.
    pub fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(Secret::new(key))
    }
}

impl RootKeys for GivenRoot {
    fn create(&self, _: u64) -> Result<(), VaultError> {
        Ok(())
    }

    fn wrap(&self, _: u64, plain: &[u8; 32]) -> Result<Vec<u8>, VaultError> {
        key::seal(self.0.expose(), BOUND, plain)
    }

    fn unwrap(&self, _: u64, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, VaultError> {
        unwrapped(self.0.expose(), wrapped)
    }

    fn destroy(&self, _: u64) -> Result<(), VaultError> {
        Ok(())
    }

    fn replaces_itself(&self) -> bool {
        false
    }
}

fn unwrapped(key: &[u8; 32], wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, VaultError> {
    let opened = key::open(key, BOUND, wrapped)?;
    let bytes: &[u8; 32] = opened.as_slice().try_into().map_err(|_| VaultError::Unopened)?;
    Ok(Zeroizing::new(*bytes))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn failed(path: &Path, error: &io::Error) -> VaultError {
    VaultError::Root(format!("{}: {error}", path.display()))
}
