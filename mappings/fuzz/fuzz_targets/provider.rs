#![no_main]

// Which provider, which status, then what it sent.
libfuzzer_sys::fuzz_target!(|input: (u8, Option<u16>, &[u8])| {
    let (provider, status, body) = input;
    mappings_fuzz::answer(provider, status, body);
});
