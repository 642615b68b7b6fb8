//! Re-checks a whole published log from its entries up: every tile at every level, the root, the
//! signatures. Nothing is taken over from what the log says of itself.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tlog_tiles::record_hash;

use crate::cosignature::{Cosignature, Witnesses};
use crate::edge::Edge;
use crate::error::LogError;
use crate::key::VerifierKey;
use crate::mirror::{self, MirrorError};
use crate::published::{self, Published, ReadError};
use crate::stamps;
use crate::tiles::Object;
use crate::timestamp::{Authority, Stamp};
use crate::tree::TILE_WIDTH;
use crate::wal;

/// How far the gateway's clock may go back between entries that follow each other before it is
/// told: exchanges end out of order by this much without any fault.
const BACK: SignedDuration = SignedDuration::from_secs(60);

/// What a re-check found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Entries, all of which lead to the signed root.
    pub entries: u64,
    /// Tiles and bundles that were read and are what they must be.
    pub objects: u64,
    /// How many entries there are of each `kind`; `?` of those that do not say.
    pub kinds: BTreeMap<String, u64>,
    /// The time of the first entry and of the last.
    pub times: Option<(Timestamp, Timestamp)>,
    /// Entries whose clock is more than a minute behind that of an entry before: the clock was set
    /// back. The order of the log stands; the times around it want another witness.
    pub set_back: Vec<u64>,
    /// Who of the witnesses that count has cosigned the checkpoint.
    pub cosignatures: Vec<Cosignature>,
    /// The time stamps, each for the tree of so many entries; only where an authority is given.
    pub stamps: Vec<(u64, Stamp)>,
}

/// Who counts when a log is re-checked.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The log.
    pub key: VerifierKey,
    /// Its witnesses.
    pub witnesses: Witnesses,
    /// Who stamps it with the time; its stamps are not looked at when absent.
    pub authority: Option<Authority>,
}

/// Re-checks the log that `log` shows. `progress` is told how many entries are done, of how many.
///
/// # Errors
/// [`MirrorError::Read`] naming the first object that is missing or not what it must be;
/// [`MirrorError::Checkpoint`].
pub fn audit(
    log: &dyn Published,
    trust: &Trust,
    mut progress: impl FnMut(u64, u64),
) -> Result<Audit, MirrorError> {
    let note = published::checkpoint(log)?;
    let checkpoint = mirror::open(&trust.key, &note)?;
    let mut found = Audit { cosignatures: trust.witnesses.check(&note)?, ..Audit::default() };
    let mut edge = Edge::default();
    let mut latest = Timestamp::MIN;
    while edge.tree.size() < checkpoint.size() {
        let first = edge.tree.size();
        let width = (checkpoint.size() - first).min(TILE_WIDTH) as u32;
        let path = crate::tiles::bundle_path(first / TILE_WIDTH, width);
        let bytes = published::bundle(log, first / TILE_WIDTH, width)?;
        let entries = wal::entries(&bytes).unwrap_or_default();
        if entries.len() < width as usize {
            return Err(ReadError::Changed(path).into());
        }
        for entry in entries.iter().take(width as usize) {
            found.note(edge.tree.size(), entry, &mut latest);
            edge.push(entry, record_hash(entry));
        }
        let full = edge.take_full().map_err(LogError::from)?;
        found.objects += compare(log, &full)?;
        progress(edge.tree.size(), checkpoint.size());
    }
    found.entries = edge.tree.size();
    found.objects += compare(log, &edge.partial().map_err(LogError::from)?)?;
    if edge.tree.root().map_err(LogError::from)? != *checkpoint.hash() {
        return Err(ReadError::Changed("the root".to_owned()).into());
    }
    if let Some(authority) = &trust.authority {
        let tree = (checkpoint.size(), *checkpoint.hash());
        found.stamps = stamps::check(log, &trust.key, authority, tree)?;
    }
    Ok(found)
}

/// Compares what is published with what must be; a partial object may have given way to the full one.
fn compare(log: &dyn Published, expected: &[Object]) -> Result<u64, ReadError> {
    for Object { path, bytes } in expected {
        let full = path.split_once(".p/").map_or(&**path, |(full, _)| full);
        let mut shown = log.get(path).map_err(ReadError::Source)?;
        if shown.is_none() && full != path {
            shown = log.get(full).map_err(ReadError::Source)?;
        }
        let shown = shown.ok_or_else(|| ReadError::Missing(path.clone()))?;
        if !shown.starts_with(bytes) || (full == path && shown.len() != bytes.len()) {
            return Err(ReadError::Changed(path.clone()));
        }
    }
    Ok(expected.len() as u64)
}

/// What is read of an entry.
#[derive(Deserialize)]
struct Said {
    kind: Option<String>,
    finished: Option<Timestamp>,
}

impl Audit {
    fn note(&mut self, index: u64, entry: &[u8], latest: &mut Timestamp) {
        let Said { kind, finished } =
            serde_json::from_slice(entry).unwrap_or(Said { kind: None, finished: None });
        *self.kinds.entry(kind.unwrap_or_else(|| "?".to_owned())).or_default() += 1;
        let Some(finished) = finished else {
            return;
        };
        if finished.checked_add(BACK).is_ok_and(|bound| bound < *latest) {
            self.set_back.push(index);
        }
        *latest = finished.max(*latest);
        let first = self.times.map_or(finished, |(first, _)| first);
        self.times = Some((first, finished));
    }
}
