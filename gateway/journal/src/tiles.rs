//! Where tiles, bundles and the checkpoint are kept: paths of tlog-tiles over an object store.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use futures_util::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, ObjectStoreExt, path};
use tlog_tiles::{Hash, Tile};
use tokio::runtime::{Builder, Runtime};

use crate::error::LogError;
use crate::tree::TILE_HEIGHT;

/// Something to publish.
#[derive(Clone)]
pub(crate) struct Object {
    /// Its path under the log's prefix, e.g. `tile/0/x001/067.p/8`.
    pub(crate) path: String,
    /// Its content.
    pub(crate) bytes: Vec<u8>,
}

/// The path of the signed checkpoint.
pub(crate) const CHECKPOINT: &str = "checkpoint";

/// The path of a tile of hashes, `width` of 256 meaning a full one.
pub(crate) fn tile_path(level: u8, index: u64, width: u32) -> String {
    published(&Tile::new(TILE_HEIGHT, level, index, width, false))
}

/// The path of a bundle of entries.
pub(crate) fn bundle_path(index: u64, width: u32) -> String {
    published(&Tile::new(TILE_HEIGHT, 0, index, width, true))
}

/// The library writes paths as the Go checksum database has them, with the height in front and
/// `data` for entries; tlog-tiles fixes the height and says `entries`.
fn published(tile: &Tile) -> String {
    tile.path().replacen("tile/8/", "tile/", 1).replacen("tile/data/", "tile/entries/", 1)
}

/// The store, used from threads of the log's own: each call blocks.
pub(crate) struct Tiles {
    runtime: Runtime,
    store: LocalFileSystem,
    /// The same store, whose writes are on disk when they return.
    durable: LocalFileSystem,
    directory: PathBuf,
}

impl Tiles {
    pub(crate) fn open(directory: &Path) -> Result<Self, LogError> {
        let failed = |source| LogError::io("open", directory, source);
        std::fs::create_dir_all(directory).map_err(failed)?;
        let runtime =
            Builder::new_current_thread().thread_name("journal-store").build().map_err(failed)?;
        let store = LocalFileSystem::new_with_prefix(directory)
            .map_err(|source| LogError::store(directory, source))?
            .with_automatic_cleanup(true);
        Ok(Self {
            runtime,
            durable: store.clone().with_fsync(true),
            store,
            directory: directory.to_owned(),
        })
    }

    /// Where an object is on this machine.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }

    /// Writes an object, whole or not at all; on disk only after [`Tiles::sync`].
    pub(crate) fn put(&self, object: Object) -> Result<(), LogError> {
        let path = path::Path::from(object.path);
        let put = self.store.put(&path, object.bytes.into());
        self.done(path.as_ref(), self.runtime.block_on(put)).map(drop)
    }

    /// Replaces the published checkpoint, which is on disk afterwards.
    pub(crate) fn put_checkpoint(&self, checkpoint: String) -> Result<(), LogError> {
        let path = path::Path::from(CHECKPOINT);
        let put = self.durable.put(&path, checkpoint.into_bytes().into());
        self.done(CHECKPOINT, self.runtime.block_on(put)).map(drop)
    }

    /// Reads an object; `None` when there is none.
    pub(crate) fn get(&self, path: &str) -> Result<Option<Vec<u8>>, LogError> {
        let location = path::Path::from(path);
        let read = self.runtime.block_on(async {
            let found = self.store.get(&location).await?;
            found.bytes().await
        });
        match read {
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            read => Ok(Some(self.done(path, read)?.to_vec())),
        }
    }

    /// The first `width` hashes of a tile, from the partial one of that width or from the full one
    /// that took its place.
    pub(crate) fn hashes(&self, level: u8, index: u64, width: u32) -> Result<Vec<Hash>, LogError> {
        let partial = tile_path(level, index, width);
        let full = tile_path(level, index, 1 << TILE_HEIGHT);
        let bytes = match self.get(&partial)? {
            Some(bytes) => bytes,
            None => self.get(&full)?.ok_or_else(|| LogError::Missing(self.path(&partial)))?,
        };
        let hashes = bytes.as_chunks().0.iter().copied().map(Hash);
        Ok(hashes.take(width as usize).collect())
    }

    /// The bundle with at least the first `width` entries of bundle `index`.
    pub(crate) fn bundle(&self, index: u64, width: u32) -> Result<Vec<u8>, LogError> {
        let partial = bundle_path(index, width);
        match self.get(&partial)? {
            Some(bytes) => Ok(bytes),
            None => self
                .get(&bundle_path(index, 1 << TILE_HEIGHT))?
                .ok_or_else(|| LogError::Missing(self.path(&partial))),
        }
    }

    /// Removes the partial forms of the full object at `path`.
    pub(crate) fn remove_partial(&self, path: &str) -> Result<(), LogError> {
        let prefix = path::Path::from(format!("{path}.p"));
        let removed = self.runtime.block_on(async {
            let partial: Vec<_> = self.store.list(Some(&prefix)).try_collect().await?;
            for object in partial {
                self.store.delete(&object.location).await?;
            }
            Ok(())
        });
        self.done(path, removed)
    }

    /// Returns once these objects, and the directories that lead to them, are on disk.
    pub(crate) fn sync<'a>(
        &self,
        objects: impl IntoIterator<Item = &'a String>,
    ) -> Result<(), LogError> {
        let sync = |path: &Path| {
            let synced = File::open(path).and_then(|file| file.sync_all());
            synced.map_err(|source| LogError::io("sync", path, source))
        };
        let mut directories = BTreeSet::from([self.directory.clone()]);
        for object in objects {
            let path = self.path(object);
            sync(&path)?;
            let leading = path.ancestors().skip(1);
            directories.extend(
                leading.take_while(|directory| *directory != self.directory).map(Path::to_owned),
            );
        }
        directories.iter().try_for_each(|directory| sync(directory))
    }

    fn done<T>(&self, path: &str, result: object_store::Result<T>) -> Result<T, LogError> {
        result.map_err(|source| LogError::store(&self.path(path), source))
    }
}
