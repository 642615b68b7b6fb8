//! What is shown of a value about a person where it must not be shown whole. One way: a masked
//! value cannot be read back.

use std::borrow::Cow;

use gateway_core::Value;

use crate::unfit::Unfit;

/// Which part of a value is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mask {
    /// `홍*동`: the first and the last character of each word; of two characters the first.
    Name,
    /// `900101-1******`: the birth date and the digit after it.
    Number,
    /// `부산광역시 해운대구 ***`: the first two words.
    Address,
}

impl Mask {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "masked-name" => Some(Self::Name),
            "masked-number" => Some(Self::Number),
            "masked-address" => Some(Self::Address),
            _ => None,
        }
    }

    pub(crate) fn write<'v>(self, value: &'v Value) -> Result<Cow<'v, str>, Unfit> {
        let text = match (self, value) {
            (Self::Number, Value::Resident(number)) => number_shown(number.expose()),
            (Self::Name, Value::Personal(name)) => name_shown(name.expose()),
            (Self::Name, Value::Text(name)) => name_shown(name),
            (Self::Address, Value::Personal(address)) => address_shown(address.expose()),
            (Self::Address, Value::Text(address)) => address_shown(address),
            _ => return Err(Unfit::NotA("of the type that the service promises")),
        };
        Ok(Cow::Owned(text))
    }
}

fn number_shown(digits: &str) -> String {
    [digits.get(..6).unwrap_or_default(), "-", digits.get(6..7).unwrap_or_default(), "******"]
        .concat()
}

fn name_shown(name: &str) -> String {
    let words: Vec<String> = name.split(' ').map(word_shown).collect();
    words.join(" ")
}

fn word_shown(word: &str) -> String {
    let count = word.chars().count();
    let shown = |place: usize| place == 0 && count > 1 || place + 1 == count && count > 2;
    word.chars().enumerate().map(|(place, one)| if shown(place) { one } else { '*' }).collect()
}

fn address_shown(address: &str) -> String {
    let mut words = address.split_whitespace();
    let shown: Vec<&str> = words.by_ref().take(2).collect();
    match words.next() {
        Some(_) => [&shown.join(" "), " ***"].concat(),
        None => "***".to_owned(),
    }
}
