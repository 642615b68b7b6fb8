//! What a receipt proves, and that nothing else passes for one.

use std::fs;
use std::time::Duration;

use gateway_core::Journal;
use gateway_journal::verify;

use crate::mirror::{ORIGIN, Setting, append, append_all, merkle_tree_hash};

#[tokio::test]
async fn every_receipt_names_the_entry_that_the_log_publishes_there() {
    let setting = Setting::new();
    let log = setting.open().await;
    let receipts = append_all(&log, 0..700).await;
    log.shutdown().await.unwrap();
    let entries = setting.check_published();
    assert_eq!(entries.len(), 700);
    for (n, receipt) in receipts.iter().enumerate() {
        let verified = setting.verify(receipt);
        assert_eq!(verified.origin, ORIGIN);
        assert_eq!(verified.leaf.as_bytes(), entries[verified.index as usize]);
        assert!(verified.leaf.contains(&format!("{n:012x}")), "{}", verified.leaf);
    }
}

#[tokio::test]
async fn one_changed_character_spoils_a_receipt() {
    let setting = Setting::new();
    let log = setting.open().await;
    append_all(&log, 0..5).await;
    let receipt = append(&log, 5).await.unwrap().0;
    let key = setting.key();
    assert!(verify(&receipt, key.verifier()).is_ok());
    let mut bytes = receipt.into_bytes();
    for position in 0..bytes.len() {
        let right = bytes[position];
        for wrong in (0..128).filter(|wrong| *wrong != right) {
            bytes[position] = wrong;
            let changed = str::from_utf8(&bytes).unwrap();
            assert!(verify(changed, key.verifier()).is_err(), "{wrong} at {position} was accepted");
        }
        bytes[position] = right;
    }
    // Bytes from 128 on cannot stand alone in a text; cut and doubled ones can.
    let receipt = str::from_utf8(&bytes).unwrap();
    for position in 0..receipt.len() {
        let (before, after) = receipt.split_at(position);
        assert!(verify(before, key.verifier()).is_err());
        assert!(verify(&format!("{before}é{after}"), key.verifier()).is_err());
        assert!(verify(&format!("{before}{}{after}", &after[..1]), key.verifier()).is_err());
    }
}

/// A reader who looks at any moment finds a checkpoint whose tiles are all there, and each tree
/// begins with the one before it.
#[tokio::test]
async fn what_is_published_is_consistent_at_any_moment() {
    let setting = Setting::new();
    let log = setting.open_every(Duration::from_millis(1)).await.unwrap();
    let mut seen = vec![(0, merkle_tree_hash(&[]))];
    let mut appended = 0;
    while seen.len() < 20 {
        append_all(&log, appended..appended + 37).await;
        appended += 37;
        let checkpoint = setting.checkpoint();
        if seen.last() != Some(&checkpoint) {
            assert!(checkpoint.0 > seen.last().unwrap().0);
            let entries = setting.entries(checkpoint.0);
            for (size, root) in seen.iter().chain([&checkpoint]) {
                assert_eq!(merkle_tree_hash(&entries[..*size]), *root);
            }
            seen.push(checkpoint);
        }
    }
    log.shutdown().await.unwrap();
    assert_eq!(setting.check_published().len(), appended);
}

#[tokio::test]
async fn partial_tiles_go_when_the_full_one_is_on_disk() {
    let setting = Setting::new();
    for _ in 0..4 {
        let log = setting.open().await;
        append_all(&log, 0..100).await;
        log.shutdown().await.unwrap();
    }
    setting.check_published();
    let tile = |name: &str| setting.path().join("tile").join(name);
    for kind in ["0", "entries"] {
        assert!(tile(kind).join("000").exists());
        assert!(!tile(kind).join("000.p").exists(), "{kind}");
        assert_eq!(fs::read_dir(tile(kind).join("001.p")).unwrap().count(), 2);
    }
}

#[tokio::test]
async fn the_log_is_a_journal() {
    let setting = Setting::new();
    let log = setting.open().await;
    let journal: &dyn Journal = &log;
    assert!(journal.writable().is_ok());
}
