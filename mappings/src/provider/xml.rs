//! Plain XML over HTTP: a document there, a document back.

use gateway_core::adapter::Format;
use gateway_core::{Encoded, Message, Received};

use super::http::{self, is_success};
use super::verdict::{Refused, Said, Standing, Unreadable};
use super::{Saying, Wire};
use crate::format::ResultFormat;
use crate::layout::json::JsonKind;
use crate::layout::xml::{Locals, XmlKind, XmlWriter, escape};
use crate::layout::xml_text::{Node, Space, XmlReader};
use crate::rows::Rows;
use crate::unfit::FieldError;

pub(crate) struct XmlWire {
    /// None where the documents have no namespace.
    pub(crate) namespace: Option<String>,
    /// Others, by the prefixes that rows name them by.
    pub(crate) namespaces: Vec<(String, String)>,
    /// Whether the elements below a document's own are of its namespace.
    pub(crate) qualified: bool,
    pub(crate) headers: Rows<JsonKind>,
    pub(crate) result: Option<ResultFormat>,
}

impl Wire for XmlWire {
    type Shape = XmlKind;

    const FORMAT: Format = Format::Xml;

    fn write(&self, saying: &Saying<XmlKind>, message: &Message) -> Result<Encoded, FieldError> {
        let mut headers = http::headers(&self.headers, message)?;
        headers.push(("accept".into(), "application/xml, text/xml".into()));
        let mut record = saying.request.write(message)?;
        let path = saying.http.path(&saying.request, &mut record)?;
        let mut out = XmlWriter::default();
        if !saying.http.has_query() {
            headers.push(("content-type".into(), "application/xml; charset=utf-8".into()));
            out.text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?><");
            let prefix = self.prefix();
            out.text.extend([prefix, &saying.function]);
            if let Some(namespace) = &self.namespace {
                out.text.push_str(" xmlns:t=\"");
                escape(&mut out.text, namespace);
                out.text.push('"');
            }
            for (prefix, name) in &self.namespaces {
                out.text.extend([" xmlns:", prefix, "=\""]);
                escape(&mut out.text, name);
                out.text.push('"');
            }
            saying.request.write_attributes(&record, &mut out)?;
            out.text.push('>');
            saying.request.elements(&record, &mut out, self.locals())?;
            out.text.extend(["</", prefix, &saying.function, ">"]);
        }
        Ok(saying.http.request(path, headers, out.text.into_bytes()))
    }

    fn read(&self, saying: &Saying<XmlKind>, received: &Received) -> Result<Said, Unreadable> {
        let code = match &self.result {
            Some(result) => first_text(&received.body, &result.field),
            None => None,
        };
        if !is_success(received) {
            let status = received.status.unwrap_or_default();
            return Ok(Said::Refusal(Refused::by_status(status, code)));
        }
        if let Some(result) = &self.result {
            let code = code.ok_or(Unreadable::Form("the answer has no result code"))?;
            if !result.success.contains(&code) {
                return Ok(Said::Refusal(Refused::new([code], Standing::Unclear)));
            }
        }
        let target = self.namespace.as_deref().unwrap_or_default();
        let xml = XmlReader::new(&received.body, target)?;
        let xml = &mut xml.declaring(&self.namespaces);
        let space = if self.namespace.is_some() { Space::Target } else { Space::None };
        let root = match xml.structure()? {
            Node::Start(root) if root.space == space && root.name() == saying.answer => root,
            _ => return Err(Unreadable::Form("the answer is another document")),
        };
        let mut record = Vec::new();
        saying.reply.content(&root, xml, &mut record, self.locals())?;
        match xml.structure()? {
            Node::Eof => Ok(Said::Answer(saying.reply.read(&record)?)),
            _ => Err(Unreadable::Form("something follows the answer")),
        }
    }
}

impl XmlWire {
    fn prefix(&self) -> &'static str {
        if self.namespace.is_some() { "t:" } else { "" }
    }

    fn locals(&self) -> Locals {
        Locals { here: self.qualified, below: self.qualified }
    }
}

/// The text of the first element of this name, in a document that may be anything.
fn first_text(body: &[u8], name: &str) -> Option<String> {
    let mut xml = XmlReader::new(body, "").ok()?;
    loop {
        match xml.next().ok()? {
            Node::Start(element) if element.name() == name => {
                return Some(xml.text().ok()??.trim_ascii().to_owned());
            }
            Node::Eof => return None,
            _ => {}
        }
    }
}
