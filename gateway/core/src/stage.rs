//! The stages between a decoded message and a backend. Each takes what the one before it made and
//! adds its own proof; the fields are private, so nobody else can make one. Mappings and adapters
//! take [`Admitted`]: code that skips access, consent or quota does not compile.

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::Timestamp;

use crate::caller::{Authenticate, Means};
use crate::consent::{Consent, Consents, Found, Spent, UseKey};
use crate::journal::Trail;
use crate::mapping::Occasion;
use crate::policy::{self, Asked, Authorize};
use crate::quota::{self, Demand, Quota};
use crate::service::ConsentRule;
use crate::{
    Caller, ConsentUse, Envelope, Evidence, Fault, Kind, Message, Operation, Pseudonym,
    Pseudonymize, ServiceId, SubmissionKey, Value,
};

/// The pseudonym domain of consent records.
pub const CONSENT_DOMAIN: &str = "consent";
/// The pseudonym domain of submission keys.
pub const SUBMISSION_DOMAIN: &str = "submission";
/// The pseudonym domain of the keys under which uses of consents are counted.
pub const USE_DOMAIN: &str = "consent-use";
/// The pseudonym domain by which exchanges are told apart where a share of them goes another way.
pub const SPOT_DOMAIN: &str = "spot";
/// The pseudonym domain of request digests.
pub const DIGEST_DOMAIN: &str = "request-digest";

/// It is known who calls.
pub struct Identified {
    envelope: Arc<Envelope>,
    caller: Caller,
}

/// The caller may do it.
pub struct Authorized(Identified);

/// The person agreed to it, or need not.
pub struct Consented {
    authorized: Authorized,
    /// Those that would do, the best one first; none where none is needed.
    candidates: Option<Vec<Candidate>>,
}

/// A live consent that covers something of what is asked.
struct Candidate {
    used: ConsentUse,
    is_limited: bool,
}

/// An exchange that was let through: who, what, and under which consent. What it holds of quotas it
/// gives back when it is dropped.
pub struct Admitted {
    envelope: Arc<Envelope>,
    caller: Caller,
    consent: Option<ConsentUse>,
    key: Option<SubmissionKey>,
    held: Option<Box<dyn Send + Sync>>,
}

/// Who calls?
///
/// # Errors
/// `Unauthenticated`; `Forbidden` when the message claims to come from another member.
pub async fn authenticate(
    envelope: Arc<Envelope>,
    evidence: &Evidence,
    authenticator: &dyn Authenticate,
    trail: &mut Trail,
) -> Result<Identified, Fault> {
    let caller = authenticator.authenticate(evidence, &envelope).await?;
    trail.caller = Some(caller.clone());
    trail.certificate = evidence.certificate.clone().filter(|_| caller.means == Means::Certificate);
    match &envelope.claimed_member {
        Some(claimed) if **claimed != *caller.member.0 => Err(Fault::new(
            Kind::Forbidden,
            "member-mismatch",
            "the message names another organization as its sender than the one that sent it",
        )),
        _ => Ok(Identified { envelope, caller }),
    }
}

/// May the caller do this?
///
/// # Errors
/// `Forbidden` when the member is not active, naming the policies that forbid it, or saying that none
/// allows it.
pub fn authorize(
    identified: Identified,
    evidence: &Evidence,
    authorizer: &dyn Authorize,
    now: Timestamp,
    trail: &mut Trail,
) -> Result<Authorized, Fault> {
    let Identified { envelope, caller } = &identified;
    let asked = Asked { caller, envelope, address: evidence.address, now };
    let request = &*trail.access.insert(authorizer.request(&asked));
    policy::check_state(request.state)?;
    let decision = &*trail.decision.insert(authorizer.decide(request)?);
    policy::check_decision(decision)?;
    Ok(Authorized(identified))
}

/// What is kept of an authorized exchange that is to be handled later. Nothing is decided by it: every
/// stage comes again then, and consent and quota only then.
pub struct Deferral {
    /// What was asked.
    pub envelope: Arc<Envelope>,
    /// Who asked.
    pub caller: Caller,
    /// The key under which its submit happens once; none for a query.
    pub key: Option<SubmissionKey>,
}

/// Leaves the rest for later.
///
/// # Errors
/// `Malformed` when it changes something and carries no idempotency key.
pub fn defer(authorized: Authorized, pseudonyms: &dyn Pseudonymize) -> Result<Deferral, Fault> {
    let Authorized(Identified { envelope, caller }) = authorized;
    let key = submission_key(&envelope, &caller, pseudonyms)?;
    Ok(Deferral { envelope, caller, key })
}

