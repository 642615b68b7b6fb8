//! Two messages side by side, for people.

use crate::layout::fixed;

/// The lines that differ: `-` was wanted, `+` came. None when the bytes are the same.
pub(crate) fn lines(wanted: &[u8], came: &[u8]) -> Option<String> {
    if wanted == came {
        return None;
    }
    let (wanted_text, came_text) = (readable(wanted), readable(came));
    let (wanted, came): (Vec<_>, Vec<_>) =
        (wanted_text.lines().collect(), came_text.lines().collect());
    let same = |(a, b): &(&&str, &&str)| a == b;
    let before = wanted.iter().zip(&came).take_while(same).count();
    let shorter = wanted.len().min(came.len()).saturating_sub(before);
    let after = wanted.iter().rev().zip(came.iter().rev()).take(shorter).take_while(same).count();
    let differing = |mark: char, all: &[&str]| {
        let end = all.len().saturating_sub(after);
        let lines = all.get(before..end).unwrap_or_default().iter();
        lines.map(|line| format!("      {mark} {line}\n")).collect::<String>()
    };
    let mut shown = differing('-', &wanted) + &differing('+', &came);
    if shown.is_empty() {
        shown.push_str("      the bytes differ in what cannot be shown, such as line ends\n");
    }
    Some(shown.trim_end().to_owned())
}

fn readable(bytes: &[u8]) -> String {
    match (std::str::from_utf8(bytes), fixed::decode(bytes)) {
        (Ok(text), _) => text.to_owned(),
        (Err(_), Ok(text)) => text.into_owned(),
        (Err(_), Err(_)) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn only_what_differs_is_shown() {
        assert_eq!(lines(b"a\nb\nc", b"a\nb\nc"), None);
        let shown = lines(b"a\nb\nc", b"a\nx\nc").unwrap();
        assert_eq!(shown, "      - b\n      + x");
        assert!(lines(b"a", b"a\n").unwrap().contains("line ends"));
    }
}
