//! `mapping.yaml`: one system's format, or one backend's, against the sector's services.

use std::collections::BTreeMap;

use gateway_core::Kind;
use serde::Deserialize;

use super::{CallFormat, Layout, Row};

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct MappingFile {
    pub(crate) naru: String,
    pub(crate) sector: String,
    pub(crate) system: String,
    pub(crate) version: u32,
    /// The offset of wire times that the mapping writes, e.g. `+09:00`.
    pub(crate) zone: Option<String>,
    pub(crate) layout: Layout,
    /// Organization code on the wire → member.
    #[serde(default)]
    pub(crate) organizations: BTreeMap<String, String>,
    /// The wire fields that together name a request.
    #[serde(default, rename = "idempotency-key")]
    pub(crate) idempotency_key: Vec<String>,
    #[serde(default)]
    pub(crate) tables: BTreeMap<String, TableFormat>,
    pub(crate) operations: BTreeMap<String, Operation>,
    /// How a front says that all is well.
    pub(crate) success: Option<Success>,
    /// A front's code for each fault, by `Kind` or `Kind/code`.
    #[serde(default)]
    pub(crate) faults: BTreeMap<String, String>,
    /// By a backend's own names for its refusals.
    #[serde(default)]
    pub(crate) refusals: BTreeMap<String, Refusal>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct TableFormat {
    /// The closed set of the sector that it puts into codes.
    pub(crate) of: String,
    /// Wire code → name.
    pub(crate) rows: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Operation {
    /// The service; the operation's own name when absent.
    pub(crate) service: Option<String>,
    /// What it is called, and what it does, for people who read its description.
    pub(crate) title: Option<String>,
    pub(crate) notes: Option<String>,
    /// The backend's function.
    pub(crate) function: Option<String>,
    /// How it is named over SOAP, where not by its own name.
    pub(crate) soap: Option<SoapNames>,
    /// The roots of its documents, in plain XML.
    pub(crate) xml: Option<XmlNames>,
    /// How it is called over HTTP, each as `METHOD /path/{field}`; `POST /<name>` when absent.
    pub(crate) http: Option<Vec<String>>,
    /// How a provider is called, besides the fields.
    pub(crate) call: Option<CallFormat>,
    /// The tables whose round trip is promised; loading says why one has none.
    #[serde(default)]
    pub(crate) invertible: Vec<Table>,
    pub(crate) request: Vec<Row>,
    pub(crate) reply: Vec<Row>,
}

/// The roots of an operation's documents: its name, and that with `Response`, when absent.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct XmlNames {
    pub(crate) request: Option<String>,
    pub(crate) reply: Option<String>,
}

/// How an operation is named over SOAP.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct SoapNames {
    /// Whether the service is in use; it is when this is absent.
    pub(crate) using: Option<bool>,
    /// The SOAPAction, and the action of WS-Addressing.
    #[serde(default)]
    pub(crate) action: String,
    /// The elements of the body, in the bare style.
    pub(crate) request: Option<String>,
    pub(crate) reply: Option<String>,
}

/// One of the two field tables of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Table {
    Request,
    Reply,
}

impl Table {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Reply => "reply",
        }
    }
}

#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Success {
    pub(crate) code: String,
    /// The code of a reply that tells of a declared loss.
    pub(crate) lossy: Option<String>,
    #[serde(default)]
    pub(crate) message: String,
}

#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    /// What the caller reads.
    pub(crate) says: String,
    /// What it is, unless a business refusal.
    #[cfg_attr(test, schemars(with = "Option<crate::schema::Kinds>"))]
    pub(crate) kind: Option<Kind>,
}
