//! REST and SOAP over HTTP/1.1, plain or with TLS and client certificates.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::{Extensions, Server};
use actix_web::http::{Method, StatusCode};
use actix_web::rt::net::TcpStream;
use actix_web::web::{self, Data, Payload};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use gateway_core::front::Refusing;
use gateway_core::{Evidence, Fault, Front, Kind, Reply};
use mappings::{RestFront, SoapFront};
use rustls::ServerConfig;
use zeroize::Zeroizing;

use super::{Gateway, Received};
use crate::deployment::Deployment;

/// The fronts served over HTTP.
#[derive(Clone, Default)]
pub struct HttpFronts {
    /// By the `{service}` of `/soap/{service}`.
    pub soap: HashMap<String, Arc<SoapFront>>,
    /// By the `{sector}` of `/v1/{sector}/{service}`.
    pub rest: HashMap<String, Arc<RestFront>>,
}

/// One HTTP listener's settings.
pub struct HttpSettings {
    /// Where to listen.
    pub address: std::net::SocketAddr,
    /// HTTPS when present.
    pub tls: Option<ServerConfig>,
    /// Worker threads; one per core when absent.
    pub workers: Option<usize>,
    /// The largest message.
    pub body_bytes: usize,
    /// How long a client may take to send a head or take a reply.
    pub message_timeout: Duration,
    /// How long a shutdown waits.
    pub shutdown: Duration,
}

struct Shared {
    gateway: Gateway,
    body_bytes: usize,
    message_timeout: Duration,
    /// `https://` or `http://` and the address, for the WSDL when a client sends no `Host`.
    origin: String,
}

/// Binds and starts a listener.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(gateway: Gateway, settings: HttpSettings) -> std::io::Result<Server> {
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let shared = Data::new(Shared {
        gateway,
        body_bytes: settings.body_bytes,
        message_timeout: settings.message_timeout,
        origin: format!("{scheme}://{}", settings.address),
    });
    let app = move || {
        App::new()
            .app_data(shared.clone())
            .route("/v1/{sector}/{service}", web::to(rest))
            .route("/soap/{service}", web::to(soap))
            .default_service(web::to(nowhere))
    };
    let mut server = HttpServer::new(app)
        .on_connect(keep_certificate)
        .client_request_timeout(settings.message_timeout)
        .shutdown_timeout(settings.shutdown.as_secs())
        .disable_signals();
    if let Some(workers) = settings.workers {
        server = server.workers(workers);
    }
    let server = match settings.tls {
        Some(tls) => server.bind_rustls_0_23(settings.address, tls)?,
        None => server.bind(settings.address)?,
    };
    Ok(server.run())
}

/// The verified client certificate of a connection.
struct ClientCertificate(Arc<[u8]>);

fn keep_certificate(connection: &dyn std::any::Any, extensions: &mut Extensions) {
    if let Some(stream) = connection.downcast_ref::<TlsStream<TcpStream>>() {
        let (_, session) = stream.get_ref();
        if let Some(leaf) = session.peer_certificates().and_then(|chain| chain.first()) {
            extensions.insert(ClientCertificate(leaf.as_ref().into()));
        }
    }
}

async fn rest(
    request: HttpRequest,
    payload: Payload,
    path: web::Path<(String, String)>,
    shared: Data<Shared>,
) -> HttpResponse {
    let (sector, service) = path.into_inner();
    let deployment = shared.gateway.current();
    let Some(front) = deployment.http.rest.get(&sector) else {
        return nothing_here(&shared);
    };
    let front: Arc<dyn Front> = front.clone();
    exchange(&request, payload, front, Some(service), &deployment, &shared).await
}

async fn soap(
    request: HttpRequest,
    payload: Payload,
    service: web::Path<String>,
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
    let front: Arc<dyn Front> = front.clone();
    exchange(&request, payload, front, None, &deployment, &shared).await
}

async fn nowhere(shared: Data<Shared>) -> HttpResponse {
    nothing_here(&shared)
}

/// No format is served under this path, so there is nothing to answer in and nothing to journal.
fn nothing_here(shared: &Shared) -> HttpResponse {
    shared.gateway.metrics().turned_away("no-such-path");
    problem(StatusCode::NOT_FOUND, "no-such-path", "nothing is served here")
}

/// A problem+json for what never reaches a front.
fn problem(status: StatusCode, code: &str, detail: &str) -> HttpResponse {
    let body = serde_json::json!({
        "type": format!("urn:naru:fault:{code}"),
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
    });
    HttpResponse::build(status).content_type("application/problem+json").body(body.to_string())
}

/// The scheme and authority under which the client reached us.
fn origin(request: &HttpRequest, shared: &Shared) -> String {
    let host = request.headers().get("host").and_then(|host| host.to_str().ok());
    let is_authority = |host: &&str| {
        host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
    };
    match (host.filter(is_authority), shared.origin.split_once("://")) {
        (Some(host), Some((scheme, _))) => format!("{scheme}://{host}"),
        _ => shared.origin.clone(),
    }
}

async fn exchange(
    request: &HttpRequest,
    payload: Payload,
    front: Arc<dyn Front>,
    service: Option<String>,
    deployment: &Arc<Deployment>,
    shared: &Shared,
) -> HttpResponse {
    let peer = request.peer_addr().map(|address| address.ip());
    if peer.is_some_and(|peer| !shared.gateway.admits(peer)) {
        let mut busy = problem(
            StatusCode::TOO_MANY_REQUESTS,
            "peer-limit",
            "too many requests from this address; slow down",
        );
        let one = actix_web::http::header::HeaderValue::from_static("1");
        busy.headers_mut().insert(actix_web::http::header::RETRY_AFTER, one);
        return busy;
    }
    let (body, fault) = match request.method() {
        &Method::POST => read_body(payload, shared).await,
        _ => (Bytes::new(), Some(method_not_allowed())),
    };
    let closes = fault.is_some();
    let front = match fault {
        Some(fault) => Arc::new(Refusing::new(front, fault)),
        None => front,
    };
    let evidence = evidence(request, peer);
    let attributes = attributes(request, service);
    let received = Received { front, evidence, attributes, body };
    match shared.gateway.handle(deployment, received).await {
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

fn method_not_allowed() -> Fault {
    Fault::new(Kind::Unroutable, "method-not-allowed", "this service is called by POST")
}

fn evidence(request: &HttpRequest, address: Option<IpAddr>) -> Evidence {
    let api_key = request.headers().get("x-api-key").and_then(|key| key.to_str().ok());
    Evidence {
        address,
        certificate: request.conn_data::<ClientCertificate>().map(|found| found.0.clone()),
        api_key: api_key.map(|key| Zeroizing::new(key.to_owned())),
        folder: None,
    }
}

/// The headers that some front reads, and the service of the path.
fn attributes(request: &HttpRequest, service: Option<String>) -> BTreeMap<String, String> {
    const READ: [&str; 3] = ["content-type", "idempotency-key", "soapaction"];
    let header = |name: &str| {
        let value = request.headers().get(name)?.to_str().ok()?;
        Some((name.to_owned(), value.to_owned()))
    };
    let service = service.map(|service| (":service".to_owned(), service));
    READ.into_iter().filter_map(header).chain(service).collect()
}

/// After a refusal that left part of the request unread the connection cannot be used again.
fn respond(reply: Reply, closes: bool) -> HttpResponse {
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
