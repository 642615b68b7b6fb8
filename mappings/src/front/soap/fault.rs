//! Faults as SOAP writes them, and those of reading an envelope.

use gateway_core::{ExchangeId, Fault, Kind, Origin, Retry};

use super::addressing::{self, AddressingError};
use super::version::Version;
use crate::front::http;
use crate::front::xml_fault::xml_fault;
use crate::layout::xml::escape;
use crate::layout::xml_text::{ADDRESSING, is_legal};

/// What a SOAP fault says besides its sentence.
pub(crate) struct Details<'a> {
    /// The code that the mapping has for it; none where another header says it.
    pub(crate) code: Option<&'a str>,
    pub(crate) exchange: ExchangeId,
    /// The quotas that refuse.
    pub(crate) policies: Vec<&'a str>,
}

/// Appends a fault of a version.
pub(crate) fn write(version: Version, fault: &Fault, details: &Details<'_>, out: &mut String) {
    let special = addressing::fault_name(&fault.code);
    let text: String = fault.public.chars().filter(|character| is_legal(*character)).collect();
    match version {
        // SOAP 1.1, section 4.4: its parts are of no namespace.
        Version::V11 => {
            out.push_str("<soap:Fault><faultcode");
            match special {
                Some(name) => out.extend([" xmlns:wsa=\"", ADDRESSING, "\">wsa:", name]),
                None => out.extend([">soap:", blame(version, fault)]),
            }
            out.push_str("</faultcode><faultstring>");
            escape(out, &text);
            out.push_str("</faultstring>");
            detail(details, fault, "detail", out);
        }
        // SOAP 1.2 Part 1, section 5.4.
        Version::V12 => {
            out.extend(["<soap:Fault><soap:Code><soap:Value>soap:", blame(version, fault)]);
            out.push_str("</soap:Value>");
            if let Some(name) = special {
                out.extend(["<soap:Subcode><soap:Value xmlns:wsa=\"", ADDRESSING, "\">wsa:", name]);
                out.push_str("</soap:Value></soap:Subcode>");
            } else if let Some(code) = details.code {
                out.extend(["<soap:Subcode><soap:Value>t:", code]);
                out.push_str("</soap:Value></soap:Subcode>");
            }
            out.push_str("</soap:Code><soap:Reason><soap:Text xml:lang=\"en\">");
            escape(out, &text);
            out.push_str("</soap:Text></soap:Reason>");
            detail(details, fault, "soap:Detail", out);
        }
    }
    out.push_str("</soap:Fault>");
}

fn detail(details: &Details<'_>, fault: &Fault, element: &str, out: &mut String) {
    let Some(code) = details.code else {
        return;
    };
    let exchange = details.exchange.to_string();
    out.extend(["<", element, "><t:fault><t:code>", code, "</t:code><t:reason>", &fault.code]);
    out.extend(["</t:reason><t:exchange>", &exchange, "</t:exchange>"]);
    if let (Kind::RateLimited, Retry::After(wait)) = (fault.kind, fault.retry) {
        let seconds = http::seconds(wait).max(1).to_string();
        out.extend(["<t:retryAfter>", &seconds, "</t:retryAfter>"]);
        for policy in &details.policies {
            out.push_str("<t:policy>");
            escape(out, policy);
            out.push_str("</t:policy>");
        }
    }
    out.extend(["</t:fault></", element, ">"]);
}

/// Which of the fault codes that SOAP defines it is.
pub(crate) fn blame(version: Version, fault: &Fault) -> &'static str {
    match (&*fault.code, fault.origin, version) {
        (WRONG_VERSION, _, _) => "VersionMismatch",
        (MUST_UNDERSTAND, _, _) => "MustUnderstand",
        (_, Origin::Caller, Version::V11) => "Client",
        (_, Origin::Caller, Version::V12) => "Sender",
        (_, Origin::Gateway | Origin::Backend, Version::V11) => "Server",
        (_, Origin::Gateway | Origin::Backend, Version::V12) => "Receiver",
    }
}

/// The HTTP status of a fault: SOAP 1.1, section 6.2; SOAP 1.2 Part 2, section 7.5.2.
pub(crate) fn status(version: Version, fault: &Fault) -> u16 {
    if blame(version, fault) == "Sender" { 400 } else { 500 }
}

pub(crate) const WRONG_VERSION: &str = "wrong-soap-version";
const MUST_UNDERSTAND: &str = "must-understand";

pub(crate) fn not_soap(says: &str) -> Fault {
    Fault::new(Kind::Malformed, "malformed-soap", says)
}

pub(crate) fn wrong_version(versions: &[Version]) -> Fault {
    let names: Vec<_> = versions.iter().map(|version| version.name()).collect();
    let says = format!("the envelope is not one of SOAP {}", names.join(" or "));
    Fault::new(Kind::Malformed, WRONG_VERSION, says)
}

pub(crate) fn must_understand() -> Fault {
    let says = "a header must be understood and is not";
    Fault::new(Kind::Malformed, MUST_UNDERSTAND, says)
}

pub(crate) fn header_missing() -> Fault {
    let says = "the message has no `header` among its SOAP headers";
    Fault::new(Kind::Malformed, "header-missing", says)
}

pub(crate) fn addressing_fault(error: AddressingError) -> Fault {
    match error {
        AddressingError::Xml(error) => xml_fault(error),
        AddressingError::Unknown | AddressingError::Repeated => {
            Fault::new(Kind::Malformed, addressing::INVALID, error.to_string())
        }
    }
}
