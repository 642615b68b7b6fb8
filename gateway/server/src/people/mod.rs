//! Pages for people, on an address of their own: what I agreed to, who used it, less of it, none of it,
//! and my receipt. Server-rendered, without any script.
//!
//! A person comes in by a link that an office obtained after identifying them ([`session`]); texts are
//! in the message catalogs ([`messages`]), looks in [`pages`].

mod messages;
mod pages;
pub mod session;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::{Server, Service};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::{self, Bytes, Data, Path, Query};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use gateway_core::consent::{ActedBy, Change, Narrowing};
use gateway_core::proof::ProofMeans;
use gateway_core::{Consent, Fault, Kind};
use gateway_store::ConsentRegistry;
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use crate::consents::{Actor, Desk, registry_fault};
use crate::deployment::Deployment;
use messages::{Language, Messages};
use pages::Past;
use session::{Session, Sessions};

/// Whatever a page holds may be shown to nobody else, framed by nobody, and runs nothing.
const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    ("cache-control", "no-store"),
    // With `no-referrer` browsers would send no origin with our own forms either.
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// What the pages work on.
pub struct People {
    /// The consents.
    pub desk: Desk,
    /// Who is in.
    pub sessions: std::sync::Arc<Sessions>,
}

/// Binds and starts the listener.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(people: People, address: SocketAddr, shutdown: Duration) -> std::io::Result<Server> {
    let people = Data::new(people);
    let app = move || {
        let limits = people.clone();
        App::new()
            .app_data(people.clone())
            .app_data(web::PayloadConfig::new(16 * 1024))
            .wrap_fn(move |request, service| {
                let turned_away = request
                    .peer_addr()
                    .is_some_and(|address| !limits.desk.gateway.admits(address.ip()));
                let handled = (!turned_away).then(|| service.call(request));
                async move {
                    let mut response = match handled {
                        Some(handled) => handled.await?,
                        None => return Err(actix_web::error::ErrorTooManyRequests("slow down")),
                    };
                    for (name, value) in HEADERS {
                        let name = HeaderName::from_static(name);
                        response.headers_mut().insert(name, HeaderValue::from_static(value));
                    }
                    Ok(response)
                }
            })
            .route("/", web::get().to(list))
            .route("/enter/{token}", web::get().to(door))
            .route("/enter/{token}", web::post().to(enter))
            .route("/leave", web::post().to(leave))
            .route("/consents/{id}", web::get().to(show))
            .route("/consents/{id}/narrow", web::post().to(narrow))
            .route("/consents/{id}/withdraw", web::post().to(withdraw))
            .route("/consents/{id}/receipt", web::get().to(receipt))
            .route("/keys.json", web::get().to(keys))
            .route("/style.css", web::get().to(style))
            .default_service(web::to(nowhere))
    };
    let server = HttpServer::new(app).workers(1).shutdown_timeout(shutdown.as_secs());
    Ok(server.disable_signals().bind(address)?.run())
}

#[derive(Deserialize)]
struct Asked {
    lang: Option<String>,
    /// What was just done, for the page that follows.
    done: Option<String>,
}

/// A page that is asked for: by whom, and in which language.
struct Visit {
    session: Session,
    token: String,
    messages: &'static Messages,
    done: Option<String>,
}

fn nobody(messages: &Messages) -> HttpResponse {
    pages::notice(messages, &messages.signed_out, StatusCode::UNAUTHORIZED)
}

impl People {
    fn language(request: &HttpRequest, asked: &Asked) -> Language {
        let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let kept = request.cookie(LANGUAGE);
        let kept = kept.as_ref().map(Cookie::value);
        Language::of(asked.lang.as_deref().or(kept), text(header::ACCEPT_LANGUAGE))
    }

