//! The time stamps of a log, published beside its tiles:
//!
//! | path | content |
//! |---|---|
//! | `timestamp/index` | the tree sizes that are stamped, one on a line, ascending |
//! | `timestamp/<size>/checkpoint` | the signed checkpoint as it was stamped; size in 20 digits |
//! | `timestamp/<size>/reply` | the authority's answer (RFC 3161 `TimeStampResp`, DER) |

use jiff::Timestamp;
use tlog_tiles::Hash;

use crate::error::LogError;
use crate::key::VerifierKey;
use crate::mirror::{self, MirrorError};
use crate::published::{Published, ReadError, SignedTree};
use crate::tiles::{Object, Tiles};
use crate::timestamp::{Authority, Stamp};

const INDEX: &str = "timestamp/index";

fn path(size: u64, name: &str) -> String {
    format!("timestamp/{size:020}/{name}")
}

/// Keeps a stamp and answers the size of the tree it is for. The index names it last.
pub(crate) fn keep(tiles: &Tiles, note: &[u8], reply: Vec<u8>) -> Result<u64, LogError> {
    let size = str::from_utf8(note).ok().and_then(|text| text.lines().nth(1)?.parse().ok());
    let size = size.ok_or_else(|| LogError::Stopped("a checkpoint without a size".to_owned()))?;
    let mut index = tiles.get(INDEX)?.unwrap_or_default();
    index.extend_from_slice(format!("{size}\n").as_bytes());
    let objects = [
        Object { path: path(size, "checkpoint"), bytes: note.to_vec() },
        Object { path: path(size, "reply"), bytes: reply },
        Object { path: INDEX.to_owned(), bytes: index },
    ];
    let written: Vec<String> = objects.iter().map(|object| object.path.clone()).collect();
    objects.into_iter().try_for_each(|object| tiles.put(object))?;
    tiles.sync(&written)?;
    Ok(size)
}

/// The tree sizes that are stamped, ascending.
///
/// # Errors
/// [`ReadError::Source`]; [`ReadError::Changed`] when the index is none.
pub fn stamped_sizes(log: &dyn Published) -> Result<Vec<u64>, ReadError> {
    let index = log.get(INDEX).map_err(ReadError::Source)?.unwrap_or_default();
    let sizes = str::from_utf8(&index)
        .ok()
        .and_then(|text| text.lines().map(|line| line.parse().ok()).collect::<Option<Vec<u64>>>());
    sizes.filter(|sizes| sizes.is_sorted()).ok_or_else(|| ReadError::Changed(INDEX.to_owned()))
}

/// A stamp as it is published: the checkpoint that it is for, and the authority's answer.
pub struct PublishedStamp {
    /// The signed checkpoint.
    pub checkpoint: Vec<u8>,
    /// The answer.
    pub reply: Vec<u8>,
}

/// Reads the stamp of the tree of `size` entries.
///
/// # Errors
/// [`ReadError::Source`], [`ReadError::Missing`].
pub fn stamp(log: &dyn Published, size: u64) -> Result<PublishedStamp, ReadError> {
    let read = |name| {
        let path = path(size, name);
        let found = log.get(&path).map_err(ReadError::Source)?;
        found.ok_or(ReadError::Missing(path))
    };
    Ok(PublishedStamp { checkpoint: read("checkpoint")?, reply: read("reply")? })
}

/// The size and time of the last stamp, if there is one that counts.
pub(crate) fn last(log: &dyn Published, authority: &Authority) -> Option<(u64, Timestamp)> {
    let size = *stamped_sizes(log).ok()?.last()?;
    let PublishedStamp { checkpoint, reply } = stamp(log, size).ok()?;
    Some((size, authority.verify(&reply, &checkpoint).ok()?.time))
}

/// Verifies every stamp of a log whose tree is known to be of `size` entries with `root`: the
/// authority's signature, the log's, and that the stamped tree is the beginning of this one.
pub(crate) fn check(
    log: &dyn Published,
    key: &VerifierKey,
    authority: &Authority,
    (size, root): (u64, Hash),
) -> Result<Vec<(u64, Stamp)>, MirrorError> {
    let changed = |size, name| ReadError::Changed(path(size, name));
    let mut found = Vec::new();
    for stamped in stamped_sizes(log)? {
        let PublishedStamp { checkpoint, reply } = stamp(log, stamped)?;
        let opened = mirror::open(key, &checkpoint)?;
        let earlier = match stamped {
            whole if whole == size => root,
            _ if stamped > size => return Err(changed(stamped, "checkpoint").into()),
            _ => SignedTree::new(log, size, root).earlier_root(stamped)?,
        };
        if (opened.size(), *opened.hash()) != (stamped, earlier) {
            return Err(changed(stamped, "checkpoint").into());
        }
        let stamp = authority.verify(&reply, &checkpoint);
        found.push((stamped, stamp.map_err(|_| changed(stamped, "reply"))?));
    }
    Ok(found)
}
