//! SOAP 1.1 and 1.2 in every style of WSDL: document/literal wrapped and bare, and rpc/literal.
//!
//! A mapping may have a header of its own, such as that of the eGovFrame integration service. Then
//! a refusal is a normal response whose header says why, and a SOAP fault only where no operation
//! could be read. Without one every refusal is a SOAP fault.

mod addressing;
mod fault;
pub(crate) mod integration;
mod media;
mod metadata;
mod read;
mod version;
mod write;
mod wsdl;
pub(crate) mod xroad;

use std::sync::Arc;
use std::time::Duration;

use gateway_core::front::{Draft, Exchange, Slot};
use gateway_core::{Envelope, Fault, Front, Inbound, Kind, Message, Value};

use super::problem::violated;
use super::{Replies, http, losses};
use crate::faults::{FaultTable, Outcome};
use crate::header::Header;
use crate::layout::xml::{Locals, XmlKind, XmlWriter};
use crate::operations::{Operation, Operations};
use fault::{header_missing, not_soap};
use integration::Integrations;
use media::Packaging;
pub(crate) use metadata::METASERVICES;
pub use metadata::SoapMetadata;
use read::Reading;
pub(crate) use version::Version;
use xroad::XRoad;

/// One system's SOAP service.
pub struct SoapFront {
    pub(crate) id: Arc<str>,
    pub(crate) service: String,
    pub(crate) namespace: String,
    /// Others, by the prefixes that rows name them by.
    pub(crate) namespaces: Vec<(String, String)>,
    pub(crate) receipt_namespace: String,
    /// The first is written where a request's version is not known.
    pub(crate) versions: Vec<Version>,
    pub(crate) style: Style,
    pub(crate) elements: ElementForm,
    pub(crate) addressing: bool,
    pub(crate) attachments: bool,
    pub(crate) header: Option<Header<XmlKind>>,
    /// The element that holds its fields.
    pub(crate) header_element: String,
    /// The integrations that requests must be of, where any are registered.
    pub(crate) integrations: Option<Integrations>,
    /// The provider that it is, where the messages are those of X-Road.
    pub(crate) xroad: Option<XRoad>,
    pub(crate) operations: Operations<XmlKind>,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) refusals: Refusals,
}

/// How a WSDL's messages become elements of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// One element named as the operation, and one named so with `Response`.
    Wrapped,
    /// One element, however it is named.
    Bare,
    /// One element named as the operation, whose children are the parts, of no namespace.
    Rpc,
}

/// Whether elements below those of the body are of the target namespace (`elementFormDefault`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ElementForm {
    Qualified,
    Unqualified,
}

/// How an operation stands on the wire.
pub(crate) struct Shape {
    pub(crate) operation: Arc<str>,
    /// The element of a request's body.
    pub(crate) request: String,
    /// The element of a reply's body.
    pub(crate) reply: String,
    /// The SOAPAction, and the action of WS-Addressing; perhaps empty.
    pub(crate) action: String,
    /// Whether it is in use.
    pub(crate) using: bool,
    /// For people: what it is called, and what it does.
    pub(crate) title: Option<String>,
    pub(crate) notes: Option<String>,
}

impl Shape {
    /// # Errors
    /// `Unsupported` while the service is not in use.
    fn check_in_use(&self) -> Result<(), Fault> {
        match self.using {
            true => Ok(()),
            false => {
                let says = "the service is not in use";
                Err(Fault::new(Kind::Unsupported, "service-unusable", says))
            }
        }
    }
}

/// How a request is refused.
pub(crate) enum Refusals {
    /// In the mapping's header, by result code.
    InHeader(Replies),
    /// By a SOAP fault with the mapping's code.
    Faults(FaultTable<String>),
    /// By an error of X-Road's with the mapping's code.
    XRoad(FaultTable<String>),
}

impl SoapFront {
    /// The `{service}` of `POST /soap/{service}`.
    pub fn service_name(&self) -> &str {
        &self.service
    }

    /// The WSDL 1.1 of the service as served at the URL `location`.
    pub fn wsdl(&self, location: &str) -> String {
        wsdl::write(self, location)
    }

    /// How elements below those of the body are named.
    pub(crate) fn locals(&self) -> Locals {
        let qualified = self.elements == ElementForm::Qualified;
        Locals { here: qualified && self.style != Style::Rpc, below: qualified }
    }

    /// Whether a refusal may be a response without fields.
    pub(crate) fn writes_empty_replies(&self) -> bool {
        matches!(self.refusals, Refusals::InHeader(_))
    }

    /// Whether every refusal is a SOAP fault with a detail.
    pub(crate) fn writes_faults(&self) -> bool {
        matches!(self.refusals, Refusals::Faults(_))
    }

