//! How many different ones, in bounded memory: the smallest hashes seen. As long as they are few the
//! count is exact; beyond that, how small the largest of them is tells how many there are (Bar-Yossef
//! et al., "Counting distinct elements in a data stream", 2002), with a standard error of 3 %.

use std::collections::BTreeSet;

/// Up to so many the count is exact.
pub(super) const EXACT: usize = 1_024;

/// Different ones by hashes that are evenly spread.
#[derive(Debug, Default)]
pub(super) struct Distinct(BTreeSet<u64>);

impl Distinct {
    /// Whether this one was counted already, as far as is known.
    pub(super) fn has(&self, hash: u64) -> bool {
        self.0.contains(&hash)
    }

    /// Counts one.
    pub(super) fn add(&mut self, hash: u64) {
        let full = self.0.len() >= EXACT;
        if full && self.0.last().is_some_and(|largest| hash > *largest) {
            return;
        }
        if self.0.insert(hash) && full {
            self.0.pop_last();
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        match self.0.last() {
            Some(largest) if self.0.len() >= EXACT => {
                let share = *largest as f64 / u64::MAX as f64;
                ((EXACT - 1) as f64 / share) as u64
            }
            _ => self.0.len() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spread(number: u64) -> u64 {
        let digest = crate::authenticate::sha256(&number.to_be_bytes());
        u64::from_be_bytes(digest[..8].try_into().unwrap())
    }

    proptest! {
        #[test]
        fn few_are_counted_exactly(seen in prop::collection::vec(0_u64..500, 0..2_000)) {
            let mut distinct = Distinct::default();
            seen.iter().for_each(|number| distinct.add(spread(*number)));
            let exact: BTreeSet<_> = seen.iter().collect();
            prop_assert_eq!(distinct.count(), exact.len() as u64);
        }
    }

    #[test]
    fn many_are_estimated_in_the_same_memory() {
        let mut distinct = Distinct::default();
        for number in 0..200_000 {
            distinct.add(spread(number));
            distinct.add(spread(number / 2));
        }
        let count = distinct.count();
        assert!((180_000..220_000).contains(&count), "{count}");
        assert_eq!(distinct.0.len(), EXACT);
    }
}
