//! Erasure against a real archive and log: what can be opened before and never again, from no copy, and
//! from wherever a crash leaves it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::archive::ArchiveError;
use gateway_core::journal::Trail;
use gateway_core::keys::{Covers, Hold, Rekeyed, Shards, StoredKey};
use gateway_core::{Journal, Pseudonym};
use gateway_journal::{CommitmentKey, Log, LogConfig, LogKey};
use gateway_store::ArchiveStore;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::*;

const HONG: [u8; 32] = [0x01; 32];
/// Of the same shard as the other.
const KIM: [u8; 32] = [0x41; 32];
const ORIGIN: &str = "log.example";

/// A folder with a log, an archive and a root key, and the log's secret.
struct Place {
    folder: TempDir,
    secret: Zeroizing<String>,
}

/// What runs on it.
struct Running {
    log: Arc<Log>,
    archive: Arc<ArchiveStore>,
    vault: Arc<Vault>,
}

/// Counts the steps of an erasure and dies at one of them.
struct Dying {
    store: Arc<dyn KeyStore>,
    root: FileRoot,
    step: AtomicUsize,
    at: usize,
    /// Whether what it dies in has its effect first.
    after: bool,
}

impl Dying {
    fn step(&self) -> bool {
        self.step.fetch_add(1, Ordering::SeqCst) == self.at
    }

    fn died() -> ArchiveError {
        ArchiveError::Unavailable("killed".into())
    }

    async fn at<T>(
        &self,
        effect: impl Future<Output = Result<T, ArchiveError>> + Send,
    ) -> Result<T, ArchiveError> {
        let dies = self.step();
        if dies && !self.after {
            return Err(Self::died());
        }
        let done = effect.await?;
        if dies { Err(Self::died()) } else { Ok(done) }
    }
}

#[async_trait]
impl KeyStore for Dying {
    async fn shards(&self) -> Result<Option<Shards>, ArchiveError> {
        self.store.shards().await
    }
    async fn begin(&self, shards: &Shards) -> Result<(), ArchiveError> {
        self.store.begin(shards).await
    }
    async fn newest(&self, holder: &[u8; 32], of: &str) -> Result<Option<StoredKey>, ArchiveError> {
        self.store.newest(holder, of).await
    }
    async fn key(&self, id: &[u8; 16]) -> Result<Option<StoredKey>, ArchiveError> {
        self.store.key(id).await
    }
    async fn keys_of_shard(&self, shard: u32) -> Result<Vec<StoredKey>, ArchiveError> {
        self.store.keys_of_shard(shard).await
    }
    async fn plan(&self, erasure: &Erasure) -> Result<(), ArchiveError> {
        self.at(self.store.plan(erasure)).await
    }
    async fn planned(&self) -> Result<Option<Erasure>, ArchiveError> {
        self.store.planned().await
    }
    async fn rekey(&self, erasure: &Erasure, new: &Rekeyed) -> Result<Destroyed, ArchiveError> {
        self.at(self.store.rekey(erasure, new)).await
    }
    async fn finish(&self, erasure: &Erasure) -> Result<(), ArchiveError> {
        self.at(self.store.finish(erasure)).await
    }
    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<Destroyed, ArchiveError> {
        self.store.sweep(now, limit).await
    }
    async fn hold(&self, hold: &Hold) -> Result<(), ArchiveError> {
        self.store.hold(hold).await
    }
    async fn lift(&self, id: Uuid) -> Result<bool, ArchiveError> {
        self.store.lift(id).await
    }
    async fn holds(&self) -> Result<Vec<Hold>, ArchiveError> {
        self.store.holds().await
    }
    async fn held(&self, holders: &[[u8; 32]]) -> Result<bool, ArchiveError> {
        self.store.held(holders).await
    }
}

impl RootKeys for Dying {
    fn create(&self, generation: u64) -> Result<(), VaultError> {
        let dies = self.step();
        if !dies || self.after {
            self.root.create(generation)?;
        }
        if dies { Err(VaultError::Root("killed".into())) } else { Ok(()) }
    }
    fn wrap(&self, generation: u64, plain: &[u8; 32]) -> Result<Vec<u8>, VaultError> {
        self.root.wrap(generation, plain)
    }
    fn unwrap(&self, generation: u64, of: &[u8]) -> Result<Zeroizing<[u8; 32]>, VaultError> {
        self.root.unwrap(generation, of)
    }
    fn destroy(&self, generation: u64) -> Result<(), VaultError> {
        let dies = self.step();
        if !dies || self.after {
            self.root.destroy(generation)?;
        }
        if dies { Err(VaultError::Root("killed".into())) } else { Ok(()) }
    }
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, secret: LogKey::generate(ORIGIN).unwrap().secret() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Everything as it is on disk now, elsewhere.
    fn backup(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(self.path(), folder.path());
        Self { folder, secret: self.secret.clone() }
    }

