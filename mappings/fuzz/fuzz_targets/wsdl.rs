#![no_main]

use mappings::import::wsdl::WsdlScaffold;
use mappings::import::{Documents, Refusal};

/// Every document that is asked for is the same one.
struct Same<'d>(&'d [u8]);

impl Documents for Same<'_> {
    fn read(&self, _: &str) -> Result<Vec<u8>, Refusal> {
        Ok(self.0.to_vec())
    }
}

libfuzzer_sys::fuzz_target!(|document: &[u8]| {
    let scaffold = WsdlScaffold {
        sector: "sector".into(),
        system: "system".into(),
        port: None,
        only: None,
        submits: vec![],
    };
    let _ = scaffold.write("first.wsdl", &Same(document));
});
