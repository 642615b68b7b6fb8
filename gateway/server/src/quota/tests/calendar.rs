//! Days and months, and clocks that jump.

use proptest::prelude::*;

use super::*;

fn at(world: &mut World, time: &str) {
    world.now = time.parse().unwrap();
}

#[test]
fn a_daily_share_is_there_again_at_midnight_of_its_zone() {
    let mut world = World::new();
    let quotas = world.quotas(&[daily("day", 1)]);
    at(&mut world, "2026-11-22T14:59:59Z");
    assert!(world.is_allowed(&quotas));
    let refused = world.with(|demand| quotas.spend(demand)).err().unwrap();
    assert_eq!(refused.states[0].reset.as_secs(), 1);
    at(&mut world, "2026-11-22T15:00:00Z");
    assert!(world.is_allowed(&quotas), "it is the 23rd in Seoul");
    assert!(!world.is_allowed(&quotas));
}

#[test]
fn a_monthly_share_is_there_again_on_the_first() {
    let mut world = World::new();
    let month = Written { every: Some(Period::Month), ..daily("month", 1) };
    let quotas = world.quotas(&[month]);
    at(&mut world, "2028-02-29T14:59:59Z");
    assert!(world.is_allowed(&quotas));
    assert!(!world.is_allowed(&quotas));
    at(&mut world, "2028-02-29T15:00:00Z");
    assert!(world.is_allowed(&quotas));
}

#[test]
fn a_clock_that_jumps_back_gives_nothing_back() {
    let mut world = World::new();
    let quotas = world.quotas(&[daily("day", 1), rate("minute", 1, 60)]);
    at(&mut world, "2026-11-22T15:00:01Z");
    assert!(world.is_allowed(&quotas));
    world.ticks.fetch_add(60 * SECOND, Ordering::Relaxed);
    at(&mut world, "2026-11-22T14:59:59Z");
    assert_eq!(world.ask(&quotas), Err(row(&["day 0!", "minute 0"])), "yesterday is over");
    at(&mut world, "2026-11-22T15:00:02Z");
    assert!(!world.is_allowed(&quotas));
}

#[test]
fn a_clock_that_was_years_ahead_does_not_lock_a_share_for_years() {
    let mut world = World::new();
    let quotas = world.quotas(&[daily("day", 1)]);
    at(&mut world, "2036-01-01T00:00:00Z");
    assert!(world.is_allowed(&quotas));
    at(&mut world, "2026-11-22T03:00:00Z");
    assert!(!world.is_allowed(&quotas), "what was used is used");
    at(&mut world, "2026-11-22T15:00:00Z");
    assert!(world.is_allowed(&quotas));
}

#[test]
fn what_is_kept_is_used_in_the_next_process() {
    let mut world = World::new();
    let policies =
        [Written { per: vec![Per::Member, Per::Person], ..daily("day", 2) }, rate("r", 9, 1)];
    let quotas = world.quotas(&policies);
    world.person = Some(7);
    assert!(world.is_allowed(&quotas));
    let counts = quotas.to_keep();
    assert_eq!(counts.len(), 1, "rates are not kept");
    quotas.kept(&counts);
    assert_eq!(quotas.to_keep(), [], "what is kept is not written again");

    let next = world.quotas(&policies);
    next.restore(&counts);
    assert!(world.is_allowed(&next));
    assert!(!world.is_allowed(&next));
    assert_eq!(next.to_keep()[0].used, 2);
    world.person = Some(8);
    assert!(world.is_allowed(&next));
}

#[test]
fn operators_see_what_is_left_and_of_persons_a_handle() {
    let mut world = World::new();
    world.person = Some(0xab);
    let quotas =
        world.quotas(&[Written { per: vec![Per::Person], ..daily("day", 2) }, rate("r", 9, 1)]);
    assert!(world.is_allowed(&quotas));
    let spent = quotas.spent(world.now, 10);
    let told: Vec<_> = spent.iter().map(|one| (&*one.policy, one.remaining)).collect();
    assert_eq!(told, [("day", 1), ("r", 8)]);
    assert_eq!(spent[0].person.as_deref(), Some("abababab"));
    assert_eq!((&spent[0].member, spent[1].member.as_deref()), (&None, Some("a")));
    assert_eq!(quotas.spent(world.now, 1).len(), 1);
}

proptest! {
    /// However the clock moves, within one day no more than the share is let through.
    #[test]
    fn no_day_has_more_than_its_share(steps in prop::collection::vec((0_i64..7_200, 1_u8..4), 1..60)) {
        let mut world = World::new();
        let quotas = world.quotas(&[daily("day", 5)]);
        let mut days = std::collections::BTreeMap::<_, u32>::new();
        for (seconds, requests) in steps {
            world.now += jiff::SignedDuration::from_secs(seconds);
            for _ in 0..requests {
                let day = world.now.to_zoned(TimeZone::get("Asia/Seoul").unwrap()).date();
                *days.entry(day).or_default() += u32::from(world.is_allowed(&quotas));
            }
        }
        prop_assert!(days.values().all(|allowed| *allowed <= 5), "{days:?}");
    }
}
