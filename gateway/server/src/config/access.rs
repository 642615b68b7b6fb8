//! What policies may ask for by name: networks and sandbox exemptions.

use jiff::Timestamp;
use serde::Deserialize;

/// `[[network]]`
#[derive(Debug, Deserialize)]
pub struct Network {
    /// Its name in policies.
    pub name: String,
    /// Address blocks, e.g. `10.1.0.0/16`.
    pub blocks: Vec<String>,
}

/// `[[exemption]]`: of a regulatory sandbox. By itself it allows nothing: policies ask for it.
#[derive(Debug, Deserialize)]
pub struct Exemption {
    /// Its name in policies.
    pub id: String,
    /// The members that it holds for; all when empty.
    #[serde(default)]
    pub members: Vec<String>,
    /// The services that it holds for; all when empty.
    #[serde(default)]
    pub services: Vec<String>,
    /// From when it holds; always when absent.
    pub from: Option<Timestamp>,
    /// Until when it holds, exclusive.
    pub until: Timestamp,
}
