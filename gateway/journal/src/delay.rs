//! Whether a batch waits for others before its sync. A sync costs the processor as much as several
//! requests do, however many entries it carries, so that under load it pays to gather more of them
//! (compare PostgreSQL's `commit_delay` and `commit_siblings`). With few callers a batch
//! waits at most for those who were answered last.

use std::time::Duration;

/// However slow the disk, nothing waits longer than this.
const LONGEST: Duration = Duration::from_millis(3);
/// A batch that follows one with fewer entries than this does not wait for new ones.
const SIBLINGS: usize = 3;
/// Otherwise it waits as long as so many syncs take.
const SYNCS: u32 = 4;
/// So many batches do not wait after one that waited in vain.
const UNDELAYED: u32 = 32;

/// What is known of the last batches.
#[derive(Debug, Default)]
pub(crate) struct CommitDelay {
    /// How many entries the last one had.
    expected: usize,
    /// How long its sync took.
    sync: Duration,
    /// How many batches are still not to wait.
    undelayed: u32,
}

impl CommitDelay {
    /// How long a batch of `present` entries waits, if at all.
    pub(crate) fn of(&mut self, present: usize) -> Option<Duration> {
        self.undelayed = self.undelayed.saturating_sub(1);
        if self.expected >= SIBLINGS && self.undelayed == 0 {
            return Some((self.sync * SYNCS).min(LONGEST));
        }
        // Those answered last are about to come back. Without them this sync would carry few, and
        // they would wait for the end of it.
        (present * 2 < self.expected).then(|| (self.sync / 2).min(LONGEST))
    }

    /// That a batch grew from `before` entries to `after` while it waited.
    pub(crate) fn brought(&mut self, before: usize, after: usize) {
        if after < before + before / 2 {
            self.undelayed = UNDELAYED;
        }
    }

    /// That a batch was synced.
    pub(crate) fn synced(&mut self, entries: usize, took: Duration) {
        (self.expected, self.sync) = (entries, took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYNC: Duration = Duration::from_micros(400);

    fn after(entries: usize, sync: Duration) -> CommitDelay {
        let mut delay = CommitDelay::default();
        delay.synced(entries, sync);
        delay
    }

    #[test]
    fn few_callers_wait_for_nobody_but_those_just_answered() {
        assert_eq!(CommitDelay::default().of(1), None);
        assert_eq!(after(1, SYNC).of(1), None);
        assert_eq!(after(2, SYNC).of(1), None);
        let mut in_vain = after(5, SYNC);
        in_vain.brought(4, 4);
        assert_eq!(in_vain.of(3), None);
        assert_eq!(in_vain.of(2), Some(SYNC / 2));
    }

    #[test]
    fn many_callers_wait_in_proportion_to_a_sync_and_never_long() {
        assert_eq!(after(SIBLINGS, SYNC).of(1), Some(SYNC * SYNCS));
        assert_eq!(after(SIBLINGS, Duration::from_secs(1)).of(1), Some(LONGEST));
    }

    #[test]
    fn waiting_in_vain_is_not_repeated_soon() {
        let mut delay = after(100, SYNC);
        assert!(delay.of(100).is_some());
        delay.brought(100, 149);
        let waits = (0..UNDELAYED).map(|_| delay.of(100)).filter(Option::is_some).count();
        assert_eq!(waits, 1, "the last of them looks again");
        delay.brought(100, 150);
        assert!(delay.of(100).is_some());
    }
}
