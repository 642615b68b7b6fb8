//! The record of a consent after ISO/IEC TS 27560: header, processing, parties, events.

use gateway_core::consent::{Change, Revision};
use gateway_core::proof::ProofMeans;
use gateway_core::purpose::Bilingual;
use gateway_core::{Consent, Fault};
use gateway_store::{ConsentRegistry, Kept};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Desk, purpose, registry_fault};

/// The specification and edition whose terms these are.
pub const SCHEMA: &str = "ISO/IEC TS 27560:2023";

impl Desk {
    /// The whole record of a consent.
    ///
    /// # Errors
    /// `Unroutable` when it is not there; `Internal` when its chain was tampered with.
    pub async fn iso_record(&self, id: Uuid) -> Result<Value, Fault> {
        let chain = self.resources.consents.history(id).await.map_err(registry_fault)?;
        let consent = Consent::replay(chain.iter().map(|kept| &kept.revision));
        let consent = consent.map_err(|error| registry_fault(error.into()))?;
        let uses = self.resources.consents.uses(id).await?;
        let mut record = self.summary(&consent);
        if let Some(fields) = record.as_object_mut() {
            fields.insert("uses_counted".into(), json!(consent.grant.limit.map(|_| uses)));
            fields.insert("events".into(), chain.iter().map(event).collect());
        }
        Ok(record)
    }

    /// The record without its events.
    pub fn summary(&self, consent: &Consent) -> Value {
        let deployment = self.gateway.current();
        let grant = &consent.grant;
        let registered = purpose(&deployment, &grant.sector, &grant.purpose);
        let items = grant.items.iter();
        let titles = items.map(|item| {
            let title = registered.and_then(|purpose| purpose.items.get(item)).map(bilingual);
            (item.clone(), json!(title))
        });
        json!({
            "schema_version": SCHEMA,
            "record_id": consent.id,
            "principal_id": grant.principal.to_string(),
            "sector": grant.sector,
            "reference": consent.reference,
            "language": "ko",
            "notice": registered.map(|purpose| bilingual(&purpose.notice)),
            "purpose": grant.purpose,
            "purpose_title": registered.map(|purpose| bilingual(&purpose.title)),
            "lawful_basis": registered.map(|purpose| bilingual(&purpose.legal_basis)),
            "items": grant.items,
            "item_titles": titles.collect::<serde_json::Map<_, _>>(),
            "controllers": registered.map(|purpose| {
                purpose.controllers.iter().map(bilingual).collect::<Vec<_>>()
            }),
            "recipients": [grant.recipient],
            "storage_locations": registered.map(|purpose| &purpose.storage),
            "retention": registered.map(|purpose| purpose.retention.to_string()),
            "jurisdiction": registered.map(|purpose| &purpose.jurisdiction),
            "withdrawal_method": {
                "ko": "동의 관리 화면 또는 접수 기관에서 언제든지 철회할 수 있습니다.",
                "en": "At any time, on the consent page or at the office that took it.",
            },
            "validity": { "from": grant.valid_from, "until": grant.valid_until },
            "limit": grant.limit,
            "delegation": grant.delegation,
            "event_state": state(consent, self.resources.clock.now()),
        })
    }
}

/// In what state a consent is.
pub fn state(consent: &Consent, now: Timestamp) -> &'static str {
    match consent.ended {
        Some(ended) if ended.withdrawn => "withdrawn",
        Some(_) => "expired",
        None if now >= consent.grant.valid_until => "expired",
        None if now < consent.grant.valid_from => "not-yet-valid",
        None => "given",
    }
}

fn bilingual(text: &Bilingual) -> Value {
    json!({ "ko": text.ko, "en": text.en })
}

/// One link of the chain as an event. `revision` holds the bytes whose SHA-256 the next one names.
pub fn event(kept: &Kept) -> Value {
    let Revision { number, at, change, proof, acted_by, .. } = &kept.revision;
    let (event_type, event_state) = match change {
        Change::Grant { .. } => ("grant", "given"),
        Change::Narrow(_) => ("narrow", "given"),
        Change::Withdraw => ("withdraw", "withdrawn"),
        Change::Expire => ("expire", "expired"),
    };
    let office = proof.as_ref().and_then(|proof| match &proof.means {
        ProofMeans::AgencyPaper { office } | ProofMeans::AgencySession { office } => Some(office),
        ProofMeans::Certificate | ProofMeans::Passkey | ProofMeans::Wallet => None,
    });
    json!({
        "number": number,
        "event_time": at,
        "event_type": event_type,
        "event_state": event_state,
        "acted_by": acted_by,
        "office": office,
        "proof": proof,
        "revision": kept.body,
        "hash": kept.hash,
        "receipt": kept.receipt,
    })
}
