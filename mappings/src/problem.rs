//! What is wrong with a catalog, collected while it is loaded: every problem is reported, not only
//! the first. Nothing here is seen by callers of the gateway.

use std::fmt;

/// One mistake in a file of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, relative to the catalog's root.
    pub file: String,
    /// The key path within the file, e.g. `operations.WLF001.request[2].length`.
    pub path: String,
    /// What is wrong and what is wanted instead.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "{}: {}", self.file, self.message),
            path => write!(f, "{}: {path}: {}", self.file, self.message),
        }
    }
}

/// A place in a file, with the list that its problems go to.
pub(crate) struct Spot<'a> {
    found: &'a mut Vec<Problem>,
    file: &'a str,
    path: String,
}

impl<'a> Spot<'a> {
    pub(crate) fn new(found: &'a mut Vec<Problem>, file: &'a str) -> Self {
        Self { found, file, path: String::new() }
    }

    /// The place one key further down.
    pub(crate) fn key(&mut self, key: impl fmt::Display) -> Spot<'_> {
        let path = match self.path.as_str() {
            "" => key.to_string(),
            path => format!("{path}.{key}"),
        };
        self.child(path)
    }

    /// The place of one entry of a list.
    pub(crate) fn entry(&mut self, index: usize) -> Spot<'_> {
        self.child(format!("{}[{index}]", self.path))
    }

    /// As [`Spot::entry`], of a list whose own place is of no more use.
    pub(crate) fn into_entry(self, index: usize) -> Spot<'a> {
        let path = format!("{}[{index}]", self.path);
        Spot { found: self.found, file: self.file, path }
    }

    fn child(&mut self, path: String) -> Spot<'_> {
        Spot { found: self.found, file: self.file, path }
    }

    pub(crate) fn problem(&mut self, message: impl fmt::Display) {
        self.found.push(Problem {
            file: self.file.to_owned(),
            path: self.path.clone(),
            message: message.to_string(),
        });
    }

    /// How many problems there are so far, in all places.
    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }
}
