//! Memory stays bounded, also when somebody asks about very many persons.

use super::super::counter::{Counter, Left, Measure, Period as Days};
use super::super::shares::{Key, Shares};
use super::*;

const MEASURE: Measure = Measure::Rate { unit: SECOND, burst: 2 };

fn moment(seconds: u64) -> Moment {
    Moment { elapsed: seconds * SECOND, period: Days::default() }
}

fn person(number: u32) -> Key {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Key { member: Some(MemberId("a".into())), person: Some(Pseudonym(bytes)), ..Key::default() }
}

fn counted(shares: &Shares) -> usize {
    let mut count = 0;
    shares.each(|_, _: &mut Counter| count += 1);
    count
}

#[test]
fn beyond_the_bound_persons_share_one_share_and_memory_does_not_grow() {
    let shares = Shares::new(160);
    let taken: Vec<(Key, Left)> =
        (0..5_000).map(|n| shares.take(person(n), MEASURE, moment(0), 1)).collect();
    assert!(counted(&shares) <= 161, "{}", counted(&shares));
    let crowd: Vec<_> = taken.iter().filter(|(key, _)| key.person.is_none()).collect();
    assert!(crowd.len() > 4_800);
    assert_eq!(crowd.iter().filter(|(_, left)| left.granted).count(), 2, "of one share of two");
    let (key, left) = shares.take(person(0), MEASURE, moment(0), 1);
    assert!(left.granted && key.person.is_some(), "who was known keeps the share");
}

#[test]
fn what_is_full_again_is_forgotten() {
    let shares = Shares::new(1_600);
    for number in 0..100 {
        shares.take(person(number), MEASURE, moment(0), 1);
    }
    shares.take(person(7), MEASURE, moment(0), 1);
    shares.sweep(moment(1));
    assert_eq!(counted(&shares), 1, "one is still owed something");
    // A shard that is full sweeps itself when somebody new comes, once a second at most.
    for number in 0..5_000 {
        shares.take(person(number), MEASURE, moment(2), 1);
    }
    let (key, _) = shares.take(person(6_000), MEASURE, moment(60), 1);
    assert!(key.person.is_some());
}
