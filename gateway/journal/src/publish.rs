//! Publication, behind the back of the writer: tiles, bundles and the signed checkpoint go out to
//! where everyone reads them, and the write-ahead log is given up once they are on disk.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use gateway_core::archive::Kept;
use tlog_tiles::Hash;
use tokio::sync::oneshot;

use crate::edge::Edge;
use crate::error::LogError;
use crate::keeper::Keeper;
use crate::notary::Heads;
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
    /// Hand these to the archive.
    Keep(Vec<Kept>),
    /// Answer when all of the above is done and the archive has everything; otherwise drop it.
    Flush(oneshot::Sender<()>),
    /// Make all that is on disk, then remove what it replaces.
    Retire {
        /// Segments of the write-ahead log, all of whose entries are published.
        segments: Vec<PathBuf>,
    },
}

/// Does the jobs.
pub(crate) struct Publisher {
    tiles: Tiles,
    /// Where a checkpoint goes that others are asked about first.
    heads: Option<Arc<Heads>>,
    /// Full objects published since the last time everything was made durable.
    full: Vec<String>,
    /// The partial objects of the tree that was published last.
    partial: Vec<String>,
    keeper: Keeper,
    /// Segments that could be retired if the archive had what is in them.
    unretired: Vec<PathBuf>,
}

impl Publisher {
    pub(crate) fn new(tiles: Tiles, keeper: Keeper, heads: Option<Arc<Heads>>) -> Self {
        let (full, partial, unretired) = (Vec::new(), Vec::new(), Vec::new());
        Self { tiles, heads, full, partial, keeper, unretired }
    }

    /// Publishes the checkpoint of an empty log, about which there is nothing to ask.
    pub(crate) fn begin(&self, checkpoint: String) -> Result<(), LogError> {
        self.tiles.put_checkpoint(checkpoint)
    }

    /// The end of the log, as it was published for a tree of `size` entries.
    pub(crate) fn read_edge(&self, size: u64, root: Hash) -> Result<Edge, LogError> {
        Edge::read(&self.tiles, size, root)
    }

    /// Holds the archive against the log, see [`Keeper::check`].
    pub(crate) fn check_archive(&self, first: u64, size: u64) -> Result<(), LogError> {
        self.keeper.check(first, size)
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
            Job::Keep(entries) => self.keeper.keep(entries),
            Job::Flush(answer) => {
                self.retire(Vec::new())?;
                if self.keeper.caught_up() {
                    // Whoever asked may have gone away.
                    let _ = answer.send(());
                }
                Ok(())
            }
            Job::Head { partial, checkpoint } => {
                self.partial.clear();
                for object in partial {
                    self.partial.push(object.path.clone());
                    self.tiles.put(object)?;
                }
                match &self.heads {
                    Some(heads) => {
                        heads.offer(checkpoint);
                        Ok(())
                    }
                    None => self.tiles.put_checkpoint(checkpoint),
                }
            }
            Job::Retire { segments } => self.retire(segments),
        }
    }

    /// The segments go last: until then they can rebuild everything else. While the archive is behind
    /// they stay.
    fn retire(&mut self, segments: Vec<PathBuf>) -> Result<(), LogError> {
        self.tiles.sync(self.full.iter().chain(&self.partial))?;
        for path in self.full.drain(..) {
            self.tiles.remove_partial(&path)?;
        }
        self.unretired.extend(segments);
        if !self.keeper.sync() {
            return Ok(());
        }
        self.unretired.drain(..).try_for_each(|path| {
            fs::remove_file(&path).map_err(|source| LogError::io("remove", &path, source))
        })
    }
}
