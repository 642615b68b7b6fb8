//! A published log as anyone can read it: a folder, or whatever serves one. Nothing that is read is
//! believed until hashes lead from it to a signed root.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tlog_tiles::{
    Error, Hash, HashReader, Tile, TileHashReader, TileReader, prove_record, prove_tree,
    stored_hash_index, tree_hash,
};

use crate::error::LogError;
use crate::tiles::{CHECKPOINT, Tiles, bundle_path, tile_path};
use crate::tree::{TILE_HEIGHT, TILE_WIDTH};

/// Where a log is read. Paths are those of [tlog-tiles], below the log's prefix.
///
/// [tlog-tiles]: https://c2sp.org/tlog-tiles
pub trait Published: Send + Sync {
    /// The object at `path`; none when there is none.
    ///
    /// # Errors
    /// When it cannot be told, as a sentence for the operator.
    fn get(&self, path: &str) -> Result<Option<Vec<u8>>, String>;
}

/// A log in a folder of this machine.
pub struct Folder(Tiles);

impl Folder {
    /// Opens a folder.
    ///
    /// # Errors
    /// [`LogError::Io`] when it cannot be opened.
    pub fn open(directory: &std::path::Path) -> Result<Self, LogError> {
        Ok(Self(Tiles::open(directory)?))
    }
}

impl Published for Folder {
    fn get(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        self.0.get(path).map_err(|error| error.to_string())
    }
}

impl Published for Tiles {
    fn get(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        Self::get(self, path).map_err(|error| error.to_string())
    }
}

/// Why a published log is not what it says.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read.
    #[error("the log cannot be read: {0}")]
    Source(String),
    /// It has no checkpoint.
    #[error("there is no {CHECKPOINT} there; is this the prefix of a log?")]
    NoCheckpoint,
    /// An object that must be there is not.
    #[error("{0} is missing; the log cannot be checked without it")]
    Missing(String),
    /// Hashes do not lead from an object to the signed root.
    #[error("{0} is not what the checkpoint signed: it was changed, or written for another tree")]
    Changed(String),
}

/// Reads the published checkpoint.
///
/// # Errors
/// [`ReadError::Source`], [`ReadError::NoCheckpoint`].
pub fn checkpoint(source: &dyn Published) -> Result<Vec<u8>, ReadError> {
    source.get(CHECKPOINT).map_err(ReadError::Source)?.ok_or(ReadError::NoCheckpoint)
}

/// The first `width` entries of bundle `index`, from the partial bundle of that width or from the full
/// one that took its place.
pub(crate) fn bundle(source: &dyn Published, index: u64, width: u32) -> Result<Vec<u8>, ReadError> {
    either(source, &bundle_path(index, width), &bundle_path(index, TILE_WIDTH as u32))
}

fn either(source: &dyn Published, partial: &str, full: &str) -> Result<Vec<u8>, ReadError> {
    let get = |path| source.get(path).map_err(ReadError::Source);
    if let Some(found) = get(partial)? {
        return Ok(found);
    }
    let found = if partial == full { None } else { get(full)? };
    found.ok_or_else(|| ReadError::Missing(partial.to_owned()))
}

/// The hashes of one signed tree, each proved to be in it.
pub(crate) struct SignedTree<'a> {
    source: &'a dyn Published,
    size: u64,
    root: Hash,
    /// Tiles proved before. They are small, and neighbours share their parents.
    known: Mutex<HashMap<Tile, Vec<u8>>>,
    failed: Mutex<Option<ReadError>>,
}

/// Tiles remembered: 8 KB each.
const REMEMBERED: usize = 64;

impl<'a> SignedTree<'a> {
    pub(crate) fn new(source: &'a dyn Published, size: u64, root: Hash) -> Self {
        Self { source, size, root, known: Mutex::default(), failed: Mutex::default() }
    }

    /// The leaf hashes from `first` on, `count` of them.
    pub(crate) fn leaves(&self, first: u64, count: u64) -> Result<Vec<Hash>, ReadError> {
        let indexes: Vec<u64> = (first..first + count).map(|n| stored_hash_index(0, n)).collect();
        let read = TileHashReader::new(self.size, self.root, self).read_hashes(&indexes);
        read.map_err(|error| self.why(error, &tile_path(0, first / TILE_WIDTH, TILE_WIDTH as u32)))
    }

    /// The proof that the entry at `index` is in this tree.
    pub(crate) fn inclusion(&self, index: u64) -> Result<Vec<Hash>, ReadError> {
        let hashes = TileHashReader::new(self.size, self.root, self);
        prove_record(self.size, index, &hashes).map_err(|error| self.why(error, "a tile"))
    }

    /// The proof that the tree of `old` entries is the beginning of this one.
    pub(crate) fn consistency(&self, old: u64) -> Result<Vec<Hash>, ReadError> {
        if old == 0 || old == self.size {
            return Ok(Vec::new());
        }
        let hashes = TileHashReader::new(self.size, self.root, self);
        prove_tree(self.size, old, &hashes).map_err(|error| self.why(error, "a tile"))
    }

    /// The root of this tree when it had `old` entries.
    pub(crate) fn earlier_root(&self, old: u64) -> Result<Hash, ReadError> {
        let hashes = TileHashReader::new(self.size, self.root, self);
        tree_hash(old, &hashes).map_err(|error| self.why(error, "a tile"))
    }

    fn why(&self, _: Error, what: &str) -> ReadError {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        failed.unwrap_or_else(|| ReadError::Changed(what.to_owned()))
    }

    fn read(&self, tile: &Tile) -> Result<Vec<u8>, ReadError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = known.get(tile) {
            return Ok(bytes.clone());
        }
        drop(known);
        let (level, index, width) = (tile.level(), tile.level_index(), tile.width());
        let path = tile_path(level, index, width);
        let mut bytes = either(self.source, &path, &tile_path(level, index, TILE_WIDTH as u32))?;
        bytes.truncate(width as usize * size_of::<Hash>());
        if bytes.len() < width as usize * size_of::<Hash>() {
            return Err(ReadError::Changed(path));
        }
        Ok(bytes)
    }
}

impl TileReader for SignedTree<'_> {
    fn height(&self) -> u8 {
        TILE_HEIGHT
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let read: Result<_, _> = tiles.iter().map(|tile| self.read(tile)).collect();
        read.map_err(|error| {
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            Error::InvalidTile
        })
    }

    fn save_tiles(&self, tiles: &[Tile], data: &[Vec<u8>]) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > REMEMBERED {
            known.clear();
        }
        known.extend(tiles.iter().copied().zip(data.iter().cloned()));
    }
}
