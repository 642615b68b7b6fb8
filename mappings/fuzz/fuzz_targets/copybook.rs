#![no_main]

use mappings::import::copybook::CopybookScaffold;

libfuzzer_sys::fuzz_target!(|copybook: &[u8]| {
    let scaffold = CopybookScaffold {
        sector: "sector".into(),
        system: "system".into(),
        operation: "OP".into(),
        service: "service".into(),
        transaction: "CODE".into(),
        result: None,
        encoding: "cp949".into(),
        overpunch: Some("ascii".into()),
        alternatives: vec![],
    };
    let _ = scaffold.write(copybook);
});
