//! What names a person: registration numbers and other text. Neither prints nor serializes.

use std::fmt;

use jiff::civil::Date;
use zeroize::Zeroizing;

/// A Korean resident or foreigner registration number: thirteen digits, birth date first.
///
/// The check digit is not demanded: numbers issued since October 2020 carry none. Who wants it
/// asks [`ResidentNumber::check_digit`].
#[derive(Clone, PartialEq, Eq)]
pub struct ResidentNumber(Zeroizing<String>);

/// Why a text is not a resident registration number. It does not repeat the text.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a resident registration number: {0}")]
pub struct InvalidResidentNumber(&'static str);

impl ResidentNumber {
    /// Reads `YYMMDDSNNNNNN`, with or without the customary hyphen before `S`.
    ///
    /// # Errors
    /// When it is not thirteen digits, or they do not begin with a calendar day of the century
    /// that the seventh digit names.
    pub fn parse(text: &str) -> Result<Self, InvalidResidentNumber> {
        let digits: Zeroizing<String> = match text.split_once('-') {
            Some((birth, rest)) if birth.len() == 6 => Zeroizing::new([birth, rest].concat()),
            Some(_) => return Err(InvalidResidentNumber("hyphen in the wrong place")),
            None => Zeroizing::new(text.to_owned()),
        };
        if digits.len() != 13 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidResidentNumber("thirteen digits wanted"));
        }
        birth(&digits).ok_or(InvalidResidentNumber("does not begin with a date of birth"))?;
        Ok(Self(digits))
    }

    /// Whether it is one of a foreigner: the seventh digit is from 5 to 8.
    pub fn is_foreign(&self) -> bool {
        matches!(self.0.as_bytes().get(6), Some(b'5'..=b'8'))
    }

    /// Whether the last digit is the check digit that numbers had until 4 October 2020. Numbers of
    /// persons born later never had one; other numbers issued since then have one by chance only.
    pub fn check_digit(&self) -> CheckDigit {
        let weights = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5];
        let digits = self.0.bytes().map(|byte| u32::from(byte.saturating_sub(b'0')));
        let sum: u32 = digits.zip(weights).map(|(digit, weight)| digit * weight).sum();
        let shift = if self.is_foreign() { 13 } else { 11 };
        let wanted = (shift - sum % 11) % 10;
        let last = self.0.bytes().last().map(|byte| u32::from(byte.saturating_sub(b'0')));
        match birth(&self.0) {
            Some(birth) if birth >= WITHOUT_CHECK_DIGIT => CheckDigit::None,
            _ if last == Some(wanted) => CheckDigit::Right,
            _ => CheckDigit::Wrong,
        }
    }

    /// The thirteen digits. Every caller of this is a place where personal data is in the clear.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// What the last digit of a registration number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckDigit {
    /// It is the check digit.
    Right,
    /// It is not: a slip, or a number issued since October 2020.
    Wrong,
    /// The person was born after numbers ceased to have one.
    None,
}

/// From this day on numbers are issued without check digit (Enforcement Rules of the Resident
/// Registration Act, amended May 2020).
const WITHOUT_CHECK_DIGIT: Date = Date::constant(2020, 10, 5);

/// The day of birth: two digits of the year, month, day; the century stands in the seventh digit.
fn birth(digits: &str) -> Option<Date> {
    let number = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i16>().ok();
    let century = match number(6..7)? {
        9 | 0 => 1800,
        1 | 2 | 5 | 6 => 1900,
        _ => 2000,
    };
    let (month, day) = (i8::try_from(number(2..4)?).ok()?, i8::try_from(number(4..6)?).ok()?);
    Date::new(century + number(0..2)?, month, day).ok()
}

impl fmt::Debug for ResidentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResidentNumber(******-*******)")
    }
}

/// Text about a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Personal(Zeroizing<String>);

impl Personal {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text. Every caller of this is a place where personal data is in the clear.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resident_number_begins_with_a_date_of_birth() {
        for good in ["900101-1234567", "9001011234567", "0002293000000", "8812315000000"] {
            assert!(ResidentNumber::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "900101", "901301-1234567", "9001-011234567", "000230-3000000", "９０0101"]
        {
            assert!(ResidentNumber::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_check_digit_is_right_wrong_or_none() {
        let digit = |text: &str| ResidentNumber::parse(text).unwrap().check_digit();
        assert_eq!(digit("900101-1234568"), CheckDigit::Right);
        assert_eq!(digit("900101-1234567"), CheckDigit::Wrong);
        assert_eq!(digit("900101-5234561"), CheckDigit::Right);
        assert_eq!(digit("900101-5234568"), CheckDigit::Wrong);
        assert_eq!(digit("201005-3000000"), CheckDigit::None);
        assert!(ResidentNumber::parse("900101-5234561").unwrap().is_foreign());
        assert!(!ResidentNumber::parse("900101-1234568").unwrap().is_foreign());
    }

    #[test]
    fn neither_prints() {
        let resident = ResidentNumber::parse("900101-1234567").unwrap();
        let shown = format!("{resident:?}{:?}", Personal::new("홍길동".into()));
        assert!(!shown.contains("900101") && !shown.contains("홍"));
    }
}
