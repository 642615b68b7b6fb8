//! SOAP under `/soap/{service}`, and its WSDL; X-Road's SOAP under `/` as well.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use gateway_core::{Fault, Front, Kind};
use mappings::SoapFront;

use super::exchange::{answer, exchange, nothing_here, origin, receive};
use super::{Shared, xroad_soap};
use crate::deployment::Deployment;

pub(super) async fn handle(
    request: HttpRequest,
    payload: Payload,
    service: Path<String>,
    shared: Data<Shared>,
) -> HttpResponse {
    let deployment = shared.gateway.current();
    let Some(front) = deployment.http.soap.get(service.as_str()) else {
        return nothing_here(&shared);
    };
    let asks_wsdl = request.query_string().eq_ignore_ascii_case("wsdl");
    if request.method() == Method::GET && asks_wsdl {
        let location = format!("{}{}", origin(&request, &shared), request.path());
        return HttpResponse::Ok()
            .content_type("text/xml; charset=utf-8")
            .body(front.wsdl(&location));
    }
    if front.is_xroad() {
        let fronts = std::slice::from_ref(front);
        return any_of(&request, payload, fronts, &deployment, &shared).await;
    }
    let fault = (request.method() != Method::POST).then(method_not_allowed);
    let front: Arc<dyn Front> = front.clone();
    exchange(&request, payload, front, fault, &deployment, &shared).await
}

/// Where a consumer of X-Road sends everything: to its security server.
pub(super) async fn xroad(
    request: HttpRequest,
    payload: Payload,
    shared: Data<Shared>,
) -> HttpResponse {
    let deployment = shared.gateway.current();
    let all = deployment.http.soap.values().filter(|front| front.is_xroad());
    let fronts: Vec<Arc<SoapFront>> = all.cloned().collect();
    any_of(&request, payload, &fronts, &deployment, &shared).await
}

/// Passes a request to that one of X-Road's fronts whose provider it names.
async fn any_of(
    request: &HttpRequest,
    payload: Payload,
    fronts: &[Arc<SoapFront>],
    deployment: &Arc<Deployment>,
    shared: &Shared,
) -> HttpResponse {
    let Some(first) = fronts.first() else {
        return nothing_here(shared);
    };
    let fault = (request.method() != Method::POST).then(method_not_allowed);
    let (received, is_whole) = receive(request, payload, first.clone(), fault, shared).await;
    let reply = match is_whole {
        true => xroad_soap::handle(&shared.gateway, deployment, fronts, received).await,
        false => shared.gateway.handle(deployment, received).await,
    };
    answer(reply, !is_whole)
}

fn method_not_allowed() -> Fault {
    Fault::new(Kind::Unroutable, "method-not-allowed", "this service is called by POST")
}
