//! Hands entries with their attachments to the archive, in order. An archive that is away is waited for:
//! the write-ahead log is not given up, the log goes on, and [`Behind`] says so, until more than
//! [`MOST_WAITING`] would have to wait; then the log stops. The next start hands on what waited.

use std::sync::{Arc, Mutex, PoisonError};

use gateway_core::archive::{Archive, ArchiveError, Kept};

use crate::error::LogError;

/// How many bytes of entries and attachments may wait for the archive before the log stops.
pub const MOST_WAITING: usize = 64 << 20;
/// What the archive is handed at once.
const TOGETHER: usize = 512;

/// Why the archive is behind, while it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behind(Arc<Mutex<Option<String>>>);

impl Behind {
    pub(crate) fn reason(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, reason: Option<String>) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*slot, &reason) {
            (None, Some(reason)) => tracing::error!("{reason}; the log goes on for a while"),
            (Some(_), None) => tracing::info!("the archive has caught up"),
            _ => {}
        }
        *slot = reason;
    }
}

/// Stands between the log and its archive, where it has one.
#[derive(Default)]
pub(crate) struct Keeper {
    archive: Option<Arc<dyn Archive>>,
    waiting: Vec<Kept>,
    bytes: usize,
    behind: Behind,
}

impl Keeper {
    pub(crate) fn new(archive: Option<Arc<dyn Archive>>, behind: Behind) -> Self {
        Self { archive, behind, ..Self::default() }
    }

    /// Holds the archive against a log of `size` entries whose write-ahead log begins at `first`.
    pub(crate) fn check(&self, first: u64, size: u64) -> Result<(), LogError> {
        let Some(archive) = &self.archive else { return Ok(()) };
        let next = archive.next()?;
        if next > size {
            return Err(LogError::ArchiveAhead { archive: next, found: size });
        }
        if next < first {
            tracing::warn!(
                archive.next = next,
                journal.first = first,
                "the archive lacks entries that are in the log's tiles only; it was restored from an \
                 older backup, or is new"
            );
        }
        Ok(())
    }

    /// Takes these, and hands on what it can.
    pub(crate) fn keep(&mut self, entries: Vec<Kept>) -> Result<(), LogError> {
        if self.archive.is_none() {
            return Ok(());
        }
        self.bytes += entries.iter().map(size).sum::<usize>();
        self.waiting.extend(entries);
        match self.hand_on() {
            Err(error) if self.bytes > MOST_WAITING => Err(LogError::Archive(error)),
            _ => Ok(()),
        }
    }

    /// Whether everything it took is on disk in the archive.
    pub(crate) fn sync(&mut self) -> bool {
        let handed = self.hand_on().is_ok();
        let Some(archive) = self.archive.as_ref().filter(|_| handed) else {
            return handed;
        };
        let synced = archive.sync();
        self.behind.set(synced.as_ref().err().map(ToString::to_string));
        synced.is_ok()
    }

    /// Whether nothing waits.
    pub(crate) fn caught_up(&self) -> bool {
        self.waiting.is_empty() && self.behind.reason().is_none()
    }

    fn hand_on(&mut self) -> Result<(), ArchiveError> {
        let Some(archive) = &self.archive else { return Ok(()) };
        let handed = self.waiting.chunks(TOGETHER).try_fold(0, |handed, chunk| {
            archive.keep(chunk).map_err(|error| (handed, error)).map(|()| handed + chunk.len())
        });
        let (count, result) = match handed {
            Ok(count) => (count, Ok(())),
            Err((count, error)) => (count, Err(error)),
        };
        self.bytes -= self.waiting.drain(..count).map(|kept| size(&kept)).sum::<usize>();
        self.behind.set(result.as_ref().err().map(ToString::to_string));
        result
    }
}

fn size(kept: &Kept) -> usize {
    kept.entry.len() + kept.attachment.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Full;

    impl Archive for Full {
        fn next(&self) -> Result<u64, ArchiveError> {
            Ok(0)
        }

        fn keep(&self, _: &[Kept]) -> Result<(), ArchiveError> {
            Err(ArchiveError::Unavailable("no space left on device".into()))
        }

        fn sync(&self) -> Result<(), ArchiveError> {
            Ok(())
        }
    }

    #[test]
    fn more_than_may_wait_stops_the_log() {
        let mut keeper = Keeper::new(Some(Arc::new(Full)), Behind::default());
        let quarter = MOST_WAITING / 4;
        let kept = |index| Kept { index, entry: vec![0; quarter], attachment: vec![] };
        for index in 0..4 {
            keeper.keep(vec![kept(index)]).unwrap();
            assert!(!keeper.caught_up());
        }
        let stopped = keeper.keep(vec![kept(4)]).unwrap_err();
        assert!(stopped.to_string().contains("restart"), "{stopped}");
    }
}
