//! The WSDL 1.1 of a SOAP front, written from its compiled mapping: what is served is what is
//! read, for every style and version. The types of its messages are in [`schema`].
//!
//! Where a refusal is a normal response, its fields are all optional in the schema; so are the
//! header's, since the refusal of a header that could not be read repeats nothing of it.

mod schema;
mod xroad;

use super::{Shape, SoapFront, Style, Version};
use crate::front::xml_schema::escaped;
use crate::layout::xml_text::{XROAD, XROAD_IDENTIFIERS};

pub(crate) fn write(front: &SoapFront, location: &str) -> String {
    let mut wsdl = Wsdl { front, out: String::with_capacity(16 * 1024) };
    wsdl.definitions(location);
    wsdl.out
}

struct Wsdl<'f> {
    front: &'f SoapFront,
    out: String,
}

/// The namespace of a version's extensions of WSDL.
fn extension(version: Version) -> &'static str {
    match version {
        Version::V11 => "http://schemas.xmlsoap.org/wsdl/soap/",
        Version::V12 => "http://schemas.xmlsoap.org/wsdl/soap12/",
    }
}

impl Wsdl<'_> {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn definitions(&mut self, location: &str) {
        let front = self.front;
        let (namespace, service) = (escaped(&front.namespace), escaped(&front.service));
        self.push(&format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <wsdl:definitions xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\"\
             {} xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns:t=\"{namespace}\" \
             name=\"{service}\" targetNamespace=\"{namespace}\">\n",
            self.prefixes(),
        ));
        self.push("<wsdl:types>\n");
        self.push(&schema::write(front));
        if front.xroad.is_some() {
            self.push(xroad::SCHEMAS);
        }
        self.push("</wsdl:types>\n");
        self.messages();
        self.push(&format!("<wsdl:portType name=\"{service}Port\">\n"));
        for shape in &front.shapes {
            self.port_operation(shape);
        }
        self.push("</wsdl:portType>\n");
        for (index, version) in front.versions.iter().enumerate() {
            self.binding(*version, &format!("{service}Binding{}", suffix(index, *version)));
        }
        self.push(&format!("<wsdl:service name=\"{service}\">\n"));
        for (index, version) in front.versions.iter().enumerate() {
            let suffix = suffix(index, *version);
            self.push(&format!(
                "<wsdl:port name=\"{service}Port{suffix}\" binding=\"t:{service}Binding{suffix}\">\
                 <soap:address xmlns:soap=\"{}\" location=\"{}\"/></wsdl:port>\n",
                extension(*version),
                escaped(location),
            ));
        }
        self.push("</wsdl:service>\n</wsdl:definitions>\n");
    }

    /// What not every service needs.
    fn prefixes(&self) -> String {
        let mut prefixes = match self.front.xroad {
            Some(_) => format!(" xmlns:xrd=\"{XROAD}\" xmlns:id=\"{XROAD_IDENTIFIERS}\""),
            None => format!(" xmlns:n=\"{}\"", escaped(&self.front.receipt_namespace)),
        };
        if self.front.addressing {
            prefixes.push_str(" xmlns:wsam=\"http://www.w3.org/2007/05/addressing/metadata\"");
        }
        for (prefix, name) in &self.front.namespaces {
            prefixes.push_str(&format!(" xmlns:{prefix}=\"{}\"", escaped(name)));
        }
        prefixes
    }

    fn messages(&mut self) {
        let front = self.front;
        let own = format!("t:{}", front.header_element);
        let mut parts = vec![];
        match front.xroad {
            Some(_) => self.push(&xroad::header_message()),
            None => parts.push(("receipt", "n:receipt")),
        }
        if front.header.is_some() {
            parts.push(("header", own.as_str()));
        }
        if front.writes_faults() {
            parts.push(("fault", "t:fault"));
        }
        for (name, element) in parts {
            self.push(&format!(
                "<wsdl:message name=\"{name}\"><wsdl:part name=\"{name}\" element=\"{element}\"/>\
                 </wsdl:message>\n"
            ));
        }
        for shape in &front.shapes {
            let Some(operation) = front.operations.named(&shape.operation) else {
                continue;
            };
            let sides = [
                ("", &shape.request, &operation.request),
                ("Response", &shape.reply, &operation.reply),
            ];
            for (suffix, element, rows) in sides {
                self.push(&format!("<wsdl:message name=\"{}{suffix}\">", shape.operation));
                match front.style {
                    Style::Wrapped | Style::Bare => self
                        .push(&format!("<wsdl:part name=\"parameters\" element=\"t:{element}\"/>")),
                    Style::Rpc => {
                        for row in &rows.0 {
                            self.push(&format!(
                                "<wsdl:part name=\"{}\" type=\"t:{element}.{}\"/>",
                                row.name, row.name
                            ));
                        }
                    }
                }
                self.push("</wsdl:message>\n");
            }
        }
    }

    fn port_operation(&mut self, shape: &Shape) {
        let name = &shape.operation;
        let (mut input, mut output) = (String::new(), String::new());
        if self.front.addressing {
            let action = escaped(&self.front.action(shape));
            input = format!(" wsam:Action=\"{action}\"");
            output = format!(" wsam:Action=\"{action}Response\"");
        }
        let documentation = xroad::documentation(shape);
        self.push(&format!(
            "<wsdl:operation name=\"{name}\">{documentation}<wsdl:input message=\"t:{name}\"{input}/>\
             <wsdl:output message=\"t:{name}Response\"{output}/>"
        ));
        if self.front.writes_faults() {
            self.push("<wsdl:fault name=\"fault\" message=\"t:fault\"/>");
        }
        self.push("</wsdl:operation>\n");
    }

    fn binding(&mut self, version: Version, name: &str) {
        let front = self.front;
        let style = if front.style == Style::Rpc { "rpc" } else { "document" };
        self.push(&format!(
            "<wsdl:binding xmlns:soap=\"{}\" name=\"{name}\" type=\"t:{}Port\">\n\
             <soap:binding style=\"{style}\" \
             transport=\"http://schemas.xmlsoap.org/soap/http\"/>\n",
            extension(version),
            escaped(&front.service),
        ));
        if front.addressing {
            self.push(
                "<wsaw:UsingAddressing xmlns:wsaw=\"http://www.w3.org/2006/05/addressing/wsdl\" \
                 wsdl:required=\"false\"/>\n",
            );
        }
        for shape in &front.shapes {
            self.binding_operation(shape);
        }
        self.push("</wsdl:binding>\n");
    }

    fn binding_operation(&mut self, shape: &Shape) {
        let front = self.front;
        let action = match (front.addressing, shape.action.is_empty()) {
            (false, true) => String::new(),
            _ => escaped(&front.action(shape)),
        };
        let header = |name: &str| {
            format!("<soap:header message=\"t:{name}\" part=\"{name}\" use=\"literal\"/>")
        };
        let own = front.header.as_ref().map(|_| header("header")).unwrap_or_default();
        let receipt = header("receipt");
        let (own, answered, version) = match &front.xroad {
            Some(xroad) => (xroad::headers(), xroad::headers(), xroad::version(xroad)),
            None => (own.clone(), own + &receipt, String::new()),
        };
        let body = match front.style {
            Style::Rpc => {
                let namespace = escaped(&front.namespace);
                format!("<soap:body use=\"literal\" namespace=\"{namespace}\"/>")
            }
            Style::Wrapped | Style::Bare => "<soap:body use=\"literal\"/>".to_owned(),
        };
        self.push(&format!(
            "<wsdl:operation name=\"{}\"><soap:operation soapAction=\"{action}\"/>\
             {version}<wsdl:input>{body}{own}</wsdl:input>\
             <wsdl:output>{body}{answered}</wsdl:output>",
            shape.operation,
        ));
        if front.writes_faults() {
            self.push(
                "<wsdl:fault name=\"fault\"><soap:fault name=\"fault\" use=\"literal\"/>\
                 </wsdl:fault>",
            );
        }
        self.push("</wsdl:operation>\n");
    }
}

/// The first version's binding and port have the plain names.
fn suffix(index: usize, version: Version) -> &'static str {
    match (index, version) {
        (0, _) => "",
        (_, Version::V11) => "11",
        (_, Version::V12) => "12",
    }
}
