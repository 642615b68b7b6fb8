//! What the pages show: templates, and the texts put into them. Everything is escaped by the engine.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use gateway_core::consent::{ActedBy, Change, FrequencyUnit, UseLimit};
use gateway_core::proof::ProofMeans;
use gateway_core::purpose::Bilingual;
use gateway_core::{Consent, Fault, Kind, MemberId};
use gateway_store::{ExchangeRecord, Kept};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use uuid::Uuid;

use super::Visit;
use super::messages::Messages;
use crate::consents::{Desk, purpose, record};
use crate::deployment::Deployment;

#[derive(Template)]
#[template(path = "notice.html")]
struct Notice<'a> {
    messages: &'a Messages,
    text: &'a str,
}

#[derive(Template)]
#[template(path = "door.html")]
struct Door<'a> {
    messages: &'a Messages,
    token: &'a str,
}

#[derive(Template)]
#[template(path = "list.html")]
struct List<'a> {
    messages: &'a Messages,
    secret: &'a str,
    consents: Vec<Shown>,
}

#[derive(Template)]
#[template(path = "consent.html")]
struct One<'a> {
    messages: &'a Messages,
    secret: &'a str,
    done: Option<&'a str>,
    consent: Shown,
    registered: Option<Registered>,
    counted: u64,
    events: Vec<Event>,
    uses: Vec<Event>,
}

/// A moment for machines and for people.
type Moment = (String, String);

/// A consent in the reader's language.
struct Shown {
    id: Uuid,
    purpose: String,
    recipient: String,
    /// Name and title.
    items: Vec<(String, String)>,
    from: Moment,
    until: Moment,
    state: String,
    limit: Option<String>,
    is_live: bool,
}

struct Registered {
    basis: String,
    notice: String,
    retention: String,
}

struct Event {
    time: Moment,
    what: String,
    by: String,
}

/// What has been done with a consent.
pub(super) struct Past {
    pub(super) history: Vec<Kept>,
    pub(super) counted: u64,
    pub(super) uses: Vec<ExchangeRecord>,
}

/// A page with one sentence.
pub(super) fn notice(messages: &Messages, text: &str, status: StatusCode) -> HttpResponse {
    page(&Notice { messages, text }, status)
}

/// What went wrong, in the reader's language; the details are in the log.
pub(super) fn fault(messages: &Messages, fault: &Fault) -> HttpResponse {
    tracing::info!(fault.kind = %fault.kind, fault.code = %fault.code, "people: {fault}");
    let (status, text) = match fault.kind {
        Kind::Unroutable => (StatusCode::NOT_FOUND, &messages.nothing_here),
        Kind::Malformed => (StatusCode::BAD_REQUEST, &messages.failed),
        Kind::Forbidden => (StatusCode::FORBIDDEN, &messages.failed),
        Kind::Unsupported => (StatusCode::CONFLICT, &messages.failed),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, &messages.failed),
    };
    notice(messages, text, status)
}

pub(super) fn door(messages: &Messages, token: &str) -> HttpResponse {
    page(&Door { messages, token }, StatusCode::OK)
}

pub(super) fn list(
    visit: &Visit,
    desk: &Desk,
    consents: &[Consent],
    now: Timestamp,
) -> HttpResponse {
    let deployment = desk.gateway.current();
    let consents = consents.iter().map(|one| shown(visit.messages, &deployment, one, now));
    let (messages, secret) = (visit.messages, visit.session.secret.as_str());
    page(&List { messages, secret, consents: consents.collect() }, StatusCode::OK)
}

pub(super) fn show(
    visit: &Visit,
    desk: &Desk,
    consent: &Consent,
    past: &Past,
    now: Timestamp,
) -> HttpResponse {
    let deployment = desk.gateway.current();
    let messages = visit.messages;
    let registered = purpose(&deployment, &consent.grant.sector, &consent.grant.purpose);
    let registered = registered.map(|purpose| Registered {
        basis: text(messages, &purpose.legal_basis),
        notice: text(messages, &purpose.notice),
        retention: purpose.retention.to_string(),
    });
    let done = match visit.done.as_deref() {
        Some("narrow") => Some(messages.done_narrow.as_str()),
        Some("withdraw") => Some(messages.done_withdraw.as_str()),
        _ => None,
    };
    let one = One {
        messages,
        secret: &visit.session.secret,
        done,
        consent: shown(messages, &deployment, consent, now),
        registered,
        counted: past.counted,
        events: past.history.iter().map(|kept| event(messages, &deployment, kept)).collect(),
        uses: past.uses.iter().map(|used| use_of(&deployment, used)).collect(),
    };
    page(&one, StatusCode::OK)
}

