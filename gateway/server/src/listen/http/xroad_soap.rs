//! X-Road's SOAP protocol besides its exchanges: which provider a message is for where many stand
//! behind one address, and the metaservices, which describe and are no exchanges.

use std::sync::Arc;

use gateway_core::front::Exchange;
use gateway_core::{ExchangeId, Fault, Front, Inbound, Pipeline, Reply};
use mappings::{SoapFront, SoapMetadata};
use uuid::Uuid;

use super::super::{Gateway, Received};
use super::xroad::allowed;
use crate::deployment::Deployment;

/// Answers a request to one of `fronts`: the one whose provider it names, or else the first.
pub(super) async fn handle(
    gateway: &Gateway,
    on: &Arc<Deployment>,
    fronts: &[Arc<SoapFront>],
    received: Received,
) -> Option<Reply> {
    let Received { front, evidence, attributes, body, patience } = received;
    let id = ExchangeId(Uuid::now_v7());
    let now = on.pipeline.clock.now();
    let mut inbound =
        Inbound { id, front, evidence, attributes, body, received: now, deadline: None };
    let addressed = match fronts {
        [only] => Some(only),
        many => many.iter().find(|front| front.is_addressed(&inbound)).or(many.first()),
    };
    if let Some(addressed) = addressed {
        inbound.front = addressed.clone();
        if let Some(asked) = addressed.metadata(&inbound) {
            return Some(describe(&on.pipeline, addressed, asked, &inbound).await);
        }
    }
    let Inbound { front, evidence, attributes, body, .. } = inbound;
    gateway.handle(on, Received { front, evidence, attributes, body, patience }).await
}

async fn describe(
    pipeline: &Pipeline,
    front: &SoapFront,
    asked: Result<SoapMetadata<'_>, Fault>,
    inbound: &Inbound,
) -> Reply {
    let now = pipeline.clock.now();
    let exchange = Exchange { id: inbound.id, inbound, envelope: None, quota: &[], now };
    let answer = async {
        let asked = asked?;
        let allowed = allowed(asked.probes(), &inbound.evidence, pipeline).await?;
        asked.answer(&exchange, |service| allowed.contains(&service.id))
    };
    answer.await.unwrap_or_else(|fault| front.refuse(&exchange, &fault)).seal(None)
}
