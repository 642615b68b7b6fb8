//! When something that failed is tried again.

use std::time::Duration;

/// Waits that double, each cut by a random part of up to a half: a crowd that failed together does
/// not come back together.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The first wait.
    pub first: Duration,
    /// The longest.
    pub longest: Duration,
    /// How often it is tried in all.
    pub attempts: u32,
}

impl Backoff {
    /// The wait after `attempts` that failed, the last with `random`; at least `asked`, what the
    /// other side asked for, but not beyond the longest. `None`: it is given up.
    pub(super) fn wait(
        &self,
        attempts: u32,
        asked: Option<Duration>,
        random: u8,
    ) -> Option<Duration> {
        if attempts >= self.attempts {
            return None;
        }
        let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
        let full = self.first.saturating_mul(doubled).min(self.longest);
        let cut = (full / 512).saturating_mul(random.into());
        let asked = asked.unwrap_or_default().min(self.longest);
        Some(full.saturating_sub(cut).max(asked))
    }
}

/// One random byte.
pub(super) fn random() -> u8 {
    let [byte, ..] = *uuid::Uuid::new_v4().as_bytes();
    byte
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff {
        first: Duration::from_millis(512),
        longest: Duration::from_secs(10),
        attempts: 40,
    };

    #[test]
    fn waits_double_up_to_the_longest_and_end() {
        let wait = |attempts| BACKOFF.wait(attempts, None, 0);
        assert_eq!(wait(1), Some(Duration::from_millis(512)));
        assert_eq!(wait(2), Some(Duration::from_millis(1024)));
        assert_eq!(wait(39), Some(Duration::from_secs(10)));
        assert_eq!(wait(40), None);
    }

    #[test]
    fn jitter_takes_up_to_a_half_and_the_other_side_is_heard() {
        assert_eq!(BACKOFF.wait(1, None, 255), Some(Duration::from_millis(512 - 255)));
        let asked = Some(Duration::from_secs(3));
        assert_eq!(BACKOFF.wait(1, asked, 255), asked);
        let forever = Some(Duration::from_secs(1_000_000));
        assert_eq!(BACKOFF.wait(1, forever, 0), Some(Duration::from_secs(10)));
    }
}
