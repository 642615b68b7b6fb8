//! X-Road's message protocol for SOAP 4.0: headers that say who asks whom for what, copied back into
//! the reply as they came, and errors as an X-Road security server writes them.

use gateway_core::front::{Draft, Exchange, Slot};
use gateway_core::{Envelope, Fault, Kind, Message, Personal, Value};

use super::super::http;
use super::fault::not_soap;
use super::read::Reading;
use super::{Addressee, Shape, SoapFront};
use crate::front::xml_fault::xml_fault;
use crate::layout::xml::escape;
use crate::layout::xml_text::{
    Element, Node, SOAP_11, Space, XROAD_IDENTIFIERS, XmlReader, is_legal,
};
use crate::xroad::{ClientId, Clients, ServiceId, soap_request_hash};

/// What a mapping says of its provider and its consumers.
pub(crate) struct XRoad {
    pub(crate) provider: ClientId,
    /// The version of every service, where they have one.
    pub(crate) version: Option<String>,
    pub(crate) clients: Clients,
}

/// The headers of a request (PR-MESS 2.2), as far as they were read.
#[derive(Debug, Default)]
pub(crate) struct XRoadHeaders {
    pub(crate) client: Option<ClientId>,
    pub(crate) service: Option<ServiceId>,
    pub(crate) id: Option<String>,
    protocol_version: Option<String>,
    seen: Vec<&'static str>,
    /// Every header entry, in the order they came in.
    copied: String,
}

/// Each may stand there once.
const HEADERS: [&str; 6] = ["client", "service", "id", "userId", "issue", "protocolVersion"];

/// Where replies find what they repeat: the headers, and the hash of the request.
const COPIED: &str = "#headers";
const HASH: &str = "#request-hash";
/// How XML Signature names SHA-512.
const SHA_512: &str = "http://www.w3.org/2001/04/xmlenc#sha512";

impl XRoadHeaders {
    /// Reads one header entry, of X-Road's namespace or another.
    pub(super) fn read<'i>(
        &mut self,
        entry: &Element<'i>,
        xml: &mut XmlReader<'i>,
    ) -> Result<(), Fault> {
        let known = HEADERS.into_iter().find(|name| *name == entry.name());
        let Some(name) = known.filter(|_| entry.space == Space::XRoad) else {
            return self.other(entry, xml);
        };
        if self.seen.contains(&name) {
            let says = format!("the header `{name}` stands there twice");
            return Err(Fault::new(Kind::Malformed, "header-field-repeated", says));
        }
        self.seen.push(name);
        match name {
            "client" | "service" => self.identifier(name, entry, xml),
            _ => {
                let text = xml.text().map_err(xml_fault)?;
                let text = text.ok_or_else(|| invalid(name, "holds an element"))?;
                self.copied.extend(["<xrd:", name, ">"]);
                escape(&mut self.copied, &text);
                self.copied.extend(["</xrd:", name, ">"]);
                match name {
                    "id" => self.id = Some(text.into_owned()),
                    "protocolVersion" => self.protocol_version = Some(text.into_owned()),
                    _ => {}
                }
                Ok(())
            }
        }
    }

    /// Extensions, such as the represented party, are copied; X-Road's own that are not known here
    /// would change what the message means.
    fn other<'i>(&mut self, entry: &Element<'i>, xml: &mut XmlReader<'i>) -> Result<(), Fault> {
        match (entry.space, entry.name()) {
            // That of the reply takes its place (PR-MESS 2.2).
            (Space::XRoad, "requestHash") => xml.skip().map_err(xml_fault),
            (Space::XRoad, _) => {
                let says = "a header of X-Road's namespace is not known";
                Err(Fault::new(Kind::Malformed, "header-field-unknown", says))
            }
            _ => xml.copy(entry, "", &mut self.copied).map_err(xml_fault),
        }
    }

    fn identifier<'i>(
        &mut self,
        name: &str,
        entry: &Element<'i>,
        xml: &mut XmlReader<'i>,
    ) -> Result<(), Fault> {
        let object_type = xml.attribute_of(entry, XROAD_IDENTIFIERS, "objectType");
        let object_type = object_type.ok_or_else(|| invalid(name, "has no objectType"))?;
        let mut codes = Codes::default();
        while let Node::Start(code) = xml.structure().map_err(xml_fault)? {
            let place = match (code.space, code.name()) {
                (Space::XRoadIdentifiers, "xRoadInstance") => 0,
                (Space::XRoadIdentifiers, "memberClass") => 1,
                (Space::XRoadIdentifiers, "memberCode") => 2,
                (Space::XRoadIdentifiers, "subsystemCode") => 3,
                (Space::XRoadIdentifiers, "serviceCode") => 4,
                (Space::XRoadIdentifiers, "serviceVersion") => 5,
                _ => return Err(invalid(name, "holds what is no code")),
            };
            let text = xml.text().map_err(xml_fault)?;
            let text = text.filter(|text| !text.is_empty());
            let text = text.ok_or_else(|| invalid(name, "has an empty code"))?;
            codes
                .put(place, text.into_owned())
                .ok_or_else(|| invalid(name, "has its codes out of order, or one of them twice"))?;
        }
        codes.copy(name, &object_type, &mut self.copied);
        let Codes([instance, class, member, subsystem, service, version]) = codes;
        let (Some(instance), Some(member_class), Some(member_code)) = (instance, class, member)
        else {
            return Err(invalid(name, "names no member"));
        };
        let party = ClientId { instance, member_class, member_code, subsystem_code: subsystem };
        match (name, object_type.as_str(), service) {
            ("client", "MEMBER" | "SUBSYSTEM", None)
                if object_type == party.object_type() && version.is_none() =>
            {
                self.client = Some(party);
            }
            ("service", "SERVICE", Some(service_code)) => {
                let provider = party;
                self.service = Some(ServiceId { provider, service_code, service_version: version });
            }
            _ => return Err(invalid(name, "is not of the objectType that it says")),
        }
        Ok(())
    }
}

