//! COBOL's PICTURE: what a data item holds and how wide it is. Read by mappings, whose rows may say
//! `picture`, and by the import of copybooks.

use thiserror::Error;

/// What a picture describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Picture {
    /// `X` or `A`: so many bytes of text.
    Text { length: usize },
    /// `G` or `N`: so many two-byte characters.
    Graphic { characters: usize },
    /// `9`, perhaps with a sign `S` and an implied point `V`.
    Number { digits: u8, scale: u8, signed: bool },
    /// A number as it is printed, with points and blanks: so many bytes of text.
    Edited { length: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum PictureError {
    #[error("is no picture of COBOL")]
    Syntax,
    #[error("has more than {MAX_DIGITS} digits")]
    TooManyDigits,
    #[error("scales by `P`, which is not supported")]
    Scaled,
    #[error("is longer than {MAX_LENGTH} bytes")]
    TooLong,
}

/// As many digits as COBOL 2002 has, and as fit a number of 128 bits.
pub(crate) const MAX_DIGITS: u8 = 31;
const MAX_LENGTH: usize = 9999;

/// How often each kind of symbol stands in a picture.
#[derive(Default)]
struct Count {
    text: usize,
    graphic: usize,
    whole: usize,
    fraction: usize,
    edited: usize,
    signed: bool,
    point: bool,
}

impl Picture {
    /// Reads a picture's text, such as `S9(7)V99`.
    pub(crate) fn parse(text: &str) -> Result<Self, PictureError> {
        let mut count = Count::default();
        let mut rest = text.trim();
        let mut first = true;
        while let Some(symbol) = rest.chars().next() {
            rest = rest.get(symbol.len_utf8()..).unwrap_or_default();
            let times = repetition(&mut rest)?;
            count.symbol(symbol.to_ascii_uppercase(), times, first, rest)?;
            first = false;
        }
        count.picture()
    }
}

/// Takes `(n)` off, where it follows a symbol.
fn repetition(rest: &mut &str) -> Result<usize, PictureError> {
    let Some(inner) = rest.strip_prefix('(') else {
        return Ok(1);
    };
    let (number, after) = inner.split_once(')').ok_or(PictureError::Syntax)?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse().ok().filter(|number| digits && *number > 0);
    *rest = after;
    match number {
        Some(number) if number <= MAX_LENGTH => Ok(number),
        Some(_) => Err(PictureError::TooLong),
        None => Err(PictureError::Syntax),
    }
}

impl Count {
    fn symbol(
        &mut self,
        symbol: char,
        times: usize,
        first: bool,
        rest: &str,
    ) -> Result<(), PictureError> {
        let place = match symbol {
            'X' | 'A' => &mut self.text,
            'G' | 'N' => &mut self.graphic,
            '9' if self.point => &mut self.fraction,
            '9' => &mut self.whole,
            'S' if first && times == 1 => {
                self.signed = true;
                return Ok(());
            }
            'V' if !self.point && times == 1 => {
                self.point = true;
                return Ok(());
            }
            'P' => return Err(PictureError::Scaled),
            // CR and DB are two bytes each.
            'C' if rest.starts_with(['R', 'r']) => &mut self.edited,
            'D' if rest.starts_with(['B', 'b']) => &mut self.edited,
            'R' if self.edited > 0 => &mut self.edited,
            'Z' | '*' | '+' | '-' | '.' | ',' | 'B' | '0' | '/' | '$' => &mut self.edited,
            _ => return Err(PictureError::Syntax),
        };
        *place = place.saturating_add(times);
        Ok(())
    }

    fn picture(self) -> Result<Picture, PictureError> {
        let digits = self.whole.saturating_add(self.fraction);
        let kinds = [self.text > 0, self.graphic > 0, self.edited > 0 || digits > 0];
        let has_mark = self.signed || self.point;
        let length = digits.saturating_add(self.text).saturating_add(self.edited);
        let picture = match kinds {
            _ if length.max(self.graphic) > MAX_LENGTH => return Err(PictureError::TooLong),
            [true, false, false] if !has_mark => Picture::Text { length },
            [false, true, false] if !has_mark => Picture::Graphic { characters: self.graphic },
            [false, false, true] if self.edited > 0 && !self.signed => Picture::Edited { length },
            [false, false, true] if self.edited == 0 => {
                let within = u8::try_from(digits).ok().filter(|digits| *digits <= MAX_DIGITS);
                Picture::Number {
                    digits: within.ok_or(PictureError::TooManyDigits)?,
                    scale: u8::try_from(self.fraction).unwrap_or(u8::MAX),
                    signed: self.signed,
                }
            }
            // `X` beside `9` or an insertion makes text, in COBOL too.
            [true, false, true] if !has_mark => Picture::Text { length },
            _ => return Err(PictureError::Syntax),
        };
        Ok(picture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_say_what_they_hold() {
        let number = |digits, scale, signed| Ok(Picture::Number { digits, scale, signed });
        for (text, wanted) in [
            ("X", Ok(Picture::Text { length: 1 })),
            ("x(20)", Ok(Picture::Text { length: 20 })),
            ("AAA", Ok(Picture::Text { length: 3 })),
            ("X(3)99", Ok(Picture::Text { length: 5 })),
            ("N(10)", Ok(Picture::Graphic { characters: 10 })),
            ("9", number(1, 0, false)),
            ("S9(9)V9(2)", number(11, 2, true)),
            ("9(7)V99", number(9, 2, false)),
            ("SV99", number(2, 2, true)),
            ("9(31)", number(31, 0, false)),
            ("ZZZ,ZZ9.99", Ok(Picture::Edited { length: 10 })),
            ("9(4)/99/99", Ok(Picture::Edited { length: 10 })),
            ("-9(5)", Ok(Picture::Edited { length: 6 })),
            ("9(5)CR", Ok(Picture::Edited { length: 7 })),
            ("9(5)DB", Ok(Picture::Edited { length: 7 })),
            ("9(32)", Err(PictureError::TooManyDigits)),
            ("99P(3)", Err(PictureError::Scaled)),
            ("X(10000)", Err(PictureError::TooLong)),
            ("", Err(PictureError::Syntax)),
            ("9S", Err(PictureError::Syntax)),
            ("9V9V9", Err(PictureError::Syntax)),
            ("X(0)", Err(PictureError::Syntax)),
            ("X(", Err(PictureError::Syntax)),
            ("X()", Err(PictureError::Syntax)),
            ("9(+3)", Err(PictureError::Syntax)),
            ("SX", Err(PictureError::Syntax)),
            ("가", Err(PictureError::Syntax)),
        ] {
            assert_eq!(Picture::parse(text), wanted, "{text}");
        }
    }
}
