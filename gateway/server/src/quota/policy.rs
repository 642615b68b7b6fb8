//! One `[[quota]]`, checked and compiled.

use std::sync::Arc;
use std::time::Duration;

use gateway_core::quota::{Demand, QuotaState, Renewal, Unit};

use super::counter::{Left, Measure};
use super::shares::{MOST, Shares};
use crate::config::{self, Per, Period, Problem};

/// A policy, and the shares that are counted under it.
pub(super) struct Policy {
    pub(super) name: Arc<str>,
    members: Vec<String>,
    services: Vec<String>,
    purposes: Vec<String>,
    pub(super) per: Vec<Per>,
    pub(super) unit: Unit,
    pub(super) measure: Measure,
    pub(super) every: Option<Period>,
    limit: u64,
    window: Option<Duration>,
    pub(super) shadow: bool,
    pub(super) shares: Arc<Shares>,
}

const SECOND: u64 = 1_000_000_000;

impl Policy {
    /// Compiles one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn new(quota: &config::Quota, at: &str) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut wrong =
            |key: &str, says: &str| problems.push(Problem::new(format!("{at}{key}"), says));
        let counted = [
            (quota.requests, Unit::Requests),
            (quota.bytes, Unit::ContentBytes),
            (quota.concurrent, Unit::ConcurrentRequests),
        ];
        let mut counted = counted.into_iter().filter_map(|(limit, unit)| Some((limit?, unit)));
        let (Some((limit, unit)), None) = (counted.next(), counted.next()) else {
            wrong("", "say one of `requests`, `bytes` and `concurrent`");
            return Err(problems);
        };
        if limit == 0 {
            wrong("", "a share of nothing refuses everything: say so in an access policy");
        }
        if quota.per.iter().any(|part| quota.per.iter().filter(|other| *other == part).count() > 1)
        {
            wrong(".per", "says the same twice");
        }
        let burst = quota.burst.unwrap_or(limit);
        let seconds = quota.seconds.unwrap_or_default();
        let measure = match (unit, quota.seconds, quota.every) {
            (Unit::ConcurrentRequests, None, None) => Measure::Current { limit },
            (Unit::ConcurrentRequests, _, _) => {
                wrong("", "`concurrent` has no time: leave `seconds` and `every` out");
                Measure::Current { limit }
            }
            (_, None, Some(_)) => Measure::Calendar { limit },
            (_, Some(_), None) => {
                Measure::Rate { unit: seconds.saturating_mul(SECOND) / limit.max(1), burst }
            }
            _ => {
                wrong("", "say either `seconds` or `every`");
                Measure::Calendar { limit }
            }
        };
        if let Measure::Rate { unit, burst } = measure {
            if unit == 0 {
                wrong(".seconds", "must be above 0, and a unit must take a nanosecond at least");
            }
            if quota.burst == Some(0) || unit.checked_mul(burst).is_none() {
                wrong(".burst", "must be above 0, and not be centuries");
            }
        } else if quota.burst.is_some() {
            wrong(".burst", "belongs to `seconds`");
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            name: quota.name.as_str().into(),
            members: quota.members.clone(),
            services: quota.services.clone(),
            purposes: quota.purposes.clone(),
            per: quota.per.clone(),
            unit,
            measure,
            every: quota.every,
            limit,
            window: quota.seconds.map(Duration::from_secs),
            shadow: quota.shadow,
            shares: Arc::new(Shares::new(MOST)),
        })
    }

    /// Whether the shares of `earlier` are of the same kind. A rate whose numbers changed begins anew, as
    /// its units are others; what is used of a day or is under way counts under another limit too.
    pub(super) fn continues(&self, earlier: &Self) -> bool {
        let same_units = match (self.measure, earlier.measure) {
            (Measure::Rate { .. }, _) => self.measure == earlier.measure,
            (Measure::Calendar { .. }, Measure::Calendar { .. }) => self.every == earlier.every,
            (Measure::Current { .. }, Measure::Current { .. }) => true,
            _ => false,
        };
        let of = |policy: &Self| (policy.name.clone(), policy.per.clone(), policy.unit);
        same_units && of(self) == of(earlier)
    }

    pub(super) fn applies(&self, demand: &Demand<'_>) -> bool {
        let named = |list: &[String], is: &dyn Fn(&str) -> bool| {
            list.is_empty() || list.iter().any(|name| is(name))
        };
        let service = |id: &str| {
            id.split_once('/').is_some_and(|(sector, code)| {
                *sector == *demand.service.sector && *code == *demand.service.code
            })
        };
        named(&self.members, &|id| *id == *demand.member.0)
            && named(&self.services, &service)
            && named(&self.purposes, &|code| demand.purpose == Some(code))
            // Where nobody is concerned there is nobody's share.
            && (demand.subject.is_some() || !self.per.contains(&Per::Person))
    }

    /// What this policy counts of a message of so many bytes.
    pub(super) fn amount(&self, bytes: u64) -> u64 {
        if self.unit == Unit::ContentBytes { bytes } else { 1 }
    }

    pub(super) fn state(&self, left: Left, period: Duration) -> QuotaState {
        let (renewal, window) = match self.measure {
            Measure::Rate { .. } => (Renewal::Rate, self.window),
            Measure::Calendar { .. } => (Renewal::Calendar, Some(period)),
            Measure::Current { .. } => (Renewal::Release, None),
        };
        QuotaState {
            policy: self.name.clone(),
            unit: self.unit,
            renewal,
            limit: self.limit,
            window,
            remaining: left.remaining,
            reset: left.reset,
            violated: !left.granted,
            shadow: self.shadow,
        }
    }
}
