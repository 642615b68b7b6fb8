//! A request: its operation by method and path, its fields in the document or in the query.

use std::borrow::Cow;

use gateway_core::{Envelope, Fault, Inbound, Kind, Message};
use zeroize::Zeroizing;

use super::{XmlFront, encoding};
use crate::front::http;
use crate::front::json_call::{missed, query_fault};
use crate::front::xml_fault::{content_fault, xml_fault};
use crate::layout::xml::XmlKind;
use crate::layout::xml_text::{Node, Space, XmlReader};
use crate::operations::Operation;
use crate::resources::{Found, QueryError, read_query};
use crate::rows::Record;
use crate::xroad::percent_decode;

impl XmlFront {
    pub(super) fn read(&self, inbound: &Inbound) -> Result<Envelope, Fault> {
        let method = inbound.attributes.get(":method").map_or("POST", String::as_str);
        let found = self.resources.find(method, self.path(inbound)).map_err(missed)?;
        let operation = self.operations.find(&found.resource.operation)?;
        let query = inbound.attributes.get(":query").map_or("", String::as_str);
        let (credential, query) = self.split_credential(query)?;
        let (message, key) = if found.resource.method.has_body() {
            if !query.is_empty() {
                return Err(query_fault(QueryError::Unknown));
            }
            let text = encoding::decode(inbound, &self.encodings)?;
            let record = self.document_of(&text, operation)?;
            finish(operation, found, record)?
        } else {
            if !inbound.body.is_empty() {
                let says = "a request by this method has no body";
                return Err(Fault::new(Kind::Malformed, "body-unexpected", says));
            }
            let record = read_query(&operation.request, &query).map_err(query_fault)?;
            finish(operation, found, record)?
        };
        let idempotency_key = match self.key_max {
            Some(max) => http::idempotency_key(inbound, max)?,
            None => key,
        };
        Ok(Envelope {
            service: operation.service.clone(),
            message,
            idempotency_key,
            credential,
            claimed_member: None,
            claimed_subsystem: None,
            endpoint: None,
            mapping: self.id.clone(),
            echo: Message::new(),
        })
    }

    /// What follows `/xml/{service}` in the path that was sent.
    fn path<'i>(&self, inbound: &'i Inbound) -> &'i str {
        let path = inbound.attributes.get(":path").map_or("", String::as_str);
        let below = path.strip_prefix("/xml/").and_then(|path| path.strip_prefix(&*self.service));
        below.unwrap_or_default()
    }

    /// Takes the caller's credential out of a query. Services differ in how they write its name's
    /// first letter, and callers know both.
    fn split_credential<'q>(
        &self,
        query: &'q str,
    ) -> Result<(Option<Zeroizing<String>>, Cow<'q, str>), Fault> {
        let Some(name) = &self.credential else {
            return Ok((None, Cow::Borrowed(query)));
        };
        let named = |pair: &&str| {
            pair.split_once('=').is_some_and(|(given, _)| given.eq_ignore_ascii_case(name))
        };
        let (mine, others): (Vec<_>, Vec<_>) = query.split('&').partition(named);
        let credential = match mine.as_slice() {
            [] => None,
            [pair] => {
                let value = pair.split_once('=').map_or("", |(_, value)| value);
                let value =
                    percent_decode(value).ok_or_else(|| query_fault(QueryError::Encoding))?;
                Some(Zeroizing::new(value))
            }
            _ => {
                let says = format!("the parameter `{name}` stands there twice");
                return Err(Fault::new(Kind::Malformed, "field-repeated", says));
            }
        };
        Ok((credential, Cow::Owned(others.join("&"))))
    }

    /// The fields of a request's document.
    fn document_of<'i>(
        &'i self,
        text: &'i str,
        operation: &'i Operation<XmlKind>,
    ) -> Result<Record<'i>, Fault> {
        let target = self.namespace.as_deref().unwrap_or_default();
        let xml = &mut XmlReader::of_text(text, target).map_err(xml_fault)?;
        let space = if self.namespace.is_some() { Space::Target } else { Space::None };
        let wanted = self.roots.get(&operation.name).map_or("", |(request, _)| request);
        let root = match xml.structure().map_err(xml_fault)? {
            Node::Start(root) if root.space == space && root.name() == wanted => root,
            _ => {
                let says = format!("the root of the document is not `{wanted}`");
                return Err(Fault::new(Kind::Malformed, "other-document", says));
            }
        };
        let mut record = Record::new();
        let read = operation.request.content(&root, xml, &mut record, self.locals());
        read.map_err(content_fault)?;
        match xml.structure().map_err(xml_fault)? {
            Node::Eof => Ok(record),
            _ => Err(xml_fault(xml.syntax())),
        }
    }
}

/// Adds what stands in the path: the message, and the key that its fields are.
fn finish(
    operation: &Operation<XmlKind>,
    mut found: Found<'_>,
    mut record: Record<'_>,
) -> Result<(Message, Option<String>), Fault> {
    let filled = found.fill(&operation.request, &mut record);
    filled.map_err(|error| error.in_request())?;
    let message = operation.request.read(&record).map_err(|error| error.in_request())?;
    let key = operation.key(&Record::new(), &record);
    Ok((message, key))
}
