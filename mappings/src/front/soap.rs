//! SOAP 1.1, document/literal wrapped, with a header of the mapping's own, such as the one of the
//! eGovFrame integration service. A refusal is a normal response whose header says why; only
//! where no operation could be read is it a SOAP fault.

use std::sync::Arc;

use gateway_core::front::{Draft, Exchange, Slot};
use gateway_core::{Envelope, Fault, Front, Inbound, Kind, Message, Origin};

use super::{Replies, http, wsdl};
use crate::faults::Outcome;
use crate::header::{Header, Times};
use crate::layout::xml::{ContentError, XmlKind, escape};
use crate::layout::xml_text::{Node, SOAP_11, Space, XmlError, XmlReader};
use crate::operations::{Operation, Operations};
use crate::rows::Record;
use crate::unfit::FieldError;

/// One system's SOAP service.
pub struct SoapFront {
    pub(crate) id: Arc<str>,
    pub(crate) service: String,
    pub(crate) namespace: String,
    pub(crate) receipt_namespace: String,
    pub(crate) header: Header<XmlKind>,
    pub(crate) operations: Operations<XmlKind>,
    pub(crate) replies: Replies,
}

/// What was read of an envelope, as far as it came.
#[derive(Default)]
struct Reading<'f, 'i> {
    header: Option<Record<'i>>,
    operation: Option<&'f Operation<XmlKind>>,
    body: Record<'i>,
}

const CONTENT_TYPE: &str = "text/xml; charset=utf-8";

impl SoapFront {
    /// The `{service}` of `POST /soap/{service}`.
    pub fn service_name(&self) -> &str {
        &self.service
    }

    /// The WSDL 1.1 of the service as served at the URL `location`.
    pub fn wsdl(&self, location: &str) -> String {
        wsdl::write(self, location)
    }

    /// Reads an envelope. `reading` keeps what was read when the rest cannot be.
    fn read<'f, 'i>(
        &'f self,
        body: &'i [u8],
        target: &'i str,
        reading: &mut Reading<'f, 'i>,
    ) -> Result<(), Fault> {
        let xml = &mut XmlReader::new(body, target).map_err(xml_fault)?;
        match xml.structure().map_err(xml_fault)? {
            Node::Start(root) if root.name() == "Envelope" => match root.space {
                Space::Soap11 => {}
                _ => return Err(wrong_version()),
            },
            _ => return Err(not_soap("the document is not a SOAP envelope")),
        }
        let mut has_body = false;
        while let Node::Start(part) = xml.structure().map_err(xml_fault)? {
            match (part.space, part.name()) {
                (Space::Soap11, "Header") if reading.header.is_none() && !has_body => {
                    self.read_headers(xml, reading)?;
                }
                (Space::Soap11, "Body") if !has_body => {
                    has_body = true;
                    self.read_body(xml, reading)?;
                }
                _ => return Err(not_soap("the envelope holds what does not belong in it")),
            }
        }
        match xml.structure().map_err(xml_fault)? {
            Node::Eof if has_body => Ok(()),
            _ => Err(not_soap("the envelope has no body, or something follows it")),
        }
    }

    fn read_headers<'f, 'i>(
        &'f self,
        xml: &mut XmlReader<'i>,
        reading: &mut Reading<'f, 'i>,
    ) -> Result<(), Fault> {
        while let Node::Start(entry) = xml.structure().map_err(xml_fault)? {
            match (entry.space, entry.name()) {
                (Space::Target, "header") if reading.header.is_none() => {
                    let record = reading.header.insert(Record::new());
                    let read = self.header.rows.children("header", xml, record);
                    read.map_err(content_fault)?;
                }
                (Space::Target, "header") => return Err(not_soap("a second `header`")),
                _ if entry.must_understand => return Err(must_understand()),
                _ => xml.skip().map_err(xml_fault)?,
            }
        }
        Ok(())
    }

