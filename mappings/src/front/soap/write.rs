//! A reply's envelope around its body: the headers, and the receipt's place among them.

use gateway_core::front::{Exchange, Slot};

use super::media::Packaging;
use super::version::Version;
use super::{Addressee, MESSAGE_ID, REFERENCE, SoapFront, addressing, xroad};
use crate::faults::Outcome;
use crate::header::Times;
use crate::layout::xml::{Locals, XmlWriter, escape};
use crate::layout::xml_text::{XROAD, XROAD_IDENTIFIERS};
use crate::unfit::FieldError;

/// An envelope and where its receipt goes.
pub(crate) type Written = (XmlWriter, Slot);

impl SoapFront {
    /// Writes an envelope with what `body` writes.
    pub(crate) fn write(
        &self,
        exchange: &Exchange<'_>,
        to: &Addressee<'_>,
        outcome: Option<Outcome<'_>>,
        action: &str,
        body: impl FnOnce(&mut XmlWriter) -> Result<(), FieldError>,
    ) -> Result<Written, FieldError> {
        let mut out = XmlWriter {
            text: String::with_capacity(2048),
            packages: to.packaging == Packaging::Xop,
            attachments: Vec::new(),
        };
        self.open(to.version, &mut out.text);
        out.text.push_str("<soap:Header>");
        if to.upgrades {
            self.upgrade(&mut out.text);
        }
        if let (Some(header), Some(outcome)) = (&self.header, outcome) {
            let times = Times { received: exchange.inbound.received, sent: exchange.now };
            let record = header.reply(&to.echo, outcome, times);
            let element = ["t:", &self.header_element];
            header.rows.element(element, &record, &mut out, Locals::QUALIFIED)?;
        }
        if let Some(related) = to.echoed(MESSAGE_ID) {
            let reference = to.echoed(REFERENCE).unwrap_or_default();
            let related = Some(related).filter(|id| !id.is_empty());
            addressing::write(action, related, reference, exchange.id, &mut out.text);
        }
        let receipt = match self.xroad {
            // A consumer of X-Road knows its headers and no others.
            Some(_) => {
                xroad::write(to, &mut out.text);
                Slot::Header
            }
            None => {
                out.text.push_str("<n:receipt>");
                let receipt = Slot::Insert(out.text.len());
                out.text.push_str("</n:receipt>");
                receipt
            }
        };
        out.text.push_str("</soap:Header><soap:Body>");
        body(&mut out)?;
        out.text.push_str("</soap:Body></soap:Envelope>");
        Ok((out, receipt))
    }

    /// The versions that are spoken here (SOAP 1.2 Part 1, section 5.4.7).
    fn upgrade(&self, out: &mut String) {
        out.extend(["<u:Upgrade xmlns:u=\"", Version::V12.namespace(), "\">"]);
        for version in &self.versions {
            out.extend(["<u:SupportedEnvelope xmlns:e=\"", version.namespace()]);
            out.push_str("\" qname=\"e:Envelope\"/>");
        }
        out.push_str("</u:Upgrade>");
    }

    /// Up to the header.
    fn open(&self, version: Version, out: &mut String) {
        out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?><soap:Envelope xmlns:soap=\"");
        out.push_str(version.namespace());
        let own = match self.xroad {
            Some(_) => [("t", self.namespace.as_str()), ("xrd", XROAD), ("id", XROAD_IDENTIFIERS)],
            None => [("t", &*self.namespace), ("n", &*self.receipt_namespace), ("", "")],
        };
        let own = own.into_iter().filter(|(prefix, _)| !prefix.is_empty());
        let others = self.namespaces.iter().map(|(prefix, name)| (prefix.as_str(), name.as_str()));
        for (prefix, name) in own.chain(others) {
            out.extend(["\" xmlns:", prefix, "=\""]);
            escape(out, name);
        }
        out.push_str("\">");
    }
}
