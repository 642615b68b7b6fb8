//! Every fuzz target on its corpus and on seeded mutations of it, on the stable compiler: what
//! `make fuzz` would find in its first moments fails here. Nothing may panic.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "this is a test")]

// The targets are written against these two crates; here both are this one.
extern crate self as libfuzzer_sys;
extern crate self as mappings_fuzz;

#[path = "../fuzz/lib.rs"]
#[allow(unreachable_pub, reason = "it is a library in the fuzzer's build")]
mod driver;

pub(crate) use driver::{answer, front, grpc, request};

/// As of `libfuzzer_sys`: the target becomes a function.
#[macro_export]
macro_rules! fuzz_target {
    (|$input:ident: &[u8]| $body:expr) => {
        pub(crate) fn run($input: &[u8]) {
            $body
        }
    };
}

#[path = "../fuzz/fuzz_targets/abi.rs"]
#[allow(unused_attributes, reason = "`no_main` is for the fuzzer's build")]
mod abi;
#[path = "../fuzz/fuzz_targets/batch.rs"]
#[allow(unused_attributes, reason = "`no_main` is for the fuzzer's build")]
mod batch;
#[path = "../fuzz/fuzz_targets/copybook.rs"]
#[allow(unused_attributes, reason = "`no_main` is for the fuzzer's build")]
mod copybook;
#[path = "../fuzz/fuzz_targets/framing.rs"]
#[allow(unused_attributes, reason = "`no_main` is for the fuzzer's build")]
mod framing;
#[path = "../fuzz/fuzz_targets/grpc.rs"]
#[allow(unused_attributes, reason = "`no_main` is for the fuzzer's build")]
mod grpc;
#[path = "../fuzz/fuzz_targets/openapi.rs"]
#[allow(unused_attributes, reason = "`no_main` is for the fuzzer's build")]
mod openapi;
#[path = "../fuzz/fuzz_targets/provider.rs"]
#[allow(unused_attributes, reason = "`no_main` is for the fuzzer's build")]
mod provider;
#[path = "../fuzz/fuzz_targets/rest.rs"]
#[allow(unused_attributes, reason = "`no_main` is for the fuzzer's build")]
mod rest;
#[path = "../fuzz/fuzz_targets/soap.rs"]
#[allow(unused_attributes, reason = "`no_main` is for the fuzzer's build")]
mod soap;
#[path = "../fuzz/fuzz_targets/soap12.rs"]
#[allow(unused_attributes, reason = "`no_main` is for the fuzzer's build")]
mod soap12;
#[path = "../fuzz/fuzz_targets/soap_multipart.rs"]
#[allow(unused_attributes, reason = "`no_main` is for the fuzzer's build")]
mod soap_multipart;
#[path = "../fuzz/fuzz_targets/telegram.rs"]
#[allow(unused_attributes, reason = "`no_main` is for the fuzzer's build")]
mod telegram;
#[path = "../fuzz/fuzz_targets/wsdl.rs"]
#[allow(unused_attributes, reason = "`no_main` is for the fuzzer's build")]
mod wsdl;
#[path = "../fuzz/fuzz_targets/xml.rs"]
#[allow(unused_attributes, reason = "`no_main` is for the fuzzer's build")]
mod xml;
#[path = "../fuzz/fuzz_targets/xroad_rest.rs"]
#[allow(unused_attributes, reason = "`no_main` is for the fuzzer's build")]
mod xroad_rest;
#[path = "../fuzz/fuzz_targets/xroad_soap.rs"]
#[allow(unused_attributes, reason = "`no_main` is for the fuzzer's build")]
mod xroad_soap;
#[path = "../fuzz/fuzz_targets/xsd.rs"]
#[allow(unused_attributes, reason = "`no_main` is for the fuzzer's build")]
mod xsd;

/// A target by its name.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 17] = [
    ("abi", abi::run),
    ("batch", batch::run),
    ("copybook", copybook::run),
    ("framing", framing::run),
    ("grpc", grpc::run),
    ("openapi", openapi::run),
    ("provider", provider::run),
    ("rest", rest::run),
    ("soap", soap::run),
    ("soap12", soap12::run),
    ("soap_multipart", soap_multipart::run),
    ("telegram", telegram::run),
    ("wsdl", wsdl::run),
    ("xml", xml::run),
    ("xroad_rest", xroad_rest::run),
    ("xroad_soap", xroad_soap::run),
    ("xsd", xsd::run),
];

/// Mutations of each file of a corpus.
const MUTATIONS: u32 = 60;

/// A generator of numbers that needs no quality (Marsaglia, 2003), the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or_default() % limit.max(1)
    }
}

/// A few changes such as a fuzzer makes: bits, cuts, doublings, and pieces that formats trip on.
fn mutated(input: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    const PIECES: [&[u8]; 10] = [
        b"\0",
        b"\xff",
        b"\xb0",
        b"\"",
        b"<!--",
        b"]]>",
        b"&#0;",
        b"\r\n",
        b"99999999999999999999",
        b"\xed\x95\x9c",
    ];
    let mut bytes = input.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len() + 1);
        match numbers.below(5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            1 => bytes.truncate(at),
            2 => drop(bytes.splice(at..at, PIECES[numbers.below(PIECES.len())].iter().copied())),
            3 => bytes.extend_from_within(at..),
            _ => drop(bytes.drain(at..at + numbers.below((bytes.len() - at).min(16)))),
        }
        bytes.truncate(1 << 14);
    }
    bytes
}

#[test]
fn no_target_panics_on_its_corpus_or_near_it() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, run) in TARGETS {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        let mut files = 0;
        for entry in std::fs::read_dir(corpus.join(name)).expect("a target has a corpus") {
            let input = std::fs::read(entry.expect("a file").path()).expect("a file");
            run(&input);
            (0..MUTATIONS).for_each(|_| run(&mutated(&input, &mut numbers)));
            files += 1;
        }
        assert!(files > 0, "the corpus of {name} is empty");
        run(&[]);
    }
}

#[test]
fn every_target_is_here() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .expect("the targets")
        .filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    found.sort();
    let here: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(found, here);
}
