//! One spelling for texts that have several: composed Hangul, half or full width, single spaces.
//! A row says which, and the target of the row gets it.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Normal {
    /// Unicode NFC: syllables in one character, as EUC-KR has them.
    Nfc,
    /// `ＡＢＣ１２３　` → `ABC123 `: the ASCII characters of full width.
    HalfWidth,
    /// The reverse.
    FullWidth,
    /// No spaces at the ends, one at a time between.
    Spaces,
}

impl Normal {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "nfc" => Some(Self::Nfc),
            "half-width" => Some(Self::HalfWidth),
            "full-width" => Some(Self::FullWidth),
            "spaces" => Some(Self::Spaces),
            _ => None,
        }
    }

    pub(crate) fn apply(self, text: Cow<'_, str>) -> Cow<'_, str> {
        match self {
            Self::Nfc if text.is_ascii() => text,
            Self::Nfc => {
                Cow::Owned(ComposingNormalizerBorrowed::new_nfc().normalize(&text).into_owned())
            }
            Self::HalfWidth => each(text, half_width),
            Self::FullWidth => each(text, full_width),
            Self::Spaces => {
                let words: Vec<&str> = text.split_whitespace().collect();
                let joined = words.join(" ");
                if *joined == *text { text } else { Cow::Owned(joined) }
            }
        }
    }
}

/// Between `!` to `~` and their full-width forms (U+FF01 to U+FF5E).
const SHIFT: u32 = 0xFF01 - 0x21;

fn half_width(character: char) -> char {
    match character {
        '\u{3000}' => ' ',
        '\u{FF01}'..='\u{FF5E}' => {
            char::from_u32(u32::from(character) - SHIFT).unwrap_or(character)
        }
        _ => character,
    }
}

fn full_width(character: char) -> char {
    match character {
        ' ' => '\u{3000}',
        '!'..='~' => char::from_u32(u32::from(character) + SHIFT).unwrap_or(character),
        _ => character,
    }
}

fn each(text: Cow<'_, str>, change: impl Fn(char) -> char) -> Cow<'_, str> {
    match text.chars().all(|character| change(character) == character) {
        true => text,
        false => Cow::Owned(text.chars().map(change).collect()),
    }
}