    async fn run(&self) -> Result<Running, VaultError> {
        let archive = self.archive().await;
        let root = Arc::new(FileRoot::new(self.path().join("root.key")));
        self.run_with(archive.clone(), root, archive).await
    }

    async fn archive(&self) -> Arc<ArchiveStore> {
        Arc::new(ArchiveStore::open(&self.path().join("archive.sqlite")).await.unwrap())
    }

    async fn run_with(
        &self,
        archive: Arc<ArchiveStore>,
        root: Arc<dyn RootKeys>,
        store: Arc<dyn KeyStore>,
    ) -> Result<Running, VaultError> {
        let config = LogConfig {
            directory: self.path().join("log"),
            origin: ORIGIN.into(),
            publish_interval: Duration::from_secs(3600),
            notary: None,
        };
        let (key, commitments) = (self.secret.parse().unwrap(), CommitmentKey::new(&[3; 32]));
        let keeping = Keeping {
            parts: [Part::Request, Part::Reply].into(),
            otherwise: SignedDuration::from_hours(24),
        };
        let vault = Arc::new(Vault::open(keeping, root, store).await?);
        let log = Log::open_with(config, key, commitments, Some(archive.clone())).await.unwrap();
        log.keep_bodies(vault.clone());
        Ok(Running { log: Arc::new(log), archive, vault })
    }
}

impl Running {
    async fn exchange(&self, number: u128, subject: [u8; 32]) {
        let trail = Trail { subject: Some(Pseudonym(subject)), ..Trail::default() };
        let request = format!("secret of {number}");
        let record = Record {
            exchange: ExchangeId(Uuid::from_u128(number)),
            kind: RecordKind::Exchange,
            received: Timestamp::UNIX_EPOCH,
            finished: Timestamp::UNIX_EPOCH,
            front: "rest",
            trail: &trail,
            request: request.as_bytes(),
            reply: b"reply",
            fault: None,
        };
        self.log.append(record).await.unwrap();
    }

    /// The request of an exchange, if it can be opened still.
    async fn opened(&self, number: u128) -> Option<String> {
        let exchange = ExchangeId(Uuid::from_u128(number));
        let entries = self.archive.entries(exchange).await.unwrap();
        let entry = entries.first()?;
        let (_, sealed) = entry.sealed.iter().find(|(part, _)| part == "request")?;
        let key = entry.key.unwrap();
        let open = self.vault.open_body(&key, &exchange, &entry.kind, Part::Request, sealed);
        Some(String::from_utf8(open.await.ok()?.to_vec()).unwrap())
    }

    async fn erase(&self, holder: [u8; 32]) -> Result<Erasure, VaultError> {
        let erased = self.vault.erase(&self.log, erasure(holder)).await?;
        self.vault.finish(&erased).await?;
        Ok(erased)
    }

    /// As a kill leaves it: nothing is finished in order.
    async fn die(self) {
        let Self { log, archive, vault } = self;
        drop((log, vault));
        archive.close().await;
    }
}

