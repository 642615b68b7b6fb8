//! Plain XML over HTTP: what stands around the fields of requests and replies.

use serde::Deserialize;

use super::HeaderFormat;

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct XmlLayout {
    /// The `{service}` of `/xml/{service}/…`.
    pub(crate) service: String,
    /// The namespace of all documents; none when absent.
    pub(crate) namespace: Option<String>,
    /// `utf-8`, `euc-kr` or both; the first is written where a request names none.
    #[serde(default = "utf_8")]
    pub(crate) encodings: Vec<String>,
    /// The parameter of the query that proves who calls.
    pub(crate) credential: Option<String>,
    /// Characters of the header `Idempotency-Key` at most, where the mapping has no
    /// `idempotency-key` of its own.
    pub(crate) key_max: Option<usize>,
    #[serde(default)]
    pub(crate) reply: ReplyFormat,
    pub(crate) refusal: RefusalFormat,
}

fn utf_8() -> Vec<String> {
    vec!["utf-8".to_owned()]
}

/// How a reply's document is made.
#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ReplyFormat {
    /// Its root, where operations do not say theirs.
    pub(crate) root: Option<String>,
    /// The element around the header's fields.
    pub(crate) header_element: Option<String>,
    #[serde(default)]
    pub(crate) header: Vec<HeaderFormat>,
    /// The element around the answer's fields.
    pub(crate) body_element: Option<String>,
}

/// How the document is made that says why there is no reply.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RefusalFormat {
    pub(crate) root: String,
    pub(crate) header_element: Option<String>,
    pub(crate) header: Vec<HeaderFormat>,
}
