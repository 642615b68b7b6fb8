//! Decimal numbers: exact, with as many digits after the point as the service says.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A decimal number: `units` divided by ten to the power of `scale`.
///
/// Two are equal only at one scale; a mapping brings all values of a field to the field's scale.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decimal {
    units: i128,
    scale: u8,
}

/// Digits after the point at most, so that every power of ten up to it is exact.
pub const SCALE_MAX: u8 = 18;

impl Decimal {
    /// `units` of the size 10^-`scale`; scales beyond [`SCALE_MAX`] count as that.
    pub fn new(units: i128, scale: u8) -> Self {
        Self { units, scale: scale.min(SCALE_MAX) }
    }

    /// How many of the smallest unit.
    pub fn units(&self) -> i128 {
        self.units
    }

    /// Digits after the point.
    pub fn scale(&self) -> u8 {
        self.scale
    }

    /// The same number at another scale. `None` when digits other than zeros would be lost, or it
    /// becomes too large.
    pub fn rescale(&self, scale: u8) -> Option<Self> {
        let scale = scale.min(SCALE_MAX);
        let factor = 10_i128.pow(u32::from(scale.abs_diff(self.scale)));
        let units = match scale >= self.scale {
            true => self.units.checked_mul(factor)?,
            false if self.units % factor == 0 => self.units / factor,
            false => return None,
        };
        Some(Self { units, scale })
    }

    /// The number at a smaller scale, digits beyond it cut off towards zero.
    #[must_use]
    pub fn truncate(&self, scale: u8) -> Self {
        if scale >= self.scale {
            return *self;
        }
        let factor = 10_i128.pow(u32::from(self.scale.saturating_sub(scale)));
        Self { units: self.units / factor, scale }
    }

    /// Reads digits with at most one point between them and perhaps a minus sign before them;
    /// the scale is the count of digits after the point.
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let pointed = digits.len() != whole.len();
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        if pointed && fraction.is_empty() || fraction.len() > usize::from(SCALE_MAX) {
            return None;
        }
        let scale = u8::try_from(fraction.len()).ok()?;
        let whole: i128 = whole.parse().ok()?;
        let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
        let units = whole.checked_mul(10_i128.pow(scale.into()))?.checked_add(part)?;
        Some(Self { units: units * sign, scale })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let factor = 10_u128.pow(u32::from(self.scale));
        let (whole, part) =
            (self.units.unsigned_abs() / factor, self.units.unsigned_abs() % factor);
        let sign = if self.units < 0 { "-" } else { "" };
        match self.scale {
            0 => write!(f, "{sign}{whole}"),
            scale => write!(f, "{sign}{whole}.{part:0scale$}", scale = usize::from(scale)),
        }
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal(scale {})", self.scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for text in ["0", "-1", "12.50", "-0.05", "99999999999999999999.000000000000000001"] {
            assert_eq!(Decimal::parse(text).unwrap().to_string(), text);
        }
        for bad in ["", "-", ".5", "5.", "+1", "1,000", "1e3", " 1", "--1", "1.2.3", "１"] {
            assert!(Decimal::parse(bad).is_none(), "{bad}");
        }
        assert!(Decimal::parse(&"9".repeat(40)).is_none());
        assert!(Decimal::parse("0.0000000000000000001").is_none());
    }

    #[test]
    fn no_digit_is_lost_unless_asked() {
        let number = Decimal::new(1250, 2);
        assert_eq!(number.rescale(1), Some(Decimal::new(125, 1)));
        assert_eq!(number.rescale(0), None);
        assert_eq!(number.rescale(4), Some(Decimal::new(125_000, 4)));
        assert_eq!(number.truncate(0), Decimal::new(12, 0));
        assert_eq!(Decimal::new(-199, 2).truncate(0), Decimal::new(-1, 0));
        assert_eq!(Decimal::new(i128::MAX, 0).rescale(1), None);
    }
}