    /// Who visits; otherwise the language in which to say that nobody is in.
    fn visit(&self, request: &HttpRequest, asked: &Asked) -> Result<Visit, &'static Messages> {
        let messages = Self::language(request, asked).messages();
        let name = self.sessions.cookie();
        let token = request.cookie(name).map(|cookie| cookie.value().to_owned());
        let session = token.as_deref().and_then(|token| self.sessions.find(token, self.now()));
        match (session, token) {
            (Some(session), Some(token)) => {
                Ok(Visit { session, token, messages, done: asked.done.clone() })
            }
            _ => Err(messages),
        }
    }

    fn now(&self) -> Timestamp {
        self.desk.resources.clock.now()
    }

    /// A consent of the person who is in; anybody else's is not there.
    async fn own(&self, visit: &Visit, id: Uuid) -> Result<Consent, Fault> {
        let consent = self.desk.consent(id).await?;
        let is_own =
            visit.session.principals.get(&consent.grant.sector) == Some(&consent.grant.principal);
        match is_own {
            true => Ok(consent),
            false => Err(registry_fault(gateway_store::RegistryError::Unknown(id))),
        }
    }

    async fn all(&self, visit: &Visit) -> Result<Vec<Consent>, Fault> {
        let mut all = Vec::new();
        for principal in visit.session.principals.values() {
            let found = self.desk.resources.consents.of_principal(principal).await;
            all.extend(found.map_err(registry_fault)?);
        }
        let now = self.now();
        all.sort_by_key(|consent| (!consent.is_live(now), std::cmp::Reverse(consent.id)));
        Ok(all)
    }

    /// What a form changes. Its secret shows that it is one of ours: a strict same-site cookie and the
    /// origin are checked too, and any one of them would do.
    async fn change(
        &self,
        request: &HttpRequest,
        id: Uuid,
        form: &Form,
        change: Change,
    ) -> HttpResponse {
        let asked = Asked { lang: None, done: None };
        let visit = match self.visit(request, &asked) {
            Ok(visit) => visit,
            Err(messages) => return nobody(messages),
        };
        let messages = visit.messages;
        let is_ours = form.one("secret").is_some_and(|secret| visit.session.is_secret(secret));
        if !is_ours || !self.sessions.is_own_origin(request) {
            return pages::notice(messages, &messages.forged, StatusCode::FORBIDDEN);
        }
        let done = change.name();
        let changed = async {
            self.own(&visit, id).await?;
            let actor = Actor {
                caller: None,
                means: ProofMeans::AgencySession { office: visit.session.office.clone() },
                assurance: visit.session.assurance,
                acted_by: ActedBy::Principal,
                evidence: visit.session.id.to_string(),
            };
            self.desk.change(actor, id, change).await
        };
        match changed.await {
            Ok(_) => see_other(&format!("/consents/{id}?done={done}")),
            Err(fault) => pages::fault(messages, &fault),
        }
    }
}

const LANGUAGE: &str = "language";

impl Desk {
    /// A link by which the person of this resident number comes to their page once, and until when.
    ///
    /// # Errors
    /// `Malformed`; `Unsupported` where there is no page.
    pub fn link(&self, actor: &Actor, resident: &str) -> Result<(String, Timestamp), Fault> {
        let sessions = self.resources.sessions.as_ref().ok_or_else(|| {
            let says = "there is no page for people: listen.people is not configured";
            Fault::new(Kind::Unsupported, "people-not-configured", says)
        })?;
        let office = actor.caller.as_ref().ok_or_else(|| {
            Fault::new(Kind::Forbidden, "not-a-consent-office", "only an office obtains links")
        })?;
        let deployment = self.gateway.current();
        let principals = principals(&deployment, resident)?;
        let worth = (office.member.clone(), actor.assurance);
        sessions.link(principals, worth, self.resources.clock.now())
    }
}

/// The person as the records of every sector with purposes name them.
fn principals(
    deployment: &Deployment,
    resident: &str,
) -> Result<BTreeMap<String, gateway_core::Pseudonym>, Fault> {
    let sectors: BTreeSet<_> =
        deployment.purposes.iter().map(|purpose| purpose.sector.to_string()).collect();
    let named = sectors.into_iter().map(|sector| {
        let pseudonym = crate::consents::request::pseudonym(deployment, &sector, resident)?;
        Ok((sector, pseudonym))
    });
    named.collect()
}

/// The fields of a form, in order.
struct Form(Vec<(String, String)>);

impl Form {
    fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn all(&self, name: &str) -> BTreeSet<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }
}

/// The page before the session: what opens a link without being asked, such as a mail filter, does not
/// use it up.
async fn door(request: HttpRequest, token: Path<String>, asked: Query<Asked>) -> HttpResponse {
    pages::door(People::language(&request, &asked).messages(), &token)
}

