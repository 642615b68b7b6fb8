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

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway_core::{Fault, Message, Pseudonym, Pseudonymize};
use serde_json::Value as Json;

use crate::catalog::{BackendEntry, Catalog};
use crate::problem::{Problem, Spot};
use backend::Request;

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

/// What the cases of a catalog show.
pub(crate) struct Covered {
    /// Mapping and service of every request that is understood.
    pub(crate) requests: BTreeSet<(String, String)>,
    /// Mapping and service of every answer that is given.
    pub(crate) replies: BTreeSet<(String, String)>,
}

/// Which services the cases of each mapping show.
///
/// # Errors
/// As [`run`].
pub(crate) fn covered(root: &Path) -> Result<Covered, Vec<Problem>> {
    let cases = Cases::find(root)?;
    let mut covered = Covered { requests: BTreeSet::new(), replies: BTreeSet::new() };
    for case in &cases.all {
        let asked = |name: &str| {
            let input = fs::read(case.folder.join(name)).unwrap_or_default();
            cases.services(&case.mapping, &input).into_iter()
        };
        let of = |service| (case.mapping.clone(), service);
        match (case.is_reply(), read(&case.input())) {
            (false, Ok(input)) => {
                covered.requests.extend(cases.services(&case.mapping, &input).into_iter().map(of));
            }
            (true, Ok(input)) => {
                let to = cases.answered(&case.mapping, &input);
                covered.replies.extend(to.into_iter().flat_map(|to| asked(&to)).map(of));
            }
            (_, Err(_)) => {}
        }
    }
    Ok(covered)
}

/// What `explain` explains.
pub(crate) enum Explainable {
    /// A message in the terms of a service.
    Message { service: String, message: Message, is_reply: bool },
    /// What keeps it from being one.
    Refused(Fault),
}

impl Explainable {
    fn reply(service: String, outcome: Result<Message, Fault>) -> Self {
        match outcome {
            Ok(message) => Self::Message { service, message, is_reply: true },
            Err(fault) => Self::Refused(fault),
        }
    }
}

/// Reads one `.in` file as a mapping does.
pub(crate) fn explainable(
    catalog: &Catalog,
    mapping: &str,
    path: &Path,
) -> Result<Explainable, String> {
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let case = Case { mapping: mapping.to_owned(), folder, name: name.unwrap_or_default() };
    let input = read(path)?;
    match (catalog.front(mapping), catalog.backends.get(mapping)) {
        (Some(front), _) => front::explainable(front, &case, &input),
        (None, Some(_)) if !case.is_reply() => {
            let Request { service, message, .. } = Request::read(&input)?;
            Ok(Explainable::Message { service, message, is_reply: false })
        }
        (None, Some(BackendEntry::Contract(backend))) => {
            backend::explainable(backend, &case, &input)
        }
        (None, Some(BackendEntry::Provider(provider))) => {
            provider::explainable(&**provider, &case, &input)
        }
        (None, None) => Err(format!("the catalog has no mapping `{mapping}`")),
    }
}

/// A value as JSON, in the clear.
pub(crate) fn value_shown(value: &gateway_core::Value) -> String {
    json::value(value).to_string()
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

/// Writes the outcome of every case whose `.out` is missing or another, to be read before it is
/// kept. Answers with the files written.
///
/// # Errors
/// As [`run`], and where a case cannot be read or its outcome not written.
pub fn update(root: &Path) -> Result<Vec<PathBuf>, Vec<Problem>> {
    let cases = Cases::find(root)?;
    let (mut written, mut found) = (Vec::new(), Vec::new());
    for case in &cases.all {
        let outcome = cases.perform(case).and_then(|came| {
            let is_same = fs::read(case.output()).is_ok_and(|kept| kept == came);
            match is_same {
                true => Ok(false),
                false => {
                    fs::write(case.output(), came).map(|()| true).map_err(|why| why.to_string())
                }
            }
        });
        match outcome {
            Ok(false) => {}
            Ok(true) => written.push(case.output()),
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

    /// The services that an input asks, as far as it is understood.
    fn services(&self, mapping: &str, input: &[u8]) -> Vec<String> {
        match (self.catalog.front(mapping), self.catalog.backends.get(mapping)) {
            (Some(front), _) => front::services(front, input),
            (None, Some(backend)) => {
                let request = Request::read(input).ok();
                let service = request.and_then(|request| backend.service(&request.service));
                service.map(|service| service.id.to_string()).into_iter().collect()
            }
            (None, None) => vec![],
        }
    }

    /// The case of the request that a `.reply.in` answers; none where it holds a fault.
    fn answered(&self, mapping: &str, input: &[u8]) -> Option<String> {
        if let Some(BackendEntry::Provider(_)) = self.catalog.backends.get(mapping) {
            return provider::replied_to(input).map(str::to_owned);
        }
        let input: Json = serde_json::from_slice(input).ok()?;
        input.get("answer")?;
        input.get("to")?.as_str().map(str::to_owned)
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
pub(crate) struct Transparent;

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
