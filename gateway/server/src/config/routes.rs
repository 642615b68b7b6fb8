//! `[[route]]`: which way requests go.

use std::collections::BTreeMap;

use serde::Deserialize;

/// `[[route]]`. Of several that take a request the most specific one counts; two that cannot be told
/// apart are refused.
#[derive(Debug, Deserialize)]
pub struct Route {
    /// The services it serves.
    pub services: Vec<String>,
    /// Only for these members; for all when absent.
    #[serde(default)]
    pub members: Vec<String>,
    /// Only for what comes in these formats, e.g. `welfare/rest/v2`; for all when absent.
    #[serde(default)]
    pub fronts: Vec<String>,
    /// Only for requests whose field, in the service's terms, has one of these values.
    #[serde(default)]
    pub when: BTreeMap<String, Vec<String>>,
    /// The backend mapping, e.g. `welfare/ledger/v1`.
    pub mapping: String,
    /// The backend.
    pub backend: String,
    /// Backends that understand the same, in order: asked when the one before does not answer.
    #[serde(default)]
    pub failover: Vec<String>,
    /// A share that goes another way.
    pub canary: Option<Split>,
    /// A share of its queries that are also asked elsewhere, to compare the answers.
    pub mirror: Option<Split>,
}

/// `canary` or `mirror` of a route. What it does not say is as the route has it.
#[derive(Debug, Deserialize)]
pub struct Split {
    /// How much of it, from 0 to 100, to a hundredth.
    pub percent: f64,
    /// The backend mapping.
    pub mapping: Option<String>,
    /// The backend.
    pub backend: Option<String>,
}

/// A mapping and the backends that it is for, with the key paths that say so.
pub(crate) struct Way<'a> {
    pub(crate) mapping: &'a str,
    pub(crate) backends: Vec<&'a str>,
}

impl Route {
    /// The usual way.
    pub(crate) fn way(&self) -> Way<'_> {
        let further = self.failover.iter().map(String::as_str);
        let backends = std::iter::once(self.backend.as_str()).chain(further).collect();
        Way { mapping: &self.mapping, backends }
    }

    /// The way of a share of it.
    pub(crate) fn way_of<'a>(&'a self, split: &'a Split) -> Way<'a> {
        let mapping = split.mapping.as_deref().unwrap_or(&self.mapping);
        let usual = self.way();
        let backends = match split.backend.as_deref() {
            Some(backend) => vec![backend],
            None => usual.backends,
        };
        Way { mapping, backends }
    }

    /// What its key path calls a split, and the split.
    pub(crate) fn splits(&self) -> impl Iterator<Item = (&'static str, &Split)> {
        let splits = [("canary", &self.canary), ("mirror", &self.mirror)];
        splits.into_iter().filter_map(|(name, split)| Some((name, split.as_ref()?)))
    }
}
