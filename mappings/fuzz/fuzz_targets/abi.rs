#![no_main]

use mappings::import::abi::AbiScaffold;

libfuzzer_sys::fuzz_target!(|abi: &[u8]| {
    let scaffold = AbiScaffold { sector: "sector".into(), system: "system".into() };
    let _ = scaffold.write("abi.json", abi);
});
