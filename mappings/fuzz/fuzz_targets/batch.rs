#![no_main]

use mappings::FrontEntry;

libfuzzer_sys::fuzz_target!(|file: &[u8]| {
    let front = mappings_fuzz::front("welfare/city-b/v1");
    let FrontEntry::Batch(batch) = front else {
        panic!("not a batch front");
    };
    match batch.open(file) {
        Err(_) => mappings_fuzz::request(front, &[(":whole-file", "")], file),
        Ok(opened) => {
            let attributes = opened.attributes();
            let attributes: Vec<_> =
                attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            for record in &opened.records {
                mappings_fuzz::request(front, &attributes, record);
            }
        }
    }
});
