//! Code tables: the wire's codes for the names of a closed set.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::terms::{CodeSet, SharedTable};
use crate::unfit::Unfit;

/// Wire code ↔ name. Complete: every name of the set has its code, unless a shared table stands
/// between, which makes it read-only.
#[derive(Debug)]
pub(crate) struct CodeMap {
    names: BTreeMap<Arc<str>, Arc<str>>,
    codes: BTreeMap<Arc<str>, Arc<str>>,
}

impl CodeMap {
    /// Each name is its own code.
    pub(crate) fn identity(set: &CodeSet) -> Self {
        Self::from_pairs(set.members.iter().map(|name| (name.clone(), name.clone())))
    }

    pub(crate) fn from_pairs(pairs: impl Iterator<Item = (Arc<str>, Arc<str>)>) -> Self {
        let names: BTreeMap<_, _> = pairs.collect();
        let codes = names.iter().map(|(code, name)| (name.clone(), code.clone()));
        Self { codes: codes.collect(), names }
    }

    /// The same codes for what `table` makes of their names.
    pub(crate) fn via(&self, table: &SharedTable) -> Self {
        Self::from_pairs(self.names.iter().filter_map(|(code, name)| {
            let target = table.rows.get(name)?;
            Some((code.clone(), target.clone()))
        }))
    }

    pub(crate) fn read(&self, code: &str) -> Result<&str, Unfit> {
        self.names.get(code).map(|name| &**name).ok_or(Unfit::UnknownCode)
    }

    pub(crate) fn write(&self, name: &str) -> Result<&str, Unfit> {
        self.codes.get(name).map(|code| &**code).ok_or(Unfit::UnknownCode)
    }

    /// All codes.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(|code| &**code)
    }

    /// All names that codes stand for.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.codes.keys().map(|name| &**name)
    }

    /// True when no two codes stand for one name, so that it can be written.
    pub(crate) fn is_reversible(&self) -> bool {
        self.names.len() == self.codes.len()
    }
}
