//! SOAP 1.1 and 1.2 to a provider: a header of the mapping's own (eGovFrame's), or X-Road's, or none;
//! one element with the fields as its children, whatever it is called: wrapped or bare.

use std::fmt::Write;

use gateway_core::adapter::Format;
use gateway_core::{Encoded, Message, Received, Value};

use super::http::is_success;
use super::verdict::{Refused, Said, Standing, Unreadable};
use super::{Saying, Wire};
use crate::format::ResultFormat;
use crate::front::soap::Version;
use crate::layout::xml::{Locals, XmlKind, XmlWriter, escape};
use crate::layout::xml_text::{Node, Space, XROAD, XROAD_IDENTIFIERS, XmlReader};
use crate::rows::Wire as Field;
use crate::rows::{Record, Rows};
use crate::unfit::FieldError;

pub(crate) struct SoapWire {
    pub(crate) version: Version,
    pub(crate) namespace: String,
    /// Others, by the prefixes that rows name them by.
    pub(crate) namespaces: Vec<(String, String)>,
    pub(crate) locals: Locals,
    pub(crate) header: Option<OwnHeader>,
    pub(crate) x_road: Option<XRoad>,
    pub(crate) result: Option<ResultFormat>,
}

/// A header element with fields of its own.
pub(crate) struct OwnHeader {
    pub(crate) element: String,
    pub(crate) request: Rows<XmlKind>,
    pub(crate) reply: Rows<XmlKind>,
}

/// X-Road's message protocol for SOAP 4.0, section 2.3.
pub(crate) struct XRoad {
    /// Instance, class, member and perhaps subsystem.
    pub(crate) client: Vec<String>,
    pub(crate) provider: Vec<String>,
    pub(crate) service_version: Option<String>,
}

/// The fields of HTTP around an envelope (SOAP 1.1, section 6; SOAP 1.2 Part 2, section 7.1.4).
fn headers(version: Version, action: &str) -> Vec<(String, String)> {
    let mut headers = vec![("accept".into(), "text/xml, application/soap+xml".into())];
    let mut media_type = format!("{}; charset=utf-8", version.media_type());
    match version {
        Version::V11 => headers.push(("soapaction".into(), format!("\"{action}\""))),
        Version::V12 if action.is_empty() => {}
        Version::V12 => {
            // Writing to a string does not fail.
            let _ = write!(media_type, "; action=\"{action}\"");
        }
    }
    headers.push(("content-type".into(), media_type));
    headers
}

impl XRoad {
    fn write(&self, function: &str, message: &Message, out: &mut String) {
        let text = |name: &str| message.get(name).and_then(Value::as_text).unwrap_or_default();
        let own = |out: &mut String, name: &str, text: &str| {
            out.extend(["<x:", name, ">"]);
            escape(out, text);
            out.extend(["</x:", name, ">"]);
        };
        let client = self.client.iter().map(String::as_str);
        identifier(out, "client", if self.client.len() < 4 { "MEMBER" } else { "SUBSYSTEM" }, {
            ["xRoadInstance", "memberClass", "memberCode", "subsystemCode"].into_iter().zip(client)
        });
        let names = match self.provider.len() {
            0..=3 => &["xRoadInstance", "memberClass", "memberCode"][..],
            _ => &["xRoadInstance", "memberClass", "memberCode", "subsystemCode"][..],
        };
        let provider = names.iter().copied().zip(self.provider.iter().map(String::as_str));
        let version = self.service_version.as_deref().map(|version| ("serviceVersion", version));
        let service = provider.chain([("serviceCode", function)]).chain(version);
        identifier(out, "service", "SERVICE", service);
        own(out, "id", text("$exchange"));
        own(out, "userId", text("$caller"));
        own(out, "protocolVersion", "4.0");
    }
}

