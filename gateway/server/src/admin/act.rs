//! The one way to do an administrative act: it is checked, put on record with who did it, and done.
//! Where the configuration wants four eyes it waits, on record too, until another operator approves it.
//!
//! An act is data, so that it can wait. It is on record before it has any effect; what could then not
//! be done gets an entry that says so.

use std::collections::BTreeSet;
use std::time::Duration;

use gateway_core::caller::Means;
use gateway_core::journal::{ActNote, ActStep, RecordKind, Trail};
use gateway_core::keys::{Covers, Hold};
use gateway_core::member::MemberState;
use gateway_core::{
    Assurance, Caller, ExchangeId, Fault, Kind, MemberId, Pseudonym, Receipt, Record,
};
use gateway_store::{ActError, ActState, Acts, ProposedAct};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Administration;
use super::members::{Application, NewKey};

/// An administrative act, with all that is needed to do it. Persons appear as pseudonyms.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "act", content = "of", deny_unknown_fields)]
pub(crate) enum Act {
    /// A member applies.
    #[serde(rename = "member.apply")]
    MemberApply(Application),
    /// A member that applied is let in.
    #[serde(rename = "member.activate")]
    MemberActivate(MemberId),
    /// A member may call no more for a while.
    #[serde(rename = "member.suspend")]
    MemberSuspend(MemberId),
    /// It may again.
    #[serde(rename = "member.resume")]
    MemberResume(MemberId),
    /// A member takes part no more.
    #[serde(rename = "member.end")]
    MemberEnd(MemberId),
    /// A member has another key.
    #[serde(rename = "member.key-add")]
    MemberKeyAdd(MemberId, NewKey),
    /// A key holds no more.
    #[serde(rename = "member.key-revoke")]
    MemberKeyRevoke(MemberId, String),
    /// A dead letter waits again.
    #[serde(rename = "letter.replay")]
    LetterReplay(Uuid),
    /// A dead letter is removed.
    #[serde(rename = "letter.discard")]
    LetterDiscard(Uuid),
    /// What is kept of a person is destroyed.
    #[serde(rename = "person.erase")]
    PersonErase {
        /// Who asked for it.
        by: String,
        /// The person's pseudonyms, one for each sector.
        holders: Vec<[u8; 32]>,
    },
    /// A legal hold begins.
    #[serde(rename = "hold.place")]
    HoldPlace(Box<Hold>),
    /// A legal hold ends.
    #[serde(rename = "hold.lift")]
    HoldLift(Uuid),
}

/// Every name of an act, for `admin.four_eyes`.
pub(crate) const NAMES: [&str; 12] = [
    "member.apply",
    "member.activate",
    "member.suspend",
    "member.resume",
    "member.end",
    "member.key-add",
    "member.key-revoke",
    "letter.replay",
    "letter.discard",
    "person.erase",
    "hold.place",
    "hold.lift",
];

impl Act {
    /// Its name, as configurations, records and lists have it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::MemberApply(_) => "member.apply",
            Self::MemberActivate(_) => "member.activate",
            Self::MemberSuspend(_) => "member.suspend",
            Self::MemberResume(_) => "member.resume",
            Self::MemberEnd(_) => "member.end",
            Self::MemberKeyAdd(..) => "member.key-add",
            Self::MemberKeyRevoke(..) => "member.key-revoke",
            Self::LetterReplay(_) => "letter.replay",
            Self::LetterDiscard(_) => "letter.discard",
            Self::PersonErase { .. } => "person.erase",
            Self::HoldPlace(_) => "hold.place",
            Self::HoldLift(_) => "hold.lift",
        }
    }

    /// What it is done to; never a person.
    fn target(&self) -> Option<String> {
        match self {
            Self::MemberApply(application) => Some(application.id().to_owned()),
            Self::MemberActivate(id)
            | Self::MemberSuspend(id)
            | Self::MemberResume(id)
            | Self::MemberEnd(id)
            | Self::MemberKeyAdd(id, _)
            | Self::MemberKeyRevoke(id, _) => Some(id.to_string()),
            Self::LetterReplay(id) | Self::LetterDiscard(id) | Self::HoldLift(id) => {
                Some(id.to_string())
            }
            Self::HoldPlace(hold) => Some(hold.id.to_string()),
            Self::PersonErase { .. } => None,
        }
    }

    /// What the record says of it besides.
    fn trail(&self) -> Trail {
        let holders = match self {
            Self::PersonErase { holders, .. } => holders.as_slice(),
            Self::HoldPlace(hold) => match &hold.covers {
                Covers::Person { holders, .. } => holders.as_slice(),
                Covers::Exchange(_) => &[],
            },
            _ => &[],
        };
        Trail { subject: holders.first().map(|holder| Pseudonym(*holder)), ..Trail::default() }
    }
}

/// Which acts want a second operator.
#[derive(Clone, Debug, Default)]
pub struct FourEyes {
    /// Their names.
    pub acts: BTreeSet<String>,
    /// How long one waits for approval.
    pub waits: Duration,
}

