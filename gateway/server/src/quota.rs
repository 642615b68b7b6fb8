//! Quotas in this process, by `governor`.

use std::sync::Arc;
use std::time::Duration;

use gateway_core::quota::{Cause, Demand, Exceeded, Permit, Quota, QuotaState, Renewal, Unit};
use gateway_core::{MemberId, ServiceId};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota as Rate, RateLimiter};

use crate::config::{self, Problem};

type Key = (MemberId, Option<ServiceId>);
type Limiter =
    RateLimiter<Key, DefaultKeyedStateStore<Key>, DefaultClock, StateInformationMiddleware>;

/// The configured quotas. For each request the most specific one counts: of this member and
/// service, of this member, of this service, of all.
pub struct Quotas {
    rules: Vec<Rule>,
    clock: DefaultClock,
}

struct Rule {
    name: String,
    member: Option<String>,
    service: Option<String>,
    limit: u32,
    window: Duration,
    /// The time in which one unit comes back.
    unit: Duration,
    limiter: Arc<Limiter>,
}

impl Quotas {
    /// Builds the configured quotas.
    ///
    /// # Errors
    /// Every quota of nothing, and every two for the same.
    pub fn new(quotas: &[config::Quota]) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut rules: Vec<Rule> = Vec::new();
        for (index, quota) in quotas.iter().enumerate() {
            let at = format!("quota[{index}]");
            let same = |rule: &Rule| rule.member == quota.member && rule.service == quota.service;
            if rules.iter().any(same) {
                problems.push(Problem::new(&at, "another quota is for the same"));
            }
            match Rule::new(quota) {
                Some(rule) => rules.push(rule),
                None => problems.push(Problem::new(at, "limit and window_seconds must be above 0")),
            }
        }
        rules.sort_by_key(|rule| (rule.member.is_none(), rule.service.is_none()));
        let quotas = Self { rules, clock: DefaultClock::default() };
        if problems.is_empty() { Ok(quotas) } else { Err(problems) }
    }

    /// What was spent under `earlier` counts here too, where a quota is as it was. One whose numbers
    /// changed begins anew: its units are others.
    #[must_use]
    pub fn continuing(mut self, earlier: &Self) -> Self {
        for rule in &mut self.rules {
            let same = earlier.rules.iter().find(|earlier| earlier.counts_as(rule));
            if let Some(same) = same {
                rule.limiter = same.limiter.clone();
            }
        }
        self
    }
}

impl Rule {
    fn new(quota: &config::Quota) -> Option<Self> {
        let window = Duration::from_secs(quota.window_seconds);
        let limit = std::num::NonZeroU32::new(quota.limit)?;
        let unit = window / quota.limit;
        let rate = Rate::with_period(unit)?.allow_burst(limit);
        Some(Self {
            name: quota.name.clone(),
            member: quota.member.clone(),
            service: quota.service.clone(),
            limit: quota.limit,
            window,
            unit,
            limiter: Arc::new(RateLimiter::keyed(rate).with_middleware()),
        })
    }

    fn counts_as(&self, other: &Self) -> bool {
        let terms =
            |rule: &Self| (rule.member.clone(), rule.service.clone(), rule.limit, rule.window);
        terms(self) == terms(other)
    }

    fn applies(&self, member: &MemberId, service: &ServiceId) -> bool {
        let is_of = |id: &str| {
            id.split_once('/')
                .is_some_and(|(sector, code)| *sector == *service.sector && *code == *service.code)
        };
        self.member.as_deref().is_none_or(|id| *id == *member.0)
            && self.service.as_deref().is_none_or(is_of)
    }

    fn state(&self, remaining: u32, reset: Duration, violated: bool) -> QuotaState {
        QuotaState {
            policy: self.name.as_str().into(),
            unit: Unit::Requests,
            renewal: Renewal::Rate,
            limit: self.limit.into(),
            window: Some(self.window),
            remaining: remaining.into(),
            reset,
            violated,
            shadow: false,
        }
    }
}

impl Quota for Quotas {
    fn spend(&self, demand: &Demand<'_>) -> Result<Permit, Exceeded> {
        let Demand { member, service, .. } = *demand;
        let Some(rule) = self.rules.iter().find(|rule| rule.applies(member, service)) else {
            return Ok(Permit::default());
        };
        let per_service = rule.service.is_some() || rule.member.is_none();
        let key = (member.clone(), per_service.then(|| service.clone()));
        match rule.limiter.check_key(&key) {
            Ok(left) => {
                let remaining = left.remaining_burst_capacity();
                let spent = rule.limit.saturating_sub(remaining);
                let states = vec![rule.state(remaining, rule.unit * spent, false)];
                Ok(Permit { states, held: None })
            }
            Err(not_until) => {
                let reset = not_until.wait_time_from(self.clock.now());
                Err(Exceeded { states: vec![rule.state(0, reset, true)], cause: Cause::Share })
            }
        }
    }

