//! Listeners: bytes in, [`Pipeline::handle`](gateway_core::Pipeline::handle), bytes out. A listener
//! knows its transport and nothing of the messages; those are its front's, which it takes from the
//! deployment of the moment, once per message.

pub mod batch;
pub mod http;
pub mod telegram;
mod trace;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use gateway_core::{Evidence, ExchangeId, Front, Inbound, Reply};
use governor::{DefaultKeyedRateLimiter, RateLimiter};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::Instrument;
use uuid::Uuid;

use crate::config::Limits;
use crate::deployment::Deployment;
use crate::telemetry::Metrics;

/// What every listener shares.
#[derive(Clone)]
pub struct Gateway {
    deployed: Arc<ArcSwap<Deployment>>,
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
    /// A gateway that serves `deployment` until it is given another one.
    pub fn new(deployment: Deployment, metrics: Arc<Metrics>, limits: &Limits) -> Self {
        let rate = NonZeroU32::new(limits.peer_per_second).unwrap_or(NonZeroU32::MIN);
        let peers = RateLimiter::keyed(governor::Quota::per_second(rate));
        Self {
            deployed: Arc::new(ArcSwap::from_pointee(deployment)),
            metrics,
            peers: Arc::new(peers),
            in_flight: TaskTracker::new(),
        }
    }

    /// What serves now. Take it once per message, when its first byte is there, and hand the message
    /// to [`Gateway::handle`] with it: front and pipeline belong together.
    pub fn current(&self) -> Arc<Deployment> {
        self.deployed.load_full()
    }

    /// The deployment for the next message of something that was begun under `begun`, such as the
    /// records of one file: what is current, unless it reads messages in other formats.
    pub fn following(&self, begun: &Arc<Deployment>) -> Arc<Deployment> {
        let current = self.current();
        match current.fingerprint.formats == begun.fingerprint.formats {
            true => current,
            false => begun.clone(),
        }
    }

    /// Serves `next` from the next message on. What is in flight finishes on what it began with.
    pub fn deploy(&self, next: Deployment) {
        self.deployed.store(Arc::new(next));
    }

    /// Handles one message to its end, also when the client has hung up meanwhile.
    pub async fn handle(&self, on: &Arc<Deployment>, received: Received) -> Option<Reply> {
        let inbound = Inbound {
            id: ExchangeId(Uuid::now_v7()),
            front: on.versions.of(received.front),
            evidence: received.evidence,
            attributes: received.attributes,
            body: received.body,
            received: on.pipeline.clock.now(),
        };
        let deployment = on.clone();
        let guard = InFlight::enter(&self.metrics);
        let span = trace::span(&inbound);
        let exchange = async move {
            let _guard = guard;
            deployment.pipeline.handle(inbound).await
        };
        let task = self.in_flight.spawn(exchange.instrument(span));
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

    /// Something in flight until it is dropped: a reply that is not written yet.
    #[must_use]
    pub fn hold(&self) -> TaskTrackerToken {
        self.in_flight.token()
    }

    /// Waits until nothing is in flight.
    pub async fn drain(&self) {
        self.in_flight.close();
        self.in_flight.wait().await;
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