    fn read_body<'f, 'i>(
        &'f self,
        xml: &mut XmlReader<'i>,
        reading: &mut Reading<'f, 'i>,
    ) -> Result<(), Fault> {
        let Node::Start(wrapper) = xml.structure().map_err(xml_fault)? else {
            return Err(not_soap("the body is empty"));
        };
        let name = if wrapper.space == Space::Target { wrapper.name() } else { "" };
        let operation = self.operations.find(name)?;
        reading.operation = Some(operation);
        let read = operation.request.children(&operation.name, xml, &mut reading.body);
        read.map_err(content_fault)?;
        match xml.structure().map_err(xml_fault)? {
            Node::End => Ok(()),
            _ => Err(not_soap("the body holds more than one element")),
        }
    }

    /// A reply: the header, the receipt's place, and what `body` writes.
    fn envelope(
        &self,
        exchange: &Exchange<'_>,
        echo: &Message,
        outcome: Outcome<'_>,
        body: impl FnOnce(&mut String) -> Result<(), FieldError>,
    ) -> Result<(Vec<u8>, Slot), FieldError> {
        let times = Times { received: exchange.inbound.received, sent: exchange.now };
        let mut out = String::with_capacity(2048);
        out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?><soap:Envelope xmlns:soap=\"");
        out.push_str(SOAP_11);
        out.push_str("\" xmlns:t=\"");
        escape(&mut out, &self.namespace);
        out.push_str("\" xmlns:n=\"");
        escape(&mut out, &self.receipt_namespace);
        out.push_str("\"><soap:Header><t:header>");
        let header = self.header.reply(echo, outcome, times);
        self.header.rows.elements(&header, &mut out)?;
        out.push_str("</t:header><n:receipt>");
        let receipt = Slot::Insert(out.len());
        out.push_str("</n:receipt></soap:Header><soap:Body>");
        body(&mut out)?;
        out.push_str("</soap:Body></soap:Envelope>");
        Ok((out.into_bytes(), receipt))
    }

    /// What a refusal repeats and which operation it answers.
    fn addressee<'f>(
        &'f self,
        exchange: &Exchange<'_>,
    ) -> (Message, Option<&'f Operation<XmlKind>>) {
        if let Some(envelope) = exchange.envelope {
            let operation = self.operations.of(&envelope.service).ok();
            return (envelope.echo.clone(), operation);
        }
        let mut reading = Reading::default();
        let target = self.namespace.clone();
        // It failed before and fails again; what it read until then is what is wanted.
        let _ = self.read(&exchange.inbound.body, &target, &mut reading);
        let echo = reading.header.map(|record| self.header.glimpse(&record));
        (echo.unwrap_or_default(), reading.operation)
    }
}

impl Front for SoapFront {
    fn name(&self) -> &str {
        "soap"
    }

    fn decode(&self, inbound: &Inbound) -> Result<Envelope, Fault> {
        let mut reading = Reading::default();
        self.read(&inbound.body, &self.namespace, &mut reading)?;
        let operation = reading.operation.ok_or_else(|| not_soap("the body is empty"))?;
        let header_record = reading.header.ok_or_else(header_missing)?;
        let header = self.header.read(&header_record)?;
        if header.operation.is_some_and(|named| *named != *operation.name) {
            return Err(Fault::new(
                Kind::Malformed,
                "operation-mismatch",
                "the header names another operation than the body",
            ));
        }
        let message = operation.request.read(&reading.body).map_err(|error| error.in_request())?;
        Ok(Envelope {
            service: operation.service.clone(),
            message,
            idempotency_key: operation.key(&header_record, &reading.body),
            credential: header.credential,
            claimed_member: header.claimed_member,
            mapping: self.id.clone(),
            echo: header.echo,
        })
    }

