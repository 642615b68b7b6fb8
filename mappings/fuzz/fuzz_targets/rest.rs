#![no_main]

const SERVICES: [&str; 5] =
    ["overlapCheck", "benefitApply", "benefitGrant", "benefitEnd", "history"];

// The first byte chooses the service.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let Some((first, body)) = input.split_first() {
        let service = SERVICES[usize::from(*first) % SERVICES.len()];
        let path = format!("/v1/welfare/{service}");
        let attributes = [(":path", path.as_str()), ("content-type", "application/json")];
        mappings_fuzz::request(mappings_fuzz::front("welfare/rest/v1"), &attributes, body);
    }
});
