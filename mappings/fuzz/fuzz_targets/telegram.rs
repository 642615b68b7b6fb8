#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    mappings_fuzz::request(mappings_fuzz::front("welfare/city-a/v1"), &[], body);
    mappings_fuzz::request(mappings_fuzz::front("welfare/city-c/v1"), &[], body);
});
