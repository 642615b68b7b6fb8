//! WSDL 1.1 with SOAP 1.1 and 1.2 bindings → two mappings that load: a front, which serves the
//! contract to those who call it today, and a backend, which calls the one who provides it. SOAP
//! encoding is refused; what else a mapping cannot say is a comment in it.

mod contract;
mod definitions;
mod scaffold;

pub use scaffold::WsdlScaffold;

/// The namespace of WSDL 1.1.
const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
/// Those of its bindings for SOAP, and the version of SOAP of each.
const SOAP: [(&str, &str); 2] = [
    ("http://schemas.xmlsoap.org/wsdl/soap/", "1.1"),
    ("http://schemas.xmlsoap.org/wsdl/soap12/", "1.2"),
];