    fn replied(&self, _: &Demand<'_>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(name: &str, member: Option<&str>, service: Option<&str>, limit: u32) -> config::Quota {
        config::Quota {
            name: name.into(),
            member: member.map(Into::into),
            service: service.map(Into::into),
            limit,
            window_seconds: 3_600,
        }
    }

    fn id(code: &str) -> (MemberId, ServiceId) {
        let (member, code) = code.split_once(':').unwrap();
        (MemberId(member.into()), ServiceId { sector: "s".into(), code: code.into() })
    }

    fn ask(
        quotas: &Quotas,
        (member, service): &(MemberId, ServiceId),
    ) -> Result<QuotaState, QuotaState> {
        let now = jiff::Timestamp::UNIX_EPOCH;
        let demand = Demand { member, service, subject: None, purpose: None, bytes: 0, now };
        let first = |states: Vec<QuotaState>| states.into_iter().next().unwrap();
        quotas
            .spend(&demand)
            .map(|permit| first(permit.states))
            .map_err(|excess| first(excess.states))
    }

    #[test]
    fn the_most_specific_quota_counts_and_shares_are_apart() {
        let quotas = Quotas::new(&[
            quota("all", None, None, 2),
            quota("a", Some("a"), None, 1),
            quota("a-read", Some("a"), Some("s/read"), 3),
        ])
        .unwrap();
        let spend = |who: &str| match ask(&quotas, &id(who)) {
            Ok(state) => (state.policy.to_string(), state.remaining),
            Err(state) => (format!("{} exceeded", state.policy), 0),
        };
        let row = |name: &str, left| (name.to_owned(), left);
        assert_eq!(spend("a:read"), row("a-read", 2));
        assert_eq!(spend("a:write"), row("a", 0));
        assert_eq!(spend("a:other"), row("a exceeded", 0), "one share for all other services");
        assert_eq!(spend("b:read"), row("all", 1));
        assert_eq!(spend("c:read"), row("all", 1), "each member has its own share");
        assert_eq!(spend("b:read"), row("all", 0));
        assert_eq!(spend("b:read"), row("all exceeded", 0));
        assert_eq!(spend("b:write"), row("all", 1), "each service has its own share");
    }

    #[test]
    fn a_spent_quota_says_when_to_come_back() {
        let quotas = Quotas::new(&[quota("one", None, None, 1)]).unwrap();
        let first = ask(&quotas, &id("a:read")).unwrap();
        assert_eq!((first.limit, first.window), (1, Some(Duration::from_secs(3_600))));
        let refused = ask(&quotas, &id("a:read")).unwrap_err();
        assert!(refused.reset > Duration::from_secs(3_500), "{refused:?}");
    }

    #[test]
    fn what_is_spent_stays_spent_over_a_reload() {
        let spent = |quotas: &Quotas| ask(quotas, &id("a:read")).is_err();
        let earlier = Quotas::new(&[quota("one", None, None, 1)]).unwrap();
        assert!(!spent(&earlier));
        let reload = |name, limit| {
            Quotas::new(&[quota(name, None, None, limit)]).unwrap().continuing(&earlier)
        };
        assert!(spent(&reload("renamed", 1)), "under another name it is the same share");
        assert!(!spent(&reload("one", 2)), "another limit is another share");
    }

    #[test]
    fn without_a_quota_nothing_is_counted() {
        let (member, service) = id("a:read");
        let now = jiff::Timestamp::UNIX_EPOCH;
        let demand = Demand {
            member: &member,
            service: &service,
            subject: None,
            purpose: None,
            bytes: 0,
            now,
        };
        assert_eq!(Quotas::new(&[]).unwrap().spend(&demand).ok().unwrap().states, []);
    }

    #[test]
    fn bad_quotas_are_all_reported() {
        let bad = [
            quota("zero", None, None, 0),
            quota("x", Some("a"), None, 1),
            quota("y", Some("a"), None, 1),
        ];
        assert_eq!(Quotas::new(&bad).err().unwrap().len(), 2);
    }
}
