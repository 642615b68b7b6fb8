#![no_main]

const SERVICES: [&str; 4] = ["overlapCheck", "benefitApply", "benefitGrant", "history"];
const TYPES: [&str; 3] = ["application/xml", "text/xml; charset=utf-8", "text/xml; charset=euc-kr"];

// The first byte chooses the operation, the encoding, and whether it is a document or a query.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else {
        return;
    };
    let chosen = usize::from(*first);
    let path = format!("/xml/welfare/{}", SERVICES[chosen % SERVICES.len()]);
    let front = mappings_fuzz::front("welfare/open-data/v1");
    match std::str::from_utf8(rest) {
        Ok(query) if chosen >= 128 => {
            let attributes = [(":method", "GET"), (":path", path.as_str()), (":query", query)];
            mappings_fuzz::request(front, &attributes, b"");
        }
        _ => {
            let media_type = TYPES[chosen / SERVICES.len() % TYPES.len()];
            let attributes = [(":path", path.as_str()), ("content-type", media_type)];
            mappings_fuzz::request(front, &attributes, rest);
        }
    }
});
