//! A gateway in memory: every stage passes, and a backend that grants what it is asked, as fast as
//! the test lets it.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::adapter::{Content, Response, Settlement, Takes};
use gateway_core::caller::{Authenticate, Means};
use gateway_core::consent::{Consents, Found, Spent, UseKey};
use gateway_core::outbox::{Begun, Submission};
use gateway_core::policy::{AccessRequest, Authorize, Decision};
use gateway_core::quota::{Demand, Exceeded, Permit, Quota, QuotaState};
use gateway_core::route::{Conditions, Provider, Route, Routes, Target};
use gateway_core::{
    Adapter, Admitted, Answer, Assurance, Call, Caller, Clock, Envelope, Evidence, Fault, Finality,
    Journal, MemberId, Outbox, Pipeline, Profile, Pseudonym, Pseudonymize, Receipt, Record,
    SubmissionKey, Value,
};
use jiff::Timestamp;
use mappings::{BatchFront, BatchLimits, Catalog, FrontEntry};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::super::folder::LocalFolder;
use super::super::spool::Spool;
use super::super::{Complete, Watch};
use crate::deployment::{BatchSource, Deployment};
use crate::listen::Gateway;
use crate::telemetry::Metrics;

/// Everything behind the listener. It outlives a gateway that is killed, as stores and backends do.
pub(super) struct Behind {
    /// How often each submit reached the backend.
    pub(super) calls: Mutex<BTreeMap<[u8; 32], usize>>,
    /// The first day of each grant, in the order in which the calls ended.
    pub(super) ended: Mutex<Vec<i128>>,
    settled: Mutex<HashMap<[u8; 32], Result<Answer, Fault>>>,
    /// One permit lets one call through; closed, it lets all through.
    pub(super) gate: Semaphore,
    pub(super) exchanges: AtomicUsize,
    under_way: AtomicUsize,
    pub(super) most_under_way: AtomicUsize,
    profile: Profile,
}

impl Behind {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            calls: Mutex::default(),
            ended: Mutex::default(),
            settled: Mutex::default(),
            gate: Semaphore::new(0),
            exchanges: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            most_under_way: AtomicUsize::new(0),
            profile: Profile { takes: Takes::Functions(vec![]), finality: Finality::Immediate },
        })
    }

    pub(super) fn call_count(&self) -> usize {
        self.calls.lock().unwrap().values().sum()
    }

    pub(super) fn most_calls_of_one(&self) -> usize {
        self.calls.lock().unwrap().values().copied().max().unwrap_or_default()
    }
}

/// A folder, a spool and what stands behind.
pub(super) struct Bench {
    root: TempDir,
    pub(super) behind: Arc<Behind>,
    front: Arc<BatchFront>,
    catalog: Arc<Catalog>,
    member: &'static str,
    pub(super) limits: BatchLimits,
    pub(super) complete: Complete,
}

impl Bench {
    /// For the files of `city-b` or `city-d`.
    pub(super) fn of(member: &'static str) -> Self {
        let behind = Behind::new();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mappings/catalog");
        let catalog = Arc::new(Catalog::load(&root, behind.clone()).unwrap());
        let Some(FrontEntry::Batch(front)) = catalog.front(&format!("welfare/{member}/v1")) else {
            panic!("not a batch front");
        };
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("inbox")).unwrap();
        Self {
            front: front.clone(),
            behind,
            catalog,
            root,
            member,
            limits: BatchLimits { content_bytes: 64 << 20, record_bytes: 1 << 16 },
            complete: Complete::Renamed,
        }
    }

    pub(super) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(super) fn inbox(&self) -> PathBuf {
        self.root.path().join("inbox")
    }

    pub(super) fn spool(&self) -> PathBuf {
        self.root.path().join("spool")
    }

    /// Puts a file there, whole.
    pub(super) fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.inbox().join("upload"), content).unwrap();
        std::fs::rename(self.inbox().join("upload"), self.inbox().join(name)).unwrap();
    }

    pub(super) fn read(&self, name: &str) -> String {
        let path = self.inbox().join(name);
        let bytes = std::fs::read(&path);
        let bytes = bytes.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(super) fn names(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.inbox().join(folder)) else {
            return vec![];
        };
        let files =
            entries.map(Result::unwrap).filter(|entry| !entry.file_type().unwrap().is_dir());
        let mut names: Vec<_> =
            files.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Lets every call through from now on.
    pub(super) fn open_gate(&self) {
        self.behind.gate.close();
    }

    /// A gateway that has just started over the same folder, spool, store and backend.
    pub(super) fn start(&self) -> Watch {
        self.start_at(Box::new(LocalFolder::new(self.inbox())))
    }

    pub(super) fn start_at(&self, place: Box<dyn super::super::place::Place>) -> Watch {
        let mut routes = Routes::default();
        let provider = Provider {
            name: "ledger".into(),
            adapter: self.behind.clone(),
            deadline: Duration::from_secs(10),
        };
        let mapping = self.catalog.mapping("welfare/ledger/v1").unwrap();
        let target = Arc::new(Target { mapping, providers: vec![Arc::new(provider)] });
        for service in self.catalog.services() {
            let (conditions, target) = (Conditions::default(), target.clone());
            let route = Route { conditions, target, canary: None, mirror: None };
            routes.add(service.id.clone(), route).unwrap();
        }
        let parts = self.behind.clone();
        let pipeline = Pipeline {
            configuration: "test".into(),
            clock: parts.clone(),
            pseudonyms: parts.clone(),
            authenticator: parts.clone(),
            authorizer: parts.clone(),
            consents: parts.clone(),
            quota: parts.clone(),
            capacity: Arc::new(crate::capacity::Turns::default()),
            routes,
            mirror: None,
            outbox: parts.clone(),
            journal: parts,
        };
        let source =
            BatchSource { front: self.front.clone(), member: MemberId(self.member.into()) };
        let deployment = Deployment::of_batch(pipeline, source);
        let metrics = Arc::new(Metrics::new().unwrap());
        Watch {
            gateway: Gateway::new(deployment, metrics, &crate::config::Limits::default()),
            index: 0,
            limits: self.limits,
            concurrency: 8,
            stop: CancellationToken::new(),
            place,
            spool: Spool::open(self.spool()).unwrap(),
            complete: self.complete.clone(),
            seen: HashMap::new(),
        }
    }
}

