//! Names of items → names on the wire, in services, and of codes.

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
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
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
    }
}
