//! What may lie in a folder besides complete files.

use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use super::super::Complete;
use super::super::folder::LocalFolder;
use super::super::place::{Place, PlaceError};
use super::super::spool::Spool;
use super::support::{Bench, grants};

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_refused_and_not_followed() {
    let bench = Bench::of("city-b");
    let secret = bench.root().join("secret");
    std::fs::write(&secret, grants("F1", 1)).unwrap();
    symlink(&secret, bench.inbox().join("WELFARE_link.csv")).unwrap();
    symlink("/nowhere", bench.inbox().join("WELFARE_dangling.csv")).unwrap();
    let pipe = bench.inbox().join("WELFARE_pipe.csv");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    std::fs::create_dir(bench.inbox().join("WELFARE_folder.csv")).unwrap();
    bench.start().look().await.unwrap();

    for name in ["link", "dangling", "pipe"] {
        let result = bench.read(&format!("WELFARE_{name}.result.csv"));
        assert!(result.starts_with("E,9001,what stands there is a link or a device"), "{result}");
    }
    assert_eq!(
        bench.names("refused"),
        ["WELFARE_dangling.csv", "WELFARE_link.csv", "WELFARE_pipe.csv"]
    );
    assert!(secret.exists());
    assert_eq!(bench.behind.call_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_not_written_through_a_link() {
    let bench = Bench::of("city-b");
    bench.open_gate();
    let outside = bench.root().join("outside");
    std::fs::write(&outside, "as it was").unwrap();
    symlink(&outside, bench.inbox().join("WELFARE_1.result.csv.part")).unwrap();
    symlink(&outside, bench.inbox().join("WELFARE_1.result.csv")).unwrap();
    bench.put("WELFARE_1.csv", grants("F1", 1));
    bench.start().look().await.unwrap();
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "as it was");
    assert!(bench.read("WELFARE_1.2.result.csv").ends_with("T,1,1,0\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_elsewhere_or_garbles_a_terminal_is_refused() {
    let bench = Bench::of("city-b");
    for name in ["WELFARE_a\nb.csv", "WELFARE_\u{1b}[2J.csv", "WELFARE_\u{202e}x.csv"] {
        bench.put(name, grants("F1", 1));
    }
    bench.put(&format!("WELFARE_{}.csv", "x".repeat(230)), grants("F1", 1));
    bench.start().look().await.unwrap();
    let results = bench.names("");
    assert_eq!(results.len(), 4, "{results:?}");
    for name in &results {
        assert!(name.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{name:?}");
        assert!(bench.read(name).starts_with("E,9001,the file's name is too long or holds"));
    }
    assert_eq!(bench.names("refused").len(), 4);
    assert_eq!(bench.behind.call_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_complete_file_is_taken() {
    let mut bench = Bench::of("city-b");
    bench.open_gate();
    bench.put("WELFARE_1.csv.part", grants("F1", 1));
    bench.put("WELFARE_2.csv.filepart", grants("F2", 1));
    bench.put("other.csv", grants("F3", 1));
    bench.start().look().await.unwrap();
    assert_eq!(bench.names("").len(), 3, "none of them is touched");

    bench.complete = Complete::Marker(".ok".into());
    let mut watch = bench.start();
    bench.put("WELFARE_3.csv", grants("F3", 1));
    watch.look().await.unwrap();
    assert_eq!(bench.names("done").len(), 0);
    bench.put("WELFARE_3.csv.ok", "");
    watch.look().await.unwrap();
    assert_eq!(bench.names("done"), ["WELFARE_3.csv"]);
    assert!(!bench.inbox().join("WELFARE_3.csv.ok").exists());

    bench.complete = Complete::Unchanged(1000);
    let mut watch = bench.start();
    let whole = grants("F4", 1);
    bench.put("WELFARE_4.csv", &whole[..30]);
    watch.look().await.unwrap();
    let growing = watch.seen["WELFARE_4.csv"].1;
    bench.put("WELFARE_4.csv", &whole);
    watch.look().await.unwrap();
    assert!(watch.seen["WELFARE_4.csv"].1 > growing, "it has changed, so the time starts over");
    assert_eq!(bench.names("done").len(), 1);
    let long_ago = watch.seen["WELFARE_4.csv"].1 - Duration::from_secs(2);
    watch.seen.get_mut("WELFARE_4.csv").unwrap().1 = long_ago;
    watch.look().await.unwrap();
    assert_eq!(bench.names("done"), ["WELFARE_3.csv", "WELFARE_4.csv"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_while_it_is_read_is_left_until_it_stands_still() {
    let bench = Bench::of("city-b");
    bench.open_gate();
    bench.put("WELFARE_1.csv", grants("F1", 1));
    let place = LocalFolder::new(bench.inbox());
    let found = place.list().await.unwrap().remove(0);
    bench.put("WELFARE_1.csv", grants("F1", 2));
    let intake = Spool::open(bench.spool()).unwrap().begin(&found).unwrap();
    let fetched = place.fetch(&found, intake).await;
    assert!(matches!(fetched, Err(PlaceError::Changing(_))));
    bench.start().look().await.unwrap();
    assert!(bench.read("WELFARE_1.result.csv").ends_with("T,2,2,0\n"));
}
