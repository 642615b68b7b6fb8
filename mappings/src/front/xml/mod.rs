//! Plain XML over HTTP, as open data services and older systems have it: a document there, or the
//! parameters of a query, and a document back. What became of a request is said by a code, in the
//! reply's header or in a document of its own; the HTTP status is always 200.

pub(crate) mod encoding;
mod read;
mod schema;

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::front::{Draft, Exchange, Slot};
use gateway_core::{Envelope, Fault, Front, Inbound, Kind, Message};

use super::rest::unread;
use super::{http, losses};
use crate::faults::{FaultTable, Outcome};
use crate::header::{Content, Header, Times};
use crate::layout::xml::{Locals, XmlKind, XmlWriter, escape};
use crate::layout::xml_text::is_legal;
use crate::operations::Operations;
use crate::resources::Resources;
use crate::unfit::FieldError;
use encoding::DocumentEncoding;

/// One system's service in plain XML.
pub struct XmlFront {
    pub(crate) id: Arc<str>,
    pub(crate) service: String,
    /// None where the documents have no namespace.
    pub(crate) namespace: Option<String>,
    /// The first is written where a request names none.
    pub(crate) encodings: Vec<DocumentEncoding>,
    /// The parameter of the query that proves who calls.
    pub(crate) credential: Option<String>,
    /// Characters of the header `Idempotency-Key`; none where the key stands in the documents.
    pub(crate) key_max: Option<usize>,
    pub(crate) operations: Operations<XmlKind>,
    pub(crate) resources: Resources,
    /// By operation: the root of a request, and of a reply.
    pub(crate) roots: BTreeMap<Arc<str>, (String, String)>,
    pub(crate) reply: ReplyForm,
    pub(crate) refusal: RefusalForm,
    pub(crate) success: ResultCode,
    /// Instead of `success` where the reply tells of a loss.
    pub(crate) lossy: Option<ResultCode>,
    pub(crate) faults: FaultTable<ResultCode>,
}

/// How a reply's document is made.
pub(crate) struct ReplyForm {
    pub(crate) header: Header<XmlKind>,
    /// The element around the header's fields; they stand in the root where there is none.
    pub(crate) header_element: Option<String>,
    /// The element around the answer's fields.
    pub(crate) body_element: Option<String>,
}

impl ReplyForm {
    /// Whether a reply without an answer can say why.
    fn says_result(&self) -> bool {
        self.header.roles.iter().any(|role| matches!(role.reply, Content::ResultCode))
    }
}

/// The document that says why there is no reply.
pub(crate) struct RefusalForm {
    pub(crate) root: String,
    pub(crate) header: Header<XmlKind>,
    pub(crate) header_element: Option<String>,
}

/// A code, and what it is called.
#[derive(Clone)]
pub(crate) struct ResultCode {
    pub(crate) code: String,
    pub(crate) name: String,
}

impl ResultCode {
    /// `20 SERVICE_ACCESS_DENIED_ERROR`, or the code alone.
    pub(crate) fn parse(text: &str) -> Self {
        let (code, name) = text.split_once(' ').unwrap_or((text, ""));
        Self { code: code.to_owned(), name: name.trim().to_owned() }
    }

    fn outcome<'a>(&'a self, message: &'a str) -> Outcome<'a> {
        Outcome { code: &self.code, name: &self.name, message }
    }
}

impl XmlFront {
    /// The `{service}` of `/xml/{service}/…`.
    pub fn service_name(&self) -> &str {
        &self.service
    }

    /// The XML Schema of one operation's documents; nothing for what is no operation here.
    pub fn xsd(&self, operation: &str) -> Option<String> {
        schema::of(self, operation)
    }

    fn locals(&self) -> Locals {
        let qualified = self.namespace.is_some();
        Locals { here: qualified, below: qualified }
    }

