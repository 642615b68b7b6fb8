//! Listeners: bytes in, [`Pipeline::handle`], bytes out. A listener knows its transport and
//! nothing of the messages; those are its front's.

pub mod batch;
pub mod http;
pub mod telegram;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::Bytes;
use gateway_core::{Evidence, ExchangeId, Front, Inbound, Pipeline, Reply};
use governor::{DefaultKeyedRateLimiter, RateLimiter};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::config::Limits;
use crate::telemetry::Metrics;

/// What every listener shares.
#[derive(Clone)]
pub struct Gateway {
    pipeline: Arc<Pipeline>,
    metrics: Arc<Metrics>,
    peers: Arc<DefaultKeyedRateLimiter<IpAddr>>,
    in_flight: TaskTracker,
}

/// One message as a listener read it.
pub struct Received {
    /// Its format.
    pub front: Arc<dyn Front>,
    /// What is known of the caller.
    pub evidence: Evidence,
    /// What stood around it; see [`Inbound::attributes`].
    pub attributes: std::collections::BTreeMap<String, String>,
    /// Its bytes.
    pub body: Bytes,
}

impl Gateway {
    /// A gateway around `pipeline`.
    pub fn new(pipeline: Arc<Pipeline>, metrics: Arc<Metrics>, limits: &Limits) -> Self {
        let rate = NonZeroU32::new(limits.peer_per_second).unwrap_or(NonZeroU32::MIN);
        let peers = RateLimiter::keyed(governor::Quota::per_second(rate));
        Self { pipeline, metrics, peers: Arc::new(peers), in_flight: TaskTracker::new() }
    }

    /// Handles one message to its end, also when the client has hung up meanwhile.
    pub async fn handle(&self, received: Received) -> Option<Reply> {
        let now = self.pipeline.clock.now();
        let inbound = Inbound {
            id: ExchangeId(Uuid::now_v7()),
            front: received.front,
            evidence: received.evidence,
            attributes: received.attributes,
            body: received.body,
            received: now,
        };
        let pipeline = self.pipeline.clone();
        let guard = InFlight::enter(&self.metrics);
        let task = self.in_flight.spawn(async move {
            let _guard = guard;
            pipeline.handle(inbound).await
        });
        // The task does not panic and is not aborted while the runtime lives.
        task.await.ok()
    }

    /// Whether this peer may send one more message. It is asked before anything is read or
    /// verified, and a refusal is counted and not journaled: garbage must be cheap.
    pub fn admits(&self, peer: IpAddr) -> bool {
        let admitted = self.peers.check_key(&peer).is_ok();
        if !admitted {
            self.metrics.turned_away("peer-limit");
        }
        admitted
    }

    /// Forgets peers that have not been seen for a while; called from time to time.
    pub fn forget_idle_peers(&self) {
        self.peers.retain_recent();
    }

    /// Waits until nothing is in flight.
    pub async fn drain(&self) {
        self.in_flight.close();
        self.in_flight.wait().await;
    }

    /// The pipeline.
    pub fn pipeline(&self) -> &Arc<Pipeline> {
        &self.pipeline
    }

    /// The metrics.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }
}

/// Counts an exchange as under way for as long as it lives.
struct InFlight(prometheus::IntGauge);

impl InFlight {
    fn enter(metrics: &Metrics) -> Self {
        metrics.in_flight.inc();
        Self(metrics.in_flight.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