    fn default_version(&self) -> Version {
        self.versions.first().copied().unwrap_or(Version::V11)
    }

    /// The action of an operation: the mapping's, or one made of its names (WS-Addressing
    /// Metadata, section 4.4.1).
    pub(crate) fn action(&self, shape: &Shape) -> String {
        match shape.action.as_str() {
            "" => {
                let delimiter = if self.namespace.starts_with("urn:") { ':' } else { '/' };
                format!("{}{delimiter}{}", self.namespace, shape.operation)
            }
            action => action.to_owned(),
        }
    }
}

/// What a reply is written from besides its content.
pub(crate) struct Addressee<'f> {
    version: Version,
    packaging: Packaging,
    /// What the header repeats.
    echo: Message,
    operation: Option<(&'f Operation<XmlKind>, &'f Shape)>,
    /// Whether the reply says which versions are spoken here.
    upgrades: bool,
}

/// What replies need of a request besides its header's own fields. Those have no `#`.
const VERSION: &str = "#version";
const PACKAGING: &str = "#packaging";
const MESSAGE_ID: &str = "#message-id";
const REFERENCE: &str = "#reference";

impl<'f> Addressee<'f> {
    fn of_envelope(front: &'f SoapFront, envelope: &Envelope) -> Self {
        let text = |name| envelope.echo.get(name).and_then(Value::as_text);
        let operation = front.operations.of(&envelope.service).ok();
        let shape = |operation: &Operation<_>| {
            front.shapes.iter().find(|shape| shape.operation == operation.name)
        };
        Self {
            version: text(VERSION).and_then(Version::parse).unwrap_or(Version::V11),
            packaging: text(PACKAGING).map(Packaging::parse).unwrap_or_default(),
            echo: envelope.echo.clone(),
            operation: operation.and_then(|operation| Some((operation, shape(operation)?))),
            upgrades: false,
        }
    }

    /// As far as it could be read.
    fn of_reading(front: &'f SoapFront, reading: Reading<'f, '_>) -> Self {
        let mut echo = match (&front.header, &reading.header) {
            (Some(header), Some(record)) => header.glimpse(record),
            _ => Message::new(),
        };
        reading.keep(&mut echo);
        // One who speaks a version that is not spoken here understands a fault of that version
        // (SOAP 1.2 Part 1, appendix A); SOAP 1.1 knows no other.
        let spoken = reading
            .version
            .filter(|version| front.versions.contains(version) || *version == Version::V11);
        Self {
            version: spoken.unwrap_or(front.default_version()),
            packaging: reading.packaging,
            echo,
            operation: reading.operation,
            upgrades: false,
        }
    }

    fn echoed(&self, name: &str) -> Option<&str> {
        match self.echo.get(name)? {
            Value::Personal(text) => Some(text.expose()),
            value => value.as_text(),
        }
    }
}

impl SoapFront {
    fn addressee(&self, exchange: &Exchange<'_>) -> Addressee<'_> {
        match exchange.envelope {
            Some(envelope) => Addressee::of_envelope(self, envelope),
            None => {
                let mut reading = Reading::default();
                // It failed before and fails again; what it read until then is what is wanted.
                let _ = self.read(exchange.inbound, &mut reading);
                Addressee::of_reading(self, reading)
            }
        }
    }

    fn envelope(&self, reading: Reading<'_, '_>) -> Result<Envelope, Fault> {
        if let Some(xroad) = &self.xroad {
            return self.xroad_envelope(xroad, &reading);
        }
        let (operation, shape) = reading.operation.ok_or_else(|| not_soap("the body is empty"))?;
        reading.addressing.check(&self.action(shape))?;
        let nothing = Vec::new();
        let record = match (&self.header, &reading.header) {
            (Some(_), None) => return Err(header_missing()),
            (_, record) => record.as_ref().unwrap_or(&nothing),
        };
        let mut header = match &self.header {
            Some(header) => header.read(record)?,
            None => Default::default(),
        };
        if header.operation.is_some_and(|named| *named != *operation.name) {
            return Err(Fault::new(
                Kind::Malformed,
                "operation-mismatch",
                "the header names another operation than the body",
            ));
        }
        if let Some(integrations) = &self.integrations {
            let (said, received) = (&header.parties, reading.received);
            integrations.check(said, &operation.name, received)?;
        }
        shape.check_in_use()?;
        let message = operation.request.read(&reading.body).map_err(|error| error.in_request())?;
        reading.keep(&mut header.echo);
        Ok(Envelope {
            service: operation.service.clone(),
            message,
            idempotency_key: operation.key(record, &reading.body),
            credential: header.credential,
            claimed_member: header.claimed_member,
            claimed_subsystem: None,
            endpoint: None,
            mapping: self.id.clone(),
            echo: header.echo,
        })
    }
}

impl Front for SoapFront {
    fn name(&self) -> &str {
        "soap"
    }

