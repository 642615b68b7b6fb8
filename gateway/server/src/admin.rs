//! The admin listener: health and metrics for machines; consents, letters and open submits for operators.
//! Its own address and its own keys; every act is journaled with who did it.

pub mod act;
mod acts;
mod bodies;
mod bundle;
mod exchanges;
mod letters;
mod limits;
mod members;
mod openapi;
mod submits;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use gateway_core::caller::Means;
use gateway_core::{Assurance, Caller, Fault, Kind, MemberId};
use serde::Serialize;

use crate::authenticate::sha256;
use crate::consents::Desk;
use crate::consents::http::{self, Api, Door};
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

/// Binds and starts the admin listener.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(
    administration: Administration,
    address: SocketAddr,
    shutdown: Duration,
) -> std::io::Result<Server> {
    let consents = Data::new(Api { desk: administration.desk(), door: Door::Operators });
    let administration = Data::new(administration);
    let app = move || {
        App::new()
            .app_data(administration.clone())
            .route("/livez", web::get().to(livez))
            .route("/readyz", web::get().to(readyz))
            .route("/metrics", web::get().to(metrics))
            .route("/admin/reload", web::post().to(reload))
            .route("/admin/mirror", web::get().to(differences))
            .configure(|config| http::routes(config, "/admin/consents", consents.clone()))
            .configure(acts::routes)
            .configure(bodies::routes)
            .configure(bundle::routes)
            .configure(exchanges::routes)
            .configure(letters::routes)
            .configure(limits::routes)
            .configure(members::routes)
            .configure(openapi::routes)
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

pub(crate) fn answer<T: Serialize>(result: Result<T, Fault>, success: StatusCode) -> HttpResponse {
    match result {
        Ok(value) => HttpResponse::build(success).json(value),
        Err(fault) => {
            tracing::info!(fault.kind = %fault.kind, fault.code = %fault.code, "admin: {fault}");
            let status = match fault.kind {
                Kind::Malformed | Kind::Unmappable => StatusCode::BAD_REQUEST,
                Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
                Kind::Forbidden => StatusCode::FORBIDDEN,
                Kind::Unroutable => StatusCode::NOT_FOUND,
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
    fn desk(&self) -> Desk {
        Desk { gateway: self.gateway.clone(), resources: self.resources.clone() }
    }
}

/// Who asks, by the bearer key.
pub(crate) fn operator(deployment: &Deployment, request: &HttpRequest) -> Result<Caller, Fault> {
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