fn identifier<'a>(
    out: &mut String,
    name: &str,
    kind: &str,
    parts: impl Iterator<Item = (&'a str, &'a str)>,
) {
    out.extend(["<x:", name, " i:objectType=\"", kind, "\">"]);
    for (name, text) in parts {
        out.extend(["<i:", name, ">"]);
        escape(out, text);
        out.extend(["</i:", name, ">"]);
    }
    out.extend(["</x:", name, ">"]);
}

impl Wire for SoapWire {
    type Shape = XmlKind;

    const FORMAT: Format = Format::Soap;

    fn write(&self, saying: &Saying<XmlKind>, message: &Message) -> Result<Encoded, FieldError> {
        let mut writer = XmlWriter::default();
        let out = &mut writer.text;
        out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?><soap:Envelope xmlns:soap=\"");
        out.push_str(self.version.namespace());
        out.push_str("\" xmlns:t=\"");
        escape(out, &self.namespace);
        for (prefix, name) in &self.namespaces {
            out.extend(["\" xmlns:", prefix, "=\""]);
            escape(out, name);
        }
        if self.x_road.is_some() {
            out.extend(["\" xmlns:x=\"", XROAD, "\" xmlns:i=\"", XROAD_IDENTIFIERS]);
        }
        out.push_str("\"><soap:Header>");
        if let Some(x_road) = &self.x_road {
            x_road.write(&saying.function, message, out);
        }
        if let Some(header) = &self.header {
            let record = header.request.write(message)?;
            header.request.element(["t:", &header.element], &record, &mut writer, self.locals)?;
        }
        writer.text.push_str("</soap:Header><soap:Body>");
        let record = saying.request.write(message)?;
        saying.request.element(["t:", &saying.function], &record, &mut writer, self.locals)?;
        writer.text.push_str("</soap:Body></soap:Envelope>");
        let action = saying.http.action.as_deref().unwrap_or_default();
        let path = saying.http.path(&saying.request, &mut Record::new())?;
        Ok(saying.http.request(path, headers(self.version, action), writer.text.into_bytes()))
    }

    fn read(&self, saying: &Saying<XmlKind>, received: &Received) -> Result<Said, Unreadable> {
        match self.read_envelope(saying, received) {
            // Where the status says that it failed, a page of some proxy is no wonder.
            Err(_) if !is_success(received) => {
                let status = received.status.unwrap_or_default();
                Ok(Said::Refusal(Refused::by_status(status, [])))
            }
            read => read,
        }
    }
}

impl SoapWire {
    fn read_envelope(
        &self,
        saying: &Saying<XmlKind>,
        received: &Received,
    ) -> Result<Said, Unreadable> {
        let xml = XmlReader::new(&received.body, &self.namespace)?;
        let xml = &mut xml.declaring(&self.namespaces);
        let soap = self.version.space();
        match xml.structure()? {
            Node::Start(root) if root.name() == "Envelope" && root.space == soap => {}
            _ => return Err(Unreadable::Form("the answer is no SOAP envelope of this version")),
        }
        let mut header = None;
        let said = loop {
            let Node::Start(part) = xml.structure()? else {
                return Err(Unreadable::Form("the answer has no body"));
            };
            match part.name() {
                "Header" if part.space == soap => header = self.read_header(xml)?,
                "Body" if part.space == soap => {
                    break self.read_body(saying, header.as_ref(), xml)?;
                }
                _ => return Err(Unreadable::Form("the envelope holds what does not belong in it")),
            }
        };
        if let Said::Refusal(_) = said {
            return Ok(said);
        }
        for _ in ["body", "envelope"] {
            let Node::End = xml.structure()? else {
                return Err(Unreadable::Form("something follows the answer"));
            };
        }
        match xml.structure()? {
            Node::Eof => Ok(said),
            _ => Err(Unreadable::Form("something follows the envelope")),
        }
    }