/// The codes of an identifier, in the order that they must have.
#[derive(Default)]
struct Codes([Option<String>; 6]);

const CODES: [&str; 6] = [
    "xRoadInstance",
    "memberClass",
    "memberCode",
    "subsystemCode",
    "serviceCode",
    "serviceVersion",
];

impl Codes {
    fn put(&mut self, place: usize, text: String) -> Option<()> {
        let is_next = self.0.iter().skip(place).all(Option::is_none);
        *self.0.get_mut(place).filter(|_| is_next)? = Some(text);
        Some(())
    }

    fn copy(&self, header: &str, object_type: &str, out: &mut String) {
        out.extend(["<xrd:", header, " id:objectType=\""]);
        escape(out, object_type);
        out.push_str("\">");
        for (name, code) in CODES.iter().zip(&self.0) {
            if let Some(code) = code {
                out.extend(["<id:", name, ">"]);
                escape(out, code);
                out.extend(["</id:", name, ">"]);
            }
        }
        out.extend(["</xrd:", header, ">"]);
    }
}

fn invalid(header: &str, why: &str) -> Fault {
    let says = format!("the header `{header}` {why}");
    Fault::new(Kind::Malformed, "header-field-invalid", says)
}

/// What was checked of the headers.
pub(super) struct Checked<'h> {
    pub(super) id: &'h str,
    pub(super) member: String,
    pub(super) subsystem: Option<&'h str>,
    pub(super) service: &'h ServiceId,
}

