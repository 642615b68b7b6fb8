//! Acts that wait for a second operator: which they are, approval and rejection.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query, ServiceConfig, get, post};
use actix_web::{HttpRequest, HttpResponse};
use gateway_core::{Fault, Kind};
use gateway_store::{Acts, ProposedAct};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::act::Acted;
use super::{Administration, answer, operator};

/// Acts in one answer.
const PAGE: u32 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    /// Also those that were decided.
    #[serde(default)]
    all: bool,
}

pub(super) fn routes(app: &mut ServiceConfig) {
    app.route("/admin/acts", get().to(list))
        .route("/admin/acts/{id}", get().to(show))
        .route("/admin/acts/{id}/approve", post().to(approve))
        .route("/admin/acts/{id}/reject", post().to(reject));
}

/// What became of an act: what it made with its receipt, or 202 and the act that waits.
pub(super) fn acted(result: Result<Acted, Fault>, success: StatusCode) -> HttpResponse {
    let (status, mut body, receipt) = match result {
        Ok(Acted::Done(made, receipt)) => (success, made, receipt),
        Ok(Acted::Proposed(act, receipt)) => (StatusCode::ACCEPTED, json!({ "act": act }), receipt),
        Err(fault) => return answer::<()>(Err(fault), success),
    };
    if let Value::Object(fields) = &mut body {
        fields.insert("receipt".to_owned(), receipt.0.into());
    }
    HttpResponse::build(status).json(body)
}

async fn list(
    request: HttpRequest,
    listing: Query<Listing>,
    admin: Data<Administration>,
) -> HttpResponse {
    answer(admin.list_acts(&request, listing.all).await, StatusCode::OK)
}

async fn show(request: HttpRequest, id: Path<Uuid>, admin: Data<Administration>) -> HttpResponse {
    answer(admin.show_act(&request, *id).await, StatusCode::OK)
}

async fn approve(
    request: HttpRequest,
    id: Path<Uuid>,
    admin: Data<Administration>,
) -> HttpResponse {
    let by = match operator(&admin.gateway.current(), &request) {
        Ok(by) => by,
        Err(fault) => return answer::<()>(Err(fault), StatusCode::OK),
    };
    acted(admin.approve(&by, *id).await, StatusCode::OK)
}

async fn reject(request: HttpRequest, id: Path<Uuid>, admin: Data<Administration>) -> HttpResponse {
    let by = match operator(&admin.gateway.current(), &request) {
        Ok(by) => by,
        Err(fault) => return answer::<()>(Err(fault), StatusCode::OK),
    };
    acted(admin.reject(&by, *id).await, StatusCode::OK)
}

impl Administration {
    async fn list_acts(&self, request: &HttpRequest, all: bool) -> Result<Vec<ProposedAct>, Fault> {
        operator(&self.gateway.current(), request)?;
        Ok(self.resources.store.acts(!all, PAGE).await?)
    }

    async fn show_act(&self, request: &HttpRequest, id: Uuid) -> Result<ProposedAct, Fault> {
        operator(&self.gateway.current(), request)?;
        self.resources
            .store
            .act(id)
            .await?
            .ok_or_else(|| Fault::new(Kind::Unroutable, "no-such-act", "there is no such act"))
    }
}