fn page(template: &impl Template, status: StatusCode) -> HttpResponse {
    match template.render() {
        Ok(text) => HttpResponse::build(status).content_type("text/html; charset=utf-8").body(text),
        // A template only fails when a value cannot be written, and ours are texts.
        Err(error) => {
            tracing::error!("a page cannot be rendered: {error}");
            HttpResponse::InternalServerError().finish()
        }
    }
}

fn text(messages: &Messages, both: &Bilingual) -> String {
    if messages.code == "ko" { both.ko.clone() } else { both.en.clone() }
}

/// People here read Korean time.
fn moment(time: Timestamp) -> Moment {
    let zone = TimeZone::fixed(Offset::constant(9));
    (time.to_string(), time.to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string())
}

fn member(deployment: &Deployment, id: &MemberId) -> String {
    deployment.member_names.get(id).cloned().unwrap_or_else(|| id.to_string())
}

fn shown(messages: &Messages, deployment: &Deployment, consent: &Consent, now: Timestamp) -> Shown {
    let grant = &consent.grant;
    let registered = purpose(deployment, &grant.sector, &grant.purpose);
    let title = |name: &String| {
        let title = registered.and_then(|purpose| purpose.items.get(name));
        (name.clone(), title.map_or_else(|| name.clone(), |title| text(messages, title)))
    };
    let state = match record::state(consent, now) {
        "withdrawn" => &messages.withdrawn,
        "expired" => &messages.expired,
        "not-yet-valid" => &messages.not_yet,
        _ => &messages.given,
    };
    Shown {
        id: consent.id,
        purpose: registered
            .map_or_else(|| grant.purpose.clone(), |purpose| text(messages, &purpose.title)),
        recipient: member(deployment, &grant.recipient),
        items: grant.items.iter().map(title).collect(),
        from: moment(grant.valid_from),
        until: moment(grant.valid_until),
        state: state.clone(),
        limit: grant.limit.map(|limit| limited(messages, limit)),
        is_live: consent.ended.is_none() && now < grant.valid_until,
    }
}

fn limited(messages: &Messages, limit: UseLimit) -> String {
    let UseLimit::Periodic(frequency) = limit else {
        return messages.limit_once.clone();
    };
    let unit = match frequency.unit {
        FrequencyUnit::Hour => &messages.hour,
        FrequencyUnit::Day => &messages.day,
        FrequencyUnit::Month => &messages.month,
        FrequencyUnit::Year => &messages.year,
    };
    format!("{} {} {unit}", frequency.value, messages.limit_per)
}

fn event(messages: &Messages, deployment: &Deployment, kept: &Kept) -> Event {
    let revision = &kept.revision;
    let what = match revision.change {
        Change::Grant { .. } => &messages.grant_event,
        Change::Narrow(_) => &messages.narrow_event,
        Change::Withdraw => &messages.withdraw_event,
        Change::Expire => &messages.expire_event,
    };
    let who = match revision.acted_by {
        ActedBy::Principal => &messages.by_you,
        ActedBy::Delegate => &messages.by_delegate,
        ActedBy::Gateway => &messages.by_gateway,
    };
    let by = match revision.proof.as_ref().map(|proof| &proof.means) {
        Some(ProofMeans::AgencyPaper { office } | ProofMeans::AgencySession { office }) => {
            format!("{who} ({})", member(deployment, office))
        }
        _ => who.clone(),
    };
    Event { time: moment(revision.at), what: what.clone(), by }
}

fn use_of(deployment: &Deployment, used: &ExchangeRecord) -> Event {
    let by = used.member.as_deref().map(|id| member(deployment, &MemberId(id.into())));
    Event {
        time: moment(used.received),
        what: used.service.clone().unwrap_or_default(),
        by: by.unwrap_or_default(),
    }
}
