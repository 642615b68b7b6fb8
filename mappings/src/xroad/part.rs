//! One part of an identifier in a path: percent-encoded UTF-8 (PR-REST 4.2), so that `%2F` is a
//! slash inside a part and never a boundary between two.

use std::fmt::Write;

use super::IdentifierError;

/// Characters of an identifier's part at most, as X-Road stores them.
const MAX: usize = 255;

/// One part as it stands between two slashes → its text.
///
/// # Errors
/// When it is not percent-encoded UTF-8, is empty or too long, or is a text that no identifier may
/// be: `.` and `..`, which other programs read as folders, and control characters and the invisible
/// ones that X-Road refuses too.
pub fn decode_part(part: &str) -> Result<String, IdentifierError> {
    let text = percent_decode(part).ok_or(IdentifierError::Encoding)?;
    if text.is_empty() {
        return Err(IdentifierError::Empty);
    }
    if text.chars().count() > MAX {
        return Err(IdentifierError::TooLong { max: MAX });
    }
    if matches!(text.as_str(), "." | "..") || text.chars().any(is_forbidden) {
        return Err(IdentifierError::Forbidden);
    }
    Ok(text)
}

/// A text → one part of a path. Only what RFC 3986, section 2.3, calls unreserved stays as it is.
pub fn encode_part(text: &str) -> String {
    let mut part = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                part.push(char::from(byte));
            }
            // Writing into a string cannot fail.
            _ => drop(write!(part, "%{byte:02X}")),
        }
    }
    part
}

/// Percent-encoded UTF-8 → text; unlike in a form, `+` is a plus sign.
pub(crate) fn percent_decode(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'%' => hex_digit(rest.next()?)? << 4 | hex_digit(rest.next()?)?,
            byte => byte,
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Control characters, and the zero-width ones by which two identifiers look alike.
fn is_forbidden(character: char) -> bool {
    character.is_control() || matches!(character, '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{feff}')
}
