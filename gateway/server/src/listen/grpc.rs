//! gRPC over HTTP/2, plain or with TLS and client certificates: `naru.v1.Gateway`, server reflection
//! and `grpc.health.v1`. The messages are the front's; here are frames, deadlines and metadata.
//!
//! `Exchange` is a unary method that is read as a stream of one message, so that what is wrong with
//! the frames too goes through the pipeline and is journaled.

mod service;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway_core::front::Refusing;
use gateway_core::pipeline::Accepted;
use gateway_core::{Evidence, ExchangeId, Fault, Front, Kind, Reply};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::metadata::{Ascii, MetadataKey, MetadataMap, MetadataValue};
use tonic::transport::server::{Server, ServerTlsConfig, TcpIncoming};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use zeroize::Zeroizing;

use super::{Gateway, Received};
use crate::later::Collected;
use service::{GatewayService, NAME};

/// Calls at once on one connection.
const STREAMS: u32 = 256;
/// Bytes of a call's metadata; a receipt goes the other way.
const METADATA_BYTES: u32 = 16 << 10;
/// How often a silent connection is asked whether it lives, and how long it may take to say so.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(20));

/// One gRPC listener's settings.
pub struct GrpcSettings {
    /// TLS when present.
    pub tls: Option<ServerTlsConfig>,
    /// The largest message.
    pub body_bytes: usize,
    /// How long a message may take to arrive.
    pub message_timeout: Duration,
}

/// Why a listener ended, or did not begin.
#[derive(Debug, thiserror::Error)]
pub enum GrpcError {
    /// The connections or the TLS settings.
    #[error("gRPC: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The compiled descriptors.
    #[error("gRPC reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Says to health checks whether requests are welcome.
#[derive(Clone, Default)]
pub struct Health(HealthReporter);

impl Health {
    /// Whether they are, from now on.
    pub async fn set(&self, ready: bool) {
        let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
        for service in ["", NAME] {
            self.0.set_service_status(service, status).await;
        }
    }
}

/// Serves until `stop`, then finishes the calls under way.
///
/// # Errors
/// When the TLS settings are of no use or the socket fails.
pub async fn serve(
    gateway: Gateway,
    listener: TcpListener,
    settings: GrpcSettings,
    health: Health,
    stop: CancellationToken,
) -> Result<(), GrpcError> {
    let GrpcSettings { tls, body_bytes, message_timeout } = settings;
    let mut server = Server::builder()
        .max_concurrent_streams(STREAMS)
        .http2_max_header_list_size(METADATA_BYTES)
        .http2_keepalive_interval(Some(KEEP_ALIVE.0))
        .http2_keepalive_timeout(Some(KEEP_ALIVE.1));
    if let Some(tls) = tls {
        server = server.tls_config(tls.timeout(message_timeout))?;
    }
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(mappings::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let calls = Arc::new(Calls { gateway, body_bytes, message_timeout });
    let health = tonic_health::pb::health_server::HealthServer::new(
        tonic_health::server::HealthService::from_health_reporter(health.0),
    );
    server
        .add_service(GatewayService::new(calls))
        .add_service(health)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener).with_nodelay(Some(true)),
            stop.cancelled_owned(),
        )
        .await?;
    Ok(())
}

/// What every call needs.
pub(super) struct Calls {
    gateway: Gateway,
    pub(super) body_bytes: usize,
    message_timeout: Duration,
}

impl Calls {
    /// One `Exchange`.
    async fn exchange(
        &self,
        request: Request<Streaming<Bytes>>,
    ) -> Result<Response<Bytes>, Status> {
        let evidence = self.evidence(&request)?;
        let waits = !prefers_async(request.metadata());
        let patience = patience(request.metadata());
        let (body, fault) = self.read(request.into_inner()).await;
        let (patience, fault) = match (patience, fault) {
            (Ok(patience), fault) => (patience, fault),
            (Err(invalid), fault) => (None, Some(fault.unwrap_or(invalid))),
        };
        let broken = fault.is_some();
        let deployment = self.gateway.current();
        let front: Arc<dyn Front> = match fault {
            Some(fault) => Arc::new(Refusing::new(deployment.grpc.clone(), fault)),
            None => deployment.grpc.clone(),
        };
        let received = Received { front, evidence, attributes: BTreeMap::new(), body, patience };
        let handled = match deployment.later.as_ref().filter(|_| !broken && !waits) {
            Some(later) => match self.gateway.accept(&deployment, later, received).await {
                Some(Ok(accepted)) => return Ok(taken(&accepted)),
                refused => refused.and_then(Result::err),
            },
            None => self.gateway.handle(&deployment, received).await,
        };
        handled.map_or_else(|| Err(Status::unavailable("the gateway is stopping")), respond)
    }

    /// One `Collect`: nothing is asked of anybody, so there is nothing to journal.
    async fn collect(&self, request: Request<Streaming<Bytes>>) -> Result<Response<Bytes>, Status> {
        let evidence = self.evidence(&request)?;
        let (body, fault) = self.read(request.into_inner()).await;
        if let Some(fault) = fault {
            return Err(plain(&fault));
        }
        let unknown = || Status::not_found("there is no such exchange");
        let deployment = self.gateway.current();
        let later = deployment.later.as_ref().ok_or_else(unknown)?;
        let id = mappings::collected_exchange(&body).map(ExchangeId).ok_or_else(unknown)?;
        match later.collect(id, &evidence).await {
            Err(fault) => Err(plain(&fault)),
            Ok(Collected::Waiting) => {
                Ok(Response::new(mappings::pending_reply(&id.to_string(), "").into()))
            }
            Ok(Collected::Reply(kept)) if kept.front == deployment.grpc.name() => {
                respond_with(kept.status, kept.headers, kept.body)
            }
            Ok(Collected::Reply(_)) => Err(unknown()),
        }
    }

