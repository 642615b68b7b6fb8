//! The encodings of fixed-length messages, strict both ways: what a character is not in, or bytes
//! that are no character, is an error. EBCDIC is in [`ebcdic`].

mod ebcdic;

use std::borrow::Cow;

use encoding_rs::{EUC_KR, EncoderResult};
use serde::Deserialize;

pub(crate) use ebcdic::Ebcdic;

use crate::unfit::Unfit;

/// The encoding of a message's texts and digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Charset {
    /// EUC-KR as it is in use: with all 11,172 syllables (CP949).
    #[default]
    Cp949,
    /// The characters of KS X 1001 alone, as systems older than CP949 have them.
    EucKr,
    Utf8,
    Ebcdic(&'static Ebcdic),
}

/// An encoding by its name in mappings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum CharsetName {
    #[default]
    #[serde(rename = "cp949")]
    Cp949,
    #[serde(rename = "euc-kr")]
    EucKr,
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "ebcdic-037")]
    Ebcdic037,
    #[serde(rename = "ebcdic-500")]
    Ebcdic500,
    #[serde(rename = "ebcdic-933")]
    Ebcdic933,
}

impl From<CharsetName> for Charset {
    fn from(name: CharsetName) -> Self {
        match name {
            CharsetName::Cp949 => Self::Cp949,
            CharsetName::EucKr => Self::EucKr,
            CharsetName::Utf8 => Self::Utf8,
            CharsetName::Ebcdic037 => Self::Ebcdic(ebcdic::ibm037()),
            CharsetName::Ebcdic500 => Self::Ebcdic(ebcdic::ibm500()),
            CharsetName::Ebcdic933 => Self::Ebcdic(ebcdic::ibm933()),
        }
    }
}

impl Charset {
    /// Its name for people.
    fn name(self) -> &'static str {
        match self {
            Self::Cp949 => "EUC-KR (CP949)",
            Self::EucKr => "EUC-KR (KS X 1001)",
            Self::Utf8 => "UTF-8",
            Self::Ebcdic(table) => table.name(),
        }
    }

    pub(crate) fn is_ebcdic(self) -> bool {
        matches!(self, Self::Ebcdic(_))
    }

    /// The byte of a space.
    pub(crate) fn space(self) -> u8 {
        if self.is_ebcdic() { 0x40 } else { b' ' }
    }

    /// The byte of the digit zero; the others follow it.
    pub(crate) fn zero(self) -> u8 {
        if self.is_ebcdic() { 0xf0 } else { b'0' }
    }

    /// The bytes of a plus and a minus sign.
    pub(crate) fn signs(self) -> (u8, u8) {
        if self.is_ebcdic() { (0x4e, 0x60) } else { (b'+', b'-') }
    }

    /// Bytes → text, saying when the last character is cut in half.
    pub(crate) fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, Unfit> {
        let undecodable = Unfit::Undecodable(self.name());
        match self {
            Self::Ebcdic(table) => table.decode(bytes).map(Cow::Owned),
            _ if bytes.is_ascii() => {
                std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| undecodable)
            }
            Self::Utf8 => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Cow::Borrowed(text)),
                Err(error) if error.error_len().is_none() => Err(Unfit::CutCharacter),
                Err(_) => Err(undecodable),
            },
            Self::Cp949 | Self::EucKr => {
                match EUC_KR.decode_without_bom_handling_and_without_replacement(bytes) {
                    Some(text) if self == Self::Cp949 || is_ks_x_1001(bytes) => Ok(text),
                    Some(_) => Err(undecodable),
                    None if ends_in_lead_byte(bytes) => Err(Unfit::CutCharacter),
                    None => Err(undecodable),
                }
            }
        }
    }

    /// Appends a text. With `room`, what does not fit that many bytes is cut, between characters.
    pub(crate) fn encode(
        self,
        text: &str,
        room: Option<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), Unfit> {
        if let Self::Ebcdic(table) = self {
            return table.encode(text, room, out);
        }
        let end = room.map_or(usize::MAX, |room| out.len().saturating_add(room));
        if text.is_ascii() {
            let kept = end.saturating_sub(out.len()).min(text.len());
            out.extend_from_slice(text.as_bytes().get(..kept).unwrap_or_default());
            return Ok(());
        }
        for character in text.chars() {
            let mut bytes = [0; 4];
            let encoded = self.encode_character(character, &mut bytes)?;
            if out.len().saturating_add(encoded.len()) > end {
                break;
            }
            out.extend_from_slice(encoded);
        }
        Ok(())
    }

    /// Bytes of one character of an encoding that is no EBCDIC; none when it lacks it.
    pub(crate) fn width(self, character: char) -> Option<usize> {
        match character.is_ascii() {
            true => Some(1),
            false => self.encode_character(character, &mut [0; 4]).ok().map(<[u8]>::len),
        }
    }

    /// One character of an encoding that is no EBCDIC.
    fn encode_character(self, character: char, out: &mut [u8; 4]) -> Result<&[u8], Unfit> {
        if self == Self::Utf8 {
            return Ok(character.encode_utf8(out).as_bytes());
        }
        let mut utf8 = [0; 4];
        let text = character.encode_utf8(&mut utf8);
        // The encoder writes `&#…;` for what it lacks unless it is asked not to.
        let mut encoder = EUC_KR.new_encoder();
        let (result, _, written) = encoder.encode_from_utf8_without_replacement(text, out, true);
        let bytes = out.get(..written).unwrap_or_default();
        match result {
            EncoderResult::InputEmpty if self == Self::Cp949 || is_ks_x_1001(bytes) => Ok(bytes),
            _ => Err(Unfit::Unencodable),
        }
    }
}

/// Whether every two-byte character has both bytes from 0xA1 on, as EUC has it.
fn is_ks_x_1001(bytes: &[u8]) -> bool {
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        if !byte.is_ascii() {
            let trail = rest.next().copied().unwrap_or_default();
            if *byte < 0xa1 || trail < 0xa1 {
                return false;
            }
        }
    }
    true
}

fn ends_in_lead_byte(bytes: &[u8]) -> bool {
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        let is_lead = (0x81..=0xfe).contains(byte);
        if is_lead && rest.next().is_none() {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests;
