//! What the gateway does with consents besides asking for them: offices and operators grant and change
//! them, everyone concerned gets records and receipts, and what is over ends by itself.
//!
//! [`Desk`] is the one place where a change is proven, made and written into the evidence log; the
//! HTTP API ([`http`]) and the pages for people ([`crate::people`]) stand in front of it.

pub mod http;
pub mod import;
pub mod receipt;
pub mod record;
pub mod request;
pub mod sweep;

use std::sync::Arc;

use gateway_core::caller::Means;
use gateway_core::consent::{ActedBy, Change, ConsentError};
use gateway_core::journal::{RecordKind, Trail};
use gateway_core::proof::ProofMeans;
use gateway_core::{
    Assurance, Caller, Consent, ConsentUse, ExchangeId, Fault, Kind, MemberId, Proof, Purpose,
    Record,
};
use gateway_store::{
    Act, Changed, ConsentRegistry, ExchangeFilter, ExchangeRecord, RegistryError, act_digest,
};
use serde::Serialize;
use uuid::Uuid;

use crate::deployment::Deployment;
use crate::listen::Gateway;
use crate::resources::Resources;
use request::GrantRequest;

/// Where consents are granted and changed.
#[derive(Clone)]
pub struct Desk {
    /// What is deployed: purposes, members, pseudonyms.
    pub gateway: Gateway,
    /// The consents, the evidence log, the time.
    pub resources: Resources,
}

/// Who stands at the desk, and what shows that the person wants it.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Whom the evidence log names; nobody for a person in a session.
    pub caller: Option<Caller>,
    /// By what the act is shown to be the person's.
    pub means: ProofMeans,
    /// How much that is worth.
    pub assurance: Assurance,
    /// Whether the person acts or who acts for them.
    pub acted_by: ActedBy,
    /// Where the evidence is kept.
    pub evidence: String,
}

impl Actor {
    /// An office that holds the person's act on paper.
    pub fn office(caller: Caller, assurance: Assurance) -> Self {
        Self {
            means: ProofMeans::AgencyPaper { office: caller.member.clone() },
            caller: Some(caller),
            assurance,
            acted_by: ActedBy::Principal,
            evidence: String::new(),
        }
    }

    /// An operator of the gateway, who stands in for an office.
    pub fn operator(name: &MemberId) -> Self {
        let caller =
            Caller { member: name.clone(), means: Means::ApiKey, assurance: Assurance::Low };
        Self::office(caller, Assurance::Low)
    }

    fn proof(&self, act: &Act<'_>, desk: &Desk) -> Result<Proof, Fault> {
        Ok(Proof {
            means: self.means.clone(),
            assurance: self.assurance,
            time: desk.resources.clock.now(),
            act: act_digest(act)?,
            evidence: self.evidence.clone(),
        })
    }
}

/// What a change is answered with.
#[derive(Clone, Debug, Serialize)]
pub struct Done {
    /// The consent.
    pub id: Uuid,
    /// By what name its recipient knows it.
    pub reference: Uuid,
    /// Which revision this is.
    pub revision: u32,
    /// Of its entry in the evidence log.
    pub receipt: String,
}

impl Desk {
    /// Grants what is asked for.
    ///
    /// # Errors
    /// `Malformed` or `Forbidden`, saying what is wrong with it.
    pub async fn grant(&self, actor: Actor, asked: GrantRequest) -> Result<Done, Fault> {
        self.resources.journal.writable()?;
        let deployment = self.gateway.current();
        let actor = Actor {
            acted_by: asked.acted_by.unwrap_or(actor.acted_by),
            evidence: asked.evidence.clone().unwrap_or_default(),
            ..actor
        };
        let purpose = purpose(&deployment, &asked.sector, &asked.purpose)
            .ok_or_else(|| malformed("the sector registers no purpose of this name"))?
            .clone();
        let terms = asked.terms(&deployment, self.resources.clock.now())?;
        let proof = actor.proof(&Act::Grant(&terms), self)?;
        let by = (proof, actor.acted_by);
        let changed = self.resources.consents.grant(Uuid::now_v7(), terms, by, &purpose).await;
        self.record(actor.caller, &changed.map_err(registry_fault)?).await
    }

    /// Narrows or withdraws a consent.
    ///
    /// # Errors
    /// `Unroutable` when it is not there, `Malformed`, `Forbidden` or `Unsupported` when it may not be.
    pub async fn change(&self, actor: Actor, id: Uuid, change: Change) -> Result<Done, Fault> {
        let proof = actor.proof(&Act::Change { consent: id, change: &change }, self)?;
        let by = (proof, actor.acted_by);
        let changed = self.resources.consents.change(id, change, by).await;
        self.record(actor.caller, &changed.map_err(registry_fault)?).await
    }

