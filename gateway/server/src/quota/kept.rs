//! Counts of days and months outlive the process: they are written behind, once a second and when it
//! stops, and read when it starts. A crash forgets at most what was spent since the last writing.

use gateway_store::QuotaCount;
use jiff::Timestamp;
use serde::Serialize;

use super::Quotas;
use super::counter::{Counter, Measure};
use super::shares::Key;

/// What is spent of one share, for operators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spent {
    /// The name of the policy.
    pub policy: String,
    /// The member whose share it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// The service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// A handle of the person: the first digits of the pseudonym.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// What it counts.
    pub unit: &'static str,
    /// Units that are left.
    pub remaining: u64,
    /// It only counts.
    pub shadow: bool,
}

impl Quotas {
    /// What was spent of days and months since it was last said to be [`Quotas::kept`].
    pub fn to_keep(&self) -> Vec<QuotaCount> {
        let mut counts = Vec::new();
        for policy in self.policies.iter().filter(|policy| policy.every.is_some()) {
            policy.shares.each(|key, counter| {
                if let Counter::Calendar { begun, used, kept } = *counter
                    && used != kept
                    && let Ok(share) = serde_json::to_string(key)
                {
                    counts.push(QuotaCount { policy: policy.name.to_string(), share, begun, used });
                }
            });
        }
        counts
    }

    /// That `counts` are in the store.
    pub fn kept(&self, counts: &[QuotaCount]) {
        for (policy, key, count) in self.shares_of(counts) {
            policy.shares.amend(&key, |counter| {
                if let Counter::Calendar { begun, kept, .. } = counter
                    && *begun == count.begun
                {
                    *kept = count.used;
                }
            });
        }
    }

    /// Goes on from what an earlier process has kept.
    pub fn restore(&self, counts: &[QuotaCount]) {
        for (policy, key, count) in self.shares_of(counts) {
            if matches!(policy.measure, Measure::Calendar { .. }) {
                let (begun, used) = (count.begun, count.used);
                policy.shares.restore(key, Counter::Calendar { begun, used, kept: used });
            }
        }
    }

    /// What is spent, at most `most` shares of it: those first that have least left.
    pub fn spent(&self, now: Timestamp, most: usize) -> Vec<Spent> {
        let mut all = Vec::new();
        for policy in &self.policies {
            let moment = self.moment(policy, now);
            policy.shares.each(|key, counter| {
                if counter.is_idle(moment) {
                    return;
                }
                all.push(Spent {
                    policy: policy.name.to_string(),
                    member: key.member.as_ref().map(ToString::to_string),
                    service: key.service.as_ref().map(ToString::to_string),
                    purpose: key.purpose.as_deref().map(str::to_owned),
                    person: key
                        .person
                        .map(|person| hex::encode(person.0).chars().take(8).collect()),
                    unit: policy.unit.name(),
                    remaining: counter.remaining(policy.measure, moment),
                    shadow: policy.shadow,
                });
            });
        }
        all.sort_by(|one, other| {
            (one.remaining, &one.policy).cmp(&(other.remaining, &other.policy))
        });
        all.truncate(most);
        all
    }

    fn shares_of<'a>(
        &'a self,
        counts: &'a [QuotaCount],
    ) -> impl Iterator<Item = (&'a super::Policy, Key, &'a QuotaCount)> {
        counts.iter().filter_map(|count| {
            let policy = self.policies.iter().find(|policy| *policy.name == *count.policy)?;
            Some((policy, serde_json::from_str(&count.share).ok()?, count))
        })
    }
}
