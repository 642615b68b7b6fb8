//! The archive: kept once, found again, and never personal.

use std::path::Path;
use std::sync::Arc;

use gateway_core::archive::{Archive, ArchiveError, Attachment, Kept};
use gateway_store::{ArchiveStore, ExchangeFilter};
use serde_json::json;
use uuid::Uuid;

fn entry(index: u64, outcome: &str) -> Kept {
    let second = index % 60;
    let entry = json!({
        "v": 2,
        "exchange": Uuid::from_u128(u128::from(index / 2)),
        "kind": if index.is_multiple_of(2) { "acceptance" } else { "exchange" },
        "received": format!("2026-11-02T03:04:{second:02}.000Z"),
        "finished": format!("2026-11-02T03:04:{second:02}.250Z"),
        "front": "rest",
        "service": "welfare/overlapCheck",
        "operation": "query",
        "purpose": "welfare-eligibility",
        "caller": { "member": format!("city-{}", index % 3), "means": "api-key", "assurance": "low" },
        "decision": { "policies": ["cities"] },
        "outcome": outcome,
        "commit": {},
    });
    let consent = json!({ "id": Uuid::from_u128(9), "items": ["history"] }).to_string();
    let attachment = Attachment {
        details: br#"{"requestBytes":10,"replyBytes":20,"more":{"of":"it"}}"#.to_vec(),
        consent: (index == 4).then(|| consent.into_bytes()),
        certificate: Some([7; 32]),
        certificate_der: (index == 0).then(|| vec![1, 2, 3]),
        ..Attachment::default()
    };
    Kept { index, entry: entry.to_string().into_bytes(), attachment: attachment.encode() }
}

async fn open(folder: &Path) -> Arc<ArchiveStore> {
    Arc::new(ArchiveStore::open(&folder.join("archive.sqlite")).await.unwrap())
}

/// The log calls from a thread of its own.
async fn keep(archive: &Arc<ArchiveStore>, entries: Vec<Kept>) -> Result<u64, ArchiveError> {
    let archive = archive.clone();
    let kept = tokio::task::spawn_blocking(move || {
        archive.keep(&entries)?;
        archive.sync()?;
        archive.next()
    });
    kept.await.unwrap()
}

async fn indices(archive: &ArchiveStore, filter: ExchangeFilter) -> Vec<u64> {
    let records = archive.exchanges(&filter).await.unwrap();
    records.iter().map(|record| record.index).collect()
}

#[tokio::test]
async fn entries_are_kept_once() {
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let entries: Vec<_> = (0..100).map(|index| entry(index, "ok")).collect();
    assert_eq!(keep(&archive, entries[..40].to_vec()).await.unwrap(), 40);
    assert_eq!(keep(&archive, entries[30..].to_vec()).await.unwrap(), 100);
    assert_eq!(keep(&archive, entries.clone()).await.unwrap(), 100);
    archive.close().await;
    let archive = open(folder.path()).await;
    assert_eq!(keep(&archive, entries).await.unwrap(), 100);
    let all = ExchangeFilter { limit: Some(5000), ..ExchangeFilter::default() };
    assert_eq!(indices(&archive, all).await, (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_not_written_by_the_log_is_kept_all_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let spoiled = Kept { index: 1, entry: b"{}".to_vec(), attachment: vec![] };
    let refused = keep(&archive, vec![entry(0, "ok"), spoiled]).await.unwrap_err();
    assert!(matches!(refused, ArchiveError::Unreadable(1)), "{refused}");
    assert_eq!(keep(&archive, vec![]).await.unwrap(), 0);
}

#[tokio::test]
async fn records_are_found_by_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let outcome = |index| match index % 4 {
        0 => "ok",
        1 => "Forbidden/not-allowed",
        2 => "ForbiddenX/other",
        _ => "RateLimited/quota-exceeded",
    };
    let entries = (0..40).map(|index| entry(index, outcome(index))).collect();
    keep(&archive, entries).await.unwrap();
    let filter = ExchangeFilter::default;
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        indices(&archive, ExchangeFilter { member: text("city-1"), limit: Some(3), ..filter() })
            .await,
        [1, 4, 7]
    );
    let page =
        ExchangeFilter { member: text("city-1"), after: Some(7), limit: Some(2), ..filter() };
    assert_eq!(indices(&archive, page).await, [10, 13]);
    let one = ExchangeFilter { exchange: Some(Uuid::from_u128(3)), ..filter() };
    assert_eq!(indices(&archive, one).await, [6, 7]);
    let refused = ExchangeFilter { outcome: text("refused"), ..filter() };
    assert_eq!(indices(&archive, refused).await.len(), 30);
    for (outcome, count) in
        [("ok", 10), ("Forbidden", 10), ("Forbidden/not-allowed", 10), ("Forb", 0)]
    {
        let of = ExchangeFilter { outcome: text(outcome), ..filter() };
        assert_eq!(indices(&archive, of).await.len(), count, "{outcome}");
    }
    let consent = ExchangeFilter { consent: Some(Uuid::from_u128(9)), ..filter() };
    assert_eq!(indices(&archive, consent).await, [4]);
    let time = |text: &str| Some(text.parse().unwrap());
    let between = ExchangeFilter {
        from: time("2026-11-02T03:04:05Z"),
        until: time("2026-11-02T03:04:08Z"),
        ..filter()
    };
    assert_eq!(indices(&archive, between).await, [5, 6, 7]);

    let records = archive.exchanges(&ExchangeFilter { limit: Some(1), ..filter() }).await.unwrap();
    let record = serde_json::to_value(&records[0]).unwrap();
    assert_eq!(record["member"], "city-0");
    assert_eq!(record["requestBytes"], 10);
    assert_eq!(record["decision"], json!({ "policies": ["cities"] }));
    assert_eq!(record["details"]["more"], json!({ "of": "it" }));
}
