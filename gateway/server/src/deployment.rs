//! Everything that a configuration decides about a request, as one value that is exchanged whole.
//!
//! A listener takes the [`current`](crate::listen::Gateway::current) one once per message and keeps
//! to it to the end, so a message never meets half of one configuration and half of another. See
//! [`crate::reload`] for how the next one comes about.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::{Adapter, MemberId, Pipeline, Purpose, Service};
use mappings::{BatchFront, GrpcFront, TelegramFront};

use crate::admin::act::FourEyes;
use crate::authenticate::{Members, Sha256};
use crate::authorize::Access;
use crate::backends::PlannedBackend;
use crate::capacity::Turns;
use crate::config::source::Source;
use crate::fingerprint::Fingerprint;
use crate::later::Later;
use crate::listen::http::HttpFronts;
use crate::plan::Deployable;
use crate::pseudonyms::Pseudonyms;
use crate::quota::Quotas;
use crate::resources::Resources;
use crate::routing;
use crate::serve::{ServeError, opening};
use crate::versions::Versions;

/// What serves requests.
pub struct Deployment {
    /// Counts the deployments of this process, from 1.
    pub generation: u64,
    /// What it was made from.
    pub fingerprint: Fingerprint,
    /// What stood in its configuration.
    pub source: Source,
    /// What every message passes through.
    pub pipeline: Pipeline,
    /// The fronts served over HTTP.
    pub http: HttpFronts,
    /// Every service over gRPC.
    pub grpc: Arc<GrpcFront>,
    /// One for each `[[listen.telegram]]`.
    pub telegram: Vec<Arc<TelegramFront>>,
    /// One for each `[[listen.switch]]`.
    pub switch: Vec<Arc<TelegramFront>>,
    /// One for each `[[listen.batch]]`.
    pub batch: Vec<BatchSource>,
    /// Which members speak another version of a format.
    pub versions: Versions,
    /// Work for later, where it is configured.
    pub later: Option<Arc<Later>>,
    /// The backends, each with what stands around it.
    pub backends: Vec<OpenBackend>,
    /// The services of the catalog.
    pub services: Vec<Arc<Service>>,
    /// For what personal data may be asked.
    pub purposes: Vec<Arc<Purpose>>,
    /// Who can call.
    pub members: Arc<Members>,
    /// What people know members by.
    pub member_names: HashMap<MemberId, String>,
    /// Residents → principals.
    pub pseudonyms: Arc<Pseudonyms>,
    /// Operators by the digest of their key.
    pub operators: HashMap<Sha256, String>,
    /// Which of their acts want a second one.
    pub four_eyes: FourEyes,
    /// How much each may do, and has done.
    pub quotas: Arc<Quotas>,
    turns: Arc<Turns>,
}

/// Whose files lie in a watched folder, and in which format.
pub struct BatchSource {
    /// The format.
    pub front: Arc<BatchFront>,
    /// Whom the folder belongs to.
    pub member: MemberId,
}

/// A backend with what stands around it.
#[derive(Clone)]
pub struct OpenBackend {
    /// Its name in routes.
    pub name: Arc<str>,
    /// How long a call may take.
    pub deadline: Duration,
    /// It.
    pub adapter: Arc<dyn Adapter>,
    /// Its section and the files that names: while they stay, it stays open over a reload.
    digest: Sha256,
}

