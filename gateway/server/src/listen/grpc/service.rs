//! The method of `naru.v1.Gateway` as tonic wants it, with messages as bytes: the front decodes them,
//! and the journal commits to them as they came.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes};
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{ClientStreamingService, Grpc, NamedService};
use tonic::{Request, Response, Status, Streaming};

use super::Calls;

/// The service's full name.
pub(super) const NAME: &str = "naru.v1.Gateway";
const EXCHANGE: &str = "/naru.v1.Gateway/Exchange";
const COLLECT: &str = "/naru.v1.Gateway/Collect";

/// The service on one listener.
#[derive(Clone)]
pub(super) struct GatewayService(Arc<Calls>);

impl GatewayService {
    pub(super) fn new(calls: Arc<Calls>) -> Self {
        Self(calls)
    }
}

impl NamedService for GatewayService {
    const NAME: &'static str = NAME;
}

impl Service<http::Request<Body>> for GatewayService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let calls = self.0.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(Raw).max_decoding_message_size(calls.body_bytes);
            Ok(match request.uri().path() {
                EXCHANGE => grpc.client_streaming(Exchange(calls), request).await,
                COLLECT => grpc.client_streaming(Collect(calls), request).await,
                _ => Status::unimplemented("the service has no such method").into_http(),
            })
        })
    }
}

struct Exchange(Arc<Calls>);

impl ClientStreamingService<Bytes> for Exchange {
    type Response = Bytes;
    type Future = BoxFuture<Response<Bytes>, Status>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let calls = self.0.clone();
        Box::pin(async move { calls.exchange(request).await })
    }
}

struct Collect(Arc<Calls>);

impl ClientStreamingService<Bytes> for Collect {
    type Response = Bytes;
    type Future = BoxFuture<Response<Bytes>, Status>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let calls = self.0.clone();
        Box::pin(async move { calls.collect(request).await })
    }
}

/// Messages as they are.
#[derive(Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(message.copy_to_bytes(message.remaining())))
    }
}
