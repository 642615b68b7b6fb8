//! What is kept beside the entries reaches the archive once, in order, whatever happens in between.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gateway_core::archive::{Archive, ArchiveError, Attachment, Kept};
use gateway_journal::{CommitmentKey, Log, LogConfig, LogError};

use crate::mirror::{ORIGIN, Setting, append, append_all};

/// Keeps in memory, and is away when told.
#[derive(Default)]
struct Memory {
    kept: Mutex<Vec<Kept>>,
    away: Mutex<bool>,
}

impl Memory {
    fn away(&self, away: bool) {
        *self.away.lock().unwrap() = away;
    }

    fn there(&self) -> Result<(), ArchiveError> {
        match *self.away.lock().unwrap() {
            true => Err(ArchiveError::Unavailable("no space left on device".into())),
            false => Ok(()),
        }
    }

    fn indices(&self) -> Vec<u64> {
        self.kept.lock().unwrap().iter().map(|kept| kept.index).collect()
    }
}

impl Archive for Memory {
    fn next(&self) -> Result<u64, ArchiveError> {
        self.there()?;
        Ok(self.kept.lock().unwrap().last().map_or(0, |kept| kept.index + 1))
    }

    fn keep(&self, entries: &[Kept]) -> Result<(), ArchiveError> {
        let next = self.next()?;
        let fresh = entries.iter().filter(|kept| kept.index >= next).cloned();
        self.kept.lock().unwrap().extend(fresh);
        Ok(())
    }

    fn sync(&self) -> Result<(), ArchiveError> {
        self.there()
    }
}

async fn open(setting: &Setting, archive: &Arc<Memory>) -> Result<Log, LogError> {
    let config = LogConfig {
        directory: setting.path().to_owned(),
        origin: ORIGIN.into(),
        publish_interval: Duration::from_secs(3600),
        notary: None,
    };
    let archive: Arc<dyn Archive> = archive.clone();
    let commitments = CommitmentKey::new(&[3; 32]);
    Log::open_with(config, setting.key(), commitments, Some(archive)).await
}

fn segments(setting: &Setting) -> usize {
    std::fs::read_dir(setting.path().join("wal")).unwrap().count()
}

#[tokio::test]
async fn entries_come_with_what_is_kept_beside_them() {
    let (setting, archive) = (Setting::new(), Arc::new(Memory::default()));
    let log = open(&setting, &archive).await.unwrap();
    append_all(&log, 0..700).await;
    log.flush().await.unwrap();
    assert_eq!(archive.indices(), (0..700).collect::<Vec<_>>());
    assert_eq!(segments(&setting), 1, "what was flushed is in the write-ahead log no more");
    for (kept, entry) in archive.kept.lock().unwrap().iter().zip(setting.check_published()) {
        assert_eq!(kept.entry, entry);
        let details = Attachment::decode(&kept.attachment).unwrap().details;
        assert_eq!(details, br#"{"requestBytes":2,"replyBytes":3}"#);
    }
    log.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_crash_hands_on_again_what_was_not_kept() {
    let (setting, archive) = (Setting::new(), Arc::new(Memory::default()));
    let log = open(&setting, &archive).await.unwrap();
    append_all(&log, 0..10).await;
    drop(log);
    let before = archive.indices().len();
    assert!(before < 10, "a crash in between");
    let log = open(&setting, &archive).await.unwrap();
    append_all(&log, 10..12).await;
    log.flush().await.unwrap();
    assert_eq!(archive.indices(), (0..12).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_archive_that_is_away_is_waited_for() {
    let (setting, archive) = (Setting::new(), Arc::new(Memory::default()));
    let log = open(&setting, &archive).await.unwrap();
    archive.away(true);
    append_all(&log, 0..300).await;
    assert!(log.flush().await.is_err());
    assert!(log.archive_behind().unwrap().contains("no space left"));
    append(&log, 300).await.unwrap();
    assert!(log.flush().await.is_err());
    assert_eq!(segments(&setting), 3, "nothing of it is given up");
    archive.away(false);
    append(&log, 301).await.unwrap();
    log.flush().await.unwrap();
    assert_eq!(log.archive_behind(), None);
    assert_eq!(archive.indices(), (0..302).collect::<Vec<_>>());
    assert_eq!(segments(&setting), 1);
}

#[tokio::test]
async fn what_waited_at_the_end_is_kept_by_the_next_start() {
    let (setting, archive) = (Setting::new(), Arc::new(Memory::default()));
    let log = open(&setting, &archive).await.unwrap();
    archive.away(true);
    append_all(&log, 0..5).await;
    log.shutdown().await.unwrap();
    assert!(open(&setting, &archive).await.is_err(), "a start wants its archive");
    archive.away(false);
    open(&setting, &archive).await.unwrap().shutdown().await.unwrap();
    assert_eq!(archive.indices(), (0..5).collect::<Vec<_>>());
    assert_eq!(segments(&setting), 1);
}

#[tokio::test]
async fn an_archive_that_knows_more_than_the_log_betrays_a_lost_tail() {
    let (setting, archive) = (Setting::new(), Arc::new(Memory::default()));
    let earlier = {
        let log = open(&setting, &archive).await.unwrap();
        append_all(&log, 0..3).await;
        log.shutdown().await.unwrap();
        setting.copy()
    };
    let log = open(&setting, &archive).await.unwrap();
    append_all(&log, 3..5).await;
    log.shutdown().await.unwrap();
    let refused = open(&earlier, &archive).await.unwrap_err();
    assert!(matches!(refused, LogError::ArchiveAhead { archive: 5, found: 3 }), "{refused}");
}
