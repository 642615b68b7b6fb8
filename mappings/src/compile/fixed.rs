//! What a fixed-length layout must know of a field, from its `type` and `length` or from a picture
//! of COBOL, and whether it can hold what the codec may write.

use gateway_core::framing::format::ByteOrder;

use crate::charset::Charset;
use crate::convert::Codec;
use crate::format::{Row, TelegramLayout, Usage};
use crate::layout::fixed::{Code, Fixed, FixedKind, Number, Picture, Storage};
use crate::problem::Spot;

const MAX_LENGTH: usize = 9999;
/// Digits of the largest binary number, of eight bytes.
const BINARY_DIGITS: u8 = 18;

/// How all fields of a message are written.
#[derive(Clone, Copy, Default)]
pub(crate) struct Conventions {
    pub(crate) code: Code,
    pub(crate) byte_order: ByteOrder,
}

impl From<&TelegramLayout> for Conventions {
    fn from(layout: &TelegramLayout) -> Self {
        let code = Code { charset: layout.encoding.into(), overpunch: layout.overpunch };
        Self { code, byte_order: layout.byte_order }
    }
}

impl Conventions {
    /// One field. Every code, and the longest of each other kind, must fit its width.
    pub(crate) fn field(self, row: &Row, codec: &Codec, spot: &mut Spot<'_>) -> Option<Fixed> {
        super::unused(row.max.is_some(), "max", spot);
        let (kind, length) = match &row.picture {
            Some(picture) => self.of_picture(picture, row, spot)?,
            None => of_type(row, spot)?,
        };
        if !(1..=MAX_LENGTH).contains(&length) {
            spot.key("length").problem(format_args!("must be from 1 to {MAX_LENGTH} bytes"));
            return None;
        }
        let zero_is_absent = row.zeros.is_some();
        super::unused(zero_is_absent && !kind.is_numeric(), "zeros", spot);
        let shape = Fixed { kind, length, cut: false, zero_is_absent, code: self.code };
        let mut bytes = Vec::new();
        for text in codec.extremes() {
            bytes.clear();
            if let Err(why) = shape.write(Some(&text), &mut bytes) {
                spot.problem(format_args!("the field cannot hold `{text}`: it {why}"));
            }
        }
        Some(shape)
    }

    /// A field of a message's body. A number without blanks can be absent only where the row says
    /// how.
    pub(crate) fn body_field(self, row: &Row, codec: &Codec, spot: &mut Spot<'_>) -> Option<Fixed> {
        let shape = self.field(row, codec, spot)?;
        let is_mapped = row.from.is_some() && row.to.is_some();
        let is_certain = row.required || row.default.is_some() || shape.zero_is_absent;
        if is_mapped && !is_certain && !shape.kind.has_blank() {
            spot.problem(
                "spaces are no value here: say `required: true`, a `default`, or `zeros: none`",
            );
        }
        Some(shape)
    }

    fn of_picture(self, text: &str, row: &Row, spot: &mut Spot<'_>) -> Option<(FixedKind, usize)> {
        super::unused(row.kind.is_some(), "type", spot);
        super::unused(row.length.is_some(), "length", spot);
        let picture = Picture::parse(text)
            .map_err(|why| spot.key("picture").problem(format_args!("`{text}` {why}")))
            .ok()?;
        let is_number = matches!(picture, Picture::Number { .. });
        super::unused(row.usage.is_some() && !is_number, "usage", spot);
        super::unused(row.sign.is_some() && !is_number, "sign", spot);
        match picture {
            Picture::Text { length } => Some((FixedKind::Hangul, length)),
            Picture::Edited { length } => Some((FixedKind::Ascii, length)),
            Picture::Graphic { characters } => {
                let has = matches!(self.code.charset, Charset::Ebcdic(table) if table.has_double());
                if !has {
                    spot.key("picture").problem("two-byte characters want `encoding: ebcdic-933`");
                }
                Some((FixedKind::Graphic, characters.saturating_mul(2)))
            }
            Picture::Number { digits, scale, signed } => {
                let number = self.number(digits, scale, signed, row, spot)?;
                let plain = Number { digits, scale: 0, signed: false, storage: number.storage };
                match number.storage {
                    Storage::Zoned(_) if number == plain => {
                        Some((FixedKind::Digits, number.width()))
                    }
                    _ => Some((FixedKind::Number(number), number.width())),
                }
            }
        }
    }

    fn number(
        self,
        digits: u8,
        scale: u8,
        signed: bool,
        row: &Row,
        spot: &mut Spot<'_>,
    ) -> Option<Number> {
        let usage = row.usage.unwrap_or_default();
        super::unused(row.sign.is_some() && (usage != Usage::Display || !signed), "sign", spot);
        let order = self.byte_order;
        let place = row.sign.unwrap_or_default();
        let storage = match usage {
            Usage::Display => Storage::Zoned(place),
            Usage::Packed => Storage::Packed,
            Usage::Binary => Storage::Binary { order: ByteOrder::Big, full: false },
            Usage::Native => Storage::Binary { order, full: true },
        };
        if matches!(storage, Storage::Binary { .. }) && digits > BINARY_DIGITS {
            let message = format_args!("a binary number has {BINARY_DIGITS} digits at most");
            spot.key("picture").problem(message);
            return None;
        }
        let number = Number { storage, digits, scale, signed };
        let punched = usage == Usage::Display && signed && number.width() == usize::from(digits);
        if punched && !self.code.charset.is_ebcdic() && self.code.overpunch.is_none() {
            spot.problem("the sign is in a digit: the layout must say `overpunch`, how");
        }
        Some(number)
    }
}

fn of_type(row: &Row, spot: &mut Spot<'_>) -> Option<(FixedKind, usize)> {
    super::unused(row.usage.is_some(), "usage", spot);
    super::unused(row.sign.is_some(), "sign", spot);
    let wanted = "`AN`, `AH`, `N` or `filler`, or there must be a `picture`";
    let kind = super::shape::parse(row.kind.as_deref(), FixedKind::parse, wanted, spot)?;
    Some((kind, row.length.unwrap_or_default()))
}
