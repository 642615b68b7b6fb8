//! The admin listener: health and metrics for machines; consents, letters and open submits for operators.
//! Its own address and its own keys; every act is journaled with who did it.

pub mod act;
mod acts;
mod exchanges;
mod letters;
mod limits;
mod submits;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data, Path, Query};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use gateway_core::caller::Means;
use gateway_core::journal::{RecordKind, Trail};
use gateway_core::stage::CONSENT_DOMAIN;
use gateway_core::{
    Assurance, Caller, Consent, ConsentUse, ExchangeId, Fault, Kind, MemberId, Pseudonymize,
    Purpose, Record, ResidentNumber,
};
use gateway_store::{ConsentRegistry, RegistryError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroize;

use crate::authenticate::sha256;
use crate::deployment::Deployment;
use crate::listen::Gateway;
use crate::reload::{ReloadError, Reloaded, Reloader};
use crate::resources::Resources;

/// What the admin listener administers.
pub struct Administration {
    /// What is deployed: its services, members, operators and backends.
    pub gateway: Gateway,
    /// Consents, the journal, the time and the metrics.
    pub resources: Resources,
    /// Exchanges what is deployed.
    pub reloader: Arc<Reloader>,
    /// False while starting and stopping.
    pub ready: Arc<AtomicBool>,
}

/// A consent to record. The resident number is turned into a pseudonym at once and not kept.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    sector: String,
    resident: String,
    recipient: String,
    purpose: String,
    items: BTreeSet<String>,
    valid_from: Option<Timestamp>,
    valid_until: Timestamp,
}

#[derive(Serialize)]
struct Recorded {
    id: Uuid,
    receipt: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    recipient: String,
    /// The last id of the page before.
    after: Option<Uuid>,
}

/// Consents in one answer.
const PAGE: u32 = 100;

/// Binds and starts the admin listener.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(
    administration: Administration,
    address: SocketAddr,
    shutdown: Duration,
) -> std::io::Result<Server> {
    let administration = Data::new(administration);
    let app = move || {
        App::new()
            .app_data(administration.clone())
            .route("/livez", web::get().to(livez))
            .route("/readyz", web::get().to(readyz))
            .route("/metrics", web::get().to(metrics))
            .route("/admin/consents", web::post().to(grant))
            .route("/admin/consents", web::get().to(list))
            .route("/admin/consents/{id}", web::delete().to(withdraw))
            .route("/admin/reload", web::post().to(reload))
            .route("/admin/mirror", web::get().to(differences))
            .configure(acts::routes)
            .configure(exchanges::routes)
            .configure(letters::routes)
            .configure(limits::routes)
            .configure(submits::routes)
    };
    let server = HttpServer::new(app).workers(1).shutdown_timeout(shutdown.as_secs());
    Ok(server.disable_signals().bind(address)?.run())
}

async fn livez() -> &'static str {
    "ok\n"
}

/// Ready: started, not stopping, entries can be written, every backend answers.
async fn readyz(admin: Data<Administration>) -> HttpResponse {
    let mut missing = Vec::new();
    if !admin.ready.load(Ordering::Acquire) {
        missing.push("the gateway is starting or stopping".to_owned());
    }
    if let Err(fault) = admin.resources.journal.writable() {
        missing.push(format!("the log cannot be written: {fault}"));
    }
    if let Some(reason) = admin.resources.log.archive_behind() {
        missing.push(format!("what is kept beside the log waits: {reason}"));
    }
    for backend in &admin.gateway.current().backends {
        if let Err(fault) = backend.adapter.probe().await {
            missing.push(format!("backend {}: {fault}", backend.name));
        }
    }
    match missing.as_slice() {
        [] => HttpResponse::Ok().body("ready\n"),
        _ => HttpResponse::ServiceUnavailable().body(missing.join("\n") + "\n"),
    }
}

async fn metrics(admin: Data<Administration>) -> HttpResponse {
    if let Some(standing) = admin.resources.log.standing() {
        admin.resources.metrics.log_stands(&standing);
    }
    let text = admin.resources.metrics.render();
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text)
}

async fn grant(request: HttpRequest, body: Bytes, admin: Data<Administration>) -> HttpResponse {
    answer(admin.grant(&request, &body).await, StatusCode::CREATED)
}