    /// Writes a change that is in force into the evidence log. If that fails the sweep does it later.
    pub(crate) async fn record(
        &self,
        caller: Option<Caller>,
        changed: &Changed,
    ) -> Result<Done, Fault> {
        let Changed { consent, kept } = changed;
        let receipt = match &kept.receipt {
            Some(receipt) => receipt.clone(),
            None => {
                let act = format!("consent/{}", kept.revision.change.name());
                let receipt = self.journal(caller, &act, consent, kept.body.as_bytes()).await?;
                let number = kept.revision.number;
                let recorded = self.resources.consents.recorded(consent.id, number, &receipt);
                recorded.await.map_err(registry_fault)?;
                receipt
            }
        };
        let (id, reference) = (consent.id, consent.reference);
        Ok(Done { id, reference, revision: kept.revision.number, receipt })
    }

    /// An entry about one consent. `body` is committed to.
    pub(crate) async fn journal(
        &self,
        caller: Option<Caller>,
        act: &str,
        consent: &Consent,
        body: &[u8],
    ) -> Result<String, Fault> {
        let now = self.resources.clock.now();
        let used = ConsentUse {
            id: consent.id,
            items: consent.grant.items.clone(),
            as_of: now,
            counted: None,
        };
        let trail = Trail {
            configuration: Some(self.gateway.current().pipeline.configuration.clone()),
            caller,
            subject: Some(consent.grant.principal),
            consent: Some(used),
            ..Trail::default()
        };
        let record = Record {
            exchange: ExchangeId(Uuid::now_v7()),
            kind: RecordKind::Administration,
            received: now,
            finished: now,
            front: act,
            trail: &trail,
            request: body,
            reply: &[],
            fault: None,
        };
        Ok(self.resources.journal.append(record).await?.0)
    }

    /// The exchanges that relied on a consent and were answered: at most the first thousand, as the
    /// archive of the evidence log has them, about a second after they happened.
    ///
    /// # Errors
    /// `Internal` when the archive cannot be read.
    pub async fn uses(&self, id: Uuid) -> Result<Vec<ExchangeRecord>, Fault> {
        let filter = ExchangeFilter {
            consent: Some(id),
            kind: Some("exchange".to_owned()),
            outcome: Some("ok".to_owned()),
            limit: Some(1_000),
            ..ExchangeFilter::default()
        };
        Ok(self.resources.archive.exchanges(&filter).await?)
    }

    /// A consent by its id.
    ///
    /// # Errors
    /// `Unroutable` when it is not there.
    pub async fn consent(&self, id: Uuid) -> Result<Consent, Fault> {
        self.resources.consents.get(id).await.map_err(registry_fault)
    }
}

/// A registered purpose.
pub fn purpose<'d>(
    deployment: &'d Deployment,
    sector: &str,
    code: &str,
) -> Option<&'d Arc<Purpose>> {
    let mut purposes = deployment.purposes.iter();
    purposes.find(|purpose| *purpose.sector == *sector && *purpose.code == *code)
}

pub(crate) fn malformed(public: impl Into<String>) -> Fault {
    Fault::new(Kind::Malformed, "not-a-consent", public)
}

pub(crate) fn registry_fault(error: RegistryError) -> Fault {
    let (kind, code, public) = match &error {
        RegistryError::Unknown(_) => {
            (Kind::Unroutable, "no-such-consent", "there is no consent with this id".to_owned())
        }
        RegistryError::Refused(refused) => {
            let (kind, code) = match refused {
                ConsentError::Assurance => (Kind::Forbidden, "assurance-too-low"),
                ConsentError::Delegation => (Kind::Forbidden, "delegation-missing"),
                ConsentError::Ended => (Kind::Unsupported, "consent-ended"),
                ConsentError::Items
                | ConsentError::Period
                | ConsentError::Recipient
                | ConsentError::Wider
                | ConsentError::Chain => (Kind::Malformed, "not-a-consent"),
            };
            (kind, code, refused.to_string())
        }
        RegistryError::Exists(_) | RegistryError::OtherAct => {
            let says = "the consent cannot be recorded as it is".to_owned();
            (Kind::Malformed, "not-a-consent", says)
        }
        RegistryError::Store(_) => {
            let says = "the store cannot be used at the moment".to_owned();
            (Kind::Internal, "store-unavailable", says)
        }
    };
    Fault::new(kind, code, public).source(error)
}
