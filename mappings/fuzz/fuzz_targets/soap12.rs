#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    mappings_fuzz::request(mappings_fuzz::front("welfare/soap12/v1"), &[], body);
});
