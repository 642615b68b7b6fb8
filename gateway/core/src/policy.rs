//! Access as plain data: all that a decision depends on, and what was decided.
//!
//! An [`AccessRequest`] holds no personal data and can be kept, so that what was decided can be asked
//! again of other policies. Who decides is behind [`Authorize`]; that a decision becomes a refusal is
//! [`crate::stage::authorize`]'s matter.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::caller::Means;
use crate::member::MemberState;
use crate::{Assurance, Caller, Envelope, Fault, Kind, MemberId, Operation, ServiceId};

/// Where a REST service is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The HTTP method, e.g. `POST`.
    pub method: Arc<str>,
    /// The path as the mapping has it, with a field as `{name}`: what a caller puts into the place of
    /// a field may be personal, and is no part of it.
    pub path: Arc<str>,
}

/// All that a decision on access depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessRequest {
    /// Who calls.
    pub member: MemberId,
    /// What kind of organization it is, as registered, e.g. `GOV`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Arc<str>>,
    /// Where in its life it stands.
    #[serde(default)]
    pub state: MemberState,
    /// What else is registered of it.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub attributes: Arc<BTreeMap<String, String>>,
    /// Its system, where the message names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subsystem: Option<Arc<str>>,
    /// What it wants.
    pub service: ServiceId,
    /// Whether that reads or changes.
    pub operation: Operation,
    /// Where, for REST.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Arc<Endpoint>>,
    /// For which registered purpose, where the service has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Arc<str>>,
    /// By what means it is known who calls.
    pub means: Means,
    /// How sure that is.
    pub assurance: Assurance,
    /// When.
    pub time: Timestamp,
    /// The configured networks that its address is in, by name and in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<Arc<str>>,
    /// The sandbox exemptions that hold for it now, by id and in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exemptions: Vec<Arc<str>>,
}

fn is_empty(attributes: &Arc<BTreeMap<String, String>>) -> bool {
    attributes.is_empty()
}

/// What is known of a request when access is decided.
pub struct Asked<'a> {
    /// Who calls.
    pub caller: &'a Caller,
    /// What it wants.
    pub envelope: &'a Envelope,
    /// From where.
    pub address: Option<IpAddr>,
    /// When.
    pub now: Timestamp,
}

impl AccessRequest {
    /// What the request itself says. Who knows more of the member, of networks and of exemptions adds
    /// it.
    pub fn of(asked: &Asked<'_>) -> Self {
        let Asked { caller, envelope, address: _, now } = asked;
        let service = &envelope.service;
        Self {
            member: caller.member.clone(),
            class: None,
            state: MemberState::Active,
            attributes: Arc::default(),
            subsystem: envelope.claimed_subsystem.as_deref().map(Arc::from),
            service: service.id.clone(),
            operation: service.operation,
            endpoint: envelope.endpoint.clone(),
            purpose: service.purpose.as_ref().map(|purpose| purpose.code.clone()),
            means: caller.means,
            assurance: caller.assurance,
            time: *now,
            networks: Vec::new(),
            exemptions: Vec::new(),
        }
    }
}

/// What the policies say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Whether one allows it and none forbids it.
    pub allowed: bool,
    /// The ids, in order, of those that decided: that allow it, or that forbid it. None where none
    /// allows it.
    pub policies: Vec<String>,
}

/// May this caller do this? Default deny.
pub trait Authorize: Send + Sync {
    /// All that the decision depends on.
    fn request(&self, asked: &Asked<'_>) -> AccessRequest {
        AccessRequest::of(asked)
    }

    /// Decides. The member's state is no matter of the policies: it was looked at before.
    ///
    /// # Errors
    /// [`Kind::Internal`] when it cannot be decided.
    fn decide(&self, request: &AccessRequest) -> Result<Decision, Fault>;
}

/// The refusal of a member that may not call at all.
///
/// # Errors
/// `Forbidden`, with the state in its code.
pub fn check_state(state: MemberState) -> Result<(), Fault> {
    let (code, says) = match state {
        MemberState::Active => return Ok(()),
        MemberState::Applied => ("member-applied", "this member has not been let in yet"),
        MemberState::Suspended => ("member-suspended", "this member is suspended"),
        MemberState::Ended => ("member-ended", "this member does not take part any more"),
    };
    Err(Fault::new(Kind::Forbidden, code, says))
}

/// The refusal that a decision is.
///
/// # Errors
/// `Forbidden` naming the policies that forbid it, or saying that none allows it.
pub(crate) fn check_decision(decision: &Decision) -> Result<(), Fault> {
    if decision.allowed {
        return Ok(());
    }
    if decision.policies.is_empty() {
        let says = "no policy allows this member to call this service";
        return Err(Fault::new(Kind::Forbidden, "no-policy-allows", says));
    }
    let ids = decision.policies.join(", ");
    let says = format!("a policy forbids this: {ids}");
    let fault = Fault::new(Kind::Forbidden, "policy-forbids", says);
    Err(fault.context(format_args!("forbidden by {ids}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_policies_that_forbid_or_says_that_none_allows() {
        let decision = |policies: &[&str]| Decision {
            allowed: false,
            policies: policies.iter().map(|id| (*id).to_owned()).collect(),
        };
        let fault = check_decision(&decision(&["a", "b"])).unwrap_err();
        assert_eq!((fault.code.as_ref(), fault.kind), ("policy-forbids", Kind::Forbidden));
        assert!(fault.public.contains("a, b") && fault.context.contains("a, b"));
        assert_eq!(check_decision(&decision(&[])).unwrap_err().code, "no-policy-allows");
        assert!(check_decision(&Decision { allowed: true, policies: vec![] }).is_ok());
    }

    #[test]
    fn only_an_active_member_may_call() {
        let codes = MemberState::ALL.map(|state| check_state(state).err().map(|fault| fault.code));
        let codes = codes.each_ref().map(|code| code.as_deref());
        let wanted = [Some("member-applied"), None, Some("member-suspended"), Some("member-ended")];
        assert_eq!(codes, wanted);
    }

    #[test]
    fn a_request_is_kept_and_read_again() {
        let text = r#"{"member":"mohw","class":"GOV","state":"active","attributes":{"region":"11"},
            "subsystem":"portal","service":{"sector":"welfare","code":"history"},
            "operation":"query","endpoint":{"method":"GET","path":"/v1/welfare/history/{person}"},
            "purpose":"welfare-check","means":"api-key","assurance":"low",
            "time":"2026-03-02T00:30:00Z","networks":["office"],"exemptions":["pilot"]}"#;
        let request: AccessRequest = serde_json::from_str(text).unwrap();
        let again = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<AccessRequest>(&again).unwrap(), request);
        assert_eq!(again, text.replace("\n            ", ""));
        assert!(serde_json::from_str::<AccessRequest>(&text.replace("purpose", "reason")).is_err());
    }
}
