//! What a grant says on the wire, and how it becomes terms. Resident numbers become pseudonyms here
//! and go no further.

use std::collections::BTreeSet;

use gateway_core::consent::{ActedBy, DelegateRole, Delegation, Grant, UseLimit};
use gateway_core::stage::CONSENT_DOMAIN;
use gateway_core::{Fault, MemberId, Pseudonym, Pseudonymize, ResidentNumber};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::malformed;
use crate::deployment::Deployment;

/// A consent to record.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantRequest {
    /// The sector.
    pub sector: String,
    /// The person's resident registration number.
    #[serde(deserialize_with = "secret")]
    pub resident: Zeroizing<String>,
    /// The member who may receive the data.
    pub recipient: String,
    /// The registered purpose.
    pub purpose: String,
    /// What the person agrees to.
    pub items: BTreeSet<String>,
    /// From when it holds; from now when absent.
    pub valid_from: Option<Timestamp>,
    /// Until when, exclusive.
    pub valid_until: Timestamp,
    /// How often it may be used; as often as one likes when absent.
    pub limit: Option<UseLimit>,
    /// Who acts for the person.
    pub delegation: Option<DelegationRequest>,
    /// `principal` (when absent) or `delegate`.
    pub acted_by: Option<ActedBy>,
    /// Where the signed paper is kept: a document number.
    pub evidence: Option<String>,
}

/// Who acts for a person.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelegationRequest {
    /// `guardian` or `agent`.
    pub role: DelegateRole,
    /// Their resident registration number.
    #[serde(deserialize_with = "secret")]
    pub delegate: Zeroizing<String>,
    /// From when; from now when absent.
    pub valid_from: Option<Timestamp>,
    /// Until when, exclusive.
    pub valid_until: Timestamp,
    /// Where the deed is kept.
    pub evidence: String,
}

/// The longest reference to evidence.
const EVIDENCE: usize = 200;

impl GrantRequest {
    /// The terms it stands for.
    ///
    /// # Errors
    /// `Malformed`; the text never repeats a number.
    pub(super) fn terms(&self, deployment: &Deployment, now: Timestamp) -> Result<Grant, Fault> {
        let is_member = deployment.members.knows(&MemberId(self.recipient.as_str().into()));
        if !is_member {
            return Err(malformed("the recipient is not a member"));
        }
        if self.acted_by == Some(ActedBy::Gateway) {
            return Err(malformed("acted_by is principal or delegate"));
        }
        check_evidence(self.evidence.as_deref())?;
        let principal = pseudonym(deployment, &self.sector, &self.resident)?;
        let delegation = self.delegation.as_ref().map(|by| {
            check_evidence(Some(&by.evidence))?;
            let delegate = pseudonym(deployment, &self.sector, &by.delegate)?;
            if delegate == principal {
                return Err(malformed("nobody is their own delegate"));
            }
            Ok(Delegation {
                role: by.role,
                delegate,
                valid_from: by.valid_from.unwrap_or(now),
                valid_until: by.valid_until,
                evidence: by.evidence.clone(),
            })
        });
        Ok(Grant {
            sector: self.sector.clone(),
            principal,
            recipient: MemberId(self.recipient.as_str().into()),
            purpose: self.purpose.clone(),
            items: self.items.clone(),
            valid_from: self.valid_from.unwrap_or(now),
            valid_until: self.valid_until,
            limit: self.limit,
            delegation: delegation.transpose()?,
        })
    }
}

/// A reference is short, and no place for a resident number.
///
/// # Errors
/// `Malformed`.
pub(super) fn check_evidence(reference: Option<&str>) -> Result<(), Fault> {
    let Some(reference) = reference else { return Ok(()) };
    if reference.len() > EVIDENCE || reference.chars().any(char::is_control) {
        return Err(malformed("evidence is a reference of at most 200 bytes"));
    }
    let words = reference.split(|c: char| !c.is_ascii_digit() && c != '-');
    match words.into_iter().any(|word| ResidentNumber::parse(word).is_ok()) {
        true => Err(malformed("evidence holds a resident registration number; give a reference")),
        false => Ok(()),
    }
}

/// How the records of a sector name a person.
///
/// # Errors
/// `Malformed` when it is no resident registration number.
pub(crate) fn pseudonym(
    deployment: &Deployment,
    sector: &str,
    resident: &str,
) -> Result<Pseudonym, Fault> {
    let resident = ResidentNumber::parse(resident.trim()).map_err(|e| malformed(e.to_string()))?;
    let number = resident.expose().as_bytes();
    Ok(deployment.pseudonyms.pseudonym(sector, CONSENT_DOMAIN, number))
}

/// A text that is wiped from memory.
pub(super) fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(from).map(Zeroizing::new)
}