fn erasure(holder: [u8; 32]) -> Erasure {
    Erasure {
        id: Uuid::from_u128(99),
        holders: vec![holder],
        generation: 0,
        by: "operator".into(),
        destroyed: None,
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_opens_from_no_copy_and_the_log_still_verifies() {
    let place = Place::new();
    let running = place.run().await.unwrap();
    running.exchange(1, HONG).await;
    running.exchange(2, KIM).await;
    running.exchange(3, HONG).await;
    running.log.flush().await.unwrap();
    assert_eq!(running.opened(1).await.as_deref(), Some("secret of 1"));
    running.die().await;
    let backup = place.backup();

    let running = place.run().await.unwrap();
    // Still in the write-ahead log when the erasure begins.
    running.exchange(4, HONG).await;
    let erased = running.erase(HONG).await.unwrap();
    assert_eq!(erased.destroyed, Some(Destroyed { keys: 1, bodies: 6 }));
    for number in [1, 3, 4] {
        assert_eq!(running.opened(number).await, None);
    }
    assert_eq!(running.opened(2).await.as_deref(), Some("secret of 2"), "others are not touched");
    running.exchange(5, HONG).await;
    running.log.flush().await.unwrap();
    assert_eq!(running.opened(5).await.as_deref(), Some("secret of 5"), "life goes on");
    running.die().await;

    // The old root key is no more.
    assert!(!place.path().join("root.key").exists());
    assert!(place.path().join("root.key.1").exists());
    // A backup of everything but the root key, restored with the root key that there is.
    std::fs::remove_file(backup.path().join("root.key")).unwrap();
    std::fs::copy(place.path().join("root.key.1"), backup.path().join("root.key.1")).unwrap();
    assert!(matches!(backup.run().await.err(), Some(VaultError::Root(_))));
    // Nor with that key in the old one's place.
    std::fs::copy(place.path().join("root.key.1"), backup.path().join("root.key")).unwrap();
    assert!(matches!(backup.run().await.err(), Some(VaultError::Unopened)));

    let running = place.run().await.unwrap();
    assert_eq!(running.opened(2).await.as_deref(), Some("secret of 2"), "over a restart");
    assert_eq!(running.opened(1).await, None);
    running.log.shutdown().await.unwrap();
}

/// Dies before and after each of the steps; the next start ends it, and then nobody can open anything.
#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_killed_at_any_step_is_not_begun_or_is_ended() {
    for (at, after) in (0..5).flat_map(|at| [(at, false), (at, true)]) {
        let place = Place::new();
        let running = place.run().await.unwrap();
        running.exchange(1, HONG).await;
        running.exchange(2, KIM).await;
        running.die().await;

        let archive = place.archive().await;
        let dying = || Dying {
            store: archive.clone(),
            root: FileRoot::new(place.path().join("root.key")),
            step: AtomicUsize::new(0),
            at,
            after,
        };
        // The two count apart: the root's steps are its own.
        let running =
            place.run_with(archive.clone(), Arc::new(dying()), Arc::new(dying())).await.unwrap();
        let outcome = running.erase(HONG).await;
        let step = format!("step {at}, after: {after}");
        running.die().await;

        let running = place.run().await.unwrap();
        let resumed = running.vault.resume(&running.log).await.unwrap();
        match &resumed {
            Some(erasure) => running.vault.finish(erasure).await.unwrap(),
            None if outcome.is_err() => drop(running.erase(HONG).await.unwrap()),
            None => {}
        }
        assert_eq!(running.opened(1).await, None, "{step}");
        assert_eq!(running.opened(2).await.as_deref(), Some("secret of 2"), "{step}");
        assert!(!place.path().join("root.key").exists(), "{step}");
        assert!(running.vault.resume(&running.log).await.unwrap().is_none(), "{step}");
        running.die().await;
        assert_eq!(place.run().await.unwrap().opened(2).await.as_deref(), Some("secret of 2"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legal_hold_stops_erasure_and_sweep_until_it_is_lifted() {
    let place = Place::new();
    let running = place.run().await.unwrap();
    running.exchange(1, HONG).await;
    running.exchange(2, KIM).await;
    running.log.flush().await.unwrap();
    let store = running.vault.store().clone();
    let hold = |id, covers| Hold {
        id: Uuid::from_u128(id),
        covers,
        reason: "2026가합123".into(),
        by: "operator".into(),
        since: Timestamp::UNIX_EPOCH,
    };
    let person = Covers::Person { holders: vec![HONG], purpose: None };
    let exchange = Covers::Exchange(Uuid::from_u128(2));
    for (hold, held) in [(hold(1, person), HONG), (hold(2, exchange), KIM)] {
        store.hold(&hold).await.unwrap();
        assert!(matches!(running.erase(held).await, Err(VaultError::Held)));
    }
    assert_eq!(store.holds().await.unwrap().len(), 2);
    let later: Timestamp = "1970-01-03T00:00:00Z".parse().unwrap();
    assert_eq!(store.sweep(later, 10).await.unwrap(), Destroyed::default());
    assert!(store.lift(Uuid::from_u128(2)).await.unwrap());
    assert!(!store.lift(Uuid::from_u128(2)).await.unwrap());
    let early: Timestamp = "1970-01-01T12:00:00Z".parse().unwrap();
    assert_eq!(store.sweep(early, 10).await.unwrap(), Destroyed::default());
    assert_eq!(store.sweep(later, 10).await.unwrap(), Destroyed { keys: 1, bodies: 2 });
    assert_eq!(running.opened(2).await, None);
    assert_eq!(running.opened(1).await.as_deref(), Some("secret of 1"));
    assert!(store.lift(Uuid::from_u128(1)).await.unwrap());
    assert_eq!(running.erase(HONG).await.unwrap().destroyed.unwrap().keys, 1);
}
