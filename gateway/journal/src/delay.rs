//! Whether a batch waits for others before its sync. A sync costs the processor as much as several
//! requests do, however many entries it carries, so that under load it pays to gather more of them
//! (compare PostgreSQL's `commit_delay` and `commit_siblings`). With few callers nothing waits.

use std::time::Duration;

/// However slow the disk, nothing pauses longer than this at a time.
const LONGEST: Duration = Duration::from_micros(1500);
/// A batch that follows one with fewer entries than this does not wait for new ones.
const SIBLINGS: usize = 3;
/// So many batches do not wait after one that waited in vain.
const UNDELAYED: u32 = 200;

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
    /// How long a batch pauses, twice, for others that are under way; not at all when there are few.
    pub(crate) fn for_more(&mut self) -> Option<Duration> {
        self.undelayed = self.undelayed.saturating_sub(1);
        (self.expected >= SIBLINGS && self.undelayed == 0).then(|| (self.sync * 2).min(LONGEST))
    }

    /// How many came in the second pause. With none, everybody is here and waits: then it is of no
    /// use to wait with them.
    pub(crate) fn brought(&mut self, entries: usize) {
        if entries == 0 {
            self.undelayed = UNDELAYED;
        }
    }

    /// How long a batch of `present` entries waits for those answered last, who are about to come
    /// back. Without them this sync would carry few, and they would wait for the end of it.
    pub(crate) fn for_those_answered(&self, present: usize) -> Option<Duration> {
        (present * 2 < self.expected).then(|| (self.sync / 2).min(LONGEST))
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
    fn few_callers_do_not_wait_for_more() {
        assert_eq!(CommitDelay::default().for_more(), None);
        assert_eq!(after(SIBLINGS - 1, SYNC).for_more(), None);
    }

    #[test]
    fn many_callers_wait_in_proportion_to_a_sync_and_never_long() {
        assert_eq!(after(SIBLINGS, SYNC).for_more(), Some(SYNC * 2));
        assert_eq!(after(SIBLINGS, Duration::from_secs(1)).for_more(), Some(LONGEST));
    }

    #[test]
    fn waiting_in_vain_is_not_repeated_soon() {
        let mut delay = after(100, SYNC);
        assert!(delay.for_more().is_some());
        delay.brought(1);
        assert!(delay.for_more().is_some());
        delay.brought(0);
        let waits = (0..UNDELAYED).filter(|_| delay.for_more().is_some()).count();
        assert_eq!(waits, 1, "the last of them looks again");
    }

    #[test]
    fn those_just_answered_are_waited_for() {
        assert_eq!(after(1, SYNC).for_those_answered(1), None);
        assert_eq!(after(5, SYNC).for_those_answered(3), None);
        assert_eq!(after(5, SYNC).for_those_answered(2), Some(SYNC / 2));
    }
}
