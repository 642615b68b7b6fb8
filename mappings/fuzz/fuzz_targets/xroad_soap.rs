#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    mappings_fuzz::request(mappings_fuzz::front("welfare/xroad-soap/v1"), &[], body);
});
