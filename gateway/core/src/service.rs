//! A service as all fronts and backends understand it: the hub between their formats.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Purpose;
use crate::adapter::Operation;

/// A service of a sector, e.g. `welfare/benefitGrant`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServiceId {
    /// The sector, e.g. `welfare`.
    pub sector: Arc<str>,
    /// The service code, e.g. `benefitGrant`.
    pub code: Arc<str>,
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.sector, self.code)
    }
}

/// What the gateway knows of a service besides its formats.
#[derive(Clone, Debug)]
pub struct Service {
    /// Which one.
    pub id: ServiceId,
    /// Whether it reads or changes.
    pub operation: Operation,
    /// The request field that names the person concerned.
    pub subject: Option<String>,
    /// What it is asked for; that of the consent where it needs one.
    pub purpose: Option<Arc<Purpose>>,
    /// The consent it needs, when it reads personal data.
    pub consent: Option<ConsentRule>,
}

/// The consent a service needs.
#[derive(Clone, Debug)]
pub struct ConsentRule {
    /// The registered purpose.
    pub purpose: Arc<Purpose>,
    /// Which item of the consent covers which reply field. Fields not listed need no consent.
    pub items: BTreeMap<String, String>,
}

impl ConsentRule {
    /// The items a full answer needs.
    pub fn wanted(&self) -> BTreeSet<&str> {
        self.items.values().map(String::as_str).collect()
    }
}
