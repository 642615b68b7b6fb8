//! REST under `/v1/{sector}/`, and its OpenAPI document.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use gateway_core::Front;

use super::Shared;
use super::exchange::{exchange, nothing_here, origin};

pub(super) async fn handle(
    request: HttpRequest,
    payload: Payload,
    shared: Data<Shared>,
) -> HttpResponse {
    let deployment = shared.gateway.current();
    let below = request.uri().path().strip_prefix("/v1/");
    let sector = below.and_then(|below| below.split('/').next());
    let Some(front) = sector.and_then(|sector| deployment.http.rest.get(sector)) else {
        return nothing_here(&shared);
    };
    let path = request.uri().path();
    let is_document = path.strip_suffix("/openapi.json").and_then(|path| path.strip_prefix("/v1/"));
    if request.method() == Method::GET && is_document == sector {
        let server = format!("{}/v1/{}", origin(&request, &shared), front.sector());
        let document = front.open_api(&server, deployment.http.idempotency_days);
        return HttpResponse::Ok().content_type("application/json").body(document);
    }
    let front: Arc<dyn Front> = front.clone();
    exchange(&request, payload, front, None, &deployment, &shared).await
}
