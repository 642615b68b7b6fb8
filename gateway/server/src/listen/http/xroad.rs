//! X-Road's REST protocol under `/r1/`, and its metaservices, which describe and are no exchanges.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::http::Method;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use gateway_core::front::Exchange;
use gateway_core::journal::Trail;
use gateway_core::{
    Envelope, Evidence, ExchangeId, Fault, Front, Inbound, Pipeline, ServiceId, stage,
};
use mappings::{Metadata, XRoadRest};
use uuid::Uuid;

use super::Shared;
use super::exchange::{attributes, evidence, exchange, nothing_here, respond};

pub(super) async fn handle(
    request: HttpRequest,
    payload: Payload,
    shared: Data<Shared>,
) -> HttpResponse {
    let deployment = shared.gateway.current();
    let Some(front) = &deployment.http.xroad else {
        return nothing_here(&shared);
    };
    if request.method() == Method::GET {
        let inbound = inbound(&request, front, &deployment.pipeline);
        if let Some(asked) = front.metadata(&inbound) {
            return describe(front, asked, &inbound, &deployment.pipeline).await;
        }
    }
    exchange(&request, payload, front.clone(), None, &deployment, &shared).await
}

/// `listClients` stands beside the providers, not under one.
pub(super) async fn list_clients(request: HttpRequest, shared: Data<Shared>) -> HttpResponse {
    let deployment = shared.gateway.current();
    let Some(front) = &deployment.http.xroad else {
        return nothing_here(&shared);
    };
    let accept = request.headers().get("accept").and_then(|accept| accept.to_str().ok());
    let mut pairs = request.query_string().split('&').filter_map(|pair| pair.split_once('='));
    let instance = pairs.find(|(name, _)| *name == "xRoadInstance").map(|(_, value)| value);
    let (media_type, body) = front.list_clients(accept.unwrap_or_default(), instance);
    HttpResponse::Ok().content_type(media_type).body(body)
}

async fn describe(
    front: &XRoadRest,
    asked: Result<Metadata<'_>, Fault>,
    inbound: &Inbound,
    pipeline: &Pipeline,
) -> HttpResponse {
    let now = pipeline.clock.now();
    let exchange = Exchange { id: inbound.id, inbound, envelope: None, quota: &[], now };
    let answer = async {
        let asked = asked?;
        let allowed = allowed(asked.probes(), &inbound.evidence, pipeline).await?;
        asked.answer(&exchange, |service| allowed.contains(&service.id))
    };
    let draft = answer.await.unwrap_or_else(|fault| front.refuse(&exchange, &fault));
    respond(draft.seal(None), false)
}

/// The services that the consumer may call, by the same stages that its calls pass.
pub(super) async fn allowed(
    probes: Vec<Envelope>,
    evidence: &Evidence,
    pipeline: &Pipeline,
) -> Result<BTreeSet<ServiceId>, Fault> {
    let (authenticator, authorizer) = (&*pipeline.authenticator, &*pipeline.authorizer);
    let mut allowed = BTreeSet::new();
    for probe in probes {
        let (service, trail) = (probe.service.id.clone(), &mut Trail::default());
        let probe = Arc::new(probe);
        let identified = stage::authenticate(probe, evidence, authenticator, trail).await?;
        let now = pipeline.clock.now();
        if stage::authorize(identified, evidence, authorizer, now, trail).is_ok() {
            allowed.insert(service);
        }
    }
    Ok(allowed)
}

fn inbound(request: &HttpRequest, front: &Arc<XRoadRest>, pipeline: &Pipeline) -> Inbound {
    Inbound {
        id: ExchangeId(Uuid::now_v7()),
        front: front.clone(),
        evidence: evidence(request),
        attributes: attributes(request),
        body: Bytes::new(),
        received: pipeline.clock.now(),
        deadline: None,
    }
}
