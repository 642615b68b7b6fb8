use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gateway_core::ExchangeId;
use gateway_core::journal::{RecordKind, Trail};
use uuid::Uuid;

use super::*;

fn config(directory: &Path) -> LogConfig {
    LogConfig {
        directory: directory.to_owned(),
        origin: "log.example".into(),
        publish_interval: Duration::from_secs(3600),
        notary: None,
    }
}

async fn append(log: &Log, n: u128) -> Result<Receipt, Fault> {
    let record = Record {
        exchange: ExchangeId(Uuid::from_u128(n)),
        kind: RecordKind::Exchange,
        received: jiff::Timestamp::UNIX_EPOCH,
        finished: jiff::Timestamp::UNIX_EPOCH,
        front: "rest",
        trail: &Trail::default(),
        request: b"",
        reply: b"",
        fault: None,
    };
    log.append(record).await
}

/// A disk that works until it is broken.
fn disk(broken: &Arc<AtomicBool>) -> Sync {
    let broken = broken.clone();
    Box::new(move |file| {
        if broken.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        file.sync_data()
    })
}

#[tokio::test]
async fn a_full_disk_stops_the_log_and_a_restart_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let key = LogKey::generate("log.example").unwrap();
    let secret = key.secret();
    let commitments = || CommitmentKey::new(&[0; 32]);
    let broken = Arc::new(AtomicBool::new(false));
    let log = Log::open_on(config(directory.path()), key, commitments(), None, disk(&broken)).await;
    let log = log.unwrap();
    append(&log, 0).await.unwrap();
    log.writable().unwrap();

    broken.store(true, Ordering::SeqCst);
    let refused = append(&log, 1).await.unwrap_err();
    assert_eq!((refused.kind, &*refused.code), (Kind::Internal, "evidence-unavailable"));
    assert!(refused.context.contains("wal"), "{refused}");
    assert_eq!(log.writable().unwrap_err().code, "evidence-unavailable");
    // The disk is back, but what it did in between is not known: it stays stopped.
    broken.store(false, Ordering::SeqCst);
    assert!(append(&log, 2).await.is_err());
    assert!(matches!(log.shutdown().await, Err(LogError::Stopped(_))));
    drop(log);

    let key: LogKey = secret.parse().unwrap();
    let verifier = key.verifier().clone();
    let log = Log::open(config(directory.path()), key, commitments()).await.unwrap();
    let receipt = append(&log, 3).await.unwrap();
    // The unacknowledged entry had reached the file, so it may be there; nothing else may.
    let index = crate::verify(&receipt.0, &verifier).unwrap().index;
    assert_eq!(index, 2);
}

#[tokio::test]
async fn what_cannot_be_published_stops_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let key = LogKey::generate("log.example").unwrap();
    let secret = key.secret();
    let log = Log::open(config(directory.path()), key, CommitmentKey::new(&[0; 32])).await;
    let log = log.unwrap();
    let in_the_way = directory.path().join("tile");
    fs::write(&in_the_way, "").unwrap();
    append(&log, 0).await.unwrap();
    assert!(log.shutdown().await.unwrap_err().to_string().contains("tile"));
    assert!(log.writable().is_err());
    drop(log);

    fs::remove_file(in_the_way).unwrap();
    let key: LogKey = secret.parse().unwrap();
    let verifier = key.verifier().clone();
    let log = Log::open(config(directory.path()), key, CommitmentKey::new(&[0; 32])).await;
    let receipt = append(&log.unwrap(), 1).await.unwrap();
    assert_eq!(crate::verify(&receipt.0, &verifier).unwrap().index, 1);
}

#[tokio::test]
async fn what_waits_together_is_synced_together() {
    let directory = tempfile::tempdir().unwrap();
    let key = LogKey::generate("log.example").unwrap();
    let verifier = key.verifier().clone();
    let syncs = Arc::new(AtomicUsize::new(0));
    let (counted, (open, gate)) = (syncs.clone(), mpsc::channel::<()>());
    let sync: Sync = Box::new(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        // The first sync waits until all others are in the queue.
        let _ = gate.recv();
        Ok(())
    });
    let commitments = CommitmentKey::new(&[0; 32]);
    let log = Log::open_on(config(directory.path()), key, commitments, None, sync).await.unwrap();
    let log = Arc::new(log);
    let appends: Vec<_> = (0..100).map(|n| append(&log, n)).collect();
    let mut appends = Box::pin(futures_util::future::join_all(appends));
    // One poll of each puts all hundred into the queue.
    assert!(futures_util::poll!(&mut appends).is_pending());
    drop(open);
    let mut sizes: Vec<_> = appends
        .await
        .into_iter()
        .map(|receipt| crate::verify(&receipt.unwrap().0, &verifier).unwrap().tree_size)
        .collect();
    sizes.dedup();
    assert_eq!(sizes.last(), Some(&100));
    assert_eq!(sizes.len(), syncs.load(Ordering::SeqCst), "one checkpoint for each sync");
    assert!(sizes.len() <= 2, "{sizes:?}");
}

#[tokio::test]
async fn a_log_that_was_shut_down_refuses() {
    let directory = tempfile::tempdir().unwrap();
    let key = LogKey::generate("log.example").unwrap();
    let log = Log::open(config(directory.path()), key, CommitmentKey::new(&[0; 32])).await;
    let log = log.unwrap();
    log.shutdown().await.unwrap();
    log.shutdown().await.unwrap();
    assert!(log.writable().unwrap_err().context.contains("shut down"));
    assert!(append(&log, 0).await.is_err());
}
