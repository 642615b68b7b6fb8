//! The WSDL 1.1 of a SOAP front, written from its compiled mapping: what is served is what is
//! read. Document/literal wrapped, elements qualified.
//!
//! Reply fields are all optional in the schema, since a refusal is a normal response without them;
//! so are the header's, since the refusal of a header that could not be read repeats nothing of it.

use super::SoapFront;
use crate::layout::xml::{XmlKind, escape};
use crate::operations::Operation;
use crate::rows::{Form, Row, Rows};

pub(crate) fn write(front: &SoapFront, location: &str) -> String {
    let mut wsdl = Wsdl { front, out: String::with_capacity(16 * 1024) };
    wsdl.definitions(location);
    wsdl.out
}

struct Wsdl<'f> {
    front: &'f SoapFront,
    out: String,
}

/// Whether a table's fields may all be absent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    AsDeclared,
    Optional,
}

impl Wsdl<'_> {
    fn push(&mut self, parts: &[&str]) {
        self.out.extend(parts.iter().copied());
    }

    fn definitions(&mut self, location: &str) {
        let namespace = escaped(&self.front.namespace);
        let evidence = escaped(&self.front.receipt_namespace);
        let service = escaped(&self.front.service);
        self.push(&[
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
            "<wsdl:definitions xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\"",
            " xmlns:soap=\"http://schemas.xmlsoap.org/wsdl/soap/\"",
            " xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"",
            " xmlns:t=\"",
            &namespace,
            "\" xmlns:n=\"",
            &evidence,
            "\"",
            " name=\"",
            &service,
            "\" targetNamespace=\"",
            &namespace,
            "\">\n<wsdl:types>\n",
        ]);
        self.schema(&namespace);
        self.push(&[
            "<xs:schema targetNamespace=\"", &evidence, "\" elementFormDefault=\"qualified\">\n",
            "<xs:element name=\"receipt\" type=\"xs:string\"/>\n</xs:schema>\n</wsdl:types>\n",
            "<wsdl:message name=\"header\"><wsdl:part name=\"header\" element=\"t:header\"/></wsdl:message>\n",
            "<wsdl:message name=\"receipt\"><wsdl:part name=\"receipt\" element=\"n:receipt\"/></wsdl:message>\n",
        ]);
        let front = self.front;
        for operation in front.operations.iter() {
            self.messages(&operation.name);
        }
        self.push(&["<wsdl:portType name=\"", &service, "Port\">\n"]);
        for operation in front.operations.iter() {
            self.port_operation(&operation.name);
        }
        self.push(&[
            "</wsdl:portType>\n<wsdl:binding name=\"", &service, "Binding\" type=\"t:", &service,
            "Port\">\n<soap:binding style=\"document\" transport=\"http://schemas.xmlsoap.org/soap/http\"/>\n",
        ]);
        for operation in front.operations.iter() {
            self.binding_operation(&operation.name);
        }
        self.push(&[
            "</wsdl:binding>\n<wsdl:service name=\"",
            &service,
            "\">\n<wsdl:port name=\"",
            &service,
            "Port\" binding=\"t:",
            &service,
            "Binding\"><soap:address location=\"",
            &escaped(location),
            "\"/></wsdl:port>\n</wsdl:service>\n</wsdl:definitions>\n",
        ]);
    }

    fn schema(&mut self, namespace: &str) {
        self.push(&[
            "<xs:schema targetNamespace=\"",
            namespace,
            "\" elementFormDefault=\"qualified\">\n",
        ]);
        let front = self.front;
        self.element_of("header", &front.header.rows, Presence::Optional);
        for Operation { name, request, reply, .. } in front.operations.iter() {
            self.element_of(name, request, Presence::AsDeclared);
            self.element_of(&format!("{name}Response"), reply, Presence::Optional);
        }
        self.push(&["</xs:schema>\n"]);
    }

    /// An element that holds the fields of a table.
    fn element_of(&mut self, name: &str, rows: &Rows<XmlKind>, presence: Presence) {
        self.push(&["<xs:element name=\"", name, "\">"]);
        self.content(rows, presence);
        self.push(&["</xs:element>\n"]);
    }

    fn content(&mut self, rows: &Rows<XmlKind>, presence: Presence) {
        self.push(&["<xs:complexType><xs:sequence>\n"]);
        for row in &rows.0 {
            self.field(row, presence);
        }
        self.push(&["</xs:sequence></xs:complexType>"]);
    }

    fn field(&mut self, row: &Row<XmlKind>, presence: Presence) {
        let optional = presence == Presence::Optional || !row.required;
        let occurs = if optional { " minOccurs=\"0\"" } else { "" };
        match &row.form {
            Form::Value { shape, .. } => {
                let kind = shape.name();
                self.push(&[
                    "<xs:element name=\"",
                    &row.name,
                    "\" type=\"xs:",
                    kind,
                    "\"",
                    occurs,
                    "/>\n",
                ]);
            }
            Form::List { rows, .. } => {
                let unbounded = " maxOccurs=\"unbounded\">";
                self.push(&["<xs:element name=\"", &row.name, "\"", occurs, unbounded]);
                self.content(rows, Presence::AsDeclared);
                self.push(&["</xs:element>\n"]);
            }
        }
    }

    fn messages(&mut self, name: &str) {
        for suffix in ["", "Response"] {
            self.push(&[
                "<wsdl:message name=\"",
                name,
                suffix,
                "\"><wsdl:part name=\"parameters\" element=\"t:",
                name,
                suffix,
                "\"/></wsdl:message>\n",
            ]);
        }
    }

    fn port_operation(&mut self, name: &str) {
        self.push(&[
            "<wsdl:operation name=\"",
            name,
            "\"><wsdl:input message=\"t:",
            name,
            "\"/><wsdl:output message=\"t:",
            name,
            "Response\"/></wsdl:operation>\n",
        ]);
    }

    fn binding_operation(&mut self, name: &str) {
        let header = "<soap:header message=\"t:header\" part=\"header\" use=\"literal\"/>";
        let receipt = "<soap:header message=\"t:receipt\" part=\"receipt\" use=\"literal\"/>";
        let body = "<soap:body use=\"literal\"/>";
        self.push(&[
            "<wsdl:operation name=\"",
            name,
            "\"><soap:operation soapAction=\"\"/>",
            "<wsdl:input>",
            header,
            body,
            "</wsdl:input>",
            "<wsdl:output>",
            header,
            receipt,
            body,
            "</wsdl:output></wsdl:operation>\n",
        ]);
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(&mut out, text);
    out
}
