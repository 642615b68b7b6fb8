//! Numbers as COBOL stores them: zoned decimal with the sign in a digit's zone or beside it, packed
//! decimal, and binary, each with an implied decimal point. Signs are those of the z/Architecture
//! (Principles of Operation, "Decimal-Number Formats"): A, C, E, F plus and B, D minus are read; C
//! and D, and F without a sign, are written.

use gateway_core::framing::format::ByteOrder;
use serde::Deserialize;

use crate::charset::Charset;
use crate::unfit::Unfit;

/// A number's digits and how they are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) storage: Storage,
    pub(crate) digits: u8,
    /// How many of the digits stand after the point.
    pub(crate) scale: u8,
    pub(crate) signed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// A byte for each digit.
    Zoned(SignPlace),
    /// COMP-3: two digits a byte, the sign in the last half byte.
    Packed,
    Binary {
        order: ByteOrder,
        /// COMP-5: any number that the bytes can hold, whatever the digits say.
        full: bool,
    },
}

/// Where a zoned number has its sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SignPlace {
    /// In the zone of the last digit.
    #[default]
    Trailing,
    /// In the zone of the first digit.
    Leading,
    /// A `+` or `-` after the digits.
    TrailingSeparate,
    /// A `+` or `-` before the digits.
    LeadingSeparate,
}

/// How an ASCII digit carries a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Overpunch {
    /// The EBCDIC bytes as translated to ASCII: `{`, `A` to `I` plus; `}`, `J` to `R` minus.
    Translated,
    /// The digit itself plus; `p` to `y` minus, as ASCII COBOL compilers have it.
    Ascii,
}

const POSITIVE: &[u8; 10] = b"{ABCDEFGHI";
const NEGATIVE: &[u8; 10] = b"}JKLMNOPQR";

/// A sign and the digits after it.
struct Digits {
    negative: bool,
    magnitude: u128,
}

impl Number {
    /// Bytes that it has.
    pub(crate) fn width(&self) -> usize {
        let digits = usize::from(self.digits);
        match self.storage {
            Storage::Zoned(SignPlace::TrailingSeparate | SignPlace::LeadingSeparate)
                if self.signed =>
            {
                digits.saturating_add(1)
            }
            Storage::Zoned(_) => digits,
            Storage::Packed => digits / 2 + 1,
            Storage::Binary { .. } => match digits {
                0..=4 => 2,
                5..=9 => 4,
                _ => 8,
            },
        }
    }

    /// Bytes → the number's text: all digits of an unsigned whole number, and otherwise the number
    /// without needless zeros.
    pub(crate) fn read(
        &self,
        bytes: &[u8],
        charset: Charset,
        overpunch: Option<Overpunch>,
    ) -> Result<String, Unfit> {
        let number = match self.storage {
            Storage::Zoned(place) => self.read_zoned(bytes, place, charset, overpunch)?,
            Storage::Packed => self.read_packed(bytes)?,
            Storage::Binary { order, full } => self.read_binary(bytes, order, full)?,
        };
        Ok(self.text(&number))
    }

    /// Appends a text's number.
    pub(crate) fn write(
        &self,
        text: &str,
        charset: Charset,
        overpunch: Option<Overpunch>,
        out: &mut Vec<u8>,
    ) -> Result<(), Unfit> {
        let number = self.parse(text)?;
        match self.storage {
            Storage::Zoned(place) => {
                self.write_zoned(&number, place, charset, overpunch, out);
                Ok(())
            }
            Storage::Packed => {
                self.write_packed(&number, out);
                Ok(())
            }
            Storage::Binary { order, full } => self.write_binary(&number, order, full, out),
        }
    }

