//! A row of `exchanges`, made of an entry and its attachment.

use gateway_core::archive::{Attachment, Kept, Sealed};
use jiff::Timestamp;
use serde::Deserialize;
use sqlx::Sqlite;
use sqlx::query_builder::Separated;
use uuid::Uuid;

pub(super) const INSERT: &str = "INSERT INTO exchanges (number, exchange, kind, received, finished, \
    front, member, service, operation, purpose, outcome, decision, request_bytes, reply_bytes, \
    consent_id, details, consent, ledger, certificate, key) ";

/// What is read of an entry (`docs/evidence.md`, section 2).
#[derive(Deserialize)]
struct Entry {
    exchange: Uuid,
    kind: String,
    received: Timestamp,
    finished: Timestamp,
    front: String,
    service: Option<String>,
    operation: Option<String>,
    purpose: Option<String>,
    caller: Option<Caller>,
    decision: Option<serde_json::Value>,
    outcome: String,
}

#[derive(Deserialize)]
struct Caller {
    member: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    request_bytes: i64,
    reply_bytes: i64,
}

#[derive(Deserialize)]
struct Consent {
    id: Uuid,
}

/// One row.
pub(super) struct Row {
    pub(super) index: u64,
    entry: Entry,
    details: Details,
    consent: Option<Consent>,
    attachment: Attachment,
}

impl Row {
    /// `None` when it is not what the log writes.
    pub(super) fn read(kept: &Kept) -> Option<Self> {
        let attachment = Attachment::decode(&kept.attachment)?;
        let consent = attachment.consent.as_deref().map(serde_json::from_slice).transpose();
        Some(Self {
            index: kept.index,
            entry: serde_json::from_slice(&kept.entry).ok()?,
            details: serde_json::from_slice(&attachment.details).ok()?,
            consent: consent.ok()?,
            attachment,
        })
    }

    /// A certificate that is seen for the first time, with its hash.
    pub(super) fn certificate(&self) -> Option<(&[u8], &[u8])> {
        let Attachment { certificate, certificate_der, .. } = &self.attachment;
        Some((certificate.as_ref()?, certificate_der.as_deref()?))
    }

    /// What is sealed of it.
    pub(super) fn sealed(&self) -> Option<&Sealed> {
        self.attachment.sealed.as_ref()
    }

    /// Its exchange.
    pub(super) fn exchange(&self) -> &[u8] {
        self.entry.exchange.as_bytes()
    }

    pub(super) fn bind(&self, to: &mut Separated<'_, Sqlite, &'static str>) {
        let Entry { exchange, kind, received, finished, front, service, .. } = &self.entry;
        // An index is far below 2^63: each entry takes bytes on a disk.
        to.push_bind(self.index.cast_signed())
            .push_bind(exchange.as_bytes().to_vec())
            .push_bind(kind.clone())
            .push_bind(received.as_millisecond())
            .push_bind(finished.as_millisecond())
            .push_bind(front.clone())
            .push_bind(self.entry.caller.as_ref().map(|caller| caller.member.clone()))
            .push_bind(service.clone())
            .push_bind(self.entry.operation.clone())
            .push_bind(self.entry.purpose.clone())
            .push_bind(self.entry.outcome.clone())
            .push_bind(self.entry.decision.as_ref().map(ToString::to_string))
            .push_bind(self.details.request_bytes)
            .push_bind(self.details.reply_bytes)
            .push_bind(self.consent.as_ref().map(|consent| consent.id.to_string()))
            .push_bind(self.attachment.details.clone())
            .push_bind(self.attachment.consent.clone())
            .push_bind(self.attachment.ledger.clone())
            .push_bind(self.attachment.certificate.map(|hash| hash.to_vec()))
            .push_bind(self.attachment.sealed.as_ref().map(|sealed| sealed.key.to_vec()));
    }
}