/// What became of an act that was asked for.
#[derive(Debug)]
pub(crate) enum Acted {
    /// It was done: what it made, and proof that it is on record.
    Done(Value, Receipt),
    /// It waits for another operator.
    Proposed(Box<ProposedAct>, Receipt),
}

/// How an act comes to be done.
struct Course<'a> {
    by: &'a Caller,
    step: ActStep,
    /// The act that was approved, where it was proposed before.
    proposed: Option<&'a ProposedAct>,
}

impl Administration {
    /// Does `act` for an operator, or keeps it for another one to approve. Of `said`, the bytes that
    /// ask for it, only a salted commitment is written.
    ///
    /// # Errors
    /// Why it is not done; then it is not on record either, unless it failed half-way.
    pub(crate) async fn act(&self, by: &Caller, act: &Act, said: &[u8]) -> Result<Acted, Fault> {
        self.resources.journal.writable()?;
        self.check(act).await?;
        let four_eyes = self.gateway.current().four_eyes.clone();
        if four_eyes.acts.contains(act.name()) {
            return self.propose(by, act, said, four_eyes.waits).await;
        }
        let course = Course { by, step: ActStep::Done, proposed: None };
        self.perform(&course, act, said).await
    }

    async fn propose(
        &self,
        by: &Caller,
        act: &Act,
        said: &[u8],
        waits: Duration,
    ) -> Result<Acted, Fault> {
        let proposed = self.resources.clock.now();
        let kept = ProposedAct {
            id: Uuid::now_v7(),
            name: act.name().to_owned(),
            target: act.target(),
            content: serde_json::to_string(act).map_err(unreadable)?,
            proposer: by.member.to_string(),
            proposed,
            expires: proposed.checked_add(waits).unwrap_or(proposed),
            state: ActState::Proposed,
            decider: None,
            decided: None,
            reason: None,
        };
        let course = Course { by, step: ActStep::Proposed, proposed: Some(&kept) };
        let receipt = self.note(&course, act, said, None).await?;
        self.resources.store.propose(&kept).await?;
        Ok(Acted::Proposed(Box::new(kept), receipt))
    }

    /// Approves an act that another operator proposed, and does it.
    ///
    /// # Errors
    /// Why it cannot be approved, or why it was not done.
    pub(crate) async fn approve(&self, by: &Caller, id: Uuid) -> Result<Acted, Fault> {
        self.resources.journal.writable()?;
        let proposed = self.resources.store.approve(id, &by.member.0).await.map_err(refused)?;
        self.finish(by, &proposed).await
    }

    async fn finish(&self, by: &Caller, proposed: &ProposedAct) -> Result<Acted, Fault> {
        let acted = async {
            let act: Act = serde_json::from_str(&proposed.content).map_err(unreadable)?;
            self.check(&act).await?;
            let course = Course { by, step: ActStep::Approved, proposed: Some(proposed) };
            self.perform(&course, &act, proposed.content.as_bytes()).await
        };
        let acted = acted.await;
        let reason = acted.as_ref().err().map(|fault| fault.public.as_str());
        self.resources.store.conclude(proposed.id, reason).await?;
        acted
    }

    /// Ends an act that waits; its proposer may.
    ///
    /// # Errors
    /// When there is none, or it was decided.
    pub(crate) async fn reject(&self, by: &Caller, id: Uuid) -> Result<Acted, Fault> {
        self.resources.journal.writable()?;
        let rejected = self.resources.store.reject(id, &by.member.0).await.map_err(refused)?;
        let act: Act = serde_json::from_str(&rejected.content).map_err(unreadable)?;
        let course = Course { by, step: ActStep::Rejected, proposed: Some(&rejected) };
        let receipt = self.note(&course, &act, &[], None).await?;
        Ok(Acted::Done(json!(rejected), receipt))
    }

    /// Does what was approved when an earlier process died. What cannot be done any more was done by
    /// it.
    ///
    /// # Errors
    /// When the store or the journal cannot be used.
    pub(crate) async fn resume_acts(&self) -> Result<(), Fault> {
        for proposed in self.resources.store.acts(true, u32::MAX).await? {
            let (ActState::Approved, Some(decider)) = (proposed.state, &proposed.decider) else {
                continue;
            };
            let act: Act = serde_json::from_str(&proposed.content).map_err(unreadable)?;
            if self.check(&act).await.is_err() {
                self.resources.store.conclude(proposed.id, None).await?;
                continue;
            }
            if let Err(fault) = self.finish(&operator_named(decider), &proposed).await {
                tracing::warn!(act.id = %proposed.id, "an approved act was not done: {fault}");
            }
        }
        Ok(())
    }

    async fn perform(&self, course: &Course<'_>, act: &Act, said: &[u8]) -> Result<Acted, Fault> {
        let receipt = self.note(course, act, said, None).await?;
        match self.effect(act).await {
            Ok(made) => Ok(Acted::Done(made, receipt)),
            Err(fault) => {
                self.note(course, act, said, Some(&fault)).await?;
                Err(fault)
            }
        }
    }

