//! A share of exchanges, chosen by a hash: the same one each time, and the more the larger it is.

/// Hundredths of a percent.
const WHOLE: u32 = 10_000;

/// A share between nothing and all, in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

impl Share {
    /// All of it.
    pub const ALL: Self = Self(WHOLE);

    /// So many percent; none below 0 and above 100.
    pub fn percent(percent: f64) -> Option<Self> {
        let hundredths = (percent * 100.0).round();
        (0.0..=f64::from(WHOLE)).contains(&hundredths).then_some(Self(hundredths as u32))
    }

    /// Whether an exchange with this hash is in it. What is in a share is in every larger one.
    pub fn holds(self, hash: &[u8]) -> bool {
        let head: Vec<u8> = hash.iter().rev().take(8).copied().collect();
        let number = head.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        number % u64::from(WHOLE) < u64::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_between_nothing_and_all() {
        assert_eq!(Share::percent(100.0), Some(Share::ALL));
        assert_eq!(Share::percent(0.01), Some(Share(1)));
        for bad in [-0.01, 100.01, f64::NAN, f64::INFINITY] {
            assert_eq!(Share::percent(bad), None);
        }
    }

    #[test]
    fn it_holds_about_as_many_as_it_says_and_keeps_them_when_it_grows() {
        let hashes: Vec<[u8; 32]> = (0..20_000_u64)
            .map(|n| {
                let mut hash = [0; 32];
                // Any well-mixed numbers do (the constant is 2^64 over the golden ratio).
                let mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                hash[24..].copy_from_slice(&(mixed ^ (mixed >> 29)).to_be_bytes());
                hash
            })
            .collect();
        let [none, five, half] = [0.0, 5.0, 50.0].map(|p| Share::percent(p).unwrap());
        let held = |share: Share| hashes.iter().filter(|hash| share.holds(&hash[..])).count();
        assert_eq!((held(none), held(Share::ALL)), (0, 20_000));
        assert!((800..1_200).contains(&held(five)), "{}", held(five));
        assert!(hashes.iter().all(|hash| !five.holds(hash) || half.holds(hash)));
    }
}
