//! The formats carried by HTTP/1.1, plain or with TLS and client certificates. Which path belongs
//! to which format is here; what is said under it, in a module for each.

mod exchange;
mod later;
mod log;
mod rest;
mod soap;
mod xml;
mod xroad;
mod xroad_soap;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::{Extensions, Server, Service};
use actix_web::rt::net::TcpStream;
use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, HttpServer};
use futures_util::future::{Either, ready};
use mappings::{RestFront, SoapFront, XRoadRest, XmlFront};
use rustls::ServerConfig;

use super::Gateway;
use crate::consents::Desk;
use crate::consents::http::{self as consents, Api, Door};

/// The fronts served over HTTP.
#[derive(Clone, Default)]
pub struct HttpFronts {
    /// By the `{service}` of `/soap/{service}`.
    pub soap: HashMap<String, Arc<SoapFront>>,
    /// By the `{sector}` of `/v1/{sector}/…`.
    pub rest: HashMap<String, Arc<RestFront>>,
    /// By the `{service}` of `/xml/{service}/…`.
    pub xml: HashMap<String, Arc<XmlFront>>,
    /// Under `/r1/`.
    pub xroad: Option<Arc<XRoadRest>>,
    /// How long the outcome of a submit is kept, as documents say.
    pub idempotency_days: u32,
}

/// One HTTP listener's settings.
pub struct HttpSettings {
    /// Where to listen.
    pub address: std::net::SocketAddr,
    /// HTTPS when present.
    pub tls: Option<ServerConfig>,
    /// Worker threads; one per core when absent.
    pub workers: Option<usize>,
    /// The folder of the evidence log, where it is shown to everyone.
    pub log: Option<Arc<Path>>,
    /// The largest message.
    pub body_bytes: usize,
    /// How long a client may take to send a head or take a reply.
    pub message_timeout: Duration,
    /// How long a shutdown waits.
    pub shutdown: Duration,
}

struct Shared {
    gateway: Gateway,
    log: Option<Arc<Path>>,
    body_bytes: usize,
    message_timeout: Duration,
    /// `https://` or `http://` and the address, for the WSDL when a client sends no `Host`.
    origin: String,
}

/// Binds and starts a listener.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(gateway: Gateway, desk: Desk, settings: HttpSettings) -> std::io::Result<Server> {
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let shared = Data::new(Shared {
        gateway,
        log: settings.log,
        body_bytes: settings.body_bytes,
        message_timeout: settings.message_timeout,
        origin: format!("{scheme}://{}", settings.address),
    });
    let api = Data::new(Api { desk, door: Door::Members(exchange::evidence) });
    let app = move || {
        let (limits, api) = (shared.clone(), api.clone());
        App::new()
            .app_data(shared.clone())
            .wrap_fn(move |request, service| {
                match exchange::turn_away(request.peer_addr(), &limits) {
                    Some(busy) => Either::Left(ready(Ok(request.into_response(busy)))),
                    None => Either::Right(service.call(request)),
                }
            })
            .route("/exchanges/{id}", web::get().to(later::collect))
            .route("/log/{path:.*}", web::get().to(log::show))
            .route("/v1/{below:.*}", web::to(rest::handle))
            .route("/r1/{below:.*}", web::to(xroad::handle))
            .route("/listClients", web::get().to(xroad::list_clients))
            .route("/xml/{service}/{below:.*}", web::to(xml::handle))
            .route("/soap/{service}", web::to(soap::handle))
            .route("/", web::to(soap::xroad))
            .configure(|config| consents::routes(config, "/consents", api))
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

async fn nowhere(shared: Data<Shared>) -> HttpResponse {
    exchange::nothing_here(&shared)
}
