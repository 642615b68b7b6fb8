//! SOAP under `/soap/{service}`, and its WSDL.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use gateway_core::{Fault, Front, Kind};

use super::Shared;
use super::exchange::{exchange, nothing_here, origin};

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
    let fault = (request.method() != Method::POST).then(method_not_allowed);
    let front: Arc<dyn Front> = front.clone();
    exchange(&request, payload, front, fault, &deployment, &shared).await
}

fn method_not_allowed() -> Fault {
    Fault::new(Kind::Unroutable, "method-not-allowed", "this service is called by POST")
}
