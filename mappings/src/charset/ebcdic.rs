//! EBCDIC code pages of IBM hosts: one byte a character, and on Korean hosts also two bytes between
//! shift-out and shift-in, which count as bytes of the field they stand in.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use crate::unfit::Unfit;

/// Two-byte characters follow.
const SHIFT_OUT: u8 = 0x0e;
/// One-byte characters follow.
const SHIFT_IN: u8 = 0x0f;

/// One code page.
pub(crate) struct Ebcdic {
    name: &'static str,
    /// By their code, of one byte or two.
    characters: HashMap<u16, char>,
    codes: HashMap<char, u16>,
}

static IBM_037: LazyLock<Ebcdic> =
    LazyLock::new(|| Ebcdic::read("EBCDIC (IBM 037)", include_str!("tables/ibm037.txt")));
static IBM_500: LazyLock<Ebcdic> =
    LazyLock::new(|| Ebcdic::read("EBCDIC (IBM 500)", include_str!("tables/ibm500.txt")));
static IBM_933: LazyLock<Ebcdic> =
    LazyLock::new(|| Ebcdic::read("EBCDIC (IBM 933)", include_str!("tables/ibm933.txt")));

/// United States and most others.
pub(super) fn ibm037() -> &'static Ebcdic {
    &IBM_037
}

/// International.
pub(super) fn ibm500() -> &'static Ebcdic {
    &IBM_500
}

/// Korean, one byte and two.
pub(super) fn ibm933() -> &'static Ebcdic {
    &IBM_933
}

impl fmt::Debug for Ebcdic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Ebcdic {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Ebcdic {}

impl Ebcdic {
    /// Reads a table: a code and its character in hex on each line.
    fn read(name: &'static str, table: &str) -> Self {
        let pair = |line: &str| {
            let (code, character) = line.split_once(' ')?;
            let code = u16::from_str_radix(code, 16).ok()?;
            let character = char::from_u32(u32::from_str_radix(character, 16).ok()?)?;
            Some((code, character))
        };
        let characters: HashMap<_, _> = table.lines().filter_map(pair).collect();
        let codes = characters.iter().map(|(code, character)| (*character, *code)).collect();
        Self { name, characters, codes }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    fn character(&self, code: u16) -> Result<char, Unfit> {
        self.characters.get(&code).copied().ok_or(Unfit::Undecodable(self.name))
    }

    fn code(&self, character: char) -> Result<u16, Unfit> {
        self.codes.get(&character).copied().ok_or(Unfit::Unencodable)
    }

    /// Text of one-byte and, between shifts, two-byte characters. Each field begins and ends
    /// unshifted.
    pub(super) fn decode(&self, bytes: &[u8]) -> Result<String, Unfit> {
        let mut text = String::with_capacity(bytes.len());
        let mut rest = bytes.iter().copied();
        let mut shifted = false;
        while let Some(byte) = rest.next() {
            match (byte, shifted) {
                (SHIFT_OUT, false) => shifted = true,
                (SHIFT_IN, true) => shifted = false,
                (SHIFT_OUT, true) | (SHIFT_IN, false) => {
                    return Err(Unfit::Undecodable(self.name));
                }
                (byte, false) => text.push(self.character(byte.into())?),
                (byte, true) => {
                    let trail = rest.next().filter(|trail| *trail != SHIFT_IN);
                    let trail = trail.ok_or(Unfit::CutCharacter)?;
                    text.push(self.character(u16::from_be_bytes([byte, trail]))?);
                }
            }
        }
        if shifted { Err(Unfit::CutCharacter) } else { Ok(text) }
    }

    /// Appends a text, shifting where it must.
    pub(super) fn encode(
        &self,
        text: &str,
        room: Option<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), Unfit> {
        let end = room.map_or(usize::MAX, |room| out.len().saturating_add(room));
        let mut shifted = false;
        for character in text.chars() {
            let [lead, trail] = self.code(character)?.to_be_bytes();
            let is_double = lead != 0;
            let shift = usize::from(is_double != shifted);
            // A two-byte character wants a shift-in after it.
            let width = if is_double { 3 } else { 1 };
            if out.len().saturating_add(shift).saturating_add(width) > end {
                break;
            }
            if is_double != shifted {
                out.push(if is_double { SHIFT_OUT } else { SHIFT_IN });
                shifted = is_double;
            }
            match is_double {
                true => out.extend_from_slice(&[lead, trail]),
                false => out.push(trail),
            }
        }
        if shifted {
            out.push(SHIFT_IN);
        }
        Ok(())
    }

    /// Two-byte characters alone, without shifts, as COBOL's `PIC G` has them.
    pub(crate) fn decode_graphic(&self, bytes: &[u8]) -> Result<String, Unfit> {
        let (pairs, odd) = bytes.as_chunks::<2>();
        if !odd.is_empty() {
            return Err(Unfit::CutCharacter);
        }
        let is_pair = |pair: &&[u8; 2]| pair.iter().all(|byte| *byte >= 0x40);
        let characters = pairs.iter().map(|pair| {
            let pair = Some(pair).filter(is_pair).ok_or(Unfit::Undecodable(self.name))?;
            self.character(u16::from_be_bytes(*pair))
        });
        characters.collect()
    }

    /// Appends two-byte characters without shifts.
    pub(crate) fn encode_graphic(&self, text: &str, out: &mut Vec<u8>) -> Result<(), Unfit> {
        for character in text.chars() {
            let code = self.code(character)?;
            if code < 0x100 {
                return Err(Unfit::NotA("two-byte characters alone"));
            }
            out.extend_from_slice(&code.to_be_bytes());
        }
        Ok(())
    }

    /// Whether it has two-byte characters.
    pub(crate) fn has_double(&self) -> bool {
        self.characters.len() > 256
    }
}
