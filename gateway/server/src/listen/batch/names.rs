//! Names of files, which other systems choose: none may lead out of a folder, garble a terminal or
//! be too long for the names made from it.

use std::borrow::Cow;

/// Bytes of a name at most, so that the names of results and of set-aside files fit as well.
const LONGEST: usize = 200;

/// The name as it may stand in a path and in a log: unchanged where it is plain, and otherwise with
/// `%XX` for each byte that is not.
pub(super) fn safe(name: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(name) {
        Ok(text) if is_safe(text) => Cow::Borrowed(text),
        _ => Cow::Owned(escaped(name)),
    }
}

fn is_safe(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name.len() <= LONGEST
        && name.chars().all(is_plain)
}

/// Letters, digits and marks of any language; nothing that separates paths, controls a terminal or
/// turns the direction of text, and no `%`, so that no two names are escaped alike.
fn is_plain(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '/' | '\\' | '%')
        && !matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        && !matches!(character, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fffd}')
}

fn escaped(name: &[u8]) -> String {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b' ' | b'(' | b')');
    let mut out = String::with_capacity(name.len());
    for (index, byte) in name.iter().enumerate() {
        match *byte {
            b'.' if index > 0 => out.push('.'),
            byte if plain(byte) => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    if out.len() > LONGEST {
        // All of it is ASCII. What is cut off is told apart by a digest of the whole.
        let digest = hex::encode(crate::authenticate::sha256(name));
        out.truncate(LONGEST / 2);
        out.push('-');
        out.push_str(digest.get(..32).unwrap_or_default());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_stay_and_others_are_spelled_out() {
        for name in ["WELFARE_1.csv", "급여 2026-11.dat.gz", "a+b=(1).csv"] {
            assert_eq!(safe(name.as_bytes()), name);
        }
        for (name, spelled) in [
            (&b"../../etc/passwd"[..], "%2E.%2F..%2Fetc%2Fpasswd"),
            (b"a/b", "a%2Fb"),
            (b"a\nb.csv", "a%0Ab.csv"),
            (b"a\x1b[2Jb", "a%1B%5B2Jb"),
            (b"100%", "100%25"),
            (b"\xb1\xe6.csv", "%B1%E6.csv"),
            (b"..", "%2E."),
            (b"", ""),
        ] {
            assert_eq!(safe(name), spelled);
        }
        assert_eq!(safe("a\u{202e}vsc.exe".as_bytes()), "a%E2%80%AEvsc.exe");
    }

    #[test]
    fn a_long_name_is_shortened_and_no_two_alike() {
        let long = |last: &str| "x".repeat(300) + last;
        let (one, two) = (long("1"), long("2"));
        assert!(safe(one.as_bytes()).len() <= LONGEST);
        assert_ne!(safe(one.as_bytes()), safe(two.as_bytes()));
    }
}
