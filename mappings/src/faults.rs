//! What a front writes for each fault: a code for each kind, and for single codes within a kind.

use std::collections::BTreeMap;

use gateway_core::{Fault, Kind};

/// A complete table: every kind has its code.
pub(crate) struct FaultTable<C> {
    pub(crate) kinds: BTreeMap<Kind, C>,
    pub(crate) codes: BTreeMap<Kind, BTreeMap<String, C>>,
    /// For a kind that is not there, which loading rules out.
    pub(crate) other: C,
}

impl<C> FaultTable<C> {
    pub(crate) fn code(&self, fault: &Fault) -> &C {
        let special = self.codes.get(&fault.kind).and_then(|codes| codes.get(&*fault.code));
        special.or_else(|| self.kinds.get(&fault.kind)).unwrap_or(&self.other)
    }
}

/// How a reply says what became of the request.
#[derive(Clone, Copy)]
pub(crate) struct Outcome<'a> {
    pub(crate) code: &'a str,
    /// What the code is called, where the format says that too.
    pub(crate) name: &'a str,
    pub(crate) message: &'a str,
}

/// `Kind/code` or `Kind`, as mappings write it.
pub(crate) fn parse_name(name: &str) -> Option<(Kind, Option<&str>)> {
    let (kind, code) = match name.split_once('/') {
        Some((kind, code)) => (kind, Some(code)),
        None => (name, None),
    };
    let kind = Kind::ALL.into_iter().find(|known| known.to_string() == kind)?;
    Some((kind, code))
}