/// A file of city B that grants to `count` persons.
pub(super) fn grants(file_id: &str, count: usize) -> String {
    let mut file = format!("H,CITYB001,{file_id},20261122\n");
    for number in 1..=count {
        file.push_str(&grant(number));
    }
    file + &format!("T,{count},{}\n", count * 1000)
}

pub(super) fn grant(number: usize) -> String {
    let resident = format!("9001{:02}1{number:06}", 1 + number % 28);
    format!("D,{number},G,{resident},홍길동,청년월세,2026-01-01,2026-12-31,1000\n")
}

impl Clock for Behind {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

impl Pseudonymize for Behind {
    fn pseudonym(&self, sector: &str, domain: &str, identifier: &[u8]) -> Pseudonym {
        let all = [sector.as_bytes(), domain.as_bytes(), identifier].join(&0);
        Pseudonym(crate::authenticate::sha256(&all))
    }
}

#[async_trait]
impl Authenticate for Behind {
    async fn authenticate(&self, evidence: &Evidence, _: &Envelope) -> Result<Caller, Fault> {
        let member = evidence.folder.clone().unwrap();
        Ok(Caller { member, means: Means::Folder, assurance: Assurance::Low })
    }
}

impl Authorize for Behind {
    fn decide(&self, _: &AccessRequest) -> Result<Decision, Fault> {
        Ok(Decision { allowed: true, policies: vec![] })
    }
}

#[async_trait]
impl Consents for Behind {
    async fn find(&self, _: &Pseudonym, _: &MemberId, _: &str) -> Result<Found, Fault> {
        Ok(Found { consents: [].into(), as_of: Timestamp::UNIX_EPOCH })
    }

    async fn spend(&self, _: uuid::Uuid, _: &UseKey) -> Result<Spent, Fault> {
        Ok(Spent::Ended)
    }

    async fn give_back(&self, _: uuid::Uuid, _: &UseKey) -> Result<(), Fault> {
        Ok(())
    }
}

impl Quota for Behind {
    fn spend(&self, _: &Demand<'_>) -> Result<Permit, Exceeded> {
        Ok(Permit::default())
    }

    fn give_back(&self, _: &Demand<'_>, _: &[QuotaState]) {}

    fn replied(&self, _: &Demand<'_>) {}
}

#[async_trait]
impl Outbox for Behind {
    async fn begin(&self, submission: &Submission, _: &[u8; 32]) -> Result<Begun, Fault> {
        let settled = self.settled.lock().unwrap().get(&submission.key.0).cloned();
        let mapping = submission.mapping.clone();
        Ok(settled.map_or(Begun::Fresh, |outcome| Begun::Settled { mapping, outcome }))
    }

    async fn claim(&self, _: &SubmissionKey) -> Result<bool, Fault> {
        Ok(false)
    }

    async fn attach(&self, _: &SubmissionKey, _: &[u8]) -> Result<(), Fault> {
        Ok(())
    }

    async fn withdraw(&self, _: &SubmissionKey) -> Result<(), Fault> {
        Ok(())
    }

    async fn settle(
        &self,
        key: &SubmissionKey,
        outcome: &Result<Answer, Fault>,
    ) -> Result<(), Fault> {
        self.settled.lock().unwrap().insert(key.0, outcome.clone());
        Ok(())
    }

    async fn release(&self, _: &SubmissionKey) -> Result<(), Fault> {
        Ok(())
    }

    async fn unsettled(&self) -> Result<Vec<Submission>, Fault> {
        Ok(vec![])
    }
}

#[async_trait]
impl Journal for Behind {
    async fn append(&self, _: Record<'_>) -> Result<Receipt, Fault> {
        self.exchanges.fetch_add(1, Ordering::SeqCst);
        Ok(Receipt("RECEIPT".into()))
    }

    fn writable(&self) -> Result<(), Fault> {
        Ok(())
    }
}

#[async_trait]
impl Adapter for Behind {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    async fn call(&self, _: &Admitted, call: &Call, _: Duration) -> Result<Response, Fault> {
        let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_under_way.fetch_max(under_way, Ordering::SeqCst);
        let key = call.key.unwrap().0;
        *self.calls.lock().unwrap().entry(key).or_default() += 1;
        if let Ok(permit) = self.gate.acquire().await {
            permit.forget();
        }
        let Content::Arguments(arguments) = &call.content else { panic!("not of a contract") };
        let from = arguments.iter().find(|(name, _)| name == "from");
        let Value::Integer(day) = from.unwrap().1 else { panic!("not a day number") };
        self.ended.lock().unwrap().push(day);
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        let mut answer = Answer::default();
        answer.values.set("benefit", Value::Bytes(key.to_vec()));
        Ok(Response::Answer(answer))
    }

    async fn lookup(&self, _: &Submission, _: Duration) -> Result<Settlement, Fault> {
        Ok(Settlement::Pending)
    }

    async fn probe(&self) -> Result<(), Fault> {
        Ok(())
    }
}