    fn prefix(&self) -> &'static str {
        if self.namespace.is_some() { "t:" } else { "" }
    }

    /// Writes a document: what `content` writes, in the root.
    fn document(
        &self,
        encoding: DocumentEncoding,
        root: &str,
        content: impl FnOnce(&mut XmlWriter) -> Result<(), FieldError>,
    ) -> Result<Vec<u8>, FieldError> {
        let mut out = XmlWriter::default();
        let prefix = self.prefix();
        out.text.extend(["<?xml version=\"1.0\" encoding=\"", encoding.name(), "\"?><", prefix]);
        out.text.push_str(root);
        if let Some(namespace) = &self.namespace {
            out.text.push_str(" xmlns:t=\"");
            escape(&mut out.text, namespace);
            out.text.push('"');
        }
        out.text.push('>');
        content(&mut out)?;
        out.text.extend(["</", prefix, root, ">"]);
        Ok(encoding.encode(out.text))
    }

    /// Writes the fields of a header, within its element where it has one.
    fn header(
        &self,
        header: &Header<XmlKind>,
        element: Option<&str>,
        exchange: &Exchange<'_>,
        outcome: Outcome<'_>,
        out: &mut XmlWriter,
    ) -> Result<(), FieldError> {
        let times = Times { received: exchange.inbound.received, sent: exchange.now };
        let nothing = Message::new();
        let record = header.reply(&nothing, outcome, times);
        match element {
            Some(name) => header.rows.element([self.prefix(), name], &record, out, self.locals()),
            None => header.rows.elements(&record, out, self.locals()),
        }
    }

    /// The root of a reply that says what the provider refused: to the caller that is an answer of
    /// the service. Everything else is refused in a document of its own.
    fn refused_root(&self, exchange: &Exchange<'_>, fault: &Fault) -> Option<&str> {
        if fault.kind != Kind::BackendRefused || !self.reply.says_result() {
            return None;
        }
        let operation = self.operations.of(&exchange.envelope?.service).ok()?;
        self.roots.get(&operation.name).map(|(_, reply)| reply.as_str())
    }

    fn draft(
        exchange: &Exchange<'_>,
        encoding: DocumentEncoding,
        body: Vec<u8>,
        fault: Option<&Fault>,
    ) -> Draft {
        let media = format!("application/xml; charset={}", encoding.name());
        let headers = http::headers(exchange, &media, fault);
        Draft { status: 200, headers, body, receipt: Slot::Header }
    }
}

impl Front for XmlFront {
    fn name(&self) -> &str {
        "xml"
    }

    fn mapping(&self) -> &str {
        &self.id
    }

    fn decode(&self, inbound: &Inbound) -> Result<Envelope, Fault> {
        self.read(inbound)
    }

    fn encode(&self, exchange: &Exchange<'_>, answer: &Message) -> Result<Draft, Fault> {
        let envelope = exchange.envelope.ok_or_else(unread)?;
        let operation = self.operations.of(&envelope.service)?;
        let (_, root) = self.roots.get(&operation.name).ok_or_else(unread)?;
        let encoding = encoding::of_reply(exchange.inbound, &self.encodings);
        let form = &self.reply;
        let losses = losses::gather(exchange, &operation.reply, answer);
        let success = self.lossy.as_ref().filter(|_| !losses.is_empty()).unwrap_or(&self.success);
        let written = self.document(encoding, root, |out| {
            let outcome = success.outcome(&success.name);
            self.header(&form.header, form.header_element.as_deref(), exchange, outcome, out)?;
            let record = operation.reply.write(answer)?;
            match &form.body_element {
                Some(name) => {
                    operation.reply.element([self.prefix(), name], &record, out, self.locals())
                }
                None => operation.reply.elements(&record, out, self.locals()),
            }
        });
        let body = written.map_err(|error| error.in_reply())?;
        let mut draft = Self::draft(exchange, encoding, body, None);
        losses::report(&losses, &mut draft.headers);
        Ok(draft)
    }

    fn refuse(&self, exchange: &Exchange<'_>, fault: &Fault) -> Draft {
        let encoding = encoding::of_reply(exchange.inbound, &self.encodings);
        let says: String = fault.public.chars().filter(|one| is_legal(*one)).collect();
        let outcome = self.faults.code(fault).outcome(&says);
        let (reply, refusal) = (&self.reply, &self.refusal);
        let (root, header, element) = match self.refused_root(exchange, fault) {
            Some(root) => (root, &reply.header, &reply.header_element),
            None => (refusal.root.as_str(), &refusal.header, &refusal.header_element),
        };
        let element = element.as_deref();
        let write = |out: &mut XmlWriter| self.header(header, element, exchange, outcome, out);
        // The texts are legal, and a header's fields want nothing else.
        let body = self.document(encoding, root, write).unwrap_or_default();
        Self::draft(exchange, encoding, body, Some(fault))
    }
}

#[cfg(test)]
mod tests;
