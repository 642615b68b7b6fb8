#![no_main]

// Which provider, which status, then what it sent.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let [provider, has_status, low, high, body @ ..] = input else { return };
    let status = (has_status & 1 == 1).then(|| u16::from_le_bytes([*low, *high]));
    mappings_fuzz::answer(*provider, status, body);
});
