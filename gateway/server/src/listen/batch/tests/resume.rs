//! Ends in the middle: nothing is done twice, nothing is lost, and what was done is not asked again.

use std::os::unix::fs::symlink;
use std::sync::atomic::Ordering;

use super::super::LookError;
use super::super::run::WorkError;
use super::support::{Bench, grants};

/// Runs until `calls` have reached the backend, then ends as by signal 9: nothing more is written.
async fn killed_after(bench: &Bench, calls: usize) {
    let mut watch = bench.start();
    let reached = async {
        while bench.behind.call_count() < calls {
            bench.behind.gate.add_permits(1);
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        looked = watch.look() => panic!("it ended by itself: {:?}", looked.is_ok()),
        () = reached => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_it_goes_on_from_where_it_was() {
    const RECORDS: usize = 3000;
    let bench = Bench::of("city-b");
    bench.put("WELFARE_1.csv", grants("F1", RECORDS));
    let moments = [1, 9, 500, 700, 1100, 1600, 2222];
    for calls in moments {
        killed_after(&bench, calls).await;
    }
    assert_eq!(bench.names(""), ["WELFARE_1.csv"], "no result before it is whole");
    bench.open_gate();
    bench.start().look().await.unwrap();

    let result = bench.read("WELFARE_1.result.csv");
    assert_eq!(result.lines().count(), RECORDS + 2);
    for (index, line) in result.lines().skip(1).take(RECORDS).enumerate() {
        assert!(line.starts_with(&format!("R,{},0000,,", index + 1)), "{line}");
    }
    assert!(result.ends_with(&format!("\nT,{RECORDS},{RECORDS},0\n")));
    assert_eq!(bench.behind.calls.lock().unwrap().len(), RECORDS);
    // What was under way at a kill may be asked again; what had its result on disk is not.
    let again = bench.behind.exchanges.load(Ordering::SeqCst) - RECORDS;
    assert!(again <= moments.len() * (512 + 2 * 8), "{again} records were handed in again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_the_result_is_delivered_costs_nothing() {
    let bench = Bench::of("city-b");
    bench.open_gate();
    bench.put("WELFARE_1.csv", grants("F1", 5));
    let away = bench.root().join("away");
    let mut watch = bench.start();
    let found = watch.place.list().await.unwrap().remove(0);
    let intake = watch.place.fetch(&found, watch.spool.begin(&found).unwrap()).await.unwrap();
    let (job, _) = watch.spool.take(&found, intake).unwrap();
    watch.worker().unwrap().work(&job).await.unwrap();

    // The folder is gone when the result should go there, and comes back later.
    std::fs::rename(bench.inbox(), &away).unwrap();
    assert!(matches!(watch.look().await, Err(LookError::Place(_))));
    std::fs::rename(&away, bench.inbox()).unwrap();
    bench.start().look().await.unwrap();
    assert!(bench.read("WELFARE_1.result.csv").ends_with("T,5,5,0\n"));
    assert_eq!(bench.names("done"), ["WELFARE_1.csv"]);
    assert_eq!(bench.behind.exchanges.load(Ordering::SeqCst), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_the_file_and_not_its_records() {
    let bench = Bench::of("city-b");
    bench.open_gate();
    bench.put("WELFARE_1.csv", grants("F1", 5));
    let mut watch = bench.start();
    let found = watch.place.list().await.unwrap().remove(0);
    let intake = watch.place.fetch(&found, watch.spool.begin(&found).unwrap()).await.unwrap();
    let (job, _) = watch.spool.take(&found, intake).unwrap();
    // Every write there fails as on a full disk.
    symlink("/dev/full", job.result()).unwrap();
    let looked = watch.look().await;
    assert!(matches!(looked, Err(LookError::Work(WorkError::Spool(_)))), "{looked:?}");
    assert_eq!(bench.names(""), ["WELFARE_1.csv"], "no half of a result");

    std::fs::remove_file(job.result()).unwrap();
    watch.look().await.unwrap();
    assert!(bench.read("WELFARE_1.result.csv").ends_with("T,5,5,0\n"));
    assert_eq!(bench.behind.most_calls_of_one(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_file_under_the_name_of_one_under_way_is_a_file_of_its_own() {
    let bench = Bench::of("city-b");
    bench.put("WELFARE_1.csv", grants("F1", 20));
    killed_after(&bench, 10).await;
    bench.put("WELFARE_1.csv", grants("F2", 3));
    bench.open_gate();
    bench.start().look().await.unwrap();
    assert!(bench.read("WELFARE_1.result.csv").ends_with("T,20,20,0\n"));
    assert!(bench.read("WELFARE_1.2.result.csv").starts_with("H,CITYB001,F2,"));
    assert_eq!(bench.names("done"), ["WELFARE_1.csv"], "the first one was replaced before its end");
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_leaves_the_file_for_the_next_start() {
    let bench = Bench::of("city-b");
    bench.put("WELFARE_1.csv", grants("F1", 100));
    let mut watch = bench.start();
    let stop = watch.stop.clone();
    bench.behind.gate.add_permits(30);
    let stopping = async {
        while bench.behind.call_count() < 30 {
            tokio::task::yield_now().await;
        }
        stop.cancel();
        bench.open_gate();
    };
    let (looked, ()) = tokio::join!(watch.look(), stopping);
    assert!(matches!(looked, Err(LookError::Work(WorkError::Stopping))), "{looked:?}");
    let before = bench.behind.exchanges.load(Ordering::SeqCst);
    bench.start().look().await.unwrap();
    assert!(bench.read("WELFARE_1.result.csv").ends_with("T,100,100,0\n"));
    assert!(bench.behind.exchanges.load(Ordering::SeqCst) < before + 100, "it did not start over");
}