    fn mapping(&self) -> &str {
        &self.id
    }

    fn decode(&self, inbound: &Inbound) -> Result<Envelope, Fault> {
        let mut reading = Reading { received: inbound.received, ..Reading::default() };
        self.read(inbound, &mut reading)?;
        self.envelope(reading)
    }

    fn patience(&self, envelope: &Envelope) -> Option<Duration> {
        let integrations = self.integrations.as_ref()?;
        let id = envelope.echo.get(&integrations.field).and_then(Value::as_text)?;
        integrations.all.get(id).map(|integration| integration.timeout)
    }

    fn encode(&self, exchange: &Exchange<'_>, answer: &Message) -> Result<Draft, Fault> {
        let to = self.addressee(exchange);
        let (operation, shape) = to.operation.ok_or_else(|| not_soap("the body is empty"))?;
        let losses = losses::gather(exchange, &operation.reply, answer);
        let success = match &self.refusals {
            Refusals::InHeader(replies) => Some(replies.success(&losses)),
            Refusals::Faults(_) | Refusals::XRoad(_) => None,
        };
        let action = format!("{}Response", self.action(shape));
        let written = self.write(exchange, &to, success, &action, |out| {
            let record = operation.reply.write(answer)?;
            operation.reply.element(["t:", &shape.reply], &record, out, self.locals())
        });
        let (text, receipt) = written.map_err(|error| error.in_reply())?;
        let (media, body, receipt) =
            media::pack(to.version, to.packaging, exchange.id, text, receipt);
        let mut headers = http::headers(exchange, &media, None);
        losses::report(&losses, &mut headers);
        Ok(Draft { status: 200, headers, body, receipt })
    }

    fn refuse(&self, exchange: &Exchange<'_>, fault: &Fault) -> Draft {
        let mut to = self.addressee(exchange);
        to.upgrades = fault.code == fault::WRONG_VERSION && self.versions.contains(&Version::V12);
        let (status, written) = match (&self.refusals, to.operation) {
            (Refusals::InHeader(replies), Some((_, shape))) => {
                let outcome = replies.refusal(fault);
                (200, self.refuse_in_header(exchange, &to, outcome, shape))
            }
            (Refusals::InHeader(replies), None) => {
                let outcome = replies.refusal(fault);
                let status = fault::status(to.version, fault);
                (status, self.write_fault(exchange, &to, Some(outcome), None, fault))
            }
            (Refusals::XRoad(codes), _) => {
                return xroad::refuse(exchange, fault, codes.code(fault));
            }
            (Refusals::Faults(codes), _) => {
                let status = fault::status(to.version, fault);
                let code = Some(codes.code(fault).as_str());
                (status, self.write_fault(exchange, &to, None, code, fault))
            }
        };
        let (text, receipt) = written;
        let (media, body, receipt) =
            media::pack(to.version, Packaging::Plain, exchange.id, text, receipt);
        let headers = http::headers(exchange, &media, Some(fault));
        Draft { status, headers, body, receipt }
    }
}

impl SoapFront {
    /// A normal response whose header says why there is nothing in it.
    fn refuse_in_header(
        &self,
        exchange: &Exchange<'_>,
        to: &Addressee<'_>,
        outcome: Outcome<'_>,
        shape: &Shape,
    ) -> write::Written {
        let action = format!("{}Response", self.action(shape));
        let empty = |out: &mut XmlWriter| {
            out.text.extend(["<t:", &shape.reply, "/>"]);
            Ok(())
        };
        let written = self.write(exchange, to, Some(outcome), &action, empty);
        // Only a text that XML cannot hold fails here; then the code goes without texts.
        let bare = Outcome { message: "", ..outcome };
        written
            .or_else(|_| self.write(exchange, to, Some(bare), &action, empty))
            .unwrap_or((XmlWriter::default(), Slot::Header))
    }

    fn write_fault(
        &self,
        exchange: &Exchange<'_>,
        to: &Addressee<'_>,
        outcome: Option<Outcome<'_>>,
        code: Option<&str>,
        fault: &Fault,
    ) -> write::Written {
        let action = addressing::fault_action(&fault.code);
        let policies = violated(exchange.quota);
        let details = fault::Details { code, exchange: exchange.id, policies };
        let body = |out: &mut XmlWriter| {
            fault::write(to.version, fault, &details, &mut out.text);
            Ok(())
        };
        let written = self.write(exchange, to, outcome, action, body);
        let bare = outcome.map(|outcome| Outcome { message: "", ..outcome });
        let written = written.or_else(|_| self.write(exchange, to, bare, action, body));
        written.unwrap_or((XmlWriter::default(), Slot::Header))
    }
}
