//! The catalog's own cases, and that a failing case says how.

use std::path::Path;

use super::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog")
}

#[test]
fn every_case_of_the_catalog_passes() {
    let results = run(&root()).unwrap_or_else(|problems| {
        let lines: Vec<_> = problems.iter().map(Problem::to_string).collect();
        panic!("{}", lines.join("\n"))
    });
    let failed: Vec<_> = results.iter().filter(|result| !result.passed()).collect();
    let shown: Vec<_> = failed.iter().map(|result| result.to_string()).collect();
    assert!(failed.is_empty(), "\n{}", shown.join("\n"));
    assert!(results.len() > 100, "only {} cases", results.len());
}
