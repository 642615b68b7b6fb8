//! Publication, behind the back of the writer: tiles, bundles and the signed checkpoint go out to
//! where everyone reads them, and the write-ahead log is given up once they are on disk.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;

use tlog_tiles::Hash;

use crate::edge::Edge;
use crate::error::LogError;
use crate::tiles::{Object, Tiles};

/// Jobs waiting between writer and publisher. When the store cannot keep up, appends wait rather
/// than fill the memory.
pub(crate) const BACKLOG: usize = 64;

/// What the publisher is told to do, in order.
pub(crate) enum Job {
    /// Publish tiles and bundles that have become full.
    Full(Vec<Object>),
    /// Publish the tree as it is: its partial tiles, then its checkpoint.
    Head {
        /// Partial tiles and bundle.
        partial: Vec<Object>,
        /// The signed checkpoint.
        checkpoint: String,
    },
    /// Make all that is on disk, then remove what it replaces.
    Retire {
        /// Segments of the write-ahead log, all of whose entries are published.
        segments: Vec<PathBuf>,
    },
}

/// Does the jobs.
pub(crate) struct Publisher {
    tiles: Tiles,
    /// Full objects published since the last time everything was made durable.
    full: Vec<String>,
    /// The partial objects of the tree that was published last.
    partial: Vec<String>,
}

impl Publisher {
    pub(crate) fn new(tiles: Tiles) -> Self {
        Self { tiles, full: Vec::new(), partial: Vec::new() }
    }

    /// The end of the log, as it was published for a tree of `size` entries.
    pub(crate) fn read_edge(&self, size: u64, root: Hash) -> Result<Edge, LogError> {
        Edge::read(&self.tiles, size, root)
    }

    /// Does jobs until the writer hangs up or one fails.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>) -> Result<(), LogError> {
        jobs.iter().try_for_each(|job| self.handle(job))
    }

    pub(crate) fn handle(&mut self, job: Job) -> Result<(), LogError> {
        match job {
            Job::Full(objects) => objects.into_iter().try_for_each(|object| {
                self.full.push(object.path.clone());
                self.tiles.put(object)
            }),
            Job::Head { partial, checkpoint } => {
                self.partial.clear();
                for object in partial {
                    self.partial.push(object.path.clone());
                    self.tiles.put(object)?;
                }
                self.tiles.put_checkpoint(checkpoint)
            }
            Job::Retire { segments } => self.retire(&segments),
        }
    }

    /// The segments go last: until then they can rebuild everything else.
    fn retire(&mut self, segments: &[PathBuf]) -> Result<(), LogError> {
        self.tiles.sync(self.full.iter().chain(&self.partial))?;
        for path in self.full.drain(..) {
            self.tiles.remove_partial(&path)?;
        }
        segments.iter().try_for_each(|path| {
            fs::remove_file(path).map_err(|source| LogError::io("remove", path, source))
        })
    }
}
