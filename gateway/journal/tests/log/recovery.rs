//! What a crash leaves is taken up again; what anything else leaves is refused.

use std::fs;

use gateway_journal::{CommitmentKey, Log, LogConfig, LogError, LogKey};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::mirror::{ORIGIN, Setting, append, append_all};

/// Three acknowledged batches of one entry, then a crash.
async fn crashed() -> Setting {
    let setting = Setting::new();
    let log = setting.open().await;
    for n in 0..3 {
        append(&log, n).await.unwrap();
    }
    drop(log);
    setting
}

/// The segment's header of 48 bytes and three frames of the same length, without the zeros written
/// ahead, and the length of a frame.
fn three_frames(setting: &Setting) -> (Vec<u8>, usize) {
    let mut bytes = fs::read(setting.segment()).unwrap();
    let written = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    // A root may end in zeros.
    let frame = (written - 48).div_ceil(3);
    bytes.truncate(48 + 3 * frame);
    (bytes, frame)
}

#[tokio::test]
async fn a_crash_loses_nothing_that_was_acknowledged() {
    let setting = crashed().await;
    assert_eq!(setting.checkpoint().0, 0, "nothing was published yet");
    let log = setting.open().await;
    assert_eq!(setting.check_published().len(), 3);
    assert_eq!(setting.verify(&append(&log, 3).await.unwrap()).index, 3);
}

#[tokio::test]
async fn a_batch_cut_off_at_any_byte_is_dropped_whole() {
    let setting = crashed().await;
    let (whole, frame) = three_frames(&setting);
    for length in 48 + 2 * frame..whole.len() {
        let copy = setting.copy();
        let mut cut = whole[..length].to_vec();
        // Whether the zeros written ahead are behind it or not.
        cut.resize(length + (length % 2) * 4096, 0);
        fs::write(copy.segment(), &cut).unwrap();
        let log = copy.open().await;
        assert_eq!(copy.check_published().len(), 2, "cut at {length}");
        // The index that was never acknowledged is given to the next entry.
        assert_eq!(copy.verify(&append(&log, 9).await.unwrap()).index, 2);
        drop(log);
        assert_eq!(copy.open().await.shutdown().await.ok(), Some(()));
        assert!(copy.check_published()[2].windows(2).any(|w| w == b"09"));
    }
}

#[tokio::test]
async fn a_last_batch_that_did_not_reach_the_disk_whole_is_dropped() {
    let setting = crashed().await;
    let (whole, frame) = three_frames(&setting);
    for position in (48 + 2 * frame..whole.len()).step_by(5) {
        let copy = setting.copy();
        let mut spoiled = whole.clone();
        spoiled[position] ^= 0x10;
        fs::write(copy.segment(), &spoiled).unwrap();
        drop(copy.open().await);
        assert_eq!(copy.check_published().len(), 2, "spoiled at {position}");
    }
}

#[tokio::test]
async fn a_change_in_what_was_acknowledged_is_refused() {
    let setting = crashed().await;
    let (whole, frame) = three_frames(&setting);
    for position in (0..48 + 2 * frame).step_by(3) {
        let copy = setting.copy();
        let mut changed = whole.clone();
        changed[position] ^= 1;
        fs::write(copy.segment(), &changed).unwrap();
        let refused = copy.try_open().await.unwrap_err();
        assert!(matches!(refused, LogError::Damaged { .. }), "{position}: {refused}");
    }
}

#[tokio::test]
async fn a_published_tree_that_is_not_there_is_refused() {
    let setting = crashed().await;
    let earlier = setting.copy();
    let log = setting.open().await;
    append_all(&log, 3..5).await;
    log.shutdown().await.unwrap();
    fs::copy(setting.path().join("checkpoint"), earlier.path().join("checkpoint")).unwrap();
    let refused = earlier.try_open().await.unwrap_err();
    assert!(matches!(refused, LogError::Ahead { published: 5, found: 3 }), "{refused}");
}

