//! Skipping a stage does not compile. Each file shows one way to try it.

#[test]
fn stages_cannot_be_skipped() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