    /// What is seen of the caller, unless it comes too often.
    fn evidence<T>(&self, request: &Request<T>) -> Result<Evidence, Status> {
        let address = request.remote_addr().map(|address| address.ip());
        if address.is_some_and(|peer| !self.gateway.admits(peer)) {
            let says = "too many requests from this address; slow down";
            return Err(Status::resource_exhausted(says));
        }
        let certificate = request.peer_certs();
        let certificate = certificate.as_ref().and_then(|chain| chain.first());
        let api_key = request.metadata().get("x-api-key").and_then(|key| key.to_str().ok());
        Ok(Evidence {
            address,
            certificate: certificate.map(|leaf| leaf.as_ref().into()),
            api_key: api_key.map(|key| Zeroizing::new(key.to_owned())),
            ..Evidence::default()
        })
    }

    /// The one message of a unary call, or what is wrong with its frames.
    async fn read(&self, mut frames: Streaming<Bytes>) -> (Bytes, Option<Fault>) {
        let mut body = Bytes::new();
        let whole = async {
            match frames.message().await {
                Ok(Some(message)) => body = message,
                Ok(None) => return Err(malformed("no-message", "the call has no message")),
                Err(status) => return Err(self.broken(&status)),
            }
            match frames.message().await {
                Ok(None) => Ok(()),
                Ok(Some(_)) => {
                    Err(malformed("second-message", "the call has more than one message"))
                }
                Err(status) => Err(self.broken(&status)),
            }
        };
        let read = tokio::time::timeout(self.message_timeout, whole).await;
        let slow = || Err(malformed("too-slow", "the message did not arrive in time"));
        let fault = read.unwrap_or_else(|_| slow()).err();
        (body, fault)
    }

    fn broken(&self, status: &Status) -> Fault {
        match status.code() {
            Code::OutOfRange => {
                let limit = self.body_bytes;
                malformed("too-large", format!("a message may have {limit} bytes at most"))
            }
            _ => malformed("malformed-frame", "the message is not framed as gRPC wants it")
                .context(status.message()),
        }
    }
}

fn malformed(code: &'static str, public: impl Into<String>) -> Fault {
    Fault::new(Kind::Malformed, code, public)
}

/// The call's deadline: at most eight digits and a unit (gRPC over HTTP/2, `Timeout`).
fn patience(metadata: &MetadataMap) -> Result<Option<Duration>, Fault> {
    let Some(timeout) = metadata.get("grpc-timeout") else {
        return Ok(None);
    };
    let read = timeout.to_str().ok().and_then(read_timeout);
    read.map(Some).ok_or_else(|| malformed("deadline-invalid", "grpc-timeout is not a duration"))
}

fn read_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3_600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// A reply whose status is not OK has `google.rpc.Status` as its body.
fn respond(reply: Reply) -> Result<Response<Bytes>, Status> {
    respond_with(reply.status, reply.headers, reply.body)
}

fn respond_with<N: AsRef<str>>(
    status: u16,
    headers: Vec<(N, String)>,
    body: Bytes,
) -> Result<Response<Bytes>, Status> {
    let mut metadata = MetadataMap::new();
    for (name, value) in headers {
        let name = MetadataKey::<Ascii>::from_bytes(name.as_ref().as_bytes());
        if let (Ok(name), Ok(value)) = (name, MetadataValue::try_from(value)) {
            metadata.insert(name, value);
        }
    }
    match Code::from(i32::from(status)) {
        Code::Ok => {
            let mut response = Response::new(body);
            *response.metadata_mut() = metadata;
            Ok(response)
        }
        code => {
            let message = mappings::status_message(&body);
            Err(Status::with_details_and_metadata(code, message, body, metadata))
        }
    }
}

/// That a request is handled later.
fn taken(accepted: &Accepted) -> Response<Bytes> {
    let Accepted { exchange, receipt } = accepted;
    Response::new(mappings::pending_reply(&exchange.to_string(), &receipt.0).into())
}

/// A refusal that has no exchange.
fn plain(fault: &Fault) -> Status {
    match fault.kind {
        Kind::Unauthenticated => Status::unauthenticated(&fault.public),
        Kind::Unroutable => Status::not_found(&fault.public),
        Kind::Malformed => Status::invalid_argument(&fault.public),
        _ => Status::internal(&fault.public),
    }
}

/// The same as in HTTP (RFC 7240, section 4.1).
fn prefers_async(metadata: &MetadataMap) -> bool {
    metadata.get("prefer").is_some_and(|preference| preference == "respond-async")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_digits_and_a_unit() {
        assert_eq!(read_timeout("1S"), Some(Duration::from_secs(1)));
        assert_eq!(read_timeout("99999999H"), Some(Duration::from_secs(99_999_999 * 3_600)));
        assert_eq!(read_timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read_timeout("0n"), Some(Duration::ZERO));
        for bad in ["", "S", "1", "1s", "-1S", "+1S", "100000000S", "1.5S", "1 S", "１S", "1é"] {
            assert_eq!(read_timeout(bad), None, "{bad}");
        }
    }
}
