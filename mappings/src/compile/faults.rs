//! The fault table of a front.

use std::collections::BTreeMap;

use gateway_core::Kind;

use crate::faults::{FaultTable, parse_name};
use crate::problem::Spot;

/// Compiles the table; `code` reads one code or says what it must be.
pub(crate) fn compile<C: Clone>(
    formats: &BTreeMap<String, String>,
    code: impl Fn(&str) -> Result<C, String>,
    spot: &mut Spot<'_>,
) -> Option<FaultTable<C>> {
    let mut kinds = BTreeMap::new();
    let mut codes: BTreeMap<Kind, BTreeMap<String, C>> = BTreeMap::new();
    for (name, text) in formats {
        let spot = &mut spot.key(name);
        match (parse_name(name), code(text)) {
            (None, _) => spot.problem("must be a kind of fault, or `Kind/code`"),
            (_, Err(wanted)) => spot.problem(wanted),
            (Some((kind, None)), Ok(code)) => {
                kinds.insert(kind, code);
            }
            (Some((kind, Some(name))), Ok(code)) => {
                codes.entry(kind).or_default().insert(name.to_owned(), code);
            }
        }
    }
    for kind in Kind::ALL {
        if !kinds.contains_key(&kind) {
            spot.problem(format_args!("no code for {kind}"));
        }
    }
    let other = kinds.get(&Kind::Internal)?.clone();
    Some(FaultTable { kinds, codes, other })
}