async fn withdraw(
    request: HttpRequest,
    id: Path<Uuid>,
    admin: Data<Administration>,
) -> HttpResponse {
    answer(admin.withdraw(&request, *id).await, StatusCode::OK)
}

async fn list(
    request: HttpRequest,
    listing: Query<Listing>,
    admin: Data<Administration>,
) -> HttpResponse {
    answer(admin.list(&request, &listing).await, StatusCode::OK)
}

/// The last answers that differed elsewhere, the newest first: where, never what.
async fn differences(request: HttpRequest, admin: Data<Administration>) -> HttpResponse {
    let operator = operator(&admin.gateway.current(), &request);
    answer(operator.map(|_| admin.resources.mirrors.differences()), StatusCode::OK)
}

/// Reads the configuration again and serves it from now on. What is wrong with it is said, each
/// problem with its key path; then nothing has changed.
async fn reload(request: HttpRequest, admin: Data<Administration>) -> HttpResponse {
    let operator = match operator(&admin.gateway.current(), &request) {
        Ok(operator) => operator,
        Err(fault) => return answer::<()>(Err(fault), StatusCode::OK),
    };
    match admin.reloader.reload(Some(operator)).await {
        Ok(Reloaded { generation, configuration, receipt }) => {
            HttpResponse::Ok().json(serde_json::json!({
                "generation": generation,
                "configuration": configuration,
                "receipt": receipt.0,
            }))
        }
        Err(error) => {
            let status = match &error {
                ReloadError::Problems(_) => StatusCode::UNPROCESSABLE_ENTITY,
                ReloadError::Open(_) | ReloadError::Unrecorded(_) => {
                    StatusCode::INTERNAL_SERVER_ERROR
                }
            };
            let problem = serde_json::json!({
                "type": "urn:naru:fault:not-reloaded",
                "title": status.canonical_reason(),
                "status": status.as_u16(),
                "detail": error.to_string(),
                "problems": error.problems(),
            });
            HttpResponse::build(status)
                .content_type("application/problem+json")
                .body(problem.to_string())
        }
    }
}

