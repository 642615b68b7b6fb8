#![no_main]

use mappings::{BatchLimits, FrontEntry};

const LIMITS: BatchLimits = BatchLimits { content_bytes: 1 << 24, record_bytes: 1 << 16 };

/// A file as it stands: CSV, fixed-length records, either of them as gzip.
fn file(id: &str, content: &[u8]) {
    let front = mappings_fuzz::front(id);
    let FrontEntry::Batch(batch) = front else {
        panic!("not a batch front");
    };
    let Ok(checked) = batch.check("", &LIMITS, || Ok(content)) else {
        return mappings_fuzz::request(front, &[(":whole-file", "")], content);
    };
    let attributes = checked.attributes().iter();
    let attributes: Vec<_> =
        attributes.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut records = batch.records(&checked, &LIMITS, content).expect("it was checked");
    while let Some(record) = records.next_record().expect("it was checked") {
        mappings_fuzz::request(front, &attributes, &record.bytes);
    }
}

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    file("welfare/city-b/v1", content);
    file("welfare/city-d/v1", content);
});