    fn text(&self, number: &Digits) -> String {
        let (digits, scale) = (usize::from(self.digits), usize::from(self.scale));
        let padded = format!("{:0digits$}", number.magnitude);
        if !self.signed && scale == 0 {
            return padded;
        }
        let (whole, fraction) = padded.split_at(padded.len().saturating_sub(scale));
        let whole = whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        let fraction = fraction.trim_end_matches('0');
        let sign = if number.negative && number.magnitude > 0 { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{sign}{whole}{point}{fraction}")
    }

    fn parse(&self, text: &str) -> Result<Digits, Unfit> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return Err(Unfit::NotA("a number"));
        }
        let scale = usize::from(self.scale);
        let (kept, lost) = fraction.split_at_checked(scale).unwrap_or((fraction, ""));
        if lost.bytes().any(|byte| byte != b'0') {
            return Err(Unfit::TooPrecise { digits: scale });
        }
        let too_long = Unfit::TooLong { max: self.digits.into(), unit: "digits" };
        let whole = whole.trim_start_matches('0');
        let magnitude = format!("{whole}{kept:0<scale$}");
        let fits = magnitude.len() <= usize::from(self.digits) || self.is_full();
        let magnitude = match magnitude.as_str() {
            "" => Some(0),
            digits if fits => digits.parse().ok(),
            _ => None,
        };
        let magnitude = magnitude.ok_or(too_long)?;
        if negative && !self.signed && magnitude > 0 {
            return Err(Unfit::NotA("a number without a sign"));
        }
        Ok(Digits { negative: negative && magnitude > 0, magnitude })
    }

    fn is_full(&self) -> bool {
        matches!(self.storage, Storage::Binary { full: true, .. })
    }

    fn read_zoned(
        &self,
        bytes: &[u8],
        place: SignPlace,
        charset: Charset,
        overpunch: Option<Overpunch>,
    ) -> Result<Digits, Unfit> {
        let refused = || Unfit::NotA("zoned digits");
        let mut negative = false;
        let mut digits = bytes;
        if self.signed && matches!(place, SignPlace::LeadingSeparate | SignPlace::TrailingSeparate)
        {
            let split = match place {
                SignPlace::LeadingSeparate => bytes.split_first(),
                _ => bytes.split_last(),
            };
            let (sign, rest) = split.ok_or_else(refused)?;
            let (plus, minus) = charset.signs();
            negative = *sign == minus;
            if !negative && *sign != plus {
                return Err(Unfit::NotA("a number with its sign"));
            }
            digits = rest;
        }
        let signed_at = match place {
            SignPlace::Trailing if self.signed => digits.len().checked_sub(1),
            SignPlace::Leading if self.signed => Some(0),
            _ => None,
        };
        let mut magnitude = 0_u128;
        for (index, byte) in digits.iter().enumerate() {
            let digit = if Some(index) == signed_at {
                let (digit, is_negative) =
                    unpunched(*byte, charset, overpunch).ok_or_else(refused)?;
                negative = is_negative;
                digit
            } else {
                byte.checked_sub(charset.zero()).filter(|digit| *digit <= 9).ok_or_else(refused)?
            };
            magnitude = magnitude.saturating_mul(10).saturating_add(digit.into());
        }
        Ok(Digits { negative, magnitude })
    }

    fn write_zoned(
        &self,
        number: &Digits,
        place: SignPlace,
        charset: Charset,
        overpunch: Option<Overpunch>,
        out: &mut Vec<u8>,
    ) {
        let (plus, minus) = charset.signs();
        let sign = if number.negative { minus } else { plus };
        if self.signed && place == SignPlace::LeadingSeparate {
            out.push(sign);
        }
        let text = format!("{:0digits$}", number.magnitude, digits = usize::from(self.digits));
        let signed_at = match place {
            SignPlace::Trailing if self.signed => text.len().checked_sub(1),
            SignPlace::Leading if self.signed => Some(0),
            _ => None,
        };
        for (index, byte) in text.bytes().enumerate() {
            let digit = byte.saturating_sub(b'0');
            out.push(if Some(index) == signed_at {
                punched(digit, number.negative, charset, overpunch)
            } else {
                digit.saturating_add(charset.zero())
            });
        }
        if self.signed && place == SignPlace::TrailingSeparate {
            out.push(sign);
        }
    }

    fn read_packed(&self, bytes: &[u8]) -> Result<Digits, Unfit> {
        let refused = Unfit::NotA("packed decimal");
        let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        let count = bytes.len().saturating_mul(2).saturating_sub(1);
        let mut magnitude = 0_u128;
        for digit in halves.clone().take(count) {
            if digit > 9 {
                return Err(refused);
            }
            magnitude = magnitude.saturating_mul(10).saturating_add(digit.into());
        }
        let negative = match halves.last() {
            Some(0xa | 0xc | 0xe | 0xf) => false,
            Some(0xb | 0xd) if self.signed => true,
            _ => return Err(refused),
        };
        // An even number of digits leaves half a byte before them, which holds none.
        let within = magnitude.checked_ilog10().is_none_or(|log| log < u32::from(self.digits));
        if within { Ok(Digits { negative, magnitude }) } else { Err(refused) }
    }

    fn write_packed(&self, number: &Digits, out: &mut Vec<u8>) {
        let width = self.width();
        let sign = match (self.signed, number.negative) {
            (false, _) => 0xf,
            (true, false) => 0xc,
            (true, true) => 0xd,
        };
        let digits = format!("{:0count$}", number.magnitude, count = width.saturating_mul(2) - 1);
        let mut halves = digits.bytes().map(|byte| byte.saturating_sub(b'0')).chain([sign]);
        while let (Some(high), Some(low)) = (halves.next(), halves.next()) {
            out.push(high << 4 | low);
        }
    }

    fn read_binary(&self, bytes: &[u8], order: ByteOrder, full: bool) -> Result<Digits, Unfit> {
        let push = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        let raw = match order {
            ByteOrder::Big => bytes.iter().fold(0, push),
            ByteOrder::Little => bytes.iter().rev().fold(0, push),
        };
        let unused = 64_u32.saturating_sub(u32::try_from(bytes.len()).unwrap_or(8) * 8);
        let number = match self.signed {
            true => i128::from((raw << unused).cast_signed() >> unused),
            false => i128::from(raw),
        };
        let magnitude = number.unsigned_abs();
        let within = magnitude.checked_ilog10().is_none_or(|log| log < u32::from(self.digits));
        if !full && !within {
            return Err(Unfit::TooLong { max: self.digits.into(), unit: "digits" });
        }
        Ok(Digits { negative: number < 0, magnitude })
    }

    fn write_binary(
        &self,
        number: &Digits,
        order: ByteOrder,
        full: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Unfit> {
        let width = self.width();
        let bits = u32::try_from(width).unwrap_or(8) * 8;
        let magnitude = i128::try_from(number.magnitude).unwrap_or(i128::MAX);
        let value = if number.negative { -magnitude } else { magnitude };
        let (min, max) = match self.signed {
            true => (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1),
            false => (0, (1_i128 << bits) - 1),
        };
        if full && !(min..=max).contains(&value) {
            return Err(Unfit::OutOfRange { min, max });
        }
        let bytes = value.to_be_bytes();
        let kept = bytes.get(bytes.len().saturating_sub(width)..).unwrap_or_default();
        match order {
            ByteOrder::Big => out.extend_from_slice(kept),
            ByteOrder::Little => out.extend(kept.iter().rev()),
        }
        Ok(())
    }
}

