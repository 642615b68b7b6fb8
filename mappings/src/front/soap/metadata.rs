//! X-Road's metaservices over SOAP (PR-META 3 and 4): which services a provider has, which of them a
//! client may call, and their WSDL. They describe; they are no exchange, and nothing personal is in
//! them.

use std::sync::Arc;

use gateway_core::front::{Draft, Exchange};
use gateway_core::{Envelope, Fault, Inbound, Kind, Message, Service};

use super::super::http;
use super::fault::not_soap;
use super::media::{self, Packaging};
use super::read::Reading;
use super::xroad::{self, XRoad};
use super::{Addressee, SoapFront, Version};
use crate::front::xml_fault::xml_fault;
use crate::layout::xml::{XmlWriter, escape};
use crate::layout::xml_text::{Element, Node, Space, XmlReader};

/// What no service of a provider may be called.
pub(crate) const METASERVICES: [&str; 3] = ["listMethods", "allowedMethods", "getWsdl"];

/// A metaservice, as a body asks for it.
#[derive(Debug)]
pub(crate) enum Metaservice {
    ListMethods,
    AllowedMethods,
    GetWsdl { code: String, version: Option<String> },
}

impl Metaservice {
    fn name(&self) -> &'static str {
        match self {
            Self::ListMethods => "listMethods",
            Self::AllowedMethods => "allowedMethods",
            Self::GetWsdl { .. } => "getWsdl",
        }
    }

    /// Reads the element of the body just begun.
    pub(super) fn read(wrapper: &Element<'_>, xml: &mut XmlReader<'_>) -> Result<Self, Fault> {
        let asked = match wrapper.name() {
            "listMethods" => Self::ListMethods,
            "allowedMethods" => Self::AllowedMethods,
            "getWsdl" => return Self::read_wsdl(xml),
            _ => return Err(not_soap("the body asks for no service and no metaservice")),
        };
        match xml.structure().map_err(xml_fault)? {
            Node::End => Ok(asked),
            _ => Err(not_soap("the element of a metaservice is not empty")),
        }
    }

    fn read_wsdl(xml: &mut XmlReader<'_>) -> Result<Self, Fault> {
        let (mut code, mut version) = (None, None);
        while let Node::Start(field) = xml.structure().map_err(xml_fault)? {
            let place = match (field.space, field.name()) {
                (Space::XRoad, "serviceCode") if code.is_none() => &mut code,
                (Space::XRoad, "serviceVersion") if version.is_none() => &mut version,
                _ => return Err(not_soap("the body of getWsdl holds what does not belong there")),
            };
            let text = xml.text().map_err(xml_fault)?;
            *place = text.map(|text| text.into_owned()).filter(|text| !text.is_empty());
        }
        let code = code.ok_or_else(|| not_soap("the body of getWsdl names no service"))?;
        Ok(Self::GetWsdl { code, version })
    }
}

/// A request for metadata about one provider.
pub struct SoapMetadata<'f> {
    front: &'f SoapFront,
    xroad: &'f XRoad,
    asked: Metaservice,
    member: String,
    subsystem: Option<String>,
    echo: Message,
}

/// What a security server writes where the provider's address was, which is nobody's business.
const LOCATION: &str = "http://example.org/xroad-endpoint";

impl SoapFront {
    /// Whether its messages are those of X-Road.
    pub fn is_xroad(&self) -> bool {
        self.xroad.is_some()
    }

    /// Whether a request names this provider.
    pub fn is_addressed(&self, inbound: &Inbound) -> bool {
        let mut reading = Reading::default();
        // Only the headers are wanted, whatever the body is.
        let _ = self.read(inbound, &mut reading);
        let named = reading.xroad.service.map(|service| service.provider);
        self.xroad.as_ref().is_some_and(|xroad| named.as_ref() == Some(&xroad.provider))
    }

    /// The metaservice that a request asks for; nothing when it asks for a service.
    pub fn metadata(&self, inbound: &Inbound) -> Option<Result<SoapMetadata<'_>, Fault>> {
        let xroad = self.xroad.as_ref()?;
        // Most requests are none, and are not read twice.
        let body = std::str::from_utf8(&inbound.body).ok()?;
        if !METASERVICES.iter().any(|name| body.contains(name)) {
            return None;
        }
        let mut reading = Reading::default();
        let read = self.read(inbound, &mut reading);
        let asked = reading.metaservice.take()?;
        Some(read.and_then(|()| {
            let checked = xroad.check(&reading.xroad)?;
            if checked.service.service_code != asked.name() {
                let says = "the headers name another service than the body";
                return Err(Fault::new(Kind::Malformed, "headers-inconsistent", says));
            }
            let subsystem = checked.subsystem.map(str::to_owned);
            let (member, echo) = (checked.member, xroad::repeated(&reading));
            Ok(SoapMetadata { front: self, xroad, asked, member, subsystem, echo })
        }))
    }
}