async fn enter(
    request: HttpRequest,
    token: Path<String>,
    asked: Query<Asked>,
    people: Data<People>,
) -> HttpResponse {
    let language = People::language(&request, &asked);
    let messages = language.messages();
    if !people.sessions.is_own_origin(&request) {
        return pages::notice(messages, &messages.forged, StatusCode::FORBIDDEN);
    }
    let Some(session) = people.sessions.enter(&token, people.now()) else {
        return pages::notice(messages, &messages.link_spent, StatusCode::GONE);
    };
    let secure = people.sessions.is_secure();
    let cookie = |name: &'static str, value: String| {
        Cookie::build(name, value)
            .path("/")
            .http_only(true)
            .secure(secure)
            .same_site(SameSite::Strict)
            .finish()
    };
    let mut response = see_other("/");
    for cookie in
        [cookie(people.sessions.cookie(), session), cookie(LANGUAGE, language.code().to_owned())]
    {
        // Neither name nor value holds what a cookie cannot.
        let _ = response.add_cookie(&cookie);
    }
    response
}

async fn leave(request: HttpRequest, body: Bytes, people: Data<People>) -> HttpResponse {
    let asked = Asked { lang: None, done: None };
    let visit = match people.visit(&request, &asked) {
        Ok(visit) => visit,
        Err(messages) => return nobody(messages),
    };
    let messages = visit.messages;
    let form = Form::read(&body);
    if !form.one("secret").is_some_and(|secret| visit.session.is_secret(secret)) {
        return pages::notice(messages, &messages.forged, StatusCode::FORBIDDEN);
    }
    people.sessions.leave(&visit.token);
    pages::notice(messages, &messages.left, StatusCode::OK)
}

async fn list(request: HttpRequest, asked: Query<Asked>, people: Data<People>) -> HttpResponse {
    let visit = match people.visit(&request, &asked) {
        Ok(visit) => visit,
        Err(messages) => return nobody(messages),
    };
    match people.all(&visit).await {
        Ok(consents) => pages::list(&visit, &people.desk, &consents, people.now()),
        Err(fault) => pages::fault(visit.messages, &fault),
    }
}

async fn show(
    request: HttpRequest,
    id: Path<Uuid>,
    asked: Query<Asked>,
    people: Data<People>,
) -> HttpResponse {
    let visit = match people.visit(&request, &asked) {
        Ok(visit) => visit,
        Err(messages) => return nobody(messages),
    };
    let found = async {
        let consent = people.own(&visit, *id).await?;
        let history = people.desk.resources.consents.history(*id).await.map_err(registry_fault)?;
        let counted = people.desk.resources.consents.uses(*id).await?;
        let uses = people.desk.uses(*id).await?;
        Ok::<_, Fault>((consent, Past { history, counted, uses }))
    };
    match found.await {
        Ok((consent, past)) => pages::show(&visit, &people.desk, &consent, &past, people.now()),
        Err(fault) => pages::fault(visit.messages, &fault),
    }
}

async fn narrow(
    request: HttpRequest,
    id: Path<Uuid>,
    body: Bytes,
    people: Data<People>,
) -> HttpResponse {
    let form = Form::read(&body);
    let narrowing = Narrowing { items: Some(form.all("item")), valid_until: None };
    people.change(&request, *id, &form, Change::Narrow(narrowing)).await
}

async fn withdraw(
    request: HttpRequest,
    id: Path<Uuid>,
    body: Bytes,
    people: Data<People>,
) -> HttpResponse {
    people.change(&request, *id, &Form::read(&body), Change::Withdraw).await
}

async fn receipt(
    request: HttpRequest,
    id: Path<Uuid>,
    asked: Query<Asked>,
    people: Data<People>,
) -> HttpResponse {
    let visit = match people.visit(&request, &asked) {
        Ok(visit) => visit,
        Err(messages) => return nobody(messages),
    };
    let signed = async {
        people.own(&visit, *id).await?;
        people.desk.receipt(*id).await
    };
    match signed.await {
        Ok(signed) => HttpResponse::Ok()
            .content_type("application/jose")
            .insert_header((
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"consent-{id}.jws\""),
            ))
            .body(signed),
        Err(fault) => pages::fault(visit.messages, &fault),
    }
}

/// The public keys by which anyone checks a receipt.
async fn keys(people: Data<People>) -> HttpResponse {
    match &people.desk.resources.receipts {
        Some(signer) => HttpResponse::Ok().json(signer.keys()),
        None => HttpResponse::NotFound().finish(),
    }
}

async fn style() -> HttpResponse {
    HttpResponse::Ok().content_type("text/css; charset=utf-8").body(include_str!("style.css"))
}

async fn nowhere(request: HttpRequest) -> HttpResponse {
    let messages = People::language(&request, &Asked { lang: None, done: None }).messages();
    pages::notice(messages, &messages.nothing_here, StatusCode::NOT_FOUND)
}

fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, location)).finish()
}
