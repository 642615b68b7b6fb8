//! The sample callers: one request file for each system, and a page of commands that send them.

use serde_json::json;

use super::WorldError;
use super::keys::ApiKeys;
use super::layout::Layout;
use super::ports::Ports;
use crate::callers::city_a::Telegram;
use crate::callers::city_b;
use crate::callers::ministry::{benefit_fields, envelope};
use crate::people::{Benefit, Programme, SAMPLE};

const PAGE: &str = include_str!("samples.md");

const HOUSING: Benefit = Benefit {
    person: SAMPLE,
    programme: Programme::HousingBenefit,
    from: "2026-01-01",
    to: "2026-12-31",
    monthly_amount: 310_000,
};
const RENT: Benefit = Benefit {
    programme: Programme::YouthRent,
    from: "2026-06-01",
    to: "2027-05-31",
    monthly_amount: 200_000,
    ..HOUSING
};
const LIVING: Benefit =
    Benefit { programme: Programme::BasicLiving, monthly_amount: 765_000, ..HOUSING };

/// Writes them into `samples/`.
pub(super) fn write(layout: &Layout, ports: &Ports, keys: &ApiKeys) -> Result<(), WorldError> {
    soap(layout)?;
    telegrams(layout, keys.city_a.expose())?;
    let batch = city_b::grants("SAMPLE-1", &[LIVING])?;
    layout.write("samples/batch.csv", batch)?;
    json(layout)?;
    let url = |scheme: &str, port: u16| format!("{scheme}://127.0.0.1:{port}");
    let page = PAGE
        .replace("{https}", &url("https", ports.https))
        .replace("{http}", &url("http", ports.http))
        .replace("{admin}", &url("http", ports.admin))
        .replace("{telegram}", &ports.telegram.to_string());
    Ok(layout.write("samples/README.md", page)?)
}

fn soap(layout: &Layout) -> Result<(), WorldError> {
    let person = || ("residentNumber", SAMPLE.resident_number.to_owned());
    let group = || ("groupCode", "HOU".to_owned());
    let (from, to) = (("startDate", RENT.from.to_owned()), ("endDate", RENT.to.to_owned()));
    let requests = [
        ("benefit-apply", "benefitApply", benefit_fields("SAMPLE-APPLY-1", &HOUSING, None)),
        ("benefit-grant", "benefitGrant", benefit_fields("SAMPLE-GRANT-1", &HOUSING, None)),
        ("overlap-check", "overlapCheck", vec![person(), group(), from, to]),
        ("history", "history", vec![person(), group()]),
    ];
    for (file, operation, fields) in requests {
        layout.write(&format!("samples/{file}.xml"), envelope(operation, &fields))?;
    }
    Ok(())
}

/// They hold an API key, so only their owner may read them.
fn telegrams(layout: &Layout, key: &str) -> Result<(), WorldError> {
    let period = (RENT.from, RENT.to);
    let check = Telegram::overlap_check(key, 9_000_001, SAMPLE, "20", period)?;
    let grant = Telegram::benefit_grant(key, 9_000_002, &RENT)?;
    layout.write_secret("samples/overlap-check.tlg", check.framed())?;
    Ok(layout.write_secret("samples/benefit-grant.tlg", grant.framed())?)
}

fn json(layout: &Layout) -> Result<(), WorldError> {
    let check = json!({
        "residentNumber": SAMPLE.hyphenated(),
        "group": "housing",
        "from": RENT.from,
        "to": RENT.to,
    });
    let consent = json!({
        "sector": "welfare",
        "resident": SAMPLE.resident_number,
        "recipient": "mohw",
        "purpose": "welfare-eligibility",
        "items": ["benefit-count", "benefit-details"],
        "valid_until": "2099-12-31T00:00:00Z",
    });
    layout.write("samples/overlap-check.json", format!("{check:#}\n"))?;
    Ok(layout.write("samples/consent.json", format!("{consent:#}\n"))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::contract::Contract;
    use crate::world::endpoints;
    use crate::world::pki::Pki;
    use crate::world::ports::PortChoice;

    /// The words of `text` that begin with `folder`.
    fn paths<'a>(text: &'a str, folder: &'a str) -> impl Iterator<Item = &'a str> {
        let end = |rest: &str| rest.find(|c: char| " \"'\n)".contains(c)).unwrap_or(rest.len());
        text.match_indices(folder).map(move |(at, _)| &text[at..at + end(&text[at..])])
    }

    #[test]
    fn every_file_that_is_pointed_to_is_there() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::create(&directory.path().join("world")).unwrap();
        let ports = Ports::choose(PortChoice::Free).unwrap();
        let keys = ApiKeys::create(&layout).unwrap();
        Pki::create(&layout).unwrap();
        // The gateway's own command makes this one.
        layout.write("keys/log.key.pub", "").unwrap();
        write(&layout, &ports, &keys).unwrap();
        let contract = Contract { address: "0x00".into() };
        endpoints::write(&layout, &ports, &contract).unwrap();

        for page in ["samples/README.md", "endpoints.json"] {
            let text = std::fs::read_to_string(layout.path(page)).unwrap();
            assert!(!text.contains("{http"), "{page} has its addresses");
            for folder in ["samples/", "keys/", "pki/"] {
                for path in paths(&text, folder) {
                    assert!(layout.path(path).exists(), "{page} points to {path}");
                }
            }
        }
    }
}
