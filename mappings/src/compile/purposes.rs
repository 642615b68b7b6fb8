//! `purposes.yaml` → the sector's registry of purposes.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::purpose::{Bilingual, Retention};
use gateway_core::{MemberId, Purpose};

use crate::format::{BilingualFormat, PurposeFormat, PurposesFile};
use crate::problem::Spot;

pub(crate) const FORMAT: &str = "purposes/v1";

/// The purposes of a sector by their codes.
pub(crate) type Purposes = BTreeMap<String, Arc<Purpose>>;

/// Compiles the registry of the sector `sector`. What cannot be compiled is reported and left out.
pub(crate) fn compile(file: &PurposesFile, sector: &str, spot: &mut Spot<'_>) -> Purposes {
    if file.naru != FORMAT {
        spot.key("naru").problem(format_args!("must be `{FORMAT}`"));
    }
    if file.sector != sector {
        spot.key("sector").problem("must be the sector of the services beside it");
    }
    let mut purposes = Purposes::new();
    let mut spot = spot.key("purposes");
    for (code, format) in &file.purposes {
        let spot = &mut spot.key(code);
        if !is_code(code) {
            spot.problem("a code is made of a to z, 0 to 9 and hyphens, at most 64");
        }
        if let Some(purpose) = purpose(&file.sector, code, format, spot) {
            purposes.insert(code.clone(), Arc::new(purpose));
        }
    }
    purposes
}

fn purpose(
    sector: &str,
    code: &str,
    format: &PurposeFormat,
    spot: &mut Spot<'_>,
) -> Option<Purpose> {
    let mut items = BTreeMap::new();
    let mut at = spot.key("items");
    for (name, title) in &format.items {
        let spot = &mut at.key(name);
        if !is_code(name) {
            spot.problem("an item's name is made of a to z, 0 to 9 and hyphens, at most 64");
        }
        items.insert(name.clone(), text(title, spot));
    }
    let missing = [
        ("items", format.items.is_empty()),
        ("controllers", format.controllers.is_empty()),
        ("recipients", format.recipients.is_empty()),
        ("storage", format.storage.is_empty()),
    ];
    for (key, _) in missing.iter().filter(|(_, is_missing)| *is_missing) {
        spot.key(key).problem("names nothing; at least one is wanted");
    }
    let countries = format.storage.iter().map(|country| ("storage", country));
    for (key, country) in countries.chain([("jurisdiction", &format.jurisdiction)]) {
        if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
            spot.key(key).problem(format_args!("`{country}` is no country code such as KR"));
        }
    }
    let recipients = format.recipients.iter().map(|member| MemberId(member.as_str().into()));
    let controllers = format.controllers.iter().enumerate();
    let mut at = spot.key("controllers");
    let controllers = controllers.map(|(index, name)| text(name, &mut at.entry(index))).collect();
    Some(Purpose {
        sector: sector.into(),
        code: code.into(),
        title: text(&format.title, &mut spot.key("title")),
        legal_basis: text(&format.legal_basis, &mut spot.key("legal-basis")),
        notice: text(&format.notice, &mut spot.key("notice")),
        items,
        controllers,
        recipients: recipients.collect(),
        storage: format.storage.clone(),
        jurisdiction: format.jurisdiction.clone(),
        retention: retention(&format.retention, &mut spot.key("retention"))?,
        keep_record: retention(&format.keep_record, &mut spot.key("keep-record"))?,
        assurance: format.assurance,
    })
}

fn retention(text: &str, spot: &mut Spot<'_>) -> Option<Retention> {
    Retention::parse(text).map_err(|error| spot.problem(error)).ok()
}

fn text(format: &BilingualFormat, spot: &mut Spot<'_>) -> Bilingual {
    for (language, text) in [("ko", &format.ko), ("en", &format.en)] {
        if text.trim().is_empty() {
            spot.key(language).problem("says nothing");
        }
    }
    Bilingual { ko: format.ko.clone(), en: format.en.clone() }
}

fn is_code(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}
