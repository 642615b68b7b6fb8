//! The Ministry of Health and Welfare: SOAP 1.1, document/literal wrapped, with the eGovFrame
//! `header` element. Written from `mappings/catalog/welfare/mohw/v1/README.md`.

use reqwest::Client;
use roxmltree::{Document, Node};

use super::CallError;
use crate::people::Benefit;

/// The service's target namespace.
const SERVICE: &str = "urn:kr:go:mohw:welfare:v1";
/// The namespace of the receipt header.
const EVIDENCE: &str = "urn:naru:evidence:v1";
/// The namespace of SOAP 1.1.
const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";

/// The ministry's client of the gateway.
#[derive(Clone, Debug)]
pub struct Ministry {
    client: Client,
    url: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct SoapReply {
    /// HTTP status.
    pub status: u16,
    /// `resultCode` of the header.
    pub code: String,
    /// `resultMessage` of the header.
    pub message: String,
    /// The receipt header.
    pub receipt: Option<String>,
    /// The reply fields that have text, in order; those of a list one after the other.
    pub fields: Vec<(String, String)>,
}

impl SoapReply {
    /// The text of the first field of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(field, _)| field == name);
        found.map(|(_, text)| text.as_str())
    }

    /// How many fields have this name.
    pub fn count(&self, name: &str) -> usize {
        self.fields.iter().filter(|(field, _)| field == name).count()
    }

    /// Reads a reply.
    ///
    /// # Errors
    /// When it is no XML or has no eGovFrame header.
    pub fn parse(status: u16, text: &str) -> Result<Self, CallError> {
        let document = Document::parse(text)?;
        let root = document.root();
        let find = |name| root.descendants().find(|node| node.has_tag_name(name));
        let header = find((SERVICE, "header")).ok_or(CallError::Missing("header"))?;
        let code = child(header, "resultCode").ok_or(CallError::Missing("resultCode"))?;
        let body = find((SOAP, "Body")).ok_or(CallError::Missing("Body"))?;
        let leaf =
            |node: &Node<'_, '_>| node.is_element() && !node.children().any(|c| c.is_element());
        let fields = body.descendants().filter(leaf).filter_map(|node| {
            let text = node.text()?;
            Some((node.tag_name().name().to_owned(), text.to_owned()))
        });
        Ok(Self {
            status,
            code,
            message: child(header, "resultMessage").unwrap_or_default(),
            receipt: find((EVIDENCE, "receipt"))
                .and_then(|node| Some(node.text()?.trim().to_owned())),
            fields: fields.collect(),
        })
    }
}

impl Ministry {
    /// A client that presents itself by `client`'s certificate, if it has one, at `url`.
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Calls an operation with its fields, in order.
    ///
    /// # Errors
    /// When no reply comes or it is no SOAP.
    pub async fn call(
        &self,
        operation: &str,
        fields: &[(&str, String)],
    ) -> Result<SoapReply, CallError> {
        let response = self
            .client
            .post(&self.url)
            .header("content-type", "text/xml; charset=utf-8")
            .header("soapaction", "\"\"")
            .body(envelope(operation, fields))
            .send()
            .await?;
        let status = response.status().as_u16();
        SoapReply::parse(status, &response.text().await?)
    }
}

/// The fields of `benefitApply` and, with an application, of `benefitGrant`.
pub fn benefit_fields(
    request: &str,
    benefit: &Benefit,
    application: Option<&str>,
) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("requestNumber", request.to_owned()),
        ("residentNumber", benefit.person.resident_number.to_owned()),
        ("name", benefit.person.name.to_owned()),
        ("programmeCode", benefit.programme.ministry().to_owned()),
        ("startDate", benefit.from.to_owned()),
        ("endDate", benefit.to.to_owned()),
        ("monthlyAmount", benefit.monthly_amount.to_string()),
    ];
    fields.extend(application.map(|id| ("applicationId", id.to_owned())));
    fields
}

/// A whole request.
pub fn envelope(operation: &str, fields: &[(&str, String)]) -> String {
    let header = [
        ("integrationId", "INT00001"),
        ("providerOrganizationId", "NARU0001"),
        ("providerSystemId", "NARUSYS1"),
        ("providerServiceId", operation),
        ("consumerOrganizationId", "MOHW0001"),
        ("consumerSystemId", "MOHWSYS1"),
        ("requestSendTime", "2026-03-02T09:00:00+09:00"),
    ];
    let header: String = header.iter().map(|(name, text)| element(name, text)).collect();
    let body: String = fields.iter().map(|(name, text)| element(name, text)).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <soapenv:Envelope xmlns:soapenv=\"{SOAP}\" xmlns:w=\"{SERVICE}\">\n\
         <soapenv:Header>\n<w:header>\n{header}</w:header>\n</soapenv:Header>\n\
         <soapenv:Body>\n<w:{operation}>\n{body}</w:{operation}>\n</soapenv:Body>\n\
         </soapenv:Envelope>\n"
    )
}

fn element(name: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!("  <w:{name}>{text}</w:{name}>\n")
}

fn child(parent: Node<'_, '_>, name: &str) -> Option<String> {
    let found = parent.children().find(|node| node.has_tag_name((SERVICE, name)));
    Some(found?.text()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::{HONG, Programme};

    #[test]
    fn a_request_holds_its_fields_in_order() {
        let benefit = Benefit {
            person: HONG,
            programme: Programme::HousingBenefit,
            from: "2026-01-01",
            to: "2026-12-31",
            monthly_amount: 310_000,
        };
        let text = envelope("benefitGrant", &benefit_fields("R&1", &benefit, Some("ab")));
        let document = Document::parse(&text).unwrap();
        let operation = document
            .descendants()
            .find(|node| node.has_tag_name((SERVICE, "benefitGrant")))
            .unwrap();
        let fields: Vec<_> = operation
            .children()
            .filter(Node::is_element)
            .map(|node| (node.tag_name().name(), node.text().unwrap()))
            .collect();
        assert_eq!(
            fields,
            [
                ("requestNumber", "R&1"),
                ("residentNumber", "9001011234567"),
                ("name", "홍길동"),
                ("programmeCode", "HSG"),
                ("startDate", "2026-01-01"),
                ("endDate", "2026-12-31"),
                ("monthlyAmount", "310000"),
                ("applicationId", "ab"),
            ]
        );
    }

    #[test]
    fn a_reply_is_read_whatever_its_prefixes() {
        let text = format!(
            "<e:Envelope xmlns:e='{SOAP}'><e:Header><header xmlns='{SERVICE}'>\
             <resultCode>0000</resultCode><resultMessage/></header>\
             <n:receipt xmlns:n='{EVIDENCE}'>abc</n:receipt></e:Header><e:Body>\
             <historyResponse xmlns='{SERVICE}'><count>2</count>\
             <benefit><benefitId>x</benefitId></benefit><benefit><benefitId>y</benefitId></benefit>\
             </historyResponse></e:Body></e:Envelope>"
        );
        let reply = SoapReply::parse(200, &text).unwrap();
        assert_eq!((reply.code.as_str(), reply.receipt.as_deref()), ("0000", Some("abc")));
        assert_eq!(reply.field("count"), Some("2"));
        assert_eq!(reply.count("benefitId"), 2);
    }
}