#[tokio::test]
async fn another_history_of_the_same_log_is_refused() {
    let setting = crashed().await;
    let other = setting.copy();
    for (setting, n) in [(&setting, 7), (&other, 8)] {
        let log = setting.open().await;
        append(&log, n).await.unwrap();
    }
    drop(other.open().await);
    fs::copy(other.path().join("checkpoint"), setting.path().join("checkpoint")).unwrap();
    let refused = setting.try_open().await.unwrap_err();
    assert!(matches!(refused, LogError::Forked { published: 4 }), "{refused}");
}

#[tokio::test]
async fn a_missing_or_changed_file_is_refused() {
    let setting = Setting::new();
    let log = setting.open().await;
    append_all(&log, 0..3).await;
    log.shutdown().await.unwrap();

    let refused = |change: fn(&Setting)| {
        let copy = setting.copy();
        change(&copy);
        async move { copy.try_open().await.unwrap_err() }
    };
    let error = refused(|copy| fs::remove_dir_all(copy.path().join("wal")).unwrap()).await;
    assert!(matches!(error, LogError::Missing(_)), "{error}");
    let error = refused(|copy| fs::remove_file(copy.path().join("checkpoint")).unwrap()).await;
    assert!(matches!(error, LogError::Missing(_)), "{error}");
    for tile in ["0", "entries"] {
        let copy = setting.copy();
        let path = copy.path().join(format!("tile/{tile}/000.p/3"));
        let mut bytes = fs::read(&path).unwrap();
        bytes[20] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let error = copy.try_open().await.unwrap_err();
        assert!(matches!(error, LogError::Damaged { .. }), "{error}");
        fs::remove_file(&path).unwrap();
        let error = copy.try_open().await.unwrap_err();
        assert!(matches!(error, LogError::Missing(_)), "{error}");
    }
    let error = refused(|copy| fs::write(copy.path().join("checkpoint"), "x").unwrap()).await;
    assert!(matches!(error, LogError::Checkpoint { .. }), "{error}");
}

#[tokio::test]
async fn a_log_opens_with_its_own_key_only() {
    let setting = crashed().await;
    let open = |name: &str| {
        let config = LogConfig {
            directory: setting.path().to_owned(),
            origin: ORIGIN.into(),
            publish_interval: std::time::Duration::from_secs(1),
            notary: None,
        };
        let key = LogKey::generate(name).unwrap();
        Log::open(config, key, CommitmentKey::new(&[3; 32]))
    };
    let refused = open(ORIGIN).await.unwrap_err();
    assert!(matches!(refused, LogError::Checkpoint { .. }), "{refused}");
    let refused = open("other.example").await.unwrap_err();
    assert!(matches!(refused, LogError::KeyName { .. }), "{refused}");
}

#[tokio::test]
async fn a_log_has_one_writer() {
    let setting = Setting::new();
    let log = setting.open().await;
    let refused = setting.try_open().await.unwrap_err();
    assert!(matches!(refused, LogError::Locked(_)), "{refused}");
    drop(log);
    setting.open().await;
}

/// A life of the log: its batches, and whether it is shut down or killed.
type Life = (Vec<usize>, bool);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_log_survives_any_number_of_ends(
        lives in vec((vec(0_usize..90, 0..4), any::<bool>()), 1..20)
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(live_through(&lives));
    }
}

async fn live_through(lives: &[Life]) {
    let setting = Setting::new();
    let mut receipts = Vec::new();
    for (batches, shut_down) in lives {
        let log = setting.open().await;
        assert_eq!(setting.checkpoint().0, receipts.len());
        for batch in batches {
            let from = receipts.len();
            receipts.extend(append_all(&log, from..from + batch).await);
        }
        if *shut_down {
            log.shutdown().await.unwrap();
        }
    }
    drop(setting.open().await);
    let entries = setting.check_published();
    assert_eq!(entries.len(), receipts.len());
    for (n, receipt) in receipts.iter().enumerate() {
        let verified = setting.verify(receipt);
        assert_eq!(verified.index as usize, n);
        assert_eq!(verified.leaf.as_bytes(), entries[n]);
    }
}
