//! Our rate against `governor`'s, request by request.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::FakeRelativeClock;
use governor::middleware::StateInformationMiddleware;
use governor::{Quota as Theirs, RateLimiter};
use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_rate_lets_through_what_governor_does(
        requests in 1_u64..50,
        seconds in 1_u64..100,
        burst in 1_u32..20,
        steps in prop::collection::vec((0_u64..20_000, 1_u8..8), 1..100),
    ) {
        let world = World::new();
        let burst_units = NonZeroU32::new(burst).unwrap();
        let ours = world.quotas(&[Written { burst: Some(burst.into()), ..rate("r", requests, seconds) }]);
        let unit = Duration::from_nanos(seconds * SECOND / requests);
        let clock = FakeRelativeClock::default();
        let quota = Theirs::with_period(unit).unwrap().allow_burst(burst_units);
        let theirs = RateLimiter::direct_with_clock(quota, clock.clone())
            .with_middleware::<StateInformationMiddleware>();
        for (milliseconds, asked) in steps {
            clock.advance(Duration::from_millis(milliseconds));
            world.ticks.fetch_add(milliseconds * 1_000_000, Ordering::Relaxed);
            for _ in 0..asked {
                let wanted = theirs.check().ok().map(|left| u64::from(left.remaining_burst_capacity()));
                let state = world.with(|demand| ours.spend(demand)).ok().map(|permit| permit.states[0].remaining);
                prop_assert_eq!(state, wanted);
            }
        }
    }

    /// What is refused by another policy leaves no trace.
    #[test]
    fn a_refusal_by_another_policy_costs_nothing(refused in 0_usize..50, wait in 0_u64..30) {
        let mut world = World::new();
        let block = Written { services: vec!["s/blocked".into()], per: vec![], concurrent: Some(1), ..written("block") };
        let quotas = world.quotas(&[rate("r", 10, 60), block]);
        world.service = "blocked";
        let _held = world.with(|demand| quotas.spend(demand)).ok().unwrap();
        world.pass(wait);
        for _ in 0..refused {
            prop_assert!(!world.is_allowed(&quotas));
        }
        world.service = "read";
        let wanted = if wait >= 6 { "r 9" } else { "r 8" };
        prop_assert_eq!(world.ask(&quotas), Ok(row(&[wanted])));
    }
}
