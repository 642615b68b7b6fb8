//! The right edge of the Merkle tree (RFC 6962, section 2.1): all that is needed to append, to
//! compute the root and to prove the newest entries, and no more. Older hashes are in the tiles.

use tlog_tiles::{EMPTY_HASH, Hash, node_hash};

/// The levels of the binary tree that one tile spans.
pub(crate) const TILE_HEIGHT: u8 = 8;
/// The hashes of a full tile, and the entries of a full bundle.
pub(crate) const TILE_WIDTH: u64 = 1 << TILE_HEIGHT;

/// Complete subtrees of one height, from the `first` that is kept on. `first` is always even, so
/// that a hash is never kept without its left sibling.
#[derive(Clone, Default)]
struct Level {
    first: u64,
    nodes: Vec<Hash>,
}

/// A tree that has forgotten all tiles but the rightmost ones.
#[derive(Clone, Default)]
pub(crate) struct Tree {
    size: u64,
    levels: Vec<Level>,
}

/// A hash that should be at the right edge is not there: a defect.
#[derive(Debug, thiserror::Error)]
#[error("the hash at level {level}, index {index} is not at the right edge of the tree")]
pub struct MissingHash {
    level: usize,
    index: u64,
}

impl Tree {
    /// The number of entries.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// A tree of `size` entries. `tile` reads the first `width` hashes of tile (`level`, `index`);
    /// it is asked for the rightmost tile of each level.
    pub(crate) fn restore<E>(
        size: u64,
        mut tile: impl FnMut(u8, u64, u32) -> Result<Vec<Hash>, E>,
    ) -> Result<Self, E> {
        let mut levels = Vec::new();
        for level in 0..u64::BITS as u8 / TILE_HEIGHT {
            let hashes = size >> (level * TILE_HEIGHT);
            if hashes == 0 {
                break;
            }
            let (index, width) = (hashes / TILE_WIDTH, (hashes % TILE_WIDTH) as u32);
            let mut nodes = match width {
                0 => Vec::new(),
                _ => tile(level, index, width)?,
            };
            for height in 0..TILE_HEIGHT {
                let above = nodes.as_chunks().0.iter().map(|[l, r]| node_hash(*l, *r));
                let above = above.collect();
                let first = index << (TILE_HEIGHT - height);
                levels.push(Level { first, nodes });
                nodes = above;
            }
        }
        Ok(Self { size, levels })
    }

    /// Appends the hash of an entry.
    pub(crate) fn push(&mut self, leaf: Hash) {
        self.size += 1;
        let mut hash = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Level::default());
            }
            let Some(Level { nodes, .. }) = self.levels.get_mut(level) else {
                return;
            };
            nodes.push(hash);
            match nodes.as_slice() {
                [.., left, right] if nodes.len() % 2 == 0 => hash = node_hash(*left, *right),
                _ => return,
            }
        }
    }

    /// The root: the complete subtrees that make up the tree, folded from right to left.
    pub(crate) fn root(&self) -> Result<Hash, MissingHash> {
        let mut root = None;
        for level in 0..u64::BITS as usize {
            let count = self.size >> level;
            if count % 2 == 1 {
                let peak = self.node(level, count - 1)?;
                root = Some(root.map_or(peak, |right| node_hash(peak, right)));
            }
        }
        Ok(root.unwrap_or(EMPTY_HASH))
    }

    /// The inclusion proofs of all entries from `first` on, which must not be trimmed yet. Each
    /// runs from the entry's sibling up to the root's child (RFC 6962, section 2.1.1).
    pub(crate) fn proofs(&self, first: u64) -> Result<Vec<Vec<Hash>>, MissingHash> {
        let edge = self.right_edge()?;
        (first..self.size).map(|index| self.proof(index, &edge)).collect()
    }

    fn proof(&self, index: u64, edge: &[Hash]) -> Result<Vec<Hash>, MissingHash> {
        let mut proof = Vec::with_capacity(edge.len());
        let (mut index, mut last) = (index, self.size.saturating_sub(1));
        for (level, rightmost) in edge.iter().enumerate() {
            let sibling = index ^ 1;
            if sibling < last {
                proof.push(self.node(level, sibling)?);
            } else if sibling == last {
                proof.push(*rightmost);
            }
            index /= 2;
            last /= 2;
        }
        Ok(proof)
    }

    /// The hash of the last subtree of each height, complete or not, from the last entry up to
    /// the child of the root. Computed once for all proofs of a batch.
    fn right_edge(&self) -> Result<Vec<Hash>, MissingHash> {
        let mut edge = Vec::new();
        let mut last = self.size.saturating_sub(1);
        if last == 0 {
            return Ok(edge);
        }
        let mut hash = self.node(0, last)?;
        for level in 0.. {
            edge.push(hash);
            if last % 2 == 1 {
                hash = node_hash(self.node(level, last - 1)?, hash);
            }
            last /= 2;
            if last == 0 {
                break;
            }
        }
        Ok(edge)
    }

    /// The first `width` hashes of a tile, concatenated.
    pub(crate) fn tile(&self, level: u8, index: u64, width: u32) -> Result<Vec<u8>, MissingHash> {
        let height = usize::from(level) * usize::from(TILE_HEIGHT);
        let mut bytes = Vec::with_capacity(width as usize * size_of::<Hash>());
        for offset in 0..u64::from(width) {
            bytes.extend_from_slice(&self.node(height, index * TILE_WIDTH + offset)?.0);
        }
        Ok(bytes)
    }

    /// Forgets all tiles but the rightmost of each level.
    pub(crate) fn trim(&mut self) {
        for (level, kept) in self.levels.iter_mut().enumerate() {
            let tile = level - level % usize::from(TILE_HEIGHT) + usize::from(TILE_HEIGHT);
            let first = self.size.checked_shr(tile as u32).unwrap_or(0) << (tile - level);
            let gone = usize::try_from(first - kept.first).unwrap_or(usize::MAX);
            kept.nodes.drain(..gone.min(kept.nodes.len()));
            kept.first = first;
        }
    }

    fn node(&self, level: usize, index: u64) -> Result<Hash, MissingHash> {
        self.levels
            .get(level)
            .and_then(|kept| {
                let offset = usize::try_from(index.checked_sub(kept.first)?).ok()?;
                kept.nodes.get(offset).copied()
            })
            .ok_or(MissingHash { level, index })
    }
}

#[cfg(test)]
mod tests;
