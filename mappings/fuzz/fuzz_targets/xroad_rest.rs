#![no_main]

// The first line is the path with its query, the rest the body; without a body it is a GET.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let Ok(target) = std::str::from_utf8(&input[..end]) else {
        return;
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let body = input.get(end + 1..).unwrap_or_default();
    let attributes = [
        (":method", if body.is_empty() { "GET" } else { "POST" }),
        (":path", path),
        (":query", query),
        ("content-type", "application/json"),
        ("x-road-client", "KR/COM/PORTAL/portal"),
    ];
    mappings_fuzz::request(mappings_fuzz::front("welfare/xroad-rest/v1"), &attributes, body);
});