/// Has the person agreed?
///
/// # Errors
/// `ConsentMissing`, or `ConsentExpired` when one that covered this has ended or was withdrawn.
pub async fn consent(
    authorized: Authorized,
    consents: &dyn Consents,
    pseudonyms: &dyn Pseudonymize,
    now: Timestamp,
    trail: &mut Trail,
) -> Result<Consented, Fault> {
    let Authorized(Identified { envelope, caller }) = &authorized;
    trail.subject = subject(envelope, pseudonyms);
    let Some(rule) = &envelope.service.consent else {
        return Ok(Consented { authorized, candidates: None });
    };
    let principal = trail.subject.ok_or_else(|| {
        Fault::new(Kind::Malformed, "subject-missing", "the person concerned is not named")
    })?;
    if !rule.purpose.recipients.contains(&caller.member) {
        return Err(missing());
    }
    let found = consents.find(&principal, &caller.member, &rule.purpose.code).await?;
    let candidates = choose(rule, &found, now)?;
    trail.consent = candidates.first().map(|candidate| candidate.used.clone());
    Ok(Consented { authorized, candidates: Some(candidates) })
}

/// Spends what the exchange takes of every quota that applies and then, where the consent has a limit,
/// one use of it, and lets the exchange through.
///
/// # Errors
/// `RateLimited`; `ConsentExpired` when all uses are spent; `Malformed` when it changes something and
/// carries no idempotency key.
pub async fn admit(
    consented: Consented,
    quota: &dyn Quota,
    consents: &dyn Consents,
    pseudonyms: &dyn Pseudonymize,
    occasion: Occasion,
    bytes: u64,
    trail: &mut Trail,
) -> Result<Admitted, Fault> {
    let Consented { authorized: Authorized(Identified { envelope, caller }), candidates } =
        consented;
    let key = submission_key(&envelope, &caller, pseudonyms)?;
    let demand = demand(&envelope, &caller, trail.subject.as_ref(), occasion.now, bytes);
    let held = match quota.spend(&demand) {
        Ok(permit) => {
            trail.quota = permit.states;
            permit.held
        }
        Err(excess) => {
            let fault = quota::exceeded(&excess);
            trail.quota = excess.states;
            return Err(fault);
        }
    };
    if let Some(candidates) = candidates {
        let key = use_key(&envelope, &caller, occasion, pseudonyms);
        trail.consent = Some(spend_use(candidates, consents, key).await?);
    }
    let consent = trail.consent.clone();
    Ok(Admitted { envelope, caller, consent, key, held })
}

/// The best candidate that has a use left.
async fn spend_use(
    candidates: Vec<Candidate>,
    consents: &dyn Consents,
    key: UseKey,
) -> Result<ConsentUse, Fault> {
    let mut refused = missing();
    for Candidate { mut used, is_limited } in candidates {
        if !is_limited {
            return Ok(used);
        }
        let says = match consents.spend(used.id, &key).await? {
            Spent::Counted => {
                used.counted = Some(key);
                return Ok(used);
            }
            Spent::UsedUp => ("consent-used-up", "the consent has been used as often as agreed"),
            Spent::Ended => ("consent-expired", "the person's consent has ended"),
        };
        refused = Fault::new(Kind::ConsentExpired, says.0, says.1);
    }
    Err(refused)
}

/// What makes a repeat the same use: the caller's idempotency key, or else the exchange, which a
/// letter keeps over its attempts.
fn use_key(
    envelope: &Envelope,
    caller: &Caller,
    occasion: Occasion,
    pseudonyms: &dyn Pseudonymize,
) -> UseKey {
    let ServiceId { sector, code } = &envelope.service.id;
    let named = match &envelope.idempotency_key {
        Some(key) => format!("{}\u{1f}{code}\u{1f}{key}", caller.member),
        // No member's key begins with the separator.
        None => format!("\u{1f}{}", occasion.exchange),
    };
    pseudonyms.pseudonym(sector, USE_DOMAIN, named.as_bytes())
}

/// What an exchange asks of quotas.
pub(crate) fn demand<'a>(
    envelope: &'a Envelope,
    caller: &'a Caller,
    subject: Option<&'a Pseudonym>,
    now: Timestamp,
    bytes: u64,
) -> Demand<'a> {
    let purpose = envelope.service.purpose.as_deref().map(|purpose| &*purpose.code);
    let (member, service) = (&caller.member, &envelope.service.id);
    Demand { member, service, subject, purpose, bytes, now }
}