/// The digit and sign of a byte that carries both.
fn unpunched(byte: u8, charset: Charset, overpunch: Option<Overpunch>) -> Option<(u8, bool)> {
    if charset.is_ebcdic() {
        let digit = Some(byte & 0xf).filter(|digit| *digit <= 9)?;
        return match byte >> 4 {
            0xa | 0xc | 0xe | 0xf => Some((digit, false)),
            0xb | 0xd => Some((digit, true)),
            _ => None,
        };
    }
    let place = |table: &[u8; 10]| {
        let at = table.iter().position(|known| *known == byte)?;
        u8::try_from(at).ok()
    };
    match (byte, overpunch) {
        (b'0'..=b'9', _) => Some((byte & 0xf, false)),
        (b'p'..=b'y', Some(Overpunch::Ascii)) => Some((byte & 0xf, true)),
        (_, Some(Overpunch::Translated)) => {
            let plus = place(POSITIVE).map(|digit| (digit, false));
            plus.or_else(|| place(NEGATIVE).map(|digit| (digit, true)))
        }
        _ => None,
    }
}

/// The byte that carries a digit and a sign.
fn punched(digit: u8, negative: bool, charset: Charset, overpunch: Option<Overpunch>) -> u8 {
    let translated = |table: &[u8; 10]| table.get(usize::from(digit)).copied().unwrap_or_default();
    match (overpunch, negative) {
        _ if charset.is_ebcdic() => digit | if negative { 0xd0 } else { 0xc0 },
        (Some(Overpunch::Translated), false) => translated(POSITIVE),
        (Some(Overpunch::Translated), true) => translated(NEGATIVE),
        (_, false) => digit | 0x30,
        (_, true) => digit | 0x70,
    }
}

#[cfg(test)]
mod tests;
