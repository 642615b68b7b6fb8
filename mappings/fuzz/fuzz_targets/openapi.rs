#![no_main]

use mappings::import::openapi::OpenApiScaffold;

libfuzzer_sys::fuzz_target!(|document: &[u8]| {
    let scaffold = OpenApiScaffold { sector: "sector".into(), system: "system".into(), only: None };
    let _ = scaffold.write("openapi.yaml", document);
});
