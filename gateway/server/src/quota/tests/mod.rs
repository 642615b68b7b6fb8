//! Policies with a test clock.

mod against_governor;
mod calendar;
mod memory;

use std::sync::atomic::{AtomicU64, Ordering};

use gateway_core::{MemberId, Pseudonym, ServiceId};

use super::*;
use crate::config::{Per, Period, Quota as Written};

const SECOND: u64 = 1_000_000_000;

/// A quota that says nothing but its name.
fn written(name: &str) -> Written {
    Written {
        name: name.into(),
        members: vec![],
        services: vec![],
        purposes: vec![],
        per: vec![Per::Member],
        requests: None,
        bytes: None,
        concurrent: None,
        seconds: None,
        burst: None,
        every: None,
        shadow: false,
    }
}

fn rate(name: &str, requests: u64, seconds: u64) -> Written {
    Written { requests: Some(requests), seconds: Some(seconds), ..written(name) }
}

fn daily(name: &str, requests: u64) -> Written {
    Written { requests: Some(requests), every: Some(Period::Day), ..written(name) }
}

/// Somebody who asks, and both clocks.
struct World {
    ticks: Arc<AtomicU64>,
    now: Timestamp,
    member: &'static str,
    service: &'static str,
    person: Option<u8>,
    purpose: Option<&'static str>,
    bytes: u64,
}

impl World {
    fn new() -> Self {
        Self {
            ticks: Arc::default(),
            now: "2026-11-22T03:00:00Z".parse().unwrap(),
            member: "a",
            service: "read",
            person: None,
            purpose: None,
            bytes: 100,
        }
    }

    fn quotas(&self, quotas: &[Written]) -> Quotas {
        let ticks = self.ticks.clone();
        let ticking = Arc::new(move || ticks.load(Ordering::Relaxed));
        Quotas::with_clock(quotas, "Asia/Seoul", ticking).unwrap()
    }

    fn pass(&mut self, seconds: u64) {
        self.ticks.fetch_add(seconds * SECOND, Ordering::Relaxed);
        self.now += std::time::Duration::from_secs(seconds);
    }

    fn with<T>(&self, ask: impl FnOnce(&Demand<'_>) -> T) -> T {
        let member = MemberId(self.member.into());
        let service = ServiceId { sector: "s".into(), code: self.service.into() };
        let person = self.person.map(|person| Pseudonym([person; 32]));
        ask(&Demand {
            member: &member,
            service: &service,
            subject: person.as_ref(),
            purpose: self.purpose,
            bytes: self.bytes,
            now: self.now,
        })
    }

    /// What every policy says: its name, what is left, `!` where it is violated.
    fn ask(&self, quotas: &Quotas) -> Result<Vec<String>, Vec<String>> {
        let told = |states: &[QuotaState]| {
            let tell = |state: &QuotaState| {
                let mark = if state.violated { "!" } else { "" };
                format!("{} {}{mark}", state.policy, state.remaining)
            };
            states.iter().map(tell).collect::<Vec<_>>()
        };
        let spent = self.with(|demand| quotas.spend(demand));
        spent.map(|permit| told(&permit.states)).map_err(|excess| told(&excess.states))
    }

    fn is_allowed(&self, quotas: &Quotas) -> bool {
        self.ask(quotas).is_ok()
    }
}

fn row(states: &[&str]) -> Vec<String> {
    states.iter().map(|&state| state.to_owned()).collect()
}

#[test]
fn every_policy_that_applies_is_asked_and_each_combination_has_its_own_share() {
    let mut world = World::new();
    let quotas = world.quotas(&[
        rate("all", 10, 60),
        Written { members: vec!["a".into()], ..rate("a", 5, 60) },
        Written { services: vec!["s/read".into()], per: vec![], ..rate("read", 3, 60) },
        Written { per: vec![Per::Member, Per::Person], ..daily("person", 2) },
        Written { purposes: vec!["p".into()], per: vec![Per::Purpose], ..daily("purpose", 1) },
    ]);
    assert_eq!(world.ask(&quotas), Ok(row(&["all 9", "a 4", "read 2"])));
    (world.member, world.person, world.purpose) = ("b", Some(1), Some("p"));
    assert_eq!(world.ask(&quotas), Ok(row(&["all 9", "read 1", "person 1", "purpose 0"])));
    world.purpose = Some("other");
    world.person = Some(2);
    assert_eq!(world.ask(&quotas), Ok(row(&["all 8", "read 0", "person 1"])));
    world.service = "write";
    assert_eq!(world.ask(&quotas), Ok(row(&["all 7", "person 0"])));
}

#[test]
fn a_refused_request_spends_nothing_and_hears_of_all_that_refuse() {
    let mut world = World::new();
    let quotas = world.quotas(&[
        rate("minute", 10, 60),
        daily("day", 1),
        Written { concurrent: Some(1), ..written("at-once") },
        rate("other-minute", 1, 60),
    ]);
    let first = world.with(|demand| quotas.spend(demand)).ok().unwrap();
    let refused = row(&["minute 8", "day 0!", "at-once 0!", "other-minute 0!"]);
    assert_eq!(world.ask(&quotas), Err(refused.clone()));
    assert_eq!(world.ask(&quotas), Err(refused), "what was refused took nothing of the first");
    drop(first);
    world.pass(24 * 3_600);
    assert_eq!(world.ask(&quotas), Ok(row(&["minute 9", "day 0", "at-once 0", "other-minute 0"])));
}

#[test]
fn a_shadow_policy_counts_and_refuses_nothing() {
    let world = World::new();
    let quotas =
        world.quotas(&[Written { shadow: true, ..rate("shadow", 1, 60) }, rate("r", 3, 60)]);
    assert_eq!(world.ask(&quotas), Ok(row(&["shadow 0", "r 2"])));
    assert_eq!(world.ask(&quotas), Ok(row(&["shadow 0!", "r 1"])));
}

#[test]
fn a_place_among_those_under_way_is_given_back_also_by_a_panic() {
    let world = World::new();
    let quotas = world.quotas(&[Written { concurrent: Some(1), ..written("at-once") }]);
    for _ in 0..3 {
        let permit = world.with(|demand| quotas.spend(demand)).ok().unwrap();
        assert!(!world.is_allowed(&quotas));
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _held = permit;
            panic!("a stage failed");
        }));
        assert!(unwound.is_err());
    }
    assert!(world.is_allowed(&quotas));
}

