//! Rules about persons, and what becomes of an alarm.

use std::num::NonZeroU32;

use async_trait::async_trait;
use gateway_core::quota::{Demand, Unit};
use gateway_core::{Fault, MemberId, Receipt, ServiceId};
use tokio::sync::mpsc;

use super::*;
use crate::clock::SystemClock;
use crate::config;

const SECOND: u64 = 1_000_000_000;

fn rule(name: &str) -> config::Alarm {
    config::Alarm {
        name: name.into(),
        members: vec![],
        services: vec![],
        persons: NonZeroU32::new(3),
        readers: None,
        seconds: 60,
        refuse: false,
    }
}

fn readers(name: &str) -> config::Alarm {
    config::Alarm { persons: None, readers: NonZeroU32::new(2), ..rule(name) }
}

fn watch(rules: &[config::Alarm]) -> Watch {
    Watch::new(rules).unwrap()
}

/// Which rules a request goes beyond; `!` where one refuses.
fn ask(watch: &Watch, member: &str, person: u8, seconds: u64) -> Vec<String> {
    let (member, subject) = (MemberId(member.into()), Pseudonym([person; 32]));
    let service = ServiceId { sector: "s".into(), code: "read".into() };
    let demand = Demand {
        member: &member,
        service: &service,
        subject: Some(&subject),
        purpose: None,
        bytes: 0,
        now: Timestamp::UNIX_EPOCH,
    };
    let seen = watch.see(&demand, seconds * SECOND);
    assert!(seen.iter().all(|state| state.unit == Unit::Distinct && !state.is_told()));
    let mark = |state: &QuotaState| if state.refuses() { "!" } else { "" };
    seen.iter().map(|state| format!("{}{}", state.policy, mark(state))).collect()
}

const NONE: [&str; 0] = [];

#[test]
fn one_member_that_asks_about_many_persons_is_seen_and_others_are_not() {
    let other = config::Alarm { members: vec!["b".into()], ..rule("b-only") };
    let watch = watch(&[rule("many"), other]);
    for person in [1, 2, 3, 1, 2, 3] {
        assert_eq!(ask(&watch, "a", person, 0), NONE);
    }
    assert_eq!(ask(&watch, "a", 4, 0), ["many"]);
    assert_eq!(ask(&watch, "b", 4, 0), NONE, "each member is counted by itself");
    assert_eq!(ask(&watch, "a", 5, 59), ["many"]);
    assert_eq!(ask(&watch, "a", 5, 60), NONE, "another window");
}

#[test]
fn one_person_whom_many_ask_about_is_seen() {
    let watch = watch(&[readers("readers")]);
    assert_eq!(ask(&watch, "a", 1, 0), NONE);
    assert_eq!(ask(&watch, "b", 1, 0), NONE);
    assert_eq!(ask(&watch, "c", 2, 0), NONE);
    assert_eq!(ask(&watch, "c", 1, 0), ["readers"]);
}

#[test]
fn a_rule_that_refuses_lets_pass_whom_it_knows() {
    let watch = watch(&[config::Alarm { refuse: true, ..rule("many") }]);
    for person in [1, 2, 3] {
        assert_eq!(ask(&watch, "a", person, 0), NONE);
    }
    assert_eq!(ask(&watch, "a", 4, 0), ["many!"]);
    assert_eq!(ask(&watch, "a", 4, 0), ["many!"], "what was refused was not counted");
    assert_eq!(ask(&watch, "a", 2, 0), NONE);
}

#[test]
fn a_reload_goes_on_counting() {
    let earlier = watch(&[rule("many")]);
    for person in [1, 2, 3] {
        ask(&earlier, "a", person, 0);
    }
    assert_eq!(ask(&watch(&[rule("many")]).continuing(&earlier), "a", 4, 0), ["many"]);
    let wider = config::Alarm { persons: NonZeroU32::new(9), ..rule("many") };
    assert_eq!(ask(&watch(&[wider]).continuing(&earlier), "a", 5, 0), NONE);
}

#[test]
fn bad_rules_are_all_reported() {
    let neither = config::Alarm { persons: None, ..rule("neither") };
    let both = config::Alarm { readers: NonZeroU32::new(1), ..rule("both") };
    let timeless = config::Alarm { seconds: 0, ..rule("timeless") };
    let bad = [neither, both, timeless, rule("twice"), rule("twice")];
    let problems = Watch::new(&bad).err().unwrap();
    let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["alarm[0]", "alarm[1]", "alarm[2].seconds", "alarm[4].name"]);
}

/// Takes every entry to the test.
struct Entries(mpsc::UnboundedSender<(String, bool, Vec<String>)>);

#[async_trait]
impl Journal for Entries {
    async fn append(&self, record: Record<'_>) -> Result<Receipt, Fault> {
        assert_eq!(record.kind, RecordKind::Administration);
        let said = String::from_utf8_lossy(record.request).into_owned();
        let names = record.trail.quota.iter().map(|state| state.policy.to_string()).collect();
        self.0.send((said, record.trail.subject.is_some(), names)).unwrap();
        Ok(Receipt("receipt".into()))
    }

    fn writable(&self) -> Result<(), Fault> {
        Ok(())
    }
}

#[tokio::test]
async fn an_alarm_is_listed_counted_and_recorded_once_in_a_window_and_names_no_person() {
    let (entries, mut recorded) = mpsc::unbounded_channel();
    let metrics = Arc::new(Metrics::new().unwrap());
    let journal = Arc::new(Entries(entries));
    let alarms = Arc::new(Alarms::new(journal, Arc::new(SystemClock), metrics.clone()));
    let watch = watch(&[readers("readers")]).telling(alarms.clone());
    for member in ["a", "b", "c", "d"] {
        ask(&watch, member, 0xab, 0);
    }
    let (said, has_subject, names) = recorded.recv().await.unwrap();
    assert!(recorded.try_recv().is_err(), "once");
    assert!(has_subject, "the person is a commitment of the entry");
    assert_eq!(names, ["readers"]);
    assert!(said.contains(r#""person":"abababab""#) && !said.contains(&"ab".repeat(5)), "{said}");
    let [alarm] = &alarms.list()[..] else { panic!("one is listed") };
    assert_eq!((&*alarm.rule, &*alarm.member, alarm.count, alarm.limit), ("readers", "c", 3, 2));
    assert!(metrics.render().contains(r#"naru_alarms_total{member="c",rule="readers"} 1"#));
}
