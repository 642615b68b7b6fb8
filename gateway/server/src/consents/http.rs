//! The API for offices and operators, under `/consents` of the public listeners and `/admin/consents`.
//! Recipients ask there by reference whether a consent is live; they learn nothing else of it.

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use gateway_core::consent::{Change, Narrowing};
use gateway_core::{Caller, Evidence, Fault, Kind, MemberId};
use gateway_store::{ConsentRegistry, RegistryError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::import::ImportRequest;
use super::request::{GrantRequest, check_evidence, pseudonym};
use super::{Actor, Desk, Done, malformed, record, registry_fault};
use crate::admin;

/// Consents in one answer.
const PAGE: u32 = 100;

/// The API of one listener.
pub struct Api {
    /// What it does.
    pub desk: Desk,
    /// Who may come in.
    pub door: Door,
}

/// By what callers of the API are known.
pub enum Door {
    /// Operators of the gateway, by their bearer keys.
    Operators,
    /// Members, by what the listener saw of them.
    Members(fn(&HttpRequest) -> Evidence),
}

/// The routes below `prefix`.
pub fn routes(config: &mut web::ServiceConfig, prefix: &str, api: Data<Api>) {
    let scope = web::scope(prefix)
        .app_data(api)
        .route("", web::post().to(grant))
        .route("", web::get().to(list))
        .route("/import", web::post().to(import))
        .route("/search", web::post().to(search))
        .route("/links", web::post().to(link))
        .route("/references/{reference}", web::get().to(reference))
        .route("/{id}", web::get().to(show))
        .route("/{id}", web::delete().to(withdraw))
        .route("/{id}/withdraw", web::post().to(withdraw))
        .route("/{id}/narrow", web::post().to(narrow))
        .route("/{id}/uses", web::get().to(uses))
        .route("/{id}/receipt", web::get().to(receipt));
    config.service(scope);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    /// The recipient, where operators ask; members list their own.
    recipient: Option<String>,
    /// The last id of the page before.
    after: Option<Uuid>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    #[serde(deserialize_with = "super::request::secret")]
    resident: Zeroizing<String>,
    sector: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeRequest {
    #[serde(default)]
    narrowing: Option<Narrowing>,
    evidence: Option<String>,
}

impl Api {
    /// An office that may act on paper, or an operator.
    fn actor(&self, request: &HttpRequest) -> Result<Actor, Fault> {
        let deployment = self.desk.gateway.current();
        match self.door {
            Door::Operators => {
                let operator = admin::operator(&deployment, request)?;
                Ok(Actor::operator(&operator.member))
            }
            Door::Members(evidence) => {
                let caller = deployment.members.identify_active(&evidence(request))?;
                let assurance = deployment.members.paper_consent(&caller.member);
                let assurance = assurance.ok_or_else(|| {
                    let says = "this member is no office that takes consents on paper";
                    Fault::new(Kind::Forbidden, "not-a-consent-office", says)
                })?;
                Ok(Actor::office(caller, assurance))
            }
        }
    }

    /// Whoever may ask at all.
    fn caller(&self, request: &HttpRequest) -> Result<Caller, Fault> {
        let deployment = self.desk.gateway.current();
        match self.door {
            Door::Operators => admin::operator(&deployment, request),
            Door::Members(evidence) => deployment.members.identify_active(&evidence(request)),
        }
    }

    async fn change(
        &self,
        request: &HttpRequest,
        id: Uuid,
        body: &[u8],
        change: impl FnOnce(Option<Narrowing>) -> Result<Change, Fault>,
    ) -> Result<Done, Fault> {
        let actor = self.actor(request)?;
        let asked: ChangeRequest = match body {
            [] => ChangeRequest::default(),
            body => parse(body)?,
        };
        check_evidence(asked.evidence.as_deref())?;
        let actor = Actor { evidence: asked.evidence.unwrap_or_default(), ..actor };
        self.desk.change(actor, id, change(asked.narrowing)?).await
    }

    async fn list(&self, request: &HttpRequest, listing: &Listing) -> Result<Vec<Value>, Fault> {
        let caller = self.caller(request)?;
        let recipient = match (&self.door, &listing.recipient) {
            (Door::Operators, Some(recipient)) => MemberId(recipient.as_str().into()),
            (Door::Operators, None) => return Err(malformed("name the recipient")),
            (Door::Members(_), None) => caller.member,
            (Door::Members(_), Some(_)) => {
                return Err(malformed("a member lists its own; leave the recipient out"));
            }
        };
        let store = &self.desk.resources.consents;
        let page = store.of_recipient(&recipient, listing.after, PAGE).await;
        let page = page.map_err(registry_fault)?;
        Ok(page
            .iter()
            .map(|consent| match self.door {
                Door::Operators => {
                    let mut shown = self.desk.summary(consent);
                    if let Some(fields) = shown.as_object_mut() {
                        fields.insert("id".into(), json!(consent.id));
                    }
                    shown
                }
                Door::Members(_) => self.seen_by_recipient(consent),
            })
            .collect())
    }

    /// What a recipient may know: that this consent is live, and for what.
    fn seen_by_recipient(&self, consent: &gateway_core::Consent) -> Value {
        let now = self.desk.resources.clock.now();
        json!({
            "reference": consent.reference,
            "live": consent.is_live(now),
            "state": record::state(consent, now),
            "purpose": consent.grant.purpose,
            "items": consent.grant.items,
            "valid_until": consent.grant.valid_until,
            "as_of": now,
        })
    }

    /// To another recipient a reference says nothing, not even that it is one.
    async fn reference(&self, request: &HttpRequest, reference: Uuid) -> Result<Value, Fault> {
        let caller = self.caller(request)?;
        let found = self.desk.resources.consents.by_reference(reference).await;
        let consent = found.map_err(registry_fault)?;
        let is_theirs = consent.grant.recipient == caller.member;
        match is_theirs || matches!(self.door, Door::Operators) {
            true => Ok(self.seen_by_recipient(&consent)),
            false => Err(registry_fault(RegistryError::Unknown(reference))),
        }
    }

    async fn search(&self, request: &HttpRequest, body: &[u8]) -> Result<Vec<Value>, Fault> {
        self.actor(request)?;
        let person: Person = parse(body)?;
        let deployment = self.desk.gateway.current();
        let sector = person.sector.ok_or_else(|| malformed("name the sector"))?;
        let principal = pseudonym(&deployment, &sector, &person.resident)?;
        let found = self.desk.resources.consents.of_principal(&principal).await;
        let found = found.map_err(registry_fault)?;
        Ok(found.iter().map(|consent| self.desk.summary(consent)).collect())
    }

    /// A link by which the person whom this office has identified comes to their page.
    fn link(&self, request: &HttpRequest, body: &[u8]) -> Result<Value, Fault> {
        let actor = self.actor(request)?;
        let person: Person = parse(body)?;
        let (url, expires) = self.desk.link(&actor, &person.resident)?;
        Ok(json!({ "url": url, "expires": expires }))
    }
}

async fn grant(request: HttpRequest, body: Bytes, api: Data<Api>) -> HttpResponse {
    let done = async {
        let actor = api.actor(&request)?;
        api.desk.grant(actor, parse::<GrantRequest>(&body)?).await
    };
    admin::answer(done.await, StatusCode::CREATED)
}

async fn import(request: HttpRequest, body: Bytes, api: Data<Api>) -> HttpResponse {
    let done = async {
        let actor = api.actor(&request)?;
        let asked = parse::<ImportRequest>(&body)?.grant(&api.desk.gateway.current())?;
        api.desk.grant(actor, asked).await
    };
    admin::answer(done.await, StatusCode::CREATED)
}

async fn list(request: HttpRequest, listing: Query<Listing>, api: Data<Api>) -> HttpResponse {
    admin::answer(api.list(&request, &listing).await, StatusCode::OK)
}

async fn search(request: HttpRequest, body: Bytes, api: Data<Api>) -> HttpResponse {
    admin::answer(api.search(&request, &body).await, StatusCode::OK)
}

async fn link(request: HttpRequest, body: Bytes, api: Data<Api>) -> HttpResponse {
    admin::answer(api.link(&request, &body), StatusCode::CREATED)
}

async fn reference(request: HttpRequest, of: Path<Uuid>, api: Data<Api>) -> HttpResponse {
    admin::answer(api.reference(&request, *of).await, StatusCode::OK)
}

async fn show(request: HttpRequest, id: Path<Uuid>, api: Data<Api>) -> HttpResponse {
    let shown = async {
        api.actor(&request)?;
        api.desk.iso_record(*id).await
    };
    admin::answer(shown.await, StatusCode::OK)
}

async fn withdraw(
    request: HttpRequest,
    id: Path<Uuid>,
    body: Bytes,
    api: Data<Api>,
) -> HttpResponse {
    let change = |narrowing: Option<Narrowing>| match narrowing {
        None => Ok(Change::Withdraw),
        Some(_) => Err(malformed("a withdrawal narrows nothing")),
    };
    admin::answer(api.change(&request, *id, &body, change).await, StatusCode::OK)
}

async fn narrow(request: HttpRequest, id: Path<Uuid>, body: Bytes, api: Data<Api>) -> HttpResponse {
    let change = |narrowing: Option<Narrowing>| match narrowing {
        Some(narrowing) => Ok(Change::Narrow(narrowing)),
        None => Err(malformed("say what remains: narrowing with items, valid_until or both")),
    };
    admin::answer(api.change(&request, *id, &body, change).await, StatusCode::OK)
}

/// The exchanges that relied on a consent, refusals left out.
async fn uses(request: HttpRequest, id: Path<Uuid>, api: Data<Api>) -> HttpResponse {
    let uses = async {
        api.actor(&request)?;
        api.desk.uses(*id).await
    };
    admin::answer(uses.await, StatusCode::OK)
}

async fn receipt(request: HttpRequest, id: Path<Uuid>, api: Data<Api>) -> HttpResponse {
    let signed = async {
        api.actor(&request)?;
        let signed = api.desk.receipt(*id).await?;
        let keys = api.desk.resources.receipts.as_ref().map(|signer| signer.keys());
        Ok(json!({ "receipt": signed, "keys": keys }))
    };
    admin::answer(signed.await, StatusCode::OK)
}

/// The error names a field and a position, never a value of the person's.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| {
        let kind = match error.classify() {
            serde_json::error::Category::Syntax => "syntax",
            serde_json::error::Category::Data => "field",
            serde_json::error::Category::Eof => "end of text",
            serde_json::error::Category::Io => "reading",
        };
        malformed(format!("not a consent: {kind} error at column {}", error.column()))
    })
}
