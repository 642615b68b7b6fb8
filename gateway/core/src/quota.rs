//! How much each may do: what an exchange asks of the quotas, and what they say to it. The terms are
//! those of the HTTP `RateLimit` fields (draft-ietf-httpapi-ratelimit-headers-11); how units are
//! counted is the implementation's matter.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Fault, Kind, MemberId, Pseudonym, ServiceId};

/// What one exchange asks for: one request of so many bytes.
#[derive(Clone, Debug)]
pub struct Demand<'a> {
    /// Who asks.
    pub member: &'a MemberId,
    /// For what.
    pub service: &'a ServiceId,
    /// About whom, in the `consent` domain; nobody where the service concerns no person.
    pub subject: Option<&'a Pseudonym>,
    /// The code of the purpose, where the service has one.
    pub purpose: Option<&'a str>,
    /// Bytes of the request; of the reply in [`Quota::replied`].
    pub bytes: u64,
    /// When.
    pub now: Timestamp,
}

/// What a policy counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Requests.
    Requests,
    /// Bytes of requests and replies.
    ContentBytes,
    /// Requests that are under way.
    ConcurrentRequests,
    /// Different persons of one member, or different members about one person. No wire has this.
    Distinct,
}

impl Unit {
    /// As the parameter `qu` of `RateLimit-Policy` has it (section 10.3).
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::ContentBytes => "content-bytes",
            Self::ConcurrentRequests => "concurrent-requests",
            Self::Distinct => "naru-distinct",
        }
    }
}

/// By what a policy's units come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Renewal {
    /// Evenly with time.
    Rate,
    /// All at once, when a day or a month of the calendar begins.
    Calendar,
    /// When a request that is under way ends.
    Release,
}

/// The state of one policy after an exchange has asked of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuotaState {
    /// The name of the policy.
    pub policy: Arc<str>,
    /// `qu`: what it counts.
    pub unit: Unit,
    /// How units come back.
    pub renewal: Renewal,
    /// `q`: units per window.
    pub limit: u64,
    /// `w`: the window; none for what is counted while it is under way.
    pub window: Option<Duration>,
    /// `r`: units left now.
    pub remaining: u64,
    /// `t`: until a unit is there again (when refused) or the window is full again.
    pub reset: Duration,
    /// Whether it was asked for more than it had.
    pub violated: bool,
    /// Whether it only counts: it lets pass what it would refuse, and callers are not told of it.
    pub shadow: bool,
}

impl QuotaState {
    /// Whether callers are told of it.
    pub fn is_told(&self) -> bool {
        !self.shadow && self.unit != Unit::Distinct
    }

    /// Whether this policy refuses the exchange.
    pub fn refuses(&self) -> bool {
        self.violated && !self.shadow
    }
}

/// What was spent, and what the exchange holds while it is under way.
#[derive(Default)]
pub struct Permit {
    /// Every policy that applies, in the order of the configuration.
    pub states: Vec<QuotaState>,
    /// Given back when it is dropped, on whatever way the exchange ends; none where nothing is.
    pub held: Option<Box<dyn Send + Sync>>,
}

/// Why nothing was spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// Every policy that applies; those that refuse say when to come back.
    pub states: Vec<QuotaState>,
    /// What it is taken for.
    pub cause: Cause,
}

/// What an excess is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A share was used up.
    Share,
    /// A rule saw a pattern of use that it does not allow.
    AbnormalUsage,
}

/// Spends units of shares.
pub trait Quota: Send + Sync {
    /// Spends what an exchange asks for, of every policy that applies, or else of none.
    ///
    /// # Errors
    /// What refuses it.
    fn spend(&self, demand: &Demand<'_>) -> Result<Permit, Exceeded>;

    /// Gives back what an exchange has spent, as `states` say it, because the gateway has no time for
    /// it. What it holds is given back by dropping it.
    fn give_back(&self, demand: &Demand<'_>, states: &[QuotaState]);

    /// Counts the bytes of a reply, which are known only once it is written: an exchange that was
    /// let through may leave a share in debt, which the next ones wait for.
    fn replied(&self, demand: &Demand<'_>);
}

/// The code of a share whose units come back with time.
pub const RATE_EXCEEDED: &str = "rate-exceeded";
/// The code of a daily or monthly share.
pub const QUOTA_EXCEEDED: &str = "quota-exceeded";
/// The code of too many requests under way.
pub const CONCURRENCY_EXCEEDED: &str = "concurrency-exceeded";
/// The code of a pattern of use that a rule does not allow.
pub const ABNORMAL_USAGE: &str = "abnormal-usage-detected";
/// The code of what the gateway has no time for at the moment.
pub const REDUCED_CAPACITY: &str = "temporary-reduced-capacity";

/// The fault that an excess becomes. Of several policies the one that takes longest counts.
pub(crate) fn exceeded(excess: &Exceeded) -> Fault {
    let refusing = || excess.states.iter().filter(|state| state.refuses());
    let longest = refusing().max_by_key(|state| state.reset);
    let (code, says) = match (excess.cause, longest.map(|state| state.renewal)) {
        (Cause::AbnormalUsage, _) => (ABNORMAL_USAGE, "this pattern of use is not allowed"),
        (_, Some(Renewal::Rate)) => (RATE_EXCEEDED, "too many requests in this time; slow down"),
        (_, Some(Renewal::Release)) => {
            (CONCURRENCY_EXCEEDED, "too many requests at once; wait until one has ended")
        }
        (_, Some(Renewal::Calendar) | None) => {
            (QUOTA_EXCEEDED, "the share for this day or month is used up")
        }
    };
    let names: Vec<&str> = refusing().map(|state| &*state.policy).collect();
    Fault::new(Kind::RateLimited, code, says)
        .context(format_args!("quota policies: {}", names.join(", ")))
        .retry_after(longest.map_or(Duration::from_secs(1), |state| state.reset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Retry;

    fn state(policy: &str, renewal: Renewal, reset: u64) -> QuotaState {
        QuotaState {
            policy: policy.into(),
            unit: Unit::Requests,
            renewal,
            limit: 1,
            window: None,
            remaining: 0,
            reset: Duration::from_secs(reset),
            violated: true,
            shadow: false,
        }
    }

    #[test]
    fn the_policy_that_takes_longest_says_what_is_exceeded_and_when_to_come_back() {
        let second = state("second", Renewal::Rate, 1);
        let day = state("day", Renewal::Calendar, 3_600);
        let shadow = QuotaState { shadow: true, ..state("month", Renewal::Calendar, 9_999) };
        let states = vec![second.clone(), day, shadow];
        let fault = exceeded(&Exceeded { states, cause: Cause::Share });
        assert_eq!(fault.code, QUOTA_EXCEEDED);
        assert_eq!(fault.retry, Retry::After(Duration::from_secs(3_600)));
        assert_eq!(fault.context, "quota policies: second, day");
        let one = |cause| exceeded(&Exceeded { states: vec![second.clone()], cause }).code;
        assert_eq!(one(Cause::Share), RATE_EXCEEDED);
        assert_eq!(one(Cause::AbnormalUsage), ABNORMAL_USAGE);
        let held = Exceeded { states: vec![state("c", Renewal::Release, 1)], cause: Cause::Share };
        assert_eq!(exceeded(&held).code, CONCURRENCY_EXCEEDED);
    }
}
