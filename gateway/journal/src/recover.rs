//! Start-up: finds out what the log holds, and refuses to go on when that is not exactly what was
//! signed. A crash leaves a spoiled last frame at most, of which nothing was acknowledged.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway_core::archive::Kept;
use tlog_tiles::{Checkpoint, EMPTY_HASH, Hash, record_hash};

use crate::edge::Edge;
use crate::error::LogError;
use crate::keeper::Keeper;
use crate::key::LogKey;
use crate::notary::Heads;
use crate::publish::{Job, Publisher};
use crate::tiles::{CHECKPOINT, Tiles};
use crate::wal::{self, Found, Frame, Segment};

/// A log ready to be written.
pub(crate) struct Recovered {
    /// Its end.
    pub(crate) edge: Edge,
    /// The segment to write on.
    pub(crate) segment: Segment,
    /// Who publishes it.
    pub(crate) publisher: Publisher,
    /// Bytes of a spoiled last frame that were dropped.
    pub(crate) torn: usize,
}

/// Reads tiles and write-ahead log, holds them against the published checkpoint, and publishes
/// what was not.
pub(crate) fn recover(
    directory: &Path,
    key: &LogKey,
    keeper: Keeper,
    heads: Option<Arc<Heads>>,
) -> Result<Recovered, LogError> {
    let tiles = Tiles::open(directory)?;
    let wal = directory.join("wal");
    fs::create_dir_all(&wal).map_err(|source| LogError::io("create", &wal, source))?;
    let published = published(&tiles, key)?;
    let segments = wal::segments(&wal)?;
    let begun = match segments.first() {
        None if published.is_some() => return Err(LogError::Missing(wal)),
        Some((1.., _)) if published.is_none() => {
            return Err(LogError::Missing(tiles.path(CHECKPOINT)));
        }
        first => first.is_some(),
    };
    let mut replay = Replay {
        edge: Edge::default(),
        publisher: Publisher::new(tiles, keeper, heads),
        unconfirmed: published,
        torn: 0,
        end: 0,
    };
    for (number, (start, path)) in segments.iter().enumerate() {
        let last = number + 1 == segments.len();
        replay.segment(*start, path, number == 0, last)?;
    }
    let size = replay.edge.tree.size();
    let first = segments.first().map_or(0, |(start, _)| *start);
    replay.publisher.check_archive(first, size)?;
    match replay.unconfirmed.as_ref().map(Checkpoint::size) {
        Some(published) if published > size => Err(LogError::Ahead { published, found: size }),
        Some(published) => Err(LogError::Forked { published }),
        None if begun => replay.finish(&wal, segments, key),
        None => replay.begin(&wal, key),
    }
}

fn published(tiles: &Tiles, key: &LogKey) -> Result<Option<Checkpoint>, LogError> {
    let Some(note) = tiles.get(CHECKPOINT)? else {
        return Ok(None);
    };
    let opened = key.verifier().open_cosigned(&note);
    opened.map(Some).map_err(|source| LogError::Checkpoint { path: tiles.path(CHECKPOINT), source })
}

fn kept(first: u64, frame: &Frame<'_>) -> Vec<Kept> {
    let both = frame.entries.iter().zip(&frame.attachments);
    let kept = |(index, (entry, attachment)): (u64, (&&[u8], &&[u8]))| Kept {
        index,
        entry: entry.to_vec(),
        attachment: attachment.to_vec(),
    };
    (first..).zip(both).map(kept).collect()
}

struct Replay {
    edge: Edge,
    publisher: Publisher,
    /// The published checkpoint, until the replay has come to its tree.
    unconfirmed: Option<Checkpoint>,
    torn: usize,
    /// Where the last segment ends, as far as it is right.
    end: usize,
}

impl Replay {
    fn segment(
        &mut self,
        start: u64,
        path: &Path,
        first: bool,
        last: bool,
    ) -> Result<(), LogError> {
        let damaged = |what| Err(LogError::damaged(path, what));
        let bytes = fs::read(path).map_err(|source| LogError::io("read", path, source))?;
        let mut found = match Found::parse(&bytes) {
            Some(found) if found.start == start => found,
            _ => return damaged("its header is not what was written"),
        };
        if first {
            self.edge = self.publisher.read_edge(start, found.root)?;
        } else if self.edge.tree.size() != start || self.edge.tree.root()? != found.root {
            return damaged("it does not follow the segment before it");
        }
        self.confirm(found.root)?;
        self.frames(&mut found)?;
        self.end = found.offset();
        self.torn = found.remaining();
        if self.torn > 0 && (!last || found.has_later_frame()) {
            return damaged("an acknowledged entry in it was changed");
        }
        Ok(())
    }

    /// Replays frames up to the first that is not right.
    fn frames(&mut self, found: &mut Found<'_>) -> Result<(), LogError> {
        while let Some(frame) = found.peek(self.edge.tree.size()) {
            let hashes: Vec<Hash> = frame.entries.iter().map(|entry| record_hash(entry)).collect();
            let mut tree = self.edge.tree.clone();
            hashes.iter().for_each(|hash| tree.push(*hash));
            if tree.root()? != frame.root {
                break;
            }
            self.publisher.handle(Job::Keep(kept(self.edge.tree.size(), &frame)))?;
            for (entry, hash) in frame.entries.iter().zip(hashes) {
                self.edge.push(entry, hash);
            }
            self.publisher.handle(Job::Full(self.edge.take_full()?))?;
            self.confirm(frame.root)?;
            found.accept(&frame);
        }
        Ok(())
    }

    /// Holds the tree against the published checkpoint when it has come to its size.
    fn confirm(&mut self, root: Hash) -> Result<(), LogError> {
        let size = self.edge.tree.size();
        match self.unconfirmed.take_if(|published| published.size() == size) {
            Some(published) if *published.hash() != root => {
                Err(LogError::Forked { published: published.size() })
            }
            _ => Ok(()),
        }
    }

    /// Publishes an empty log.
    fn begin(self, wal: &Path, key: &LogKey) -> Result<Recovered, LogError> {
        self.publisher.begin(key.checkpoint(0, EMPTY_HASH))?;
        let segment = Segment::create(wal, 0, EMPTY_HASH)?;
        Ok(self.recovered(segment))
    }

    /// Publishes what was replayed, and goes on in a fresh segment.
    fn finish(
        mut self,
        wal: &Path,
        segments: Vec<(u64, PathBuf)>,
        key: &LogKey,
    ) -> Result<Recovered, LogError> {
        let size = self.edge.tree.size();
        self.publish_head(key)?;
        let mut retired: Vec<PathBuf> = segments.into_iter().map(|(_, path)| path).collect();
        let current = retired.pop_if(|path| path.ends_with(format!("{size:020}")));
        let segment = match current {
            Some(path) => Segment::resume(&path, size, self.end as u64)?,
            None => Segment::create(wal, size, self.edge.tree.root()?)?,
        };
        self.publisher.handle(Job::Retire { segments: retired })?;
        Ok(self.recovered(segment))
    }

    fn publish_head(&mut self, key: &LogKey) -> Result<(), LogError> {
        let tree = &self.edge.tree;
        let checkpoint = key.checkpoint(tree.size(), tree.root()?);
        let partial = self.edge.partial()?;
        self.publisher.handle(Job::Head { partial, checkpoint })
    }

    fn recovered(self, segment: Segment) -> Recovered {
        Recovered { edge: self.edge, segment, publisher: self.publisher, torn: self.torn }
    }
}
