//! The end of the log that is still growing: the right edge of the tree and the entries of the
//! bundle that is not full yet.

use tlog_tiles::{Hash, Tile, record_hash};

use crate::error::LogError;
use crate::tiles::{Object, Tiles, bundle_path, tile_path};
use crate::tree::{MissingHash, TILE_HEIGHT, TILE_WIDTH, Tree};
use crate::wal;

/// What the writer holds in memory: at most one tile per level, and one bundle.
#[derive(Clone, Default)]
pub(crate) struct Edge {
    /// The tree, with everything that is not trimmed.
    pub(crate) tree: Tree,
    bundle: Vec<u8>,
    full: Vec<Object>,
    tiled: u64,
}

impl Edge {
    /// Reads the edge of a log of `size` entries whose root is known to be `root`.
    pub(crate) fn read(tiles: &Tiles, size: u64, root: Hash) -> Result<Self, LogError> {
        let tree = Tree::restore(size, |level, index, width| tiles.hashes(level, index, width))?;
        let (index, width) = (size / TILE_WIDTH, (size % TILE_WIDTH) as u32);
        let damaged = |path: String, what| LogError::damaged(&tiles.path(&path), what);
        if tree.root().ok() != Some(root) {
            let path = tile_path(0, index, width.max(1));
            return Err(damaged(
                path,
                "this tile, or another at the right edge of the tree, is not what was written",
            ));
        }
        let mut bundle = Vec::new();
        if width > 0 {
            let path = || bundle_path(index, width);
            let stored = tiles.bundle(index, width)?;
            let entries = wal::entries(&stored).unwrap_or_default();
            let hashes = tiles.hashes(0, index, width)?;
            let right = entries.len() >= hashes.len()
                && entries.iter().zip(&hashes).all(|(e, h)| record_hash(e) == *h);
            if !right {
                return Err(damaged(path(), "its entries are not those of the tree"));
            }
            let kept = entries.iter().take(width as usize);
            kept.for_each(|entry| wal::push_entry(&mut bundle, entry));
        }
        Ok(Self { tree, bundle, full: Vec::new(), tiled: size })
    }

    /// Appends an entry whose leaf hash is `hash`.
    pub(crate) fn push(&mut self, entry: &[u8], hash: Hash) {
        self.tree.push(hash);
        wal::push_entry(&mut self.bundle, entry);
        if self.tree.size().is_multiple_of(TILE_WIDTH) {
            let index = self.tree.size() / TILE_WIDTH - 1;
            self.full.push(Object {
                path: bundle_path(index, TILE_WIDTH as u32),
                bytes: std::mem::take(&mut self.bundle),
            });
        }
    }

    /// Takes out the bundles and tiles that have become full, and forgets their hashes.
    pub(crate) fn take_full(&mut self) -> Result<Vec<Object>, MissingHash> {
        let tiles = Tile::new_tiles(TILE_HEIGHT, self.tiled, self.tree.size());
        for tile in tiles {
            if u64::from(tile.width()) == TILE_WIDTH {
                let tile = self.object(tile.level(), tile.level_index(), tile.width())?;
                self.full.push(tile);
            }
        }
        self.tiled = self.tree.size();
        self.tree.trim();
        Ok(std::mem::take(&mut self.full))
    }

    /// The partial tiles and the partial bundle of the tree as it is.
    pub(crate) fn partial(&self) -> Result<Vec<Object>, MissingHash> {
        let mut partial = Vec::new();
        for level in 0..u64::BITS as u8 / TILE_HEIGHT {
            let hashes = self.tree.size() >> (level * TILE_HEIGHT);
            let (index, width) = (hashes / TILE_WIDTH, (hashes % TILE_WIDTH) as u32);
            if width > 0 {
                partial.push(self.object(level, index, width)?);
            }
        }
        let (index, width) = (self.tree.size() / TILE_WIDTH, self.tree.size() % TILE_WIDTH);
        if width > 0 {
            partial.push(Object {
                path: bundle_path(index, width as u32),
                bytes: self.bundle.clone(),
            });
        }
        Ok(partial)
    }

    fn object(&self, level: u8, index: u64, width: u32) -> Result<Object, MissingHash> {
        Ok(Object {
            path: tile_path(level, index, width),
            bytes: self.tree.tile(level, index, width)?,
        })
    }
}
