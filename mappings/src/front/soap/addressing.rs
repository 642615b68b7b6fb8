//! WS-Addressing 1.0: who wrote a message, what it is for, and where its reply goes. Replies go back
//! on the connection that the request came by, which is what the anonymous address means.

use gateway_core::{ExchangeId, Fault, Kind};

use crate::layout::xml::escape;
use crate::layout::xml_text::{ADDRESSING, Element, Node, Space, XmlError, XmlReader};

const ANONYMOUS: &str = "http://www.w3.org/2005/08/addressing/anonymous";
/// The action of a fault (WS-Addressing SOAP binding, section 6): of one of its own, or another.
pub(crate) fn fault_action(code: &str) -> &'static str {
    match fault_name(code) {
        Some(_) => "http://www.w3.org/2005/08/addressing/fault",
        None => "http://www.w3.org/2005/08/addressing/soap/fault",
    }
}

/// The addressing headers of a request.
#[derive(Debug, Default)]
pub(crate) struct Addressing {
    seen: Vec<&'static str>,
    pub(crate) action: Option<String>,
    pub(crate) message_id: Option<String>,
    /// Where the reply, and a fault, is to go.
    addresses: Vec<String>,
    /// What the receiver of the reply wants to find in it, as header entries.
    pub(crate) reference: String,
}

/// The headers that may stand there, at most once each (WS-Addressing SOAP binding, section 3.2).
const HEADERS: [&str; 7] = ["To", "From", "ReplyTo", "FaultTo", "Action", "MessageID", "RelatesTo"];

impl Addressing {
    /// Reads one header entry of the namespace of WS-Addressing.
    pub(crate) fn read<'i>(
        &mut self,
        entry: &Element<'i>,
        xml: &mut XmlReader<'i>,
    ) -> Result<(), AddressingError> {
        let known = HEADERS.into_iter().find(|name| *name == entry.name());
        let name = known.ok_or(AddressingError::Unknown)?;
        if self.seen.contains(&name) && name != "RelatesTo" {
            return Err(AddressingError::Repeated);
        }
        self.seen.push(name);
        match name {
            "From" | "ReplyTo" | "FaultTo" => self.endpoint(name, xml),
            _ => {
                let text = xml.text()?.ok_or(AddressingError::Unknown)?.trim_ascii().to_owned();
                match name {
                    "Action" => self.action = Some(text),
                    "MessageID" => self.message_id = Some(text),
                    _ => {}
                }
                Ok(())
            }
        }
    }

    fn endpoint(&mut self, name: &str, xml: &mut XmlReader<'_>) -> Result<(), AddressingError> {
        let mut address = None;
        while let Node::Start(child) = xml.structure()? {
            match (child.space, child.name()) {
                (Space::Addressing, "Address") if address.is_none() => {
                    address = Some(xml.text()?.ok_or(AddressingError::Unknown)?.into_owned());
                }
                (Space::Addressing, "ReferenceParameters") if name == "ReplyTo" => {
                    while let Node::Start(parameter) = xml.structure()? {
                        let mark = format!(
                            " xmlns:wsa=\"{ADDRESSING}\" wsa:IsReferenceParameter=\"true\""
                        );
                        xml.copy(&parameter, &mark, &mut self.reference)?;
                    }
                }
                _ => xml.skip()?,
            }
        }
        let address = address.ok_or(AddressingError::Unknown)?;
        if name != "From" {
            self.addresses.push(address.trim_ascii().to_owned());
        }
        Ok(())
    }

    /// Checks the headers of a request whose operation has this action, when there are any.
    pub(crate) fn check(&self, action: &str) -> Result<(), Fault> {
        if self.seen.is_empty() {
            return Ok(());
        }
        if self.action.is_none() || self.message_id.is_none() {
            let says = "with WS-Addressing a request wants the headers Action and MessageID";
            return Err(Fault::new(Kind::Malformed, REQUIRED, says));
        }
        if self.addresses.iter().any(|address| address != ANONYMOUS) {
            let says = "replies go back on the same connection, to the anonymous address only";
            return Err(Fault::new(Kind::Malformed, ONLY_ANONYMOUS, says));
        }
        if self.action.as_deref() != Some(action) {
            let says = "the header Action names another action than that of the operation";
            return Err(Fault::new(Kind::Malformed, ACTION, says));
        }
        Ok(())
    }

    /// Whether the request has any.
    pub(crate) fn is_used(&self) -> bool {
        !self.seen.is_empty()
    }
}

/// The headers of a reply to the message `related`.
pub(crate) fn write(
    action: &str,
    related: Option<&str>,
    reference: &str,
    exchange: ExchangeId,
    out: &mut String,
) {
    out.extend(["<wsa:Action xmlns:wsa=\"", ADDRESSING, "\">"]);
    escape(out, action);
    out.extend(["</wsa:Action><wsa:MessageID xmlns:wsa=\"", ADDRESSING, "\">urn:uuid:"]);
    out.push_str(&exchange.to_string());
    out.push_str("</wsa:MessageID>");
    if let Some(related) = related {
        out.extend(["<wsa:RelatesTo xmlns:wsa=\"", ADDRESSING, "\">"]);
        escape(out, related);
        out.push_str("</wsa:RelatesTo>");
    }
    out.extend(["<wsa:To xmlns:wsa=\"", ADDRESSING, "\">", ANONYMOUS, "</wsa:To>"]);
    out.push_str(reference);
}

/// Why an addressing header cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AddressingError {
    #[error(transparent)]
    Xml(#[from] XmlError),
    #[error("a header of WS-Addressing is not one of its own, or holds what it may not")]
    Unknown,
    #[error("a header of WS-Addressing stands there twice")]
    Repeated,
}

/// The codes of faults that WS-Addressing has names for.
pub(crate) const INVALID: &str = "addressing-header-invalid";
const REQUIRED: &str = "addressing-header-missing";
const ONLY_ANONYMOUS: &str = "addressing-reply-address";
const ACTION: &str = "addressing-action-unknown";

/// The name that WS-Addressing has for a fault (SOAP binding, section 6.4).
pub(crate) fn fault_name(code: &str) -> Option<&'static str> {
    match code {
        INVALID => Some("InvalidAddressingHeader"),
        REQUIRED => Some("MessageAddressingHeaderRequired"),
        ONLY_ANONYMOUS => Some("OnlyAnonymousAddressSupported"),
        ACTION => Some("ActionNotSupported"),
        _ => None,
    }
}
