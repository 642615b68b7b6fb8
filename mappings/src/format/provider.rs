//! The shape of a provider's messages around the fields of its operations.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Row;
use super::layout::{ElementFormName, SoapStyle};

/// Which format a provider speaks.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ProviderLayout {
    Soap(SoapProvider),
    Json(JsonProvider),
    Xml(XmlProvider),
    Telegram(TelegramProvider),
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct SoapProvider {
    /// `1.1`, the default, or `1.2`.
    pub(crate) version: Option<String>,
    pub(crate) namespace: String,
    /// Other namespaces, by the prefixes that rows name them by.
    #[serde(default)]
    pub(crate) namespaces: BTreeMap<String, String>,
    /// Of the fields, in the body as in the header of the mapping's own; `qualified` when absent.
    pub(crate) element_form: Option<ElementFormName>,
    /// `rpc`: the fields are parts and of no namespace, whatever the form of what is below them.
    #[serde(default)]
    pub(crate) style: SoapStyle,
    /// Put behind the backend's URL.
    #[serde(default)]
    pub(crate) path: String,
    /// The element of the target namespace that holds the header fields.
    pub(crate) header_element: Option<String>,
    #[serde(default)]
    pub(crate) header: Vec<Row>,
    #[serde(default)]
    pub(crate) reply_header: Vec<Row>,
    /// The headers of X-Road's message protocol for SOAP.
    pub(crate) x_road: Option<XRoadFormat>,
    pub(crate) result: Option<ResultFormat>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct XRoadFormat {
    /// This gateway's subsystem: `instance/class/member/subsystem`.
    pub(crate) client: String,
    /// The provider's.
    pub(crate) provider: String,
    pub(crate) service_version: Option<String>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct JsonProvider {
    /// Fields of the HTTP header of every request.
    #[serde(default)]
    pub(crate) headers: Vec<Row>,
    pub(crate) result: Option<ResultFormat>,
    /// The members of an error's body that name the refusal, the first that is there.
    #[serde(default = "refusal_members")]
    pub(crate) refusal: Vec<String>,
}

/// What problem+json calls it, and what else is usual.
fn refusal_members() -> Vec<String> {
    vec!["code".to_owned(), "type".to_owned()]
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct XmlProvider {
    /// The documents have none when absent.
    pub(crate) namespace: Option<String>,
    /// Other namespaces, by the prefixes that rows name them by.
    #[serde(default)]
    pub(crate) namespaces: BTreeMap<String, String>,
    /// Of the elements below a document's own; that of a namespace when absent.
    pub(crate) element_form: Option<ElementFormName>,
    #[serde(default)]
    pub(crate) headers: Vec<Row>,
    pub(crate) result: Option<ResultFormat>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct TelegramProvider {
    /// Bytes of the header of a request and of an answer.
    pub(crate) header_length: usize,
    pub(crate) header: Vec<Row>,
    pub(crate) reply_header: Vec<Row>,
    pub(crate) result: ResultFormat,
}

/// How an answer says whether all went well.
#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct ResultFormat {
    /// The field of the answer's header, or the member or element of its body.
    pub(crate) field: String,
    /// The codes that say so; every other one names a refusal.
    pub(crate) success: Vec<String>,
}

/// How an operation is called, besides its fields.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct CallFormat {
    /// The element of the answer; the function and `Response` when absent.
    pub(crate) answer: Option<String>,
    /// The SOAP action.
    pub(crate) action: Option<String>,
    pub(crate) method: Option<MethodFormat>,
    /// Put behind the backend's URL; `{field}` stands for a field of the request.
    pub(crate) path: Option<String>,
    /// The provider does a submit once however often it comes.
    pub(crate) repeatable: bool,
    pub(crate) inquiry: Option<Box<InquiryFormat>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum MethodFormat {
    #[serde(rename = "GET")]
    Get,
    #[serde(rename = "POST")]
    Post,
    #[serde(rename = "PUT")]
    Put,
    #[serde(rename = "PATCH")]
    Patch,
    #[serde(rename = "DELETE")]
    Delete,
}

/// How a provider is asked what became of a submit. It answers as the submit would have.
#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct InquiryFormat {
    pub(crate) function: String,
    #[serde(default)]
    pub(crate) call: CallFormat,
    pub(crate) request: Vec<Row>,
    pub(crate) reply: Vec<Row>,
    /// Refusals that say: it is still under way.
    #[serde(default)]
    pub(crate) pending: Vec<String>,
    /// Refusals that say: it never was done, and never will be.
    #[serde(default)]
    pub(crate) never: Vec<String>,
}