impl XRoad {
    /// Checks what the headers say, in the order in which a security server does.
    pub(super) fn check<'h>(&self, headers: &'h XRoadHeaders) -> Result<Checked<'h>, Fault> {
        let XRoadHeaders { client, service, id, protocol_version, seen, copied } = headers;
        if seen.is_empty() && copied.is_empty() {
            let says = "the message has no headers of X-Road";
            return Err(Fault::new(Kind::Malformed, "header-missing", says));
        }
        let version = protocol_version.as_deref().ok_or_else(|| missing("protocolVersion"))?;
        // Those of one major version go together (PR-MESS 2.2).
        let minor = version.strip_prefix("4.");
        if !minor
            .is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit()))
        {
            let says = "the protocol version is not 4.0";
            return Err(Fault::new(Kind::Malformed, "protocol-version", says));
        }
        let client = client.as_ref().ok_or_else(|| missing("client"))?;
        let service = service.as_ref().ok_or_else(|| missing("service"))?;
        let id = id.as_deref().filter(|id| !id.is_empty()).ok_or_else(|| missing("id"))?;
        if id.chars().count() > ID_MAX {
            return Err(invalid("id", "is too long"));
        }
        if service.provider != self.provider {
            let says = "the provider that the message names is not here";
            return Err(Fault::new(Kind::Unroutable, "unknown-provider", says));
        }
        let member = self.clients.member(client).ok_or_else(|| {
            let says = "the client that the message names is not registered here";
            Fault::new(Kind::Forbidden, "unknown-client", says)
        })?;
        let subsystem = client.subsystem_code.as_deref();
        Ok(Checked { id, member: member.to_owned(), subsystem, service })
    }

    /// Whether the headers name this operation, which the body is of.
    fn check_service(&self, service: &ServiceId, shape: &Shape) -> Result<(), Fault> {
        if service.service_code != shape.request {
            let says = "the headers name another service than the body";
            return Err(Fault::new(Kind::Malformed, "headers-inconsistent", says));
        }
        if service.service_version != self.version {
            let says = "there is no such version of this service here";
            return Err(Fault::new(Kind::Unroutable, "unknown-service", says));
        }
        Ok(())
    }
}

/// Characters of a message's id at most, as X-Road stores them.
const ID_MAX: usize = 255;

fn missing(header: &str) -> Fault {
    let says = format!("the header `{header}` is missing");
    Fault::new(Kind::Malformed, "header-field-missing", says)
}

impl SoapFront {
    pub(super) fn xroad_envelope(
        &self,
        xroad: &XRoad,
        reading: &Reading<'_, '_>,
    ) -> Result<Envelope, Fault> {
        let checked = xroad.check(&reading.xroad)?;
        let Some((operation, shape)) = reading.operation else {
            return Err(not_soap("the body is empty"));
        };
        xroad.check_service(checked.service, shape)?;
        shape.check_in_use()?;
        let message = operation.request.read(&reading.body).map_err(|error| error.in_request())?;
        // A mapping may have a better name for a request than the message's.
        let key = operation.key(&vec![], &reading.body);
        Ok(Envelope {
            service: operation.service.clone(),
            message,
            idempotency_key: key.or_else(|| Some(checked.id.to_owned())),
            credential: None,
            claimed_member: Some(checked.member),
            claimed_subsystem: checked.subsystem.map(str::to_owned),
            endpoint: None,
            mapping: self.id.clone(),
            echo: repeated(reading),
        })
    }
}

/// What a reply repeats of a request.
pub(super) fn repeated(reading: &Reading<'_, '_>) -> Message {
    let mut echo = Message::new();
    reading.keep(&mut echo);
    // They name the user on whose behalf the consumer asks.
    echo.set(COPIED, Value::Personal(Personal::new(reading.xroad.copied.clone())));
    echo.set(HASH, Value::Text(soap_request_hash(reading.document)));
    echo
}

/// The headers of a reply.
pub(super) fn write(to: &Addressee<'_>, out: &mut String) {
    out.push_str(to.echoed(COPIED).unwrap_or_default());
    if let Some(hash) = to.echoed(HASH) {
        out.extend(["<xrd:requestHash algorithmId=\"", SHA_512, "\">", hash]);
        out.push_str("</xrd:requestHash>");
    }
}

/// An error as a security server writes it: without headers, and as HTTP 200.
pub(super) fn refuse(exchange: &Exchange<'_>, fault: &Fault, code: &str) -> Draft {
    let mut body = String::with_capacity(512);
    body.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?><SOAP-ENV:Envelope xmlns:SOAP-ENV=\"");
    body.extend([SOAP_11, "\"><SOAP-ENV:Body><SOAP-ENV:Fault><faultcode>", code]);
    body.push_str("</faultcode><faultstring>");
    let text: String = fault.public.chars().filter(|character| is_legal(*character)).collect();
    escape(&mut body, &text);
    body.push_str("</faultstring><faultactor></faultactor><detail><faultDetail xmlns=\"\">");
    body.push_str(&exchange.id.to_string());
    body.push_str("</faultDetail></detail></SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>");
    Draft {
        status: 200,
        headers: http::headers(exchange, "text/xml; charset=utf-8", Some(fault)),
        body: body.into_bytes(),
        receipt: Slot::Header,
    }
}