fn answer<T: Serialize>(result: Result<T, Fault>, success: StatusCode) -> HttpResponse {
    match result {
        Ok(value) => HttpResponse::build(success).json(value),
        Err(fault) => {
            tracing::info!(fault.kind = %fault.kind, fault.code = %fault.code, "admin: {fault}");
            let status = match fault.kind {
                Kind::Malformed | Kind::Unmappable => StatusCode::BAD_REQUEST,
                Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
                Kind::Unroutable => StatusCode::NOT_FOUND,
                Kind::Forbidden => StatusCode::FORBIDDEN,
                Kind::Unsupported => StatusCode::CONFLICT,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            let problem = serde_json::json!({
                "type": format!("urn:naru:fault:{}", fault.code),
                "title": status.canonical_reason(),
                "status": status.as_u16(),
                "detail": fault.public,
            });
            HttpResponse::build(status)
                .content_type("application/problem+json")
                .body(problem.to_string())
        }
    }
}

impl Administration {
    async fn grant(&self, request: &HttpRequest, body: &[u8]) -> Result<Recorded, Fault> {
        let deployment = self.gateway.current();
        let operator = operator(&deployment, request)?;
        let mut grant: Grant = serde_json::from_slice(body).map_err(|error| {
            // The error names a field and a position, never a value of the resident's.
            malformed(format!(
                "not a consent: {} error at column {}",
                kind_of(&error),
                error.column()
            ))
        })?;
        let consent = self.consent(&deployment, &grant);
        grant.resident.zeroize();
        let consent = consent?;
        let recorded = self.record(&operator, "admin/consent-grant", &consent, body).await?;
        self.resources.store.grant(&consent).await.map_err(registry_fault)?;
        Ok(recorded)
    }

    async fn withdraw(&self, request: &HttpRequest, id: Uuid) -> Result<Recorded, Fault> {
        let operator = operator(&self.gateway.current(), request)?;
        let consent = self.resources.store.withdraw(id).await.map_err(registry_fault)?;
        self.record(&operator, "admin/consent-withdraw", &consent, &[]).await
    }

    async fn list(&self, request: &HttpRequest, listing: &Listing) -> Result<Vec<Consent>, Fault> {
        operator(&self.gateway.current(), request)?;
        let recipient = MemberId(listing.recipient.as_str().into());
        let page = self.resources.store.of_recipient(&recipient, listing.after, PAGE).await;
        page.map_err(registry_fault)
    }

    /// Checks a grant against the registry: nobody can consent to what it does not name.
    fn consent(&self, deployment: &Deployment, grant: &Grant) -> Result<Consent, Fault> {
        let named = |purpose: &&Arc<Purpose>| {
            *purpose.sector == *grant.sector && *purpose.code == *grant.purpose
        };
        let purpose = deployment.purposes.iter().find(named);
        let purpose =
            purpose.ok_or_else(|| malformed("the sector registers no purpose of this name"))?;
        let known = |item: &String| purpose.items.contains_key(item);
        if grant.items.is_empty() || !grant.items.iter().all(known) {
            return Err(malformed("items must name items of this purpose, at least one"));
        }
        if !deployment.members.ids().iter().any(|member| *member.0 == grant.recipient) {
            return Err(malformed("the recipient is not a member"));
        }
        if !purpose.recipients.iter().any(|member| *member.0 == grant.recipient) {
            return Err(malformed("the purpose does not name this recipient"));
        }
        let resident =
            ResidentNumber::parse(&grant.resident).map_err(|e| malformed(e.to_string()))?;
        let valid_from = grant.valid_from.unwrap_or_else(|| self.resources.clock.now());
        if grant.valid_until <= valid_from {
            return Err(malformed("valid_until must be later than valid_from"));
        }
        let resident = resident.expose().as_bytes();
        Ok(Consent {
            id: Uuid::now_v7(),
            principal: deployment.pseudonyms.pseudonym(&grant.sector, CONSENT_DOMAIN, resident),
            recipient: MemberId(grant.recipient.as_str().into()),
            purpose: grant.purpose.clone(),
            items: grant.items.clone(),
            valid_from,
            valid_until: grant.valid_until,
            withdrawn: None,
        })
    }

    async fn record(
        &self,
        operator: &Caller,
        act: &str,
        consent: &Consent,
        request: &[u8],
    ) -> Result<Recorded, Fault> {
        let trail = Trail {
            configuration: Some(self.gateway.current().pipeline.configuration.clone()),
            caller: Some(operator.clone()),
            subject: Some(consent.principal),
            consent: Some(ConsentUse { id: consent.id, items: consent.items.clone() }),
            ..Trail::default()
        };
        let now = self.resources.clock.now();
        let record = Record {
            exchange: ExchangeId(Uuid::now_v7()),
            kind: RecordKind::Administration,
            received: now,
            finished: now,
            front: act,
            trail: &trail,
            request,
            reply: &[],
            fault: None,
        };
        let receipt = self.resources.journal.append(record).await?;
        Ok(Recorded { id: consent.id, receipt: receipt.0 })
    }
}

/// Who asks, by the bearer key.
fn operator(deployment: &Deployment, request: &HttpRequest) -> Result<Caller, Fault> {
    let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let key = header.and_then(|value| value.strip_prefix("Bearer "));
    let name = key.and_then(|key| deployment.operators.get(&sha256(key.as_bytes())));
    let name = name.ok_or_else(|| {
        let public = "send Authorization: Bearer and an operator's key";
        Fault::new(Kind::Unauthenticated, "operator-unknown", public)
    })?;
    let member = MemberId(name.as_str().into());
    Ok(Caller { member, means: Means::ApiKey, assurance: Assurance::Low })
}

fn malformed(public: impl Into<String>) -> Fault {
    Fault::new(Kind::Malformed, "not-a-consent", public)
}

fn registry_fault(error: RegistryError) -> Fault {
    let (kind, code, public) = match &error {
        RegistryError::Unknown(_) => {
            (Kind::Unroutable, "no-such-consent", "there is no consent with this id")
        }
        RegistryError::Exists(_) | RegistryError::Invalid(_) => {
            (Kind::Malformed, "not-a-consent", "the consent cannot be recorded as it is")
        }
        RegistryError::Store(_) => {
            (Kind::Internal, "store-unavailable", "the store cannot be used at the moment")
        }
    };
    Fault::new(kind, code, public).source(error)
}

fn kind_of(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Syntax => "syntax",
        serde_json::error::Category::Data => "field",
        serde_json::error::Category::Eof => "end of text",
        serde_json::error::Category::Io => "reading",
    }
}
