//! Registration numbers of persons and businesses, with their checks.

use std::borrow::Cow;

use gateway_core::{CheckDigit, ResidentNumber, Value};

use crate::unfit::Unfit;

/// Which registration numbers of persons a field takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PersonRule {
    /// Foreigners' alone.
    pub(crate) foreign: bool,
    /// The check digit must be right where the person was born while there was one. Numbers given
    /// anew since October 2020 have none and are refused then.
    pub(crate) check_digit: bool,
    /// Written `900101-1234567`.
    pub(crate) hyphen: bool,
}

impl PersonRule {
    pub(crate) fn read(self, text: &str) -> Result<Value, Unfit> {
        let number = ResidentNumber::parse(text)
            .map_err(|_| Unfit::NotA("a resident registration number"))?;
        self.check(&number)?;
        Ok(Value::Resident(number))
    }

    pub(crate) fn write(self, number: &ResidentNumber) -> Result<Cow<'_, str>, Unfit> {
        self.check(number)?;
        let digits = number.expose();
        Ok(match (self.hyphen, digits.split_at_checked(6)) {
            (true, Some((birth, rest))) => Cow::Owned([birth, "-", rest].concat()),
            _ => Cow::Borrowed(digits),
        })
    }

    fn check(self, number: &ResidentNumber) -> Result<(), Unfit> {
        if self.foreign && !number.is_foreign() {
            return Err(Unfit::NotA("a foreigner registration number"));
        }
        if self.check_digit && number.check_digit() == CheckDigit::Wrong {
            return Err(Unfit::NotA("a registration number whose check digit is right"));
        }
        Ok(())
    }

    pub(crate) fn longest(self) -> String {
        let digits = if self.foreign { "9001015234561" } else { "9001011234568" };
        let number = ResidentNumber::parse(digits).ok();
        number.and_then(|number| self.write(&number).map(Cow::into_owned).ok()).unwrap_or_default()
    }
}

const NOT_A_BUSINESS: Unfit = Unfit::NotA("a business registration number");

/// `123-45-67891`, with or without its hyphens → ten digits whose last one checks.
pub(crate) fn read_business(text: &str) -> Result<Value, Unfit> {
    let parts = match text.split('-').collect::<Vec<_>>()[..] {
        [digits] => Some(digits.to_owned()),
        [office, kind, serial] if (office.len(), kind.len()) == (3, 2) => {
            Some([office, kind, serial].concat())
        }
        _ => None,
    };
    let digits = parts.filter(|digits| is_business(digits)).ok_or(NOT_A_BUSINESS)?;
    Ok(Value::Text(digits))
}

pub(crate) fn write_business(digits: &str, hyphen: bool) -> Result<Cow<'_, str>, Unfit> {
    match (digits.get(..3), digits.get(3..5), digits.get(5..)) {
        _ if !is_business(digits) => Err(NOT_A_BUSINESS),
        (Some(office), Some(kind), Some(serial)) if hyphen => {
            Ok(Cow::Owned([office, "-", kind, "-", serial].concat()))
        }
        _ => Ok(Cow::Borrowed(digits)),
    }
}

/// Ten digits: office, kind, serial number and check digit, as the National Tax Service has it.
pub(crate) fn is_business(digits: &str) -> bool {
    const WEIGHTS: [u32; 9] = [1, 3, 7, 1, 3, 7, 1, 3, 5];
    if digits.len() != 10 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let numbers: Vec<u32> =
        digits.bytes().map(|byte| u32::from(byte.saturating_sub(b'0'))).collect();
    let [head @ .., ninth, last] = &numbers[..] else {
        return false;
    };
    let weighted = head.iter().chain([ninth]).zip(WEIGHTS).map(|(digit, weight)| digit * weight);
    let sum: u32 = weighted.sum::<u32>() + ninth * 5 / 10;
    (10 - sum % 10) % 10 == *last
}
