//! Plain XML under `/xml/{service}/`, and the XML Schema of each operation's documents.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use gateway_core::Front;

use super::Shared;
use super::exchange::{exchange, nothing_here};

pub(super) async fn handle(
    request: HttpRequest,
    payload: Payload,
    path: Path<(String, String)>,
    shared: Data<Shared>,
) -> HttpResponse {
    let deployment = shared.gateway.current();
    let (service, operation) = path.into_inner();
    let Some(front) = deployment.http.xml.get(&service) else {
        return nothing_here(&shared);
    };
    let asks_schema = request.query_string().eq_ignore_ascii_case("xsd");
    if request.method() == Method::GET && asks_schema {
        return match front.xsd(&operation) {
            Some(schema) => HttpResponse::Ok().content_type("text/xml; charset=utf-8").body(schema),
            None => nothing_here(&shared),
        };
    }
    let front: Arc<dyn Front> = front.clone();
    exchange(&request, payload, front, None, &deployment, &shared).await
}
