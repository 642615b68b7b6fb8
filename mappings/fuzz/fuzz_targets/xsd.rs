#![no_main]

use mappings::import::xml::XsdScaffold;
use mappings::import::{Documents, Refusal};

/// Every document that is asked for is the same one.
struct Same<'d>(&'d [u8]);

impl Documents for Same<'_> {
    fn read(&self, _: &str) -> Result<Vec<u8>, Refusal> {
        Ok(self.0.to_vec())
    }
}

libfuzzer_sys::fuzz_target!(|schema: &[u8]| {
    let scaffold = XsdScaffold {
        sector: "sector".into(),
        system: "system".into(),
        service: "service".into(),
        request: Some("Ask".into()),
        reply: Some("Answer".into()),
        submits: true,
    };
    let _ = scaffold.write("first.xsd", &Same(schema));
});
