//! A copy of another's log that believes nothing: what it takes in is proved to belong to the tree
//! that was signed, and that tree to have grown out of the one it holds. A log that shows less than
//! before, or something else, is caught, and what it signed is kept as proof.

use std::fs;
use std::path::{Path, PathBuf};

use tlog_tiles::{Checkpoint, Hash, record_hash};

use crate::cosignature::Witnesses;
use crate::edge::Edge;
use crate::error::LogError;
use crate::key::{CheckpointError, VerifierKey};
use crate::published::{self, Published, ReadError, SignedTree};
use crate::tiles::{CHECKPOINT, Tiles};
use crate::tree::TILE_WIDTH;
use crate::wal;

/// Where what a log signed is kept when it contradicts itself.
const MISBEHAVIOR: &str = "misbehavior";
/// No log has more entries; sizes beyond are not computed with.
const LARGEST: u64 = 1 << 48;

/// Why a mirror does not follow.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The mirror's own files.
    #[error("the mirror: {0}")]
    Own(#[from] LogError),
    /// What the log publishes cannot be read, or is not what it signed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The checkpoint does not count.
    #[error("the checkpoint of the log does not count: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The log signed a smaller tree than before.
    #[error(
        "ROLLBACK: the log shows {offered} entries and has signed {mirrored} before; both signed \
         checkpoints are kept in {}", kept.display()
    )]
    Rollback {
        /// Entries it had.
        mirrored: u64,
        /// Entries it shows.
        offered: u64,
        /// Where the two checkpoints are.
        kept: PathBuf,
    },
    /// The log signed two trees of which neither is the beginning of the other.
    #[error(
        "SPLIT VIEW: the log has signed another tree of {offered} entries than the one mirrored here; \
         both signed checkpoints are kept in {}", kept.display()
    )]
    SplitView {
        /// Entries of the other tree.
        offered: u64,
        /// Where the two checkpoints are.
        kept: PathBuf,
    },
}

impl MirrorError {
    /// True when the log contradicts itself, and not when something just does not work.
    pub fn is_misbehavior(&self) -> bool {
        matches!(self, Self::Rollback { .. } | Self::SplitView { .. })
    }
}

/// What the log had signed and what is mirrored of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Followed {
    /// Entries before.
    pub before: u64,
    /// Entries now.
    pub now: u64,
    /// How many of the witnesses that count have cosigned it.
    pub cosignatures: usize,
}

/// A mirror in a folder, in the layout of the log itself: serve it as it is.
pub struct Mirror {
    tiles: Tiles,
    key: VerifierKey,
    witnesses: Witnesses,
    edge: Edge,
    /// The checkpoint mirrored last, as it was signed.
    head: Option<Vec<u8>>,
}

impl Mirror {
    /// Opens the mirror in `directory`, or begins one.
    ///
    /// # Errors
    /// [`MirrorError::Own`] when it is not what was mirrored; [`MirrorError::Checkpoint`] when it
    /// is of another log.
    pub fn open(
        directory: &Path,
        key: VerifierKey,
        witnesses: Witnesses,
    ) -> Result<Self, MirrorError> {
        let tiles = Tiles::open(directory)?;
        let head = tiles.get(CHECKPOINT)?;
        let edge = match &head {
            None => Edge::default(),
            Some(note) => {
                let checkpoint = open(&key, note)?;
                Edge::read(&tiles, checkpoint.size(), *checkpoint.hash())?
            }
        };
        Ok(Self { tiles, key, witnesses, edge, head })
    }

    /// The number of entries mirrored.
    pub fn size(&self) -> u64 {
        self.edge.tree.size()
    }