    /// Puts a step of an act on record.
    async fn note(
        &self,
        course: &Course<'_>,
        act: &Act,
        said: &[u8],
        fault: Option<&Fault>,
    ) -> Result<Receipt, Fault> {
        let Course { by, step, proposed } = course;
        let first = *step == ActStep::Proposed;
        let id = proposed.filter(|_| first).map_or_else(Uuid::now_v7, |act| act.id);
        let trail = Trail {
            configuration: Some(self.gateway.current().pipeline.configuration.clone()),
            caller: Some((*by).clone()),
            about: proposed.filter(|_| !first).map(|act| ExchangeId(act.id)),
            act: Some(ActNote {
                name: act.name().into(),
                target: act.target(),
                step: *step,
                proposer: proposed.filter(|_| !first).map(|act| act.proposer.clone()),
            }),
            ..act.trail()
        };
        let now = self.resources.clock.now();
        let front = format!("admin/{}", act.name().replace('.', "-"));
        let record = Record {
            exchange: ExchangeId(id),
            kind: RecordKind::Administration,
            received: now,
            finished: now,
            front: &front,
            trail: &trail,
            request: said,
            reply: &[],
            fault,
        };
        self.resources.journal.append(record).await
    }

    /// Whether an act can be done now.
    async fn check(&self, act: &Act) -> Result<(), Fault> {
        match act {
            Act::MemberApply(application) => self.check_application(application),
            Act::MemberKeyAdd(id, key) => self.check_new_key(id, key).map(drop),
            Act::MemberKeyRevoke(id, hash) => self.check_key(id, hash).map(drop),
            Act::LetterReplay(id) | Act::LetterDiscard(id) => self.check_letter(*id).await,
            Act::MemberActivate(id)
            | Act::MemberSuspend(id)
            | Act::MemberResume(id)
            | Act::MemberEnd(id) => self.moved(act, id).map(drop),
            Act::PersonErase { holders, .. } => self.check_erasure(holders).await,
            Act::HoldPlace(_) | Act::HoldLift(_) => self.check_bodies(),
        }
    }

    /// Does it, and says what came of it.
    async fn effect(&self, act: &Act) -> Result<Value, Fault> {
        match act {
            Act::MemberApply(application) => self.add_member(application).await,
            Act::MemberKeyAdd(id, key) => self.add_key(&self.check_new_key(id, key)?).await,
            Act::MemberKeyRevoke(id, hash) => self.revoke_key(id, &self.check_key(id, hash)?).await,
            Act::LetterReplay(id) => self.replay_letter(*id).await,
            Act::LetterDiscard(id) => self.discard_letter(*id).await,
            Act::MemberActivate(id)
            | Act::MemberSuspend(id)
            | Act::MemberResume(id)
            | Act::MemberEnd(id) => {
                let (from, to) = self.moved(act, id)?;
                self.move_member(id, from, to).await
            }
            Act::PersonErase { by, holders } => self.do_erase(by, holders).await,
            Act::HoldPlace(hold) => self.place_hold(hold).await,
            Act::HoldLift(id) => self.lift_hold(*id).await,
        }
    }

    /// From which state to which an act moves a member.
    fn moved(&self, act: &Act, id: &MemberId) -> Result<(MemberState, MemberState), Fault> {
        let (from, to) = match act {
            Act::MemberActivate(_) => (&[MemberState::Applied][..], MemberState::Active),
            Act::MemberResume(_) => (&[MemberState::Suspended][..], MemberState::Active),
            Act::MemberSuspend(_) => (&MemberState::ALL[..], MemberState::Suspended),
            _ => (&MemberState::ALL[..], MemberState::Ended),
        };
        Ok((self.check_move(id, from, to)?, to))
    }
}

/// An operator by name, as records have it.
pub(super) fn operator_named(name: &str) -> Caller {
    let member = MemberId(name.into());
    Caller { member, means: Means::ApiKey, assurance: Assurance::Low }
}

fn unreadable(error: serde_json::Error) -> Fault {
    let says = "the act was kept by another version of the gateway; propose it again";
    Fault::new(Kind::Internal, "act-unreadable", says).source(error)
}

fn refused(error: ActError) -> Fault {
    let (kind, code) = match &error {
        ActError::Unknown(_) => (Kind::Unroutable, "no-such-act"),
        ActError::Decided(_) => (Kind::Unsupported, "act-decided"),
        ActError::Expired => (Kind::Unsupported, "act-expired"),
        ActError::Own => (Kind::Forbidden, "own-act"),
        ActError::Store(_) => (Kind::Internal, "store-unavailable"),
    };
    let says = match &error {
        ActError::Store(_) => "the store cannot be used at the moment".to_owned(),
        other => other.to_string(),
    };
    Fault::new(kind, code, says).source(error)
}
