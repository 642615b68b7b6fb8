//! The shape of a wire format around the fields of its operations.

use std::collections::BTreeMap;

use gateway_core::framing::format::{ByteOrder, FramingFormat};
use serde::Deserialize;

use super::{BatchLayout, ProviderLayout, Usage, XmlLayout};
use crate::charset::CharsetName;
use crate::layout::fixed::{Overpunch, SignPlace};

/// Which format it is decides what stands around an operation's fields.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Layout {
    Soap(SoapLayout),
    XroadSoap(XRoadSoapLayout),
    Telegram(TelegramLayout),
    Batch(Box<BatchLayout>),
    Rest(RestLayout),
    Xml(XmlLayout),
    XroadRest(XRoadRestLayout),
    /// A backend with named functions, arguments and results.
    Contract {},
    /// A backend that is sent messages.
    Provider(ProviderLayout),
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct SoapLayout {
    /// The `{service}` of `POST /soap/{service}`.
    pub(crate) service: String,
    pub(crate) namespace: String,
    /// Other namespaces, by the prefixes that rows name them by.
    #[serde(default)]
    pub(crate) namespaces: BTreeMap<String, String>,
    /// The namespace of the `receipt` header.
    pub(crate) receipt_namespace: String,
    /// `1.1`, `1.2` or both; the first is written where a request's is not known.
    #[serde(default = "soap_1_1")]
    pub(crate) versions: Vec<String>,
    #[serde(default)]
    pub(crate) style: SoapStyle,
    #[serde(default)]
    pub(crate) element_form: ElementFormName,
    /// Whether the headers of WS-Addressing are read and answered.
    #[serde(default)]
    pub(crate) addressing: bool,
    /// Whether messages may have attachments.
    #[serde(default)]
    pub(crate) attachments: bool,
    /// The fields of a SOAP header of the system's own.
    #[serde(default)]
    pub(crate) header: Vec<HeaderFormat>,
    /// The element of the mapping's namespace that holds them; `header` when absent.
    pub(crate) header_element: Option<String>,
    /// Registered integrations, by id.
    #[serde(default)]
    pub(crate) integrations: BTreeMap<String, IntegrationFormat>,
}

/// One registered integration.
#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct IntegrationFormat {
    /// Who calls, and who is called, as `organization/system`.
    pub(crate) consumer: String,
    pub(crate) provider: String,
    /// The operations that it binds.
    pub(crate) services: Vec<String>,
    /// How long a call may take.
    pub(crate) timeout_seconds: u32,
    #[serde(default = "yes")]
    pub(crate) using: bool,
    /// From this time on, and before that one, with their offsets.
    pub(crate) from: Option<String>,
    pub(crate) until: Option<String>,
}

fn yes() -> bool {
    true
}

/// X-Road's message protocol for SOAP.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct XRoadSoapLayout {
    /// The `{service}` of `POST /soap/{service}`.
    pub(crate) service: String,
    /// The namespace of the messages.
    pub(crate) namespace: String,
    /// Whose services they are, as `INSTANCE/CLASS/MEMBER/SUBSYSTEM`.
    pub(crate) provider: String,
    /// The version of each service, where they have one.
    pub(crate) version: Option<String>,
    #[serde(default)]
    pub(crate) element_form: ElementFormName,
    /// Whether messages may have attachments.
    #[serde(default)]
    pub(crate) attachments: bool,
}

fn soap_1_1() -> Vec<String> {
    vec!["1.1".to_owned()]
}

/// Style and use of a WSDL's binding.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SoapStyle {
    #[default]
    DocumentWrapped,
    DocumentBare,
    Rpc,
}

/// `elementFormDefault` of a schema.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ElementFormName {
    #[default]
    Qualified,
    Unqualified,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct TelegramLayout {
    #[cfg_attr(test, schemars(with = "crate::schema::Framings"))]
    pub(crate) framing: FramingFormat,
    #[serde(default)]
    pub(crate) encoding: CharsetName,
    /// How ASCII digits carry a sign.
    pub(crate) overpunch: Option<Overpunch>,
    /// Of `comp-5`; that of `comp` is always `big`.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "crate::schema::ByteOrders"))]
    pub(crate) byte_order: ByteOrder,
    /// Bytes of the whole header, so that a slip in one length does not shift all that follows.
    pub(crate) header_length: usize,
    pub(crate) header: Vec<HeaderFormat>,
    /// The header field by which a caller knows which request a reply is for. Without it replies
    /// come in the order of their requests.
    pub(crate) multiplexed_by: Option<String>,
    /// Transaction codes that the gateway answers by itself.
    #[serde(default)]
    pub(crate) keep_alive: BTreeMap<String, KeepAliveFormat>,
    /// Bytes of the field for the receipt, which ends every reply.
    pub(crate) receipt_length: usize,
}

/// How a telegram that only asks whether somebody is there is answered.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct KeepAliveFormat {
    /// Header fields of the reply that hold something else than those of other replies.
    #[serde(default)]
    pub(crate) reply: BTreeMap<String, String>,
    /// Whether the telegram has a body, of any length, which is sent back.
    #[serde(default)]
    pub(crate) echo_body: bool,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RestLayout {
    /// Characters of an idempotency key at most.
    pub(crate) key_max: usize,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct XRoadRestLayout {
    /// Who provides the services: `instance/class/member/subsystem`, each part percent-encoded.
    pub(crate) provider: String,
    /// The provider's name for people.
    pub(crate) name: String,
}

/// One field of a message's header.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct HeaderFormat {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) length: Option<usize>,
    pub(crate) picture: Option<String>,
    pub(crate) usage: Option<Usage>,
    pub(crate) sign: Option<SignPlace>,
    pub(crate) max: Option<usize>,
    #[serde(default)]
    pub(crate) required: bool,
    /// Free text that is cut, at a character, when it is longer than the field.
    #[serde(default)]
    pub(crate) cut: bool,
    #[serde(default)]
    pub(crate) request: RequestRole,
    #[serde(default)]
    pub(crate) reply: ReplyRole,
}

/// What a header field of a request is for.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RequestRole {
    /// Read, checked for its type, and otherwise of no effect.
    #[default]
    Ignored,
    /// Names the operation.
    Operation,
    /// Names the caller's organization.
    Organization,
    /// Proves who calls.
    Credential,
    /// Names the file.
    File,
    /// Must hold this.
    Expect(Expected),
    /// Names a registered integration.
    Integration,
    /// Name the parties to it, besides the caller's organization.
    ConsumerSystem,
    ProviderOrganization,
    ProviderSystem,
}

#[derive(Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    pub(crate) value: String,
    /// The fault when it does not, as `Kind/code`.
    pub(crate) otherwise: String,
}

/// What a header field of a reply holds.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ReplyRole {
    /// Nothing.
    #[default]
    Blank,
    /// What the request had there.
    Echo,
    /// When the request had arrived.
    Received,
    /// When the reply is sent.
    Sent,
    ResultCode,
    /// What the result code is called.
    ResultName,
    ResultMessage,
    Constant(String),
}
