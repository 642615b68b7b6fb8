//! An envelope, read strictly: one header before one body, one element in the body, nothing after.

use gateway_core::{Fault, Inbound, Kind, Message, Personal, Value};
use jiff::Timestamp;

use super::addressing::Addressing;
use super::fault::{addressing_fault, must_understand, not_soap, wrong_version};
use super::media::{self, Packaging};
use super::metadata::Metaservice;
use super::version::Version;
use super::xroad::XRoadHeaders;
use super::{MESSAGE_ID, PACKAGING, REFERENCE, Shape, SoapFront, VERSION};
use crate::front::xml_fault::{content_fault, xml_fault};
use crate::layout::xml::{Locals, XmlKind};
use crate::layout::xml_text::{Element, Node, Space, XmlReader};
use crate::operations::Operation;
use crate::rows::Record;

/// What was read of a request, as far as it came.
#[derive(Default)]
pub(crate) struct Reading<'f, 'i> {
    pub(crate) version: Option<Version>,
    pub(crate) packaging: Packaging,
    pub(crate) header: Option<Record<'i>>,
    pub(crate) addressing: Addressing,
    pub(crate) xroad: XRoadHeaders,
    pub(crate) metaservice: Option<Metaservice>,
    /// The bytes of the envelope, and when they had arrived.
    pub(crate) document: &'i [u8],
    pub(crate) received: Timestamp,
    pub(crate) operation: Option<(&'f Operation<XmlKind>, &'f Shape)>,
    pub(crate) body: Record<'i>,
}

impl Reading<'_, '_> {
    /// Notes what a reply needs to know where it differs from what most requests have.
    pub(crate) fn keep(&self, echo: &mut Message) {
        let mut note = |name, text: &str| echo.set(name, Value::Text(text.to_owned()));
        if let Some(version) = self.version.filter(|version| *version != Version::V11) {
            note(VERSION, version.name());
        }
        if self.packaging != Packaging::Plain {
            note(PACKAGING, self.packaging.name());
        }
        if self.addressing.is_used() {
            note(MESSAGE_ID, self.addressing.message_id.as_deref().unwrap_or_default());
            // Nobody knows what a caller puts there.
            let reference = Personal::new(self.addressing.reference.clone());
            echo.set(REFERENCE, Value::Personal(reference));
        }
    }
}

impl SoapFront {
    /// Reads a request. `reading` keeps what was read when the rest cannot be.
    pub(crate) fn read<'f: 'i, 'i>(
        &'f self,
        inbound: &'i Inbound,
        reading: &mut Reading<'f, 'i>,
    ) -> Result<(), Fault> {
        let package = media::unpack(inbound, self.attachments)?;
        reading.packaging = package.packaging;
        reading.document = package.envelope;
        let xml = XmlReader::new(package.envelope, &self.namespace).map_err(xml_fault)?;
        let xml = &mut xml.declaring(&self.namespaces).attaching(package.attachments);
        let root = match xml.structure().map_err(xml_fault)? {
            Node::Start(root) if root.name() == "Envelope" => root.space,
            _ => return Err(not_soap("the document is not a SOAP envelope")),
        };
        let version = Version::of(root);
        reading.version = version;
        let version = version.filter(|version| self.versions.contains(version));
        let version = version.ok_or_else(|| wrong_version(&self.versions))?;
        if package.declared.is_some_and(|declared| declared != version) {
            return Err(media::unsupported("is that of another version than the envelope's"));
        }
        self.read_parts(xml, version, reading)?;
        match xml.has_used_attachments() {
            true => Ok(()),
            false => {
                let says = "an attachment is not referred to by the envelope";
                Err(Fault::new(Kind::Malformed, "attachment-unused", says))
            }
        }
    }

    fn read_parts<'f: 'i, 'i>(
        &'f self,
        xml: &mut XmlReader<'i>,
        version: Version,
        reading: &mut Reading<'f, 'i>,
    ) -> Result<(), Fault> {
        let (mut has_header, mut has_body) = (false, false);
        while let Node::Start(part) = xml.structure().map_err(xml_fault)? {
            match part.name() {
                "Header" if part.space == version.space() && !has_header && !has_body => {
                    has_header = true;
                    self.read_headers(xml, reading)?;
                }
                "Body" if part.space == version.space() && !has_body => {
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

    fn read_headers<'f: 'i, 'i>(
        &'f self,
        xml: &mut XmlReader<'i>,
        reading: &mut Reading<'f, 'i>,
    ) -> Result<(), Fault> {
        while let Node::Start(entry) = xml.structure().map_err(xml_fault)? {
            if self.xroad.is_some() {
                reading.xroad.read(&entry, xml)?;
                continue;
            }
            match (entry.space, entry.name(), &self.header) {
                (Space::Target, name, Some(_)) if name == self.header_element => {
                    self.read_header(&entry, xml, reading)?;
                }
                (Space::Addressing, _, _) if self.addressing => {
                    let read = reading.addressing.read(&entry, xml);
                    read.map_err(addressing_fault)?;
                }
                _ if entry.must_understand => return Err(must_understand()),
                _ => xml.skip().map_err(xml_fault)?,
            }
        }
        Ok(())
    }

    /// The mapping's own header.
    fn read_header<'f: 'i, 'i>(
        &'f self,
        entry: &Element<'i>,
        xml: &mut XmlReader<'i>,
        reading: &mut Reading<'f, 'i>,
    ) -> Result<(), Fault> {
        let Some(header) = self.header.as_ref().filter(|_| reading.header.is_none()) else {
            return Err(not_soap("a second `header`"));
        };
        let record = reading.header.insert(Record::new());
        let read = header.rows.content(entry, xml, record, Locals::QUALIFIED);
        read.map_err(content_fault)
    }

    fn read_body<'f: 'i, 'i>(
        &'f self,
        xml: &mut XmlReader<'i>,
        reading: &mut Reading<'f, 'i>,
    ) -> Result<(), Fault> {
        let Node::Start(wrapper) = xml.structure().map_err(xml_fault)? else {
            return Err(not_soap("the body is empty"));
        };
        if self.xroad.is_some() && wrapper.space == Space::XRoad {
            reading.metaservice = Some(Metaservice::read(&wrapper, xml)?);
            return end_of_body(xml);
        }
        let is_ours =
            |shape: &&Shape| wrapper.space == Space::Target && shape.request == wrapper.name();
        let shape = self.shapes.iter().find(is_ours);
        let operation = self.operations.find(shape.map_or("", |shape| &shape.operation))?;
        reading.operation = shape.map(|shape| (operation, shape));
        let read = operation.request.content(&wrapper, xml, &mut reading.body, self.locals());
        read.map_err(content_fault)?;
        end_of_body(xml)
    }
}

fn end_of_body(xml: &mut XmlReader<'_>) -> Result<(), Fault> {
    match xml.structure().map_err(xml_fault)? {
        Node::End => Ok(()),
        _ => Err(not_soap("the body holds more than one element")),
    }
}
