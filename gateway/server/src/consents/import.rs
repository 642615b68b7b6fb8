//! Consents that another system wrote: with the names of the Account Aggregator framework
//! (`consentStart`, `fetchType`, …), or a record of ours after ISO/IEC TS 27560.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use gateway_core::Fault;
use gateway_core::consent::{Frequency, FrequencyUnit, UseLimit};
use gateway_core::purpose::Retention;
use jiff::Timestamp;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::request::GrantRequest;
use super::{malformed, purpose};
use crate::deployment::Deployment;

/// What can be imported. The person is named beside it: such files hold no resident number.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    #[serde(deserialize_with = "super::request::secret")]
    resident: Zeroizing<String>,
    sector: String,
    evidence: Option<String>,
    consent: Foreign,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Foreign {
    Aggregator(Box<AggregatorConsent>),
    Record(Box<RecordConsent>),
}

/// The detail of a consent artefact.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AggregatorConsent {
    consent_start: Timestamp,
    consent_expiry: Timestamp,
    consent_mode: ConsentMode,
    fetch_type: FetchType,
    #[serde(rename = "Purpose")]
    purpose: AggregatorPurpose,
    #[serde(rename = "DataLife")]
    data_life: AggregatorPeriod,
    #[serde(rename = "Frequency")]
    frequency: AggregatorPeriod,
    #[serde(rename = "DataConsumer")]
    data_consumer: AggregatorParty,
    fi_types: BTreeSet<String>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "UPPERCASE")]
enum ConsentMode {
    View,
    Store,
    Query,
    Stream,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum FetchType {
    Onetime,
    Periodic,
}

#[derive(Deserialize)]
struct AggregatorPurpose {
    code: String,
}

#[derive(Deserialize)]
struct AggregatorParty {
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AggregatorPeriod {
    unit: AggregatorUnit,
    value: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum AggregatorUnit {
    Hour,
    Day,
    Month,
    Year,
    Inf,
}

/// The parts of a record that say what was agreed to; the rest is another system's history.
#[derive(Deserialize)]
struct RecordConsent {
    purpose: String,
    items: BTreeSet<String>,
    recipients: Vec<String>,
    validity: RecordValidity,
    limit: Option<UseLimit>,
}

#[derive(Deserialize)]
struct RecordValidity {
    from: Timestamp,
    until: Timestamp,
}

impl ImportRequest {
    /// The grant that it stands for.
    ///
    /// # Errors
    /// `Malformed` when it says something that could not be kept here.
    pub(super) fn grant(self, deployment: &Deployment) -> Result<GrantRequest, Fault> {
        let Self { resident, sector, evidence, consent } = self;
        let grant = |recipient, purpose, items, (from, until), limit| GrantRequest {
            sector: sector.clone(),
            resident,
            recipient,
            purpose,
            items,
            valid_from: Some(from),
            valid_until: until,
            limit,
            delegation: None,
            acted_by: None,
            evidence,
        };
        match consent {
            Foreign::Aggregator(consent) => {
                let limit = consent.limit()?;
                let registered = purpose(deployment, &sector, &consent.purpose.code);
                let registered = registered
                    .ok_or_else(|| malformed("the sector registers no purpose of this code"))?;
                consent.check_storage(&registered.retention)?;
                let period = (consent.consent_start, consent.consent_expiry);
                let (recipient, code) = (consent.data_consumer.id, consent.purpose.code);
                Ok(grant(recipient, code, consent.fi_types, period, limit))
            }
            Foreign::Record(record) => {
                let [recipient] = record.recipients.as_slice() else {
                    return Err(malformed("a record here has one recipient; import one for each"));
                };
                let RecordConsent { purpose, items, validity, limit, .. } = &*record;
                let period = (validity.from, validity.until);
                Ok(grant(recipient.clone(), purpose.clone(), items.clone(), period, *limit))
            }
        }
    }
}

impl AggregatorConsent {
    fn limit(&self) -> Result<Option<UseLimit>, Fault> {
        if let FetchType::Onetime = self.fetch_type {
            return Ok(Some(UseLimit::Once));
        }
        let unit = match self.frequency.unit {
            AggregatorUnit::Hour => FrequencyUnit::Hour,
            AggregatorUnit::Day => FrequencyUnit::Day,
            AggregatorUnit::Month => FrequencyUnit::Month,
            AggregatorUnit::Year => FrequencyUnit::Year,
            AggregatorUnit::Inf => return Ok(None),
        };
        let value = NonZeroU32::new(self.frequency.value)
            .ok_or_else(|| malformed("Frequency.value must be at least 1"))?;
        Ok(Some(UseLimit::Periodic(Frequency { unit, value })))
    }

    /// A recipient here may store for as long as the purpose's retention says.
    fn check_storage(&self, registered: &Retention) -> Result<(), Fault> {
        if self.consent_mode != ConsentMode::Store {
            return Err(malformed("consentMode must be STORE: recipients keep what they get"));
        }
        let letter = match self.data_life.unit {
            AggregatorUnit::Inf => return Ok(()),
            AggregatorUnit::Hour => "PT{}H",
            AggregatorUnit::Day => "P{}D",
            AggregatorUnit::Month => "P{}M",
            AggregatorUnit::Year => "P{}Y",
        };
        let agreed = Retention::parse(&letter.replace("{}", &self.data_life.value.to_string()));
        let end = |retention: &Retention| retention.after(self.consent_start);
        match agreed.ok().and_then(|agreed| end(&agreed)) {
            Some(agreed) if end(registered).is_some_and(|kept| kept <= agreed) => Ok(()),
            _ => Err(malformed("DataLife is shorter than the purpose's retention")),
        }
    }
}
