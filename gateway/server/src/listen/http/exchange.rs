//! One exchange over HTTP, whatever its format: what is read of the request, and how a reply is
//! sent.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use gateway_core::front::Refusing;
use gateway_core::{Evidence, Fault, Front, Kind, Reply};
use zeroize::Zeroizing;

use super::super::Received;
use super::{ClientCertificate, Shared};
use crate::deployment::Deployment;

/// No format is served under this path, so there is nothing to answer in and nothing to journal.
pub(super) fn nothing_here(shared: &Shared) -> HttpResponse {
    shared.gateway.metrics().turned_away("no-such-path");
    problem(StatusCode::NOT_FOUND, "no-such-path", "nothing is served here")
}

/// A problem+json for what never reaches a front.
pub(super) fn problem(status: StatusCode, code: &str, detail: &str) -> HttpResponse {
    let body = serde_json::json!({
        "type": format!("urn:naru:fault:{code}"),
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
    });
    HttpResponse::build(status).content_type("application/problem+json").body(body.to_string())
}

/// The scheme and authority under which the client reached us.
pub(super) fn origin(request: &HttpRequest, shared: &Shared) -> String {
    let host = request.headers().get("host").and_then(|host| host.to_str().ok());
    let is_authority = |host: &&str| {
        host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
    };
    match (host.filter(is_authority), shared.origin.split_once("://")) {
        (Some(host), Some((scheme, _))) => format!("{scheme}://{host}"),
        _ => shared.origin.clone(),
    }
}

/// What to answer to a client over the coarse limit of its address; asked before anything else.
pub(super) fn turn_away(address: Option<SocketAddr>, shared: &Shared) -> Option<HttpResponse> {
    let peer = address.map(|address| address.ip())?;
    if shared.gateway.admits(peer) {
        return None;
    }
    let says = "too many requests from this address; slow down";
    let mut busy = problem(StatusCode::TOO_MANY_REQUESTS, "peer-limit", says);
    busy.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    Some(busy)
}

/// Passes a request through the pipeline of the deployment that its front is of. A `fault` is what
/// it is refused with before its body is read; the body that is refused otherwise is so in the
/// caller's format too.
pub(super) async fn exchange(
    request: &HttpRequest,
    payload: Payload,
    front: Arc<dyn Front>,
    fault: Option<Fault>,
    on: &Arc<Deployment>,
    shared: &Shared,
) -> HttpResponse {
    let (received, is_whole) = receive(request, payload, front, fault, shared).await;
    answer(shared.gateway.handle(on, received).await, !is_whole)
}

/// A request as its front gets it, and whether all of it was read.
pub(super) async fn receive(
    request: &HttpRequest,
    payload: Payload,
    front: Arc<dyn Front>,
    fault: Option<Fault>,
    shared: &Shared,
) -> (Received, bool) {
    let (body, fault) = match fault {
        Some(fault) => (Bytes::new(), Some(fault)),
        None => read_body(payload, shared).await,
    };
    let is_whole = fault.is_none();
    let front = match fault {
        Some(fault) => Arc::new(Refusing::new(front, fault)),
        None => front,
    };
    let (evidence, attributes) = (evidence(request), attributes(request));
    (Received { front, evidence, attributes, body }, is_whole)
}

/// A reply as it is sent; there is none while the gateway stops.
pub(super) fn answer(reply: Option<Reply>, closes: bool) -> HttpResponse {
    match reply {
        Some(reply) => respond(reply, closes),
        None => problem(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the gateway is stopping"),
    }
}

/// Reads at most the largest message. What was read of a message that is refused stays with it.
async fn read_body(mut payload: Payload, shared: &Shared) -> (Bytes, Option<Fault>) {
    let mut body = BytesMut::new();
    let whole = async {
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|error| {
                Fault::new(Kind::Malformed, "truncated", "the message ends before its length")
                    .context(error)
            })?;
            if body.len() + chunk.len() > shared.body_bytes {
                return Err(too_large(shared.body_bytes));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(())
    };
    let read = tokio::time::timeout(shared.message_timeout, whole).await;
    let fault = read.unwrap_or_else(|_| Err(too_slow())).err();
    (body.freeze(), fault)
}

fn too_large(limit: usize) -> Fault {
    Fault::new(Kind::Malformed, "too-large", format!("a message may have {limit} bytes at most"))
}

fn too_slow() -> Fault {
    Fault::new(Kind::Malformed, "too-slow", "the message did not arrive in time")
}

pub(super) fn evidence(request: &HttpRequest) -> Evidence {
    let api_key = request.headers().get("x-api-key").and_then(|key| key.to_str().ok());
    Evidence {
        address: request.peer_addr().map(|address| address.ip()),
        certificate: request.conn_data::<ClientCertificate>().map(|found| found.0.clone()),
        api_key: api_key.map(|key| Zeroizing::new(key.to_owned())),
        folder: None,
    }
}

/// Headers that say who calls, which no front needs to see.
const CREDENTIALS: [&str; 3] = ["x-api-key", "authorization", "cookie"];

/// The headers, those that stand there more than once joined, and what the request line says.
pub(super) fn attributes(request: &HttpRequest) -> BTreeMap<String, String> {
    let mut attributes: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in request.headers() {
        let Some(value) = value.to_str().ok().filter(|_| !CREDENTIALS.contains(&name.as_str()))
        else {
            continue;
        };
        let joined = attributes.entry(name.as_str().to_owned()).or_default();
        if !joined.is_empty() {
            joined.push_str(", ");
        }
        joined.push_str(value);
    }
    let query = request.uri().query();
    attributes.extend(query.map(|query| (":query".to_owned(), query.to_owned())));
    attributes.insert(":method".to_owned(), request.method().as_str().to_owned());
    attributes.insert(":path".to_owned(), request.uri().path().to_owned());
    attributes
}

/// After a refusal that left part of the request unread the connection cannot be used again.
pub(super) fn respond(reply: Reply, closes: bool) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for header in reply.headers {
        response.insert_header(header);
    }
    if closes {
        response.force_close();
    }
    response.body(reply.body)
}
