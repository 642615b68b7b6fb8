//! The catalog's examples, run as tests: `cases/NAME.in` is what comes in, `cases/NAME.out` what
//! must come of it. What stands in the files is in the package's README.
//!
//! Case data is invented, so personal values are written in the clear; pseudonyms are replaced by
//! texts that show what they are made of.

mod backend;
mod diff;
mod front;
mod json;
mod provider;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway_core::{Pseudonym, Pseudonymize};

use crate::catalog::{BackendEntry, Catalog};
use crate::problem::{Problem, Spot};

/// How one case went.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// The mapping it belongs to, e.g. `welfare/mohw/v1`.
    pub mapping: String,
    /// Its name, e.g. `grant.reply`.
    pub name: String,
    /// What differs, line by line; none when it passed.
    pub difference: Option<String>,
}

impl CaseResult {
    /// True when what came is what was wanted.
    pub fn passed(&self) -> bool {
        self.difference.is_none()
    }
}

impl fmt::Display for CaseResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.difference {
            None => write!(f, "ok    {} {}", self.mapping, self.name),
            Some(difference) => write!(f, "FAIL  {} {}\n{difference}", self.mapping, self.name),
        }
    }
}

/// A message as JSON, personal values in the clear: for tests alone.
#[cfg(test)]
pub(crate) fn shown(message: &gateway_core::Message) -> serde_json::Value {
    json::message(message)
}

/// Runs every case of every mapping of a catalog.
///
/// # Errors
/// What keeps the catalog or a folder of cases from being read.
pub fn run(root: &Path) -> Result<Vec<CaseResult>, Vec<Problem>> {
    let cases = Cases::find(root)?;
    let results = cases.all.iter().map(|case| {
        let difference = match (cases.perform(case), fs::read(case.output())) {
            (Err(reason), _) => Some(format!("      {reason}")),
            (Ok(came), Ok(wanted)) => diff::lines(&wanted, &came),
            (Ok(came), Err(_)) => diff::lines(b"", &came),
        };
        CaseResult { mapping: case.mapping.clone(), name: case.name.clone(), difference }
    });
    Ok(results.collect())
}

/// Writes the outcome of every case that has none yet, to be read before it is kept. Answers with
/// the files written.
///
/// # Errors
/// As [`run`], and where a case cannot be read or its outcome not written.
pub fn record(root: &Path) -> Result<Vec<PathBuf>, Vec<Problem>> {
    let cases = Cases::find(root)?;
    let (mut written, mut found) = (Vec::new(), Vec::new());
    for case in cases.all.iter().filter(|case| !case.output().exists()) {
        let outcome = cases
            .perform(case)
            .and_then(|came| fs::write(case.output(), came).map_err(|error| error.to_string()));
        match outcome {
            Ok(()) => written.push(case.output()),
            Err(reason) => Spot::new(&mut found, &case.mapping).key(&case.name).problem(reason),
        }
    }
    match found.is_empty() {
        true => Ok(written),
        false => Err(found),
    }
}

/// One `.in` file.
struct Case {
    mapping: String,
    folder: PathBuf,
    name: String,
}

impl Case {
    fn input(&self) -> PathBuf {
        self.folder.join(format!("{}.in", self.name))
    }

    fn output(&self) -> PathBuf {
        self.folder.join(format!("{}.out", self.name))
    }

    /// Whether it goes from an answer to a reply.
    fn is_reply(&self) -> bool {
        self.name.ends_with(".reply")
    }
}

struct Cases {
    catalog: Catalog,
    all: Vec<Case>,
}

impl Cases {
    fn find(root: &Path) -> Result<Self, Vec<Problem>> {
        let catalog = Catalog::load(root, Arc::new(Transparent))?;
        let (mut all, mut found) = (Vec::new(), Vec::new());
        let fronts = catalog.fronts().map(|(id, _)| id);
        for id in fronts.chain(catalog.backends.keys().map(String::as_str)) {
            let folder = root.join(id).join("cases");
            let names = match names(&folder) {
                Ok(names) => names,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    let message = format_args!("the cases cannot be read: {error}");
                    Spot::new(&mut found, id).problem(message);
                    continue;
                }
            };
            all.extend(names.into_iter().map(|name| Case {
                mapping: id.to_owned(),
                folder: folder.clone(),
                name,
            }));
        }
        match found.is_empty() {
            true => Ok(Self { catalog, all }),
            false => Err(found),
        }
    }

    fn perform(&self, case: &Case) -> Result<Vec<u8>, String> {
        let input = read(&case.input())?;
        match (self.catalog.front(&case.mapping), self.catalog.backends.get(&case.mapping)) {
            (Some(front), _) if case.is_reply() => front::reply(front, case, &input),
            (Some(front), _) => front::request(front, &input),
            (None, Some(BackendEntry::Contract(backend))) if case.is_reply() => {
                backend::reply(backend, case, &input)
            }
            (None, Some(BackendEntry::Contract(backend))) => backend::request(backend, &input),
            (None, Some(BackendEntry::Provider(provider))) if case.is_reply() => {
                provider::reply(&**provider, case, &input)
            }
            (None, Some(BackendEntry::Provider(provider))) => {
                provider::request(&**provider, &input)
            }
            (None, None) => Err("belongs to no mapping".to_owned()),
        }
    }
}

/// The names of the cases of a folder, those that have only an `.out` too.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        let stem = name.strip_suffix(".in").or(name.strip_suffix(".out"));
        names.extend(stem.map(str::to_owned));
    }
    names.sort();
    names.dedup();
    Ok(names)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

/// Pseudonyms that show what they are made of.
struct Transparent;

impl Pseudonymize for Transparent {
    fn pseudonym(&self, _sector: &str, domain: &str, identifier: &[u8]) -> Pseudonym {
        let mut shown = [0; 32];
        let text = domain.bytes().chain([b':']).chain(identifier.iter().copied());
        shown.iter_mut().zip(text).for_each(|(place, byte)| *place = byte);
        Pseudonym(shown)
    }
}

#[cfg(test)]
mod tests;
