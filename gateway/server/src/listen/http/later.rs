//! Requests over HTTP whose callers do not wait (`Prefer: respond-async`, RFC 7240), and the replies
//! that they collect.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use gateway_core::pipeline::Accepted;
use gateway_core::{ExchangeId, Fault, Kind};
use uuid::Uuid;

use super::Shared;
use super::exchange::{evidence, nothing_here, problem};
use crate::later::{Collected, KeptReply};

/// Whether the caller prefers not to wait (section 4.1).
pub(super) fn is_preferred(request: &HttpRequest) -> bool {
    let fields = request.headers().get_all("prefer").filter_map(|field| field.to_str().ok());
    let mut preferences = fields.flat_map(|field| field.split(','));
    preferences.any(|one| one.split(';').next().unwrap_or_default().trim() == "respond-async")
}

/// That a request is handled later, and where its reply will be.
pub(super) fn taken(accepted: &Accepted) -> HttpResponse {
    HttpResponse::Accepted()
        .insert_header(("location", format!("/exchanges/{}", accepted.exchange)))
        .insert_header(("preference-applied", "respond-async"))
        .insert_header(("naru-exchange", accepted.exchange.to_string()))
        .insert_header(("naru-receipt", accepted.receipt.0.as_str()))
        .finish()
}

/// The reply of an exchange that was taken earlier, as it would have left; 202 until there is one.
pub(super) async fn collect(
    request: HttpRequest,
    id: Path<Uuid>,
    shared: Data<Shared>,
) -> HttpResponse {
    let deployment = shared.gateway.current();
    let Some(later) = &deployment.later else {
        return nothing_here(&shared);
    };
    match later.collect(ExchangeId(*id), &evidence(&request)).await {
        Ok(Collected::Waiting) => HttpResponse::Accepted()
            .insert_header(("retry-after", "1"))
            .insert_header(("naru-exchange", id.to_string()))
            .finish(),
        Ok(Collected::Reply(kept)) if kept.front == "grpc" => problem(
            StatusCode::NOT_FOUND,
            "unknown-exchange",
            "the exchange was asked by gRPC; collect its reply there",
        ),
        Ok(Collected::Reply(kept)) => replied(kept),
        Err(fault) => refused(&fault),
    }
}

fn replied(kept: KeptReply) -> HttpResponse {
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for header in kept.headers {
        response.insert_header(header);
    }
    response.insert_header(("cache-control", "no-store")).body(kept.body)
}

fn refused(fault: &Fault) -> HttpResponse {
    let status = match fault.kind {
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Unroutable => StatusCode::NOT_FOUND,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    problem(status, &fault.code, &fault.public)
}
