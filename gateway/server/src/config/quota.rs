//! `[[quota]]`: shares of what the gateway does.

use serde::{Deserialize, Serialize};

/// One policy. It holds for what its lists name (all where one is empty), and counts one thing, apart
/// for each combination of what `per` names.
#[derive(Clone, Debug, Deserialize)]
pub struct Quota {
    /// Its name in `RateLimit` and records.
    pub name: String,
    /// The members it is for.
    #[serde(default)]
    pub members: Vec<String>,
    /// The services it is for.
    #[serde(default)]
    pub services: Vec<String>,
    /// The codes of the purposes it is for.
    #[serde(default)]
    pub purposes: Vec<String>,
    /// Each combination of these has its own share.
    #[serde(default = "per_member")]
    pub per: Vec<Per>,
    /// This many requests.
    pub requests: Option<u64>,
    /// This many bytes of requests and replies.
    pub bytes: Option<u64>,
    /// This many requests under way.
    pub concurrent: Option<u64>,
    /// In this time; units come back evenly.
    pub seconds: Option<u64>,
    /// So many at once of the requests or bytes; as many as the share when absent.
    pub burst: Option<u64>,
    /// Or in each day or month of the calendar of `gateway.time_zone`.
    pub every: Option<Period>,
    /// Only counts, tells operators and refuses nothing.
    #[serde(default)]
    pub shadow: bool,
}

/// By what shares are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// The calling organization.
    Member,
    /// The service.
    Service,
    /// The person concerned, by pseudonym.
    Person,
    /// The purpose.
    Purpose,
}

/// A period of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From the first to the last.
    Month,
}

fn per_member() -> Vec<Per> {
    vec![Per::Member]
}
