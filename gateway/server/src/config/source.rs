//! A configuration as the values that stand in it: what tells two of them apart, and which of the
//! differences a running gateway can follow.
//!
//! What is not listed here as followed is fixed until the next start. So a key that is new in the
//! format is fixed until somebody has thought about it.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Value;

use super::Problem;
use crate::authenticate::{Sha256, sha256};

/// Key paths (without list indices) that a reload follows, with everything below them.
const FOLLOWED: [&str; 19] = [
    "admin.four_eyes",
    "admin.four_eyes_hours",
    "admin.keys",
    "alarm",
    "backend",
    "exemption",
    "fronts",
    "gateway.catalog",
    "gateway.policies",
    "listen.batch.front",
    "listen.batch.member",
    "listen.telegram.front",
    "listen.switch.front",
    "member",
    "network",
    "priority",
    "quota",
    "route",
    "subscription",
];

/// Tables whose entries may come and go, but not change while they are there.
const KEPT: [&str; 1] = ["secrets.pseudonyms"];

/// Key paths whose files are read at the start only. A certificate that was renewed takes effect with
/// the next one, and no reload waits for that.
const AT_START: [&str; 3] = ["listen.http.tls", "listen.telegram.tls", "listen.switch.tls"];

/// Every value of a configuration by its key path.
#[derive(Debug, Default)]
pub struct Source {
    leaves: BTreeMap<String, Leaf>,
}

/// One value, and what the file holds that it names.
#[derive(Debug, PartialEq, Eq)]
struct Leaf {
    text: String,
    file: Option<Sha256>,
    secret: bool,
}

impl Leaf {
    fn read(base: &Path, value: &Value) -> Self {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let named = text.strip_prefix("file:");
        let path = base.join(named.unwrap_or(&text));
        let file = value.as_str().filter(|_| path.is_file());
        let file = file.and_then(|_| std::fs::read(&path).ok()).map(|bytes| sha256(&bytes));
        Self { file, secret: named.is_some(), text }
    }

    /// Whether both stand for the same: where both name a file its content counts, not its name.
    fn same(&self, other: &Self) -> bool {
        match (self.file, other.file) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => self.text == other.text,
        }
    }
}

impl Source {
    /// Reads the files that `table` names, relative to `base`.
    pub fn read(base: &Path, table: &toml::Table) -> Self {
        let mut source = Self::default();
        for (key, value) in table {
            source.walk(base, key.clone(), value);
        }
        source
    }

    fn walk(&mut self, base: &Path, at: String, value: &Value) {
        match value {
            Value::Table(table) => {
                for (key, value) in table {
                    self.walk(base, format!("{at}.{key}"), value);
                }
            }
            Value::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    self.walk(base, format!("{at}[{index}]"), value);
                }
            }
            _ => drop(self.leaves.insert(at, Leaf::read(base, value))),
        }
    }

    /// What differs from `running` and does not follow a reload.
    pub fn wants_restart(&self, running: &Self) -> Vec<Problem> {
        let mut paths: Vec<&String> = self.leaves.keys().chain(running.leaves.keys()).collect();
        paths.sort();
        paths.dedup();
        let changed = paths.into_iter().filter(|path| {
            let plain = without_indices(path);
            match (self.leaves.get(*path), running.leaves.get(*path)) {
                _ if is_below(&plain, &FOLLOWED) => false,
                (Some(new), Some(old)) if is_below(&plain, &AT_START) => new.text != old.text,
                (Some(new), Some(old)) => !new.same(old),
                _ => !is_below(&plain, &KEPT),
            }
        });
        let says = "this cannot change while the gateway runs; restart it, or undo the change";
        changed.map(|path| Problem::new(path, says)).collect()
    }

    /// A digest of everything below a key path such as `backend[1]`, with the files it names. Where in
    /// a list it stands makes no difference.
    pub fn digest_of(&self, path: &str) -> Sha256 {
        let mut bytes = Vec::new();
        for (at, leaf) in &self.leaves {
            let below = at.strip_prefix(path).filter(|rest| rest.starts_with(['.', '[']));
            if let Some(below) = below {
                push(&mut bytes, below.as_bytes());
                push(&mut bytes, leaf.text.as_bytes());
                push(&mut bytes, leaf.file.as_ref().map_or(&[], |digest| &digest[..]));
            }
        }
        sha256(&bytes)
    }

    /// What may be published of it: every value, and what the files hold that are not secret.
    pub(crate) fn public_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (at, leaf) in &self.leaves {
            push(&mut bytes, at.as_bytes());
            push(&mut bytes, leaf.text.as_bytes());
            let file = leaf.file.as_ref().filter(|_| !leaf.secret);
            push(&mut bytes, file.map_or(&[], |digest| &digest[..]));
        }
        bytes
    }
}