impl Deployment {
    /// Opens what was planned. What `earlier` has spent of quotas stays spent, and a backend that is
    /// as it was there is the same one here: its connections, its nonces, the state of its layers.
    ///
    /// # Errors
    /// When a backend cannot be opened.
    pub fn new(
        mut plan: Deployable,
        resources: &Resources,
        earlier: Option<&Self>,
    ) -> Result<Self, ServeError> {
        let Deployable { config, catalog, source, fingerprint, .. } = plan;
        let kept = earlier.map_or(&[][..], |earlier| &earlier.backends);
        let backends = open_backends(plan.backends, &source, kept, resources)?;
        let watch = plan.watch.telling(resources.alarms.clone());
        let turns = match earlier {
            Some(earlier) => Turns::new(&config).continuing(&earlier.turns),
            None => Turns::new(&config),
        };
        let turns = Arc::new(turns);
        plan.quotas.watch(watch);
        let quotas = match earlier {
            Some(earlier) => plan.quotas.continuing(&earlier.quotas),
            None => {
                plan.quotas.restore(&resources.quota_counts);
                plan.quotas
            }
        };
        let quotas = Arc::new(quotas);
        let mut routes = routing::build(&config, &catalog, &backends);
        if let Some(earlier) = earlier {
            routes.remember(&earlier.pipeline.routes);
        }
        let members = plan.members;
        members.join(resources.registry.clone());
        let pipeline = Pipeline {
            configuration: fingerprint.configuration.as_str().into(),
            clock: resources.clock.clone(),
            pseudonyms: plan.pseudonyms.clone(),
            authenticator: members.clone(),
            authorizer: Arc::new(Access::new(plan.policies, plan.surroundings, members.clone())),
            consents: resources.consents.clone(),
            quota: quotas.clone(),
            capacity: turns.clone(),
            routes,
            mirror: Some(resources.mirrors.clone()),
            outbox: resources.store.clone(),
            journal: resources.journal.clone(),
        };
        let later =
            plan.queue.map(|queue| queue.open(resources, members.clone(), plan.pseudonyms.clone()));
        let folders = config.listen.batch.iter().map(|folder| folder.member.as_str());
        let batch = plan.batch_fronts.into_iter().zip(folders);
        Ok(Self {
            generation: earlier.map_or(0, |earlier| earlier.generation) + 1,
            fingerprint,
            source,
            pipeline,
            http: plan.http_fronts,
            grpc: catalog.grpc().clone(),
            telegram: plan.telegram_fronts,
            switch: plan.switch_fronts,
            batch: batch
                .map(|(front, member)| BatchSource { front, member: MemberId(member.into()) })
                .collect(),
            versions: plan.versions,
            later,
            backends,
            services: catalog.services().cloned().collect(),
            purposes: catalog.purposes().cloned().collect(),
            member_names: config
                .members
                .iter()
                .map(|member| (MemberId(member.id.as_str().into()), member.name.clone()))
                .collect(),
            members,
            pseudonyms: plan.pseudonyms,
            operators: plan.operators,
            four_eyes: plan.four_eyes,
            quotas,
            turns,
        })
    }
}

#[cfg(test)]
impl Deployment {
    /// One that takes the files of one folder and serves nothing else.
    pub(crate) fn of_batch(pipeline: Pipeline, source: BatchSource) -> Self {
        let (members, quotas) =
            (Members::new(&[]).unwrap(), Quotas::new(&[], "Asia/Seoul").unwrap());
        Self {
            generation: 1,
            fingerprint: Fingerprint { configuration: "test".into(), formats: [0; 32] },
            source: Source::default(),
            pipeline,
            http: HttpFronts::default(),
            grpc: Arc::default(),
            telegram: vec![],
            switch: vec![],
            batch: vec![source],
            versions: Versions::default(),
            later: None,
            backends: vec![],
            services: vec![],
            purposes: vec![],
            member_names: HashMap::new(),
            members: Arc::new(members),
            pseudonyms: Arc::new(Pseudonyms::new(vec![])),
            operators: HashMap::new(),
            four_eyes: FourEyes::default(),
            quotas: Arc::new(quotas),
            turns: Arc::default(),
        }
    }
}

fn open_backends(
    planned: Vec<PlannedBackend>,
    source: &Source,
    kept: &[OpenBackend],
    resources: &Resources,
) -> Result<Vec<OpenBackend>, ServeError> {
    let open = |(index, planned): (usize, PlannedBackend)| {
        let digest = source.digest_of(&format!("backend[{index}]"));
        let same = |kept: &&OpenBackend| *kept.name == *planned.name && kept.digest == digest;
        if let Some(same) = kept.iter().find(same) {
            return Ok(same.clone());
        }
        let (name, deadline, layers) =
            (Arc::from(planned.name.as_str()), planned.deadline, planned.layers.clone());
        let (store, clock) = (resources.store.clone(), resources.clock.clone());
        let adapter = planned.open(store, clock).map_err(opening(format!("backend {name}")))?;
        let observer = Arc::new(resources.metrics.backends.observer(&name));
        let adapter = layers.around(adapter, observer);
        Ok(OpenBackend { name, deadline, adapter, digest })
    };
    planned.into_iter().enumerate().map(open).collect()
}