    fn encode(&self, exchange: &Exchange<'_>, answer: &Message) -> Result<Draft, Fault> {
        let (echo, operation) = self.addressee(exchange);
        let operation = operation.ok_or_else(|| not_soap("the body is empty"))?;
        let written = self.envelope(exchange, &echo, self.replies.success(), |out| {
            let record = operation.reply.write(answer)?;
            out.extend(["<t:", &operation.name, "Response>"]);
            operation.reply.elements(&record, out)?;
            out.extend(["</t:", &operation.name, "Response>"]);
            Ok(())
        });
        let (body, receipt) = written.map_err(|error| error.in_reply())?;
        Ok(Draft {
            status: 200,
            headers: http::headers(exchange, CONTENT_TYPE, None),
            body,
            receipt,
        })
    }

    fn refuse(&self, exchange: &Exchange<'_>, fault: &Fault) -> Draft {
        let (echo, operation) = self.addressee(exchange);
        let outcome = self.replies.refusal(fault);
        let written = match operation {
            Some(operation) => self.envelope(exchange, &echo, outcome, |out| {
                out.extend(["<t:", &operation.name, "Response/>"]);
                Ok(())
            }),
            None => self.envelope(exchange, &echo, outcome, |out| {
                soap_fault(fault, out);
                Ok(())
            }),
        };
        // Only a text that XML cannot hold fails here; then the code goes without texts.
        let bare = Outcome { message: "", ..outcome };
        let written = written.or_else(|_| {
            self.envelope(exchange, &echo, bare, |out| {
                soap_fault(fault, out);
                Ok(())
            })
        });
        let (body, receipt) = written.unwrap_or((vec![], Slot::Header));
        Draft {
            status: if operation.is_some() { 200 } else { 500 },
            headers: http::headers(exchange, CONTENT_TYPE, Some(fault)),
            body,
            receipt,
        }
    }
}

/// SOAP 1.1, section 4.4.
fn soap_fault(fault: &Fault, out: &mut String) {
    let code = match (&*fault.code, fault.origin) {
        (WRONG_VERSION, _) => "VersionMismatch",
        (MUST_UNDERSTAND, _) => "MustUnderstand",
        (_, Origin::Caller) => "Client",
        (_, Origin::Gateway | Origin::Backend) => "Server",
    };
    out.extend(["<soap:Fault><faultcode>soap:", code, "</faultcode><faultstring>"]);
    let legal = |character: &char| crate::layout::xml_text::is_legal(*character);
    escape(out, &fault.public.chars().filter(legal).collect::<String>());
    out.push_str("</faultstring></soap:Fault>");
}

const WRONG_VERSION: &str = "wrong-soap-version";
const MUST_UNDERSTAND: &str = "must-understand";

fn not_soap(says: &str) -> Fault {
    Fault::new(Kind::Malformed, "malformed-soap", says)
}

fn wrong_version() -> Fault {
    let says = "the envelope is not one of SOAP 1.1";
    Fault::new(Kind::Malformed, WRONG_VERSION, says)
}

fn must_understand() -> Fault {
    let says = "a header must be understood and is not";
    Fault::new(Kind::Malformed, MUST_UNDERSTAND, says)
}

fn header_missing() -> Fault {
    let says = "the message has no `header` among its SOAP headers";
    Fault::new(Kind::Malformed, "header-missing", says)
}

fn xml_fault(error: XmlError) -> Fault {
    let code = match error {
        XmlError::NotUtf8 => "not-utf-8",
        XmlError::Doctype => "doctype-refused",
        XmlError::Entity => "entity-refused",
        XmlError::TooDeep | XmlError::TooManyAttributes => "too-complex",
        XmlError::ProcessingInstruction
        | XmlError::UnboundPrefix
        | XmlError::Character
        | XmlError::StrayText
        | XmlError::Syntax(_) => "malformed-xml",
    };
    Fault::new(Kind::Malformed, code, error.to_string())
}

fn content_fault(error: ContentError) -> Fault {
    match error {
        ContentError::Xml(error) => xml_fault(error),
        ContentError::Field(error) => error.in_request(),
    }
}
