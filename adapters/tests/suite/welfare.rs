//! The welfare contract itself, called through the adapter.

use std::process::Command;

use gateway_core::{Content, Fault, Kind, Message, SubmissionKey, Value};
use jiff::civil::date;

use crate::support::anvil::contracts;
use crate::support::world::{
    Benefit, World, apply, ask, benefit, end, grant, grant_on, history_call, key, overlap_call,
};

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, Fault>, code: &str) -> Fault {
    let fault = answer.unwrap_err();
    assert_eq!((fault.kind, &*fault.code), (Kind::BackendRefused, code), "{fault}");
    fault
}

fn text(text: &str) -> Value {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(32, 0);
    Value::Bytes(bytes)
}

fn id(key: SubmissionKey) -> Value {
    Value::Bytes(key.0.to_vec())
}

fn records(history: &Message) -> &[Message] {
    match history.get("benefits") {
        Some(Value::List(records)) => records,
        other => panic!("a list of records, not {other:?}"),
    }
}

#[test]
fn the_committed_artifact_is_what_the_source_compiles_to() {
    let installed = contracts().join("node_modules/solc").is_dir();
    assert!(installed, "the Solidity compiler is not installed; run: make deps");
    let mut check = Command::new("node");
    check.args(["compile.mjs", "--check"]).current_dir(contracts());
    let checked = check.output().expect("node runs");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[tokio::test]
async fn each_refusal_has_its_name_and_costs_no_transaction() {
    let world = World::new().await;
    let adapter = world.adapter();
    let held = benefit(1);
    grant(&*adapter, "held", &held).await.unwrap();
    grant(&*adapter, "over", &benefit(2)).await.unwrap();
    end(&*adapter, "end", key("over").await, "city-a", date(2026, 3, 31)).await.unwrap();
    let before = world.nonces(adapter.account()).await;

    let overlapping = refused(grant(&*adapter, "second", &held).await, "OverlappingBenefit");
    assert!(overlapping.context.contains(&format!("{:?}", key("held").await)), "{overlapping}");
    let application = Some(key("never made").await);
    refused(grant_on(&*adapter, "unapplied", application, &benefit(3)).await, "UnknownApplication");
    let last = date(2026, 6, 30);
    let unknown = key("never made").await;
    refused(end(&*adapter, "nothing", unknown, "city-a", last).await, "UnknownBenefit");
    refused(end(&*adapter, "other", key("held").await, "mohw", last).await, "NotTheProvider");
    refused(end(&*adapter, "again", key("over").await, "city-a", last).await, "AlreadyEnded");
    let late = date(2027, 1, 1);
    refused(end(&*adapter, "late", key("held").await, "city-a", late).await, "InvalidPeriod");
    let backwards = Benefit { from: held.to, to: held.from, ..benefit(3) };
    refused(apply(&*adapter, "backwards", &backwards).await, "InvalidPeriod");
    refused(grant(&*adapter, "held", &benefit(3)).await, "DuplicateRequest");
    refused(apply(&*adapter, "end", &benefit(3)).await, "DuplicateRequest");
    let stranger = world.connect(&world.config(), 1);
    refused(grant(&*stranger, "stranger", &benefit(3)).await, "NotAGateway");

    assert_eq!(world.nonces(adapter.account()).await, before);
    assert_eq!(world.nonces(stranger.account()).await, (0, 0));
}

#[tokio::test]
async fn one_benefit_per_group_and_day_and_both_ends_belong_to_it() {
    let world = World::new().await;
    let adapter = world.adapter();
    // Granted out of order, so that each enters between, before or after others.
    for (name, first, last) in [
        ("autumn", date(2026, 9, 1), date(2026, 10, 31)),
        ("spring", date(2026, 3, 1), date(2026, 4, 30)),
        ("winter", date(2026, 12, 1), date(2026, 12, 31)),
        ("summer", date(2026, 6, 1), date(2026, 7, 31)),
        ("may", date(2026, 5, 1), date(2026, 5, 31)),
    ] {
        let asked = Benefit { from: first, to: last, ..benefit(1) };
        grant(&*adapter, name, &asked).await.unwrap();
    }
    for (first, last, holder) in [
        (date(2026, 1, 1), date(2026, 2, 28), None),
        (date(2026, 1, 1), date(2026, 3, 1), Some("spring")),
        (date(2026, 4, 30), date(2026, 4, 30), Some("spring")),
        (date(2026, 5, 31), date(2026, 12, 31), Some("may")),
        (date(2026, 7, 31), date(2026, 8, 1), Some("summer")),
        (date(2026, 8, 1), date(2026, 8, 31), None),
        (date(2026, 11, 1), date(2026, 11, 30), None),
        (date(2026, 11, 1), date(2026, 12, 1), Some("winter")),
        (date(2027, 1, 1), date(9999, 12, 31), None),
    ] {
        let found = ask(&*adapter, &overlap_call(1, first, last)).await.unwrap();
        let period = format!("{first}..{last}");
        assert_eq!(found.get("overlapping"), Some(&Value::Flag(holder.is_some())), "{period}");
        let (holder_id, provider) = match holder {
            Some(name) => (id(key(name).await), text("city-a")),
            None => (Value::Bytes(vec![0; 32]), Value::Bytes(vec![0; 32])),
        };
        assert_eq!(found.get("benefit"), Some(&holder_id), "{period}");
        assert_eq!(found.get("provider"), Some(&provider), "{period}");
        let other = ask(&*adapter, &overlap_call(2, first, last)).await.unwrap();
        assert_eq!(other.get("overlapping"), Some(&Value::Flag(false)), "{period}");
    }
}

#[tokio::test]
async fn an_ended_benefit_keeps_its_days_and_frees_the_later_ones() {
    let world = World::new().await;
    let adapter = world.adapter();
    grant(&*adapter, "first", &benefit(1)).await.unwrap();
    let ended = end(&*adapter, "end", key("first").await, "city-a", date(2026, 3, 31)).await;
    let ended = ended.unwrap().values;
    assert_eq!(ended.get("benefit"), Some(&id(key("first").await)));
    assert_eq!(ended.get("end"), Some(&Value::Integer(20_260_331)));
    assert_eq!(ended.get("reason"), Some(&text("moved")));

    let from = |first| Benefit { from: first, provider: "mohw", ..benefit(1) };
    let early = grant(&*adapter, "early", &from(date(2026, 3, 31))).await;
    refused(early, "OverlappingBenefit");
    grant(&*adapter, "later", &from(date(2026, 4, 1))).await.unwrap();
}

#[tokio::test]
async fn an_application_is_used_once_and_only_by_its_own_grant() {
    let world = World::new().await;
    let adapter = world.adapter();
    let asked = benefit(1);
    let applied = apply(&*adapter, "application", &asked).await.unwrap();
    let application = key("application").await;
    assert_eq!(applied.values.get("application"), Some(&id(application)));

    for other in [
        Benefit { person: 2, ..asked.clone() },
        Benefit { programme: "rent-support", ..asked.clone() },
        Benefit { provider: "mohw", ..asked.clone() },
    ] {
        let granted = grant_on(&*adapter, "other", Some(application), &other).await;
        refused(granted, "UnknownApplication");
    }
    let granted = grant_on(&*adapter, "granted", Some(application), &asked).await.unwrap();
    assert_eq!(granted.values.get("benefit"), Some(&id(key("granted").await)));
    let free = Benefit { from: date(2027, 1, 1), to: date(2027, 1, 31), ..asked };
    let again = grant_on(&*adapter, "again", Some(application), &free).await;
    refused(again, "UnknownApplication");
    // It has become a benefit, under the benefit's name, and is none itself.
    let ended = end(&*adapter, "end", application, "city-a", date(2026, 3, 31)).await;
    refused(ended, "UnknownBenefit");

    let history = ask(&*adapter, &history_call(1)).await.unwrap();
    assert_eq!(history.get("count"), Some(&Value::Integer(1)));
    assert_eq!(records(&history)[0].get("id"), Some(&id(key("granted").await)));
    assert_eq!(records(&history)[0].get("status"), Some(&Value::Integer(2)));
}

#[tokio::test]
async fn a_history_counts_all_and_shows_the_newest_twenty() {
    let world = World::new().await;
    let adapter = world.adapter();
    for number in 0..22 {
        apply(&*adapter, &format!("application {number}"), &benefit(1)).await.unwrap();
    }
    let history = ask(&*adapter, &history_call(1)).await.unwrap();
    assert_eq!(history.get("count"), Some(&Value::Integer(22)));
    assert_eq!(records(&history).len(), 20);
    let newest = &records(&history)[0];
    for (field, value) in [
        ("id", id(key("application 21").await)),
        ("programme", text("youth-rent")),
        ("provider", text("city-a")),
        ("from", Value::Integer(20_260_101)),
        ("to", Value::Integer(20_261_231)),
        ("monthlyAmount", Value::Integer(200_000)),
        ("status", Value::Integer(1)),
    ] {
        assert_eq!(newest.get(field), Some(&value), "{field}");
    }
    assert_eq!(records(&history)[19].get("id"), Some(&id(key("application 2").await)));
    let nobody = ask(&*adapter, &history_call(2)).await.unwrap();
    assert_eq!(records(&nobody), []);
}

#[tokio::test]
async fn a_period_is_made_of_calendar_days() {
    let world = World::new().await;
    let adapter = world.adapter();
    // A calendar day cannot be wrong in a `Date`, so the numbers go in as they are.
    for (day, good) in [
        (20_240_229, true),
        (20_000_229, true),
        (20_260_430, true),
        (20_261_231, true),
        (20_260_229, false),
        (21_000_229, false),
        (20_260_431, false),
        (20_260_100, false),
        (20_260_132, false),
        (20_260_001, false),
        (20_261_301, false),
        (18_991_231, false),
        (100_000_101, false),
        (0, false),
    ] {
        let mut call = overlap_call(1, date(2026, 1, 1), date(2026, 1, 1));
        let Content::Arguments(arguments) = &mut call.content else {
            panic!("arguments");
        };
        arguments[2].1 = Value::Integer(day);
        arguments[3].1 = Value::Integer(day);
        let answer = ask(&*adapter, &call).await;
        if good {
            assert_eq!(answer.unwrap().get("overlapping"), Some(&Value::Flag(false)), "{day}");
        } else {
            refused(answer, "InvalidPeriod");
        }
    }
}