#[test]
fn bytes_of_requests_and_replies_count_and_a_debt_is_waited_for() {
    let mut world = World::new();
    let bytes = Written { bytes: Some(1_000), seconds: Some(10), ..written("volume") };
    let quotas = world.quotas(&[bytes]);
    assert_eq!(world.ask(&quotas), Ok(row(&["volume 900"])));
    world.bytes = 1_900;
    world.with(|demand| quotas.replied(demand));
    world.bytes = 1;
    assert_eq!(world.ask(&quotas), Err(row(&["volume 0!"])));
    let reset = world.with(|demand| quotas.spend(demand)).err().unwrap().states[0].reset;
    assert_eq!(reset.as_millis(), 10_010, "1,001 bytes at 100 a second");
    world.pass(11);
    assert!(world.is_allowed(&quotas));
}

#[test]
fn what_is_spent_stays_spent_over_a_reload() {
    let world = World::new();
    let at_once = || Written { concurrent: Some(1), ..written("at-once") };
    let earlier = world.quotas(&[rate("minute", 1, 60), daily("day", 5), at_once()]);
    let held = world.with(|demand| earlier.spend(demand)).ok().unwrap();
    let reload = |quotas: &[Written]| world.quotas(quotas).continuing(&earlier);
    assert!(!world.is_allowed(&reload(&[rate("minute", 1, 60)])));
    assert!(world.is_allowed(&reload(&[rate("minute", 2, 60)])), "other units begin anew");
    assert_eq!(world.ask(&reload(&[daily("day", 3)])), Ok(row(&["day 1"])), "two were used");
    let next = reload(&[at_once()]);
    assert!(!world.is_allowed(&next));
    drop(held);
    assert!(world.is_allowed(&next));
}

#[test]
fn bad_quotas_are_all_reported() {
    let twice = Written { bytes: Some(1), ..rate("twice", 1, 1) };
    let bad = [
        written("nothing"),
        twice,
        rate("zero", 0, 60),
        rate("no-time", 1, 0),
        Written { every: Some(Period::Day), ..rate("both", 1, 1) },
        Written { requests: Some(1), ..written("neither") },
        Written { concurrent: Some(1), seconds: Some(1), ..written("timed") },
        Written { burst: Some(2), ..daily("burst", 1) },
        Written { burst: Some(0), ..rate("none-at-once", 1, 1) },
        Written { per: vec![Per::Member, Per::Member], ..rate("per", 1, 1) },
        rate("fine", 1, 1),
        rate("fine", 1, 1),
    ];
    let problems = Quotas::new(&bad, "Asia/Soul").err().unwrap();
    let mut paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
    paths.dedup();
    let wanted: Vec<String> = [
        "quota[0]",
        "quota[1]",
        "quota[2]",
        "quota[3].seconds",
        "quota[4]",
        "quota[5]",
        "quota[6]",
        "quota[7].burst",
        "quota[8].burst",
        "quota[9].per",
        "quota[11].name",
        "gateway.time_zone",
    ]
    .map(Into::into)
    .into();
    assert_eq!(paths, wanted);
}