impl Admitted {
    /// What was asked.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Who asked.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The key under which its submit happens once; none for a query.
    pub fn key(&self) -> Option<SubmissionKey> {
        self.key
    }

    /// Gives back what it holds of quotas, when its caller has nothing more to wait for.
    pub(crate) fn release(&mut self) {
        self.held = None;
    }

    /// What is the same each time this person, or else this submit, or else this request comes: where
    /// a share goes another way, it goes the same way each time.
    pub(crate) fn spot(&self, pseudonyms: &dyn Pseudonymize) -> Pseudonym {
        let Envelope { service, message, .. } = &*self.envelope;
        let spot = |bytes: &[u8]| pseudonyms.pseudonym(&service.id.sector, SPOT_DOMAIN, bytes);
        let person = service.subject.as_deref().and_then(|field| message.get(field));
        match (person, self.key) {
            (Some(Value::Resident(number)), _) => spot(number.expose().as_bytes()),
            (_, Some(key)) => spot(&key.0),
            (_, None) => spot(&message.canonical()),
        }
    }

    /// Cuts an answer down to the items that the consent covers.
    pub fn cut(&self, mut answer: Message) -> Message {
        if let (Some(rule), Some(used)) = (&self.envelope.service.consent, &self.consent) {
            answer
                .retain(|field| rule.items.get(field).is_none_or(|item| used.items.contains(item)));
        }
        answer
    }
}

fn subject(envelope: &Envelope, pseudonyms: &dyn Pseudonymize) -> Option<Pseudonym> {
    match envelope.message.get(envelope.service.subject.as_deref()?)? {
        Value::Resident(number) => Some(pseudonyms.pseudonym(
            &envelope.service.id.sector,
            CONSENT_DOMAIN,
            number.expose().as_bytes(),
        )),
        _ => None,
    }
}

/// The live consents that cover something of what the service answers: the one that covers most
/// first, and of those that cover as much one without a limit.
fn choose(rule: &ConsentRule, found: &Found, now: Timestamp) -> Result<Vec<Candidate>, Fault> {
    let wanted = rule.wanted();
    let covered = |consent: &Consent| {
        consent.grant.items.iter().filter(|item| wanted.contains(item.as_str())).count()
    };
    let covering = || found.consents.iter().filter(|consent| covered(consent) > 0);
    let mut live: Vec<_> = covering().filter(|consent| consent.is_live(now)).collect();
    live.sort_by_key(|consent| (Reverse(covered(consent)), consent.grant.limit.is_some()));
    if !live.is_empty() {
        let candidate = |consent: &Consent| Candidate {
            used: ConsentUse {
                id: consent.id,
                items: consent.grant.items.clone(),
                as_of: found.as_of,
                counted: None,
            },
            is_limited: consent.grant.limit.is_some(),
        };
        return Ok(live.into_iter().map(candidate).collect());
    }
    let ended = covering().filter(|consent| consent.grant.valid_from <= now);
    Err(match ended.max_by_key(|consent| consent.grant.valid_until) {
        None => missing(),
        Some(consent) if consent.withdrawn().is_some() => Fault::new(
            Kind::ConsentExpired,
            "consent-withdrawn",
            "the person has withdrawn the consent",
        ),
        Some(_) => {
            Fault::new(Kind::ConsentExpired, "consent-expired", "the person's consent has ended")
        }
    })
}

fn missing() -> Fault {
    let says = "the person has not consented to this purpose";
    Fault::new(Kind::ConsentMissing, "consent-missing", says)
}

fn submission_key(
    envelope: &Envelope,
    caller: &Caller,
    pseudonyms: &dyn Pseudonymize,
) -> Result<Option<SubmissionKey>, Fault> {
    if envelope.service.operation == Operation::Query {
        return Ok(None);
    }
    let key = envelope.idempotency_key.as_deref().ok_or_else(|| {
        Fault::new(
            Kind::Malformed,
            "idempotency-key-missing",
            "this service changes something and wants an idempotency key",
        )
    })?;
    let ServiceId { sector, code } = &envelope.service.id;
    // The unit separator cannot occur in a member or service code, so no two triples are alike.
    let named = format!("{}\u{1f}{code}\u{1f}{key}", caller.member);
    let hash = pseudonyms.pseudonym(sector, SUBMISSION_DOMAIN, named.as_bytes());
    Ok(Some(SubmissionKey(hash.0)))
}