    /// Takes in what the log has published since. `progress` is told the entries that are there and
    /// those that there will be. Cut off at any point, it goes on from the last checkpoint.
    ///
    /// # Errors
    /// Any [`MirrorError`]; then the mirror is as it was.
    pub fn follow(
        &mut self,
        log: &dyn Published,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Followed, MirrorError> {
        let note = published::checkpoint(log)?;
        let checkpoint = open(&self.key, &note)?;
        let cosignatures = self.witnesses.check(&note)?.len();
        let (before, now, root) = (self.size(), checkpoint.size(), *checkpoint.hash());
        self.hold_against(log, &note, now, root)?;
        if now > before {
            self.take_in(log, now, root, &mut progress)?;
        }
        // The same tree may have gained cosignatures.
        if self.head.as_ref() != Some(&note) {
            let text = String::from_utf8(note.clone()).map_err(|_| CheckpointError::Malformed)?;
            self.tiles.put_checkpoint(text)?;
            self.head = Some(note);
        }
        Ok(Followed { before, now, cosignatures })
    }

    /// Holds a checkpoint that was seen elsewhere, by a witness or by another mirror, against this
    /// one's tree. False when it is ahead of the mirror: follow, then compare again.
    ///
    /// # Errors
    /// [`MirrorError::SplitView`]; [`MirrorError::Checkpoint`] when it is not the log's.
    pub fn compare(&self, note: &[u8]) -> Result<bool, MirrorError> {
        let checkpoint = open(&self.key, note)?;
        if checkpoint.size() > self.size() {
            return Ok(false);
        }
        if self.root_at(checkpoint.size())? == *checkpoint.hash() {
            return Ok(true);
        }
        Err(self.split(note, checkpoint.size())?)
    }

    /// Refuses a checkpoint that does not follow the one mirrored last.
    fn hold_against(
        &self,
        log: &dyn Published,
        note: &[u8],
        offered: u64,
        root: Hash,
    ) -> Result<(), MirrorError> {
        let mirrored = self.size();
        if offered < mirrored {
            if self.root_at(offered)? != root {
                return Err(self.split(note, offered)?);
            }
            let kept = self.keep(note, offered)?;
            return Err(MirrorError::Rollback { mirrored, offered, kept });
        }
        let earlier = match mirrored {
            0 => return Ok(()),
            same if same == offered => root,
            _ => SignedTree::new(log, offered, root).earlier_root(mirrored)?,
        };
        match self.edge.tree.root().map_err(LogError::from)? == earlier {
            true => Ok(()),
            false => Err(self.split(note, offered)?),
        }
    }

    /// The root of the mirrored tree when it had `size` entries.
    fn root_at(&self, size: u64) -> Result<Hash, MirrorError> {
        let now = self.edge.tree.root().map_err(LogError::from)?;
        match size {
            0 => Ok(tlog_tiles::EMPTY_HASH),
            size if size == self.size() => Ok(now),
            _ => Ok(SignedTree::new(&self.tiles, self.size(), now).earlier_root(size)?),
        }
    }

    /// Copies entries up to a tree of `now` entries, each bundle once its entries are proved.
    fn take_in(
        &mut self,
        log: &dyn Published,
        now: u64,
        root: Hash,
        progress: &mut impl FnMut(u64, u64),
    ) -> Result<(), MirrorError> {
        let tree = SignedTree::new(log, now, root);
        let mut edge = self.edge.clone();
        let mut written = Vec::new();
        while edge.tree.size() < now {
            let size = edge.tree.size();
            push_bundle(&tree, log, now, &mut edge)?;
            for object in edge.take_full().map_err(LogError::from)? {
                written.push(object.path.clone());
                self.tiles.put(object)?;
            }
            debug_assert!(edge.tree.size() > size);
            progress(edge.tree.size(), now);
        }
        for object in edge.partial().map_err(LogError::from)? {
            written.push(object.path.clone());
            self.tiles.put(object)?;
        }
        self.tiles.sync(&written)?;
        self.edge = edge;
        Ok(())
    }

    fn split(&self, note: &[u8], offered: u64) -> Result<MirrorError, MirrorError> {
        Ok(MirrorError::SplitView { offered, kept: self.keep(note, offered)? })
    }

    /// Keeps two signed checkpoints that contradict each other.
    fn keep(&self, note: &[u8], offered: u64) -> Result<PathBuf, LogError> {
        let name = format!("{MISBEHAVIOR}/{offered:020}-against-{:020}", self.size());
        let folder = self.tiles.path(&name);
        let write = || {
            fs::create_dir_all(&folder)?;
            fs::write(folder.join("offered"), note)?;
            fs::write(folder.join("mirrored"), self.head.as_deref().unwrap_or_default())
        };
        write().map_err(|source| LogError::io("keep proof in", &folder, source))?;
        Ok(folder)
    }
}

/// Reads a checkpoint whose size can be computed with.
pub(crate) fn open(key: &VerifierKey, note: &[u8]) -> Result<Checkpoint, CheckpointError> {
    let checkpoint = key.open_cosigned(note)?;
    if checkpoint.size() > LARGEST { Err(CheckpointError::Malformed) } else { Ok(checkpoint) }
}

/// Appends to `edge` what the bundle at its end holds beyond it, each entry proved to be in `tree`.
fn push_bundle(
    tree: &SignedTree<'_>,
    log: &dyn Published,
    size: u64,
    edge: &mut Edge,
) -> Result<(), ReadError> {
    let at = edge.tree.size();
    let (index, first) = (at / TILE_WIDTH, at / TILE_WIDTH * TILE_WIDTH);
    let width = (size - first).min(TILE_WIDTH);
    let bytes = published::bundle(log, index, width as u32)?;
    let changed = || ReadError::Changed(crate::tiles::bundle_path(index, width as u32));
    let entries = wal::entries(&bytes).ok_or_else(changed)?;
    if (entries.len() as u64) < width {
        return Err(changed());
    }
    let hashes = tree.leaves(at, first + width - at)?;
    let new = entries.iter().skip((at - first) as usize);
    for (entry, proved) in new.zip(hashes) {
        if record_hash(entry) != proved {
            return Err(changed());
        }
        edge.push(entry, proved);
    }
    Ok(())
}