    /// The mapping's own header; those of others are not for us.
    fn read_header<'i>(&self, xml: &mut XmlReader<'i>) -> Result<Option<Record<'i>>, Unreadable> {
        let mut found = None;
        while let Node::Start(entry) = xml.structure()? {
            match &self.header {
                Some(own) if entry.space == Space::Target && entry.name() == own.element => {
                    let mut record = Record::new();
                    own.reply.content(&entry, xml, &mut record, self.locals)?;
                    found = Some(record);
                }
                _ => xml.skip()?,
            }
        }
        Ok(found)
    }

    fn read_body(
        &self,
        saying: &Saying<XmlKind>,
        header: Option<&Record<'_>>,
        xml: &mut XmlReader<'_>,
    ) -> Result<Said, Unreadable> {
        let Node::Start(answer) = xml.structure()? else {
            return Err(Unreadable::Form("the answer's body is empty"));
        };
        if answer.space == self.version.space() && answer.name() == "Fault" {
            return Ok(Said::Refusal(read_fault(xml)?));
        }
        if let Some(refused) = self.refused(header)? {
            return Ok(Said::Refusal(refused));
        }
        if answer.space != Space::Target || answer.name() != saying.answer {
            return Err(Unreadable::Form("the answer is of another operation"));
        }
        let mut record = Record::new();
        saying.reply.content(&answer, xml, &mut record, self.locals)?;
        Ok(Said::Answer(saying.reply.read(&record)?))
    }

    /// What the header's result code says, where the provider has one.
    fn refused(&self, header: Option<&Record<'_>>) -> Result<Option<Refused>, Unreadable> {
        let (Some(own), Some(result)) = (&self.header, &self.result) else {
            return Ok(None);
        };
        let record = header.ok_or(Unreadable::Form("the answer has no header"))?;
        own.reply.read(record)?;
        let at = own.reply.position(&result.field);
        match at.and_then(|at| record.get(at)?.as_ref()) {
            Some(Field::Text(code)) if result.success.iter().any(|good| *good == **code) => {
                Ok(None)
            }
            Some(Field::Text(code)) => {
                Ok(Some(Refused::new([code.to_string()], Standing::Unclear)))
            }
            _ => Err(Unreadable::Form("the answer has no result code")),
        }
    }
}

/// SOAP 1.1, section 4.4; SOAP 1.2 Part 1, section 5.4. A refusal is named by the element of its
/// detail, as WSDL declares faults, then by the code within the code, then by the code.
fn read_fault(xml: &mut XmlReader<'_>) -> Result<Refused, Unreadable> {
    let mut path: Vec<String> = Vec::new();
    let (mut code, mut subcode, mut detail) = (String::new(), String::new(), None);
    loop {
        match xml.next()? {
            Node::Start(element) => {
                let in_detail = path.len() == 1 && path.iter().all(|name| is_detail(name));
                if in_detail && detail.is_none() {
                    detail = Some(element.name().to_owned());
                }
                path.push(element.name().to_owned());
            }
            Node::Text(text) => match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["faultcode"] | ["Code", "Value"] => code.push_str(&text),
                ["Code", "Subcode", "Value"] => subcode.push_str(&text),
                _ => {}
            },
            Node::End if path.pop().is_none() => break,
            Node::End => {}
            Node::Eof => return Err(Unreadable::Form("the fault is cut off")),
        }
    }
    let local = |name: &str| {
        let name = name.trim_ascii();
        name.rsplit_once(':').map_or(name, |(_, local)| local).to_owned()
    };
    let code = local(&code);
    let class = code.split('.').next().unwrap_or_default();
    let standing = match class {
        "Client" | "Sender" | "VersionMismatch" | "MustUnderstand" => Standing::NotDone,
        _ => Standing::Unclear,
    };
    let names = detail.into_iter().chain([local(&subcode), code]);
    Ok(Refused::new(names, standing))
}

fn is_detail(name: &str) -> bool {
    matches!(name, "detail" | "Detail")
}
