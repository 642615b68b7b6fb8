//! Names of the source → names on the wire, in services, and of codes; texts as YAML has them.

use std::collections::BTreeSet;

/// `CUST-NAME` → `custName`.
pub(super) fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (index, part) in name.split(['-', '_']).filter(|part| !part.is_empty()).enumerate() {
        let lower = part.to_lowercase();
        let mut characters = lower.chars();
        match characters.next() {
            Some(first) if index > 0 => out.extend(first.to_uppercase()),
            Some(first) => out.push(first),
            None => {}
        }
        out.push_str(characters.as_str());
    }
    out
}

/// `STATUS-ACTIVE` → `status-active`.
pub(super) fn kebab(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}

/// A name of a service or one of its fields: `CustName`, `Cust-Name` and `CUST_NAME` → `custName`.
/// What is no letter or digit ends a word.
pub(super) fn service_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let shouts = !name.chars().any(char::is_lowercase);
    for part in name.split(|one: char| !one.is_alphanumeric()).filter(|part| !part.is_empty()) {
        match (out.is_empty(), shouts) {
            (true, _) => out.push_str(&lower_start(part)),
            (false, true) => out.push_str(&upper_start(&part.to_lowercase())),
            (false, false) => out.push_str(&upper_start(part)),
        }
    }
    match out.starts_with(|first: char| first.is_numeric()) || out.is_empty() {
        true => format!("field{out}"),
        false => out,
    }
}

/// `CustName` → `custName`, `IDNumber` → `idNumber`, `ID` → `id`.
fn lower_start(word: &str) -> String {
    let letters: Vec<char> = word.chars().collect();
    let capitals = letters.iter().take_while(|letter| letter.is_uppercase()).count();
    let begins_next = letters.get(capitals).is_some_and(|next| next.is_lowercase());
    let lowered = if begins_next && capitals > 1 { capitals.saturating_sub(1) } else { capitals };
    let (start, rest) = letters.split_at_checked(lowered).unwrap_or((&letters, &[]));
    start.iter().flat_map(|letter| letter.to_lowercase()).chain(rest.iter().copied()).collect()
}

fn upper_start(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// A member of a closed set: `IN_PROGRESS` and `In progress` → `in-progress`.
pub(super) fn member_name(code: &str) -> String {
    let words = code.split(|one: char| !one.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    if words.is_empty() { "empty".to_owned() } else { words.join("-") }
}

/// A name that is free: the one wanted, or numbered.
pub(super) fn unique_of(wanted: &str, free: impl Fn(&str) -> bool) -> String {
    if free(wanted) {
        return wanted.to_owned();
    }
    let numbered = (2_usize..).map(|number| format!("{wanted}{number}"));
    numbered.into_iter().find(|name| free(name)).unwrap_or_default()
}

/// A name that is not taken yet: the name itself, or with that of the groups around it, or numbered.
pub(super) fn unique(name: &str, groups: &[String], taken: &mut BTreeSet<String>) -> String {
    let qualified = groups.iter().rev().scan(name.to_owned(), |name, group| {
        *name = format!("{group}-{name}");
        Some(name.clone())
    });
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let names = std::iter::once(name.to_owned()).chain(qualified).chain(numbered);
    let name = names.map(|name| camel(&name)).find(|name| !taken.contains(name));
    let name = name.unwrap_or_default();
    taken.insert(name.clone());
    name
}

/// A scalar of YAML that is a text whatever it looks like.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(2));
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            // What YAML takes for the end of a line, or does not allow (YAML 1.2, sections 5.1, 5.4).
            one if one.is_control() || matches!(one, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                out.push_str(&format!("\\u{:04X}", u32::from(one)));
            }
            one => out.push(one),
        }
    }
    out.push('"');
    out
}

/// A scalar of YAML: plain where it is a text then too.
pub(super) fn scalar(text: &str) -> String {
    let mut letters = text.chars();
    let begins = letters.next().is_some_and(|first| first.is_ascii_alphabetic());
    let plain = letters.all(|one| one.is_ascii_alphanumeric() || matches!(one, '_' | '-' | '.'));
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"];
    let is_word = words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if begins && plain && !is_word { text.to_owned() } else { quoted(text) }
}

/// `NoSuchResident` → `no-such-resident`, as codes of refusals are.
pub(super) fn refusal_code(name: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for letter in name.chars() {
        if letter.is_uppercase() && before.is_lowercase() {
            out.push('-');
        }
        match letter.is_ascii_alphanumeric() {
            true => out.push(letter.to_ascii_lowercase()),
            false if out.ends_with('-') || out.is_empty() => {}
            false => out.push('-'),
        }
        before = letter;
    }
    let code = out.trim_end_matches('-');
    if code.starts_with(|first: char| first.is_ascii_alphabetic()) {
        code.to_owned()
    } else {
        "refused".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_services() {
        assert_eq!(camel("CUST-NAME"), "custName");
        assert_eq!(camel("A1-B_C--D"), "a1BCD");
        assert_eq!(kebab("STATUS-ACTIVE"), "status-active");
        let mut taken = BTreeSet::new();
        let groups = ["HOME".to_owned()];
        assert_eq!(unique("CITY", &[], &mut taken), "city");
        assert_eq!(unique("CITY", &groups, &mut taken), "homeCity");
        assert_eq!(unique("CITY", &groups, &mut taken), "city2");
        assert_eq!(quoted("a\"b\\"), "\"a\\\"b\\\\\"");
        assert_eq!(quoted("a\nb\u{85}"), "\"a\\u000Ab\\u0085\"");
        for (name, wanted) in [
            ("CustName", "custName"),
            ("CUST_NAME", "custName"),
            ("cust-Name.x", "custNameX"),
            ("IDNumber", "idNumber"),
            ("ID", "id"),
            ("URLOfAPI", "urlOfAPI"),
            ("이름", "이름"),
            ("_", "field"),
            ("0", "field0"),
        ] {
            assert_eq!(service_name(name), wanted);
        }
        assert_eq!(member_name("IN_PROGRESS"), "in-progress");
        assert_eq!(member_name(""), "empty");
        assert_eq!([scalar("a-b"), scalar("No"), scalar("1")], ["a-b", "\"No\"", "\"1\""]);
    }
}
