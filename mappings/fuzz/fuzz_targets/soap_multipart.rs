#![no_main]

const CONTENT_TYPE: &str = "multipart/related; boundary=b; type=\"application/xop+xml\"";

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    let attributes = [("content-type", CONTENT_TYPE)];
    mappings_fuzz::request(mappings_fuzz::front("welfare/soap12/v1"), &attributes, body);
});
