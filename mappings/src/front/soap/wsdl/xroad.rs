//! What X-Road adds to a WSDL (PR-MESS 3.2): the headers of each message, the version of a service,
//! and its title and notes for people.

use super::super::Shape;
use super::super::xroad::XRoad;
use crate::front::xml_schema::escaped;

/// The schemas of headers and identifiers (PR-MESS, annexes A and B), as far as messages have them.
pub(super) const SCHEMAS: &str = r#"<xs:schema targetNamespace="http://x-road.eu/xsd/identifiers" elementFormDefault="qualified">
<xs:simpleType name="XRoadObjectType"><xs:restriction base="xs:string"><xs:enumeration value="MEMBER"/><xs:enumeration value="SUBSYSTEM"/><xs:enumeration value="SERVICE"/></xs:restriction></xs:simpleType>
<xs:attribute name="objectType" type="id:XRoadObjectType"/>
<xs:element name="xRoadInstance" type="xs:string"/>
<xs:element name="memberClass" type="xs:string"/>
<xs:element name="memberCode" type="xs:string"/>
<xs:element name="subsystemCode" type="xs:string"/>
<xs:element name="serviceCode" type="xs:string"/>
<xs:element name="serviceVersion" type="xs:string"/>
<xs:complexType name="XRoadClientIdentifierType"><xs:sequence><xs:element ref="id:xRoadInstance"/><xs:element ref="id:memberClass"/><xs:element ref="id:memberCode"/><xs:element ref="id:subsystemCode" minOccurs="0"/></xs:sequence><xs:attribute ref="id:objectType" use="required"/></xs:complexType>
<xs:complexType name="XRoadServiceIdentifierType"><xs:sequence><xs:element ref="id:xRoadInstance"/><xs:element ref="id:memberClass"/><xs:element ref="id:memberCode"/><xs:element ref="id:subsystemCode" minOccurs="0"/><xs:element ref="id:serviceCode"/><xs:element ref="id:serviceVersion" minOccurs="0"/></xs:sequence><xs:attribute ref="id:objectType" use="required" fixed="SERVICE"/></xs:complexType>
</xs:schema>
<xs:schema targetNamespace="http://x-road.eu/xsd/xroad.xsd" elementFormDefault="qualified">
<xs:import namespace="http://x-road.eu/xsd/identifiers"/>
<xs:element name="client" type="id:XRoadClientIdentifierType"/>
<xs:element name="service" type="id:XRoadServiceIdentifierType"/>
<xs:element name="id" type="xs:string"/>
<xs:element name="userId" type="xs:string"/>
<xs:element name="issue" type="xs:string"/>
<xs:element name="protocolVersion" type="xs:string"/>
<xs:element name="version" type="xs:string"/>
<xs:element name="title" type="xs:string"/>
<xs:element name="notes" type="xs:string"/>
</xs:schema>
"#;

/// The headers that messages have, in the order in which most consumers send them.
const HEADERS: [&str; 6] = ["client", "service", "id", "userId", "issue", "protocolVersion"];

/// The message whose parts are the headers.
pub(super) fn header_message() -> String {
    let part = |name| format!("<wsdl:part name=\"{name}\" element=\"xrd:{name}\"/>");
    let parts: String = HEADERS.map(part).concat();
    format!("<wsdl:message name=\"requestheader\">{parts}</wsdl:message>\n")
}

/// The headers of a message in a binding.
pub(super) fn headers() -> String {
    let header = |name| {
        format!("<soap:header message=\"t:requestheader\" part=\"{name}\" use=\"literal\"/>")
    };
    HEADERS.map(header).concat()
}

/// `/definitions/binding/operation/xrd:version`
pub(super) fn version(xroad: &XRoad) -> String {
    let version = xroad.version.as_deref().map(escaped);
    version.map(|version| format!("<xrd:version>{version}</xrd:version>")).unwrap_or_default()
}

/// `/definitions/portType/operation/documentation`
pub(super) fn documentation(shape: &Shape) -> String {
    let element = |name: &str, text: &Option<String>| match text {
        Some(text) => format!("<xrd:{name}>{}</xrd:{name}>", escaped(text)),
        None => String::new(),
    };
    let texts = element("title", &shape.title) + &element("notes", &shape.notes);
    match texts.is_empty() {
        true => texts,
        false => format!(
            "<wsdl:documentation xmlns:xrd=\"http://x-road.eu/xsd/xroad.xsd\">{texts}\
             </wsdl:documentation>"
        ),
    }
}