/// Length and bytes, so that no two lists of values are alike.
pub(crate) fn push(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn without_indices(path: &str) -> String {
    let parts = path.split('.').map(|part| part.split_once('[').map_or(part, |(name, _)| name));
    parts.collect::<Vec<_>>().join(".")
}

fn is_below(path: &str, any: &[&str]) -> bool {
    any.iter().any(|at| {
        path.strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: &str = r#"
        gateway = { name = "g", state = "state", catalog = "catalog" }
        secrets = { pseudonyms = { welfare = "file:welfare.key" }, commitments = "env:C" }
        listen.telegram = [{ address = "127.0.0.1:1", front = "a/b/v1" }]
        member = [{ id = "a" }]
    "#;

    fn read(folder: &Path, text: &str) -> Source {
        Source::read(folder, &text.parse().unwrap())
    }

    fn paths(problems: &[Problem]) -> Vec<&str> {
        problems.iter().map(|problem| problem.path.as_str()).collect()
    }

    #[test]
    fn what_a_reload_follows_is_listed_and_all_else_is_fixed() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("welfare.key");
        std::fs::write(&key, "one").unwrap();
        let running = read(folder.path(), RUNNING);
        let followed = RUNNING
            .replace("\"catalog\"", "\"catalog-2\"")
            .replace("a/b/v1", "a/b/v2")
            .replace("[{ id = \"a\" }]", "[{ id = \"a\" }, { id = \"b\" }]")
            .replace("\"file:welfare.key\" }", "\"file:welfare.key\", rec = \"env:R\" }");
        assert_eq!(paths(&read(folder.path(), &followed).wants_restart(&running)), [""; 0]);

        let fixed = RUNNING
            .replace("127.0.0.1:1", "127.0.0.1:2")
            .replace("\"state\"", "\"state-2\"")
            .replace("name = \"g\"", "name = \"g\", unheard_of = 1");
        assert_eq!(
            paths(&read(folder.path(), &fixed).wants_restart(&running)),
            ["gateway.state", "gateway.unheard_of", "listen.telegram[0].address"]
        );

        std::fs::write(&key, "two").unwrap();
        assert_eq!(
            paths(&read(folder.path(), RUNNING).wants_restart(&running)),
            ["secrets.pseudonyms.welfare"],
            "the key of a sector is what its pseudonyms are"
        );
    }

    #[test]
    fn a_renewed_certificate_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let certificate = folder.path().join("server.pem");
        std::fs::write(&certificate, "old").unwrap();
        let text = "listen.http = [{ tls = { certificate = \"server.pem\" } }]";
        let running = read(folder.path(), text);
        std::fs::write(&certificate, "new").unwrap();
        assert_eq!(paths(&read(folder.path(), text).wants_restart(&running)), [""; 0]);
        let other = text.replace("server.pem", "other.pem");
        assert_eq!(
            paths(&read(folder.path(), &other).wants_restart(&running)),
            ["listen.http[0].tls.certificate"]
        );
    }

    #[test]
    fn a_listener_that_comes_or_goes_wants_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let running = read(folder.path(), RUNNING);
        let without = RUNNING.replace("[{ address = \"127.0.0.1:1\", front = \"a/b/v1\" }]", "[]");
        let problems = read(folder.path(), &without).wants_restart(&running);
        assert_eq!(paths(&problems), ["listen.telegram[0].address"]);
    }

    #[test]
    fn a_digest_knows_the_files_that_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let text = "backend = [{ name = \"a\" }, { name = \"b\", abi = \"b.json\" }]";
        let digests = || {
            let source = read(folder.path(), text);
            (source.digest_of("backend[0]"), source.digest_of("backend[1]"))
        };
        let (first, second) = digests();
        assert_ne!(first, second);
        std::fs::write(folder.path().join("b.json"), "{}").unwrap();
        assert_eq!(digests().0, first);
        assert_ne!(digests().1, second);
        let moved = read(folder.path(), "backend = [{ name = \"new\" }, { name = \"a\" }]");
        assert_eq!(moved.digest_of("backend[1]"), first, "wherever it stands");
    }

    #[test]
    fn what_is_published_knows_nothing_of_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = |key: &str| {
            std::fs::write(folder.path().join("welfare.key"), key).unwrap();
            read(folder.path(), RUNNING).public_bytes()
        };
        assert_eq!(bytes("one"), bytes("two"));
    }
}
