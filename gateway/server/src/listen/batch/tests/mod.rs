//! Whole files through a gateway in memory: crashes, full disks, and whatever else may lie in a
//! folder.

mod names;
mod resume;
mod sftp;
mod sshd;
mod support;

use std::io::Write;
use std::sync::atomic::Ordering;

use support::{Bench, grant, grants};

#[tokio::test(flavor = "multi_thread")]
async fn records_are_done_side_by_side_and_answered_in_order() {
    let bench = Bench::of("city-b");
    bench.put("WELFARE_1.csv", grants("F1", 2000));
    bench.open_gate();
    bench.start().look().await.unwrap();

    let result = bench.read("WELFARE_1.result.csv");
    let lines: Vec<&str> = result.lines().collect();
    assert_eq!(lines.len(), 2002);
    assert_eq!(lines[0], "H,CITYB001,F1,20261122");
    for (index, line) in lines[1..=2000].iter().enumerate() {
        assert!(line.starts_with(&format!("R,{},0000,,", index + 1)), "{line}");
        assert!(line.ends_with(",RECEIPT"));
    }
    assert_eq!(lines[2001], "T,2000,2000,0");
    let most = bench.behind.most_under_way.load(Ordering::SeqCst);
    assert!((2..=8).contains(&most), "{most} records at once");
    assert_eq!(bench.names(""), ["WELFARE_1.result.csv"]);
    assert_eq!(bench.names("done"), ["WELFARE_1.csv"]);
    assert_eq!(std::fs::read_dir(bench.spool().join("files")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_one_person_keep_their_order() {
    let bench = Bench::of("city-d");
    let record = |text: String| format!("{text:80}\n");
    let mut file = record("10CITYD001F1                  20261122".into());
    for number in 1..=200 {
        let day = format!("20{:02}0101", number % 100);
        let data = format!("20{number:07}GR9001011234567kim                 03{day}20991231");
        file.push_str(&record(data + "000000001000"));
    }
    file.push_str(&record(format!("90{:07}{:015}", 200, 200_000)));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(file.as_bytes()).unwrap();
    bench.put("WLFD1.dat.gz", gzip.finish().unwrap());
    bench.open_gate();
    bench.start().look().await.unwrap();

    let result = bench.read("WLFD1.result.dat");
    assert_eq!(result.lines().last(), Some("90000020000002000000000"));
    let ended = bench.behind.ended.lock().unwrap().clone();
    let expected = (1..=200).map(|number| 20_000_101 + number % 100 * 10_000);
    assert_eq!(ended, expected.collect::<Vec<_>>());
    assert_eq!(bench.behind.most_under_way.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_value_refuses_a_record_or_the_file_as_the_mapping_says() {
    let bench = Bench::of("city-b");
    bench.open_gate();
    let bad = grants("F1", 3).replacen("D,2,G,9001031000002", "D,2,G,900199", 1);
    bench.put("WELFARE_1.csv", bad);
    bench.start().look().await.unwrap();
    let result = bench.read("WELFARE_1.result.csv");
    assert!(result.contains("\nR,2,9001,the field"), "{result}");
    assert!(result.ends_with("\nT,3,2,1\n"), "{result}");

    let strict = Bench::of("city-d");
    let name = "../../mappings/catalog/welfare/city-d/v1/cases/bad-date-invalid.in";
    strict.put("WLFD1.dat", std::fs::read(name).unwrap());
    strict.start().look().await.unwrap();
    let result = strict.read("WLFD1.result.dat");
    assert!(result.starts_with("999001record 2: the field `startDate` is not a day"), "{result}");
    assert_eq!(strict.names("refused"), ["WLFD1.dat"]);
    assert_eq!(strict.behind.call_count(), 0, "nothing of it was done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_and_a_content_may_come_twice() {
    let bench = Bench::of("city-b");
    bench.open_gate();
    bench.put("WELFARE_1.csv", grants("F1", 3));
    let mut watch = bench.start();
    watch.look().await.unwrap();
    let first = bench.read("WELFARE_1.result.csv");

    bench.put("WELFARE_1.csv", grants("F1", 3));
    watch.look().await.unwrap();
    assert_eq!(bench.read("WELFARE_1.2.result.csv"), first, "the same content, the same answers");
    assert_eq!(bench.read("WELFARE_1.result.csv"), first, "the first result still stands");
    assert_eq!(bench.behind.call_count(), 3, "and nothing was done twice");
    assert_eq!(bench.names("done"), ["2-WELFARE_1.csv", "WELFARE_1.csv"]);
    assert_eq!(std::fs::read_dir(bench.spool().join("digests")).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_no_good_are_refused_in_their_own_format() {
    let bench = Bench::of("city-b");
    let good = grants("F1", 2);
    let cut = {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(good.as_bytes()).unwrap();
        let mut whole = gzip.finish().unwrap();
        whole.truncate(whole.len() - 3);
        whole
    };
    let mut long = grant(1);
    long.insert_str(8, &"9".repeat(1 << 17));
    let files: [(&str, Vec<u8>, &str); 9] = [
        ("empty", vec![], "the file is empty"),
        ("header-only", b"H,CITYB001,F1,20261122\n".to_vec(), "the file ends without a trailer"),
        ("cut.csv.gz", cut, "the gzip content ends before its end"),
        ("plain.csv.gz", good.clone().into_bytes(), "the file is named .gz"),
        (
            "long",
            format!("H,CITYB001,F1,20261122\n{long}").into_bytes(),
            "line 2: a record may have",
        ),
        ("twice", good.replace("D,2,", "D,1,").into_bytes(), "line 3: record number 2 is expected"),
        (
            "break",
            good.replace("홍길동", "\"홍\n길동\"").into_bytes(),
            "line 2: a quoted field is not",
        ),
        ("quote", good.replace("홍길동", "홍\"길동").into_bytes(), "line 2: a quote stands inside"),
        ("utf-16", good.encode_utf16().flat_map(u16::to_le_bytes).collect(), "the file"),
    ];
    let mut watch = bench.start();
    for (name, content, says) in files {
        let name = if name.contains('.') { name.to_owned() } else { format!("{name}.csv") };
        bench.put(&format!("WELFARE_{name}"), content);
        watch.look().await.unwrap();
        let stem = name.split('.').next().unwrap();
        let result = bench.read(&format!("WELFARE_{stem}.result.csv"));
        let says = format!("E,9001,{says}");
        assert!(result.starts_with(&says) && result.ends_with(",RECEIPT\n"), "{name}: {result}");
        assert_eq!(result.lines().count(), 1);
    }
    assert_eq!(bench.names("refused").len(), 9);
    assert_eq!(bench.behind.call_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_larger_than_allowed_is_not_even_copied() {
    let mut bench = Bench::of("city-b");
    bench.limits.content_bytes = 100;
    bench.put("WELFARE_1.csv", grants("F1", 20));
    bench.start().look().await.unwrap();
    assert_eq!(
        bench.read("WELFARE_1.result.csv"),
        "E,9001,a file may have 100 bytes at most,RECEIPT\n"
    );
}