impl SoapMetadata<'_> {
    /// Envelopes of every service of the provider, to ask of each whether the client may call it.
    /// Empty unless the answer depends on that (`allowedMethods`).
    pub fn probes(&self) -> Vec<Envelope> {
        match self.asked {
            Metaservice::AllowedMethods => {
                self.operations().map(|(_, service)| self.probe(service)).collect()
            }
            Metaservice::ListMethods | Metaservice::GetWsdl { .. } => vec![],
        }
    }

    fn probe(&self, service: Arc<Service>) -> Envelope {
        Envelope {
            service,
            message: Message::new(),
            idempotency_key: None,
            credential: None,
            claimed_member: Some(self.member.clone()),
            claimed_subsystem: self.subsystem.clone(),
            endpoint: None,
            mapping: self.front.id.clone(),
            echo: Message::new(),
        }
    }

    fn operations(&self) -> impl Iterator<Item = (&str, Arc<Service>)> {
        self.front.shapes.iter().filter_map(|shape| {
            let operation = self.front.operations.named(&shape.operation)?;
            Some((shape.request.as_str(), operation.service.clone()))
        })
    }

    /// The reply. `is_allowed` is asked for `allowedMethods` alone.
    ///
    /// # Errors
    /// `Unroutable` when a WSDL is asked for of a service that is not here.
    pub fn answer(
        &self,
        exchange: &Exchange<'_>,
        is_allowed: impl Fn(&Service) -> bool,
    ) -> Result<Draft, Fault> {
        let listed = |service: &Service| match self.asked {
            Metaservice::AllowedMethods => is_allowed(service),
            Metaservice::ListMethods | Metaservice::GetWsdl { .. } => true,
        };
        if let Metaservice::GetWsdl { code, version } = &self.asked
            && (*version != self.xroad.version || self.operations().all(|(name, _)| name != code))
        {
            let says = "there is no such service here";
            return Err(Fault::new(Kind::Unroutable, "unknown-service", says));
        }
        let to = Addressee {
            version: Version::V11,
            packaging: Packaging::Attached,
            echo: self.echo.clone(),
            operation: None,
            upgrades: false,
        };
        let written = self.front.write(exchange, &to, None, "", |out| {
            out.text.extend(["<xrd:", self.asked.name(), "Response>"]);
            match &self.asked {
                Metaservice::GetWsdl { code, .. } => self.attach(code, exchange, out),
                Metaservice::ListMethods | Metaservice::AllowedMethods => {
                    let services = self.operations().filter(|(_, service)| listed(service));
                    services.for_each(|(code, _)| self.identify(code, &mut out.text));
                }
            }
            out.text.extend(["</xrd:", self.asked.name(), "Response>"]);
            Ok(())
        });
        let (text, receipt) = written.map_err(|error| error.in_reply())?;
        let (media, body, receipt) =
            media::pack(to.version, to.packaging, exchange.id, text, receipt);
        Ok(Draft { status: 200, headers: http::headers(exchange, &media, None), body, receipt })
    }

    fn identify(&self, code: &str, out: &mut String) {
        let provider = &self.xroad.provider;
        out.push_str("<xrd:service id:objectType=\"SERVICE\">");
        let codes = [
            ("xRoadInstance", Some(&provider.instance)),
            ("memberClass", Some(&provider.member_class)),
            ("memberCode", Some(&provider.member_code)),
            ("subsystemCode", provider.subsystem_code.as_ref()),
        ];
        for (name, code) in codes {
            element("id", name, code.map(String::as_str), out);
        }
        element("id", "serviceCode", Some(code), out);
        element("id", "serviceVersion", self.xroad.version.as_deref(), out);
        out.push_str("</xrd:service>");
    }

    /// The WSDL is an attachment that the envelope does not refer to.
    fn attach(&self, code: &str, exchange: &Exchange<'_>, out: &mut XmlWriter) {
        element("xrd", "serviceCode", Some(code), &mut out.text);
        element("xrd", "serviceVersion", self.xroad.version.as_deref(), &mut out.text);
        let id = format!("wsdl={}@naru", exchange.id);
        let wsdl = self.front.wsdl(LOCATION).into_bytes();
        out.attachments.push((id, "text/xml; charset=utf-8".to_owned(), wsdl));
    }
}

fn element(prefix: &str, name: &str, text: Option<&str>, out: &mut String) {
    if let Some(text) = text {
        out.extend(["<", prefix, ":", name, ">"]);
        escape(out, text);
        out.extend(["</", prefix, ":", name, ">"]);
    }
}
