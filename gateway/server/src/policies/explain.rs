//! Why a request is allowed or refused: the policies that can apply with each of their conditions, and
//! those that would apply if one part of their scope were another.

use std::fmt;

use cedar_policy::{Authorizer, Effect, Entities, Policy, PolicyId, PolicySet, Request};
use gateway_core::member::MemberState;
use gateway_core::{AccessRequest, Decision};
use serde::Serialize;
use serde_json::{Value, json};

use super::facts::Facts;
use super::index::Miss;
use super::{Policies, Undecided};

/// Policies that nearly apply, at most.
const NEAR: usize = 10;

/// Why a request is allowed or refused.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// The member's state, where it alone refuses.
    pub state: Option<MemberState>,
    /// What is decided.
    pub decision: Decision,
    /// The policies whose scope matches.
    pub applicable: Vec<Explained>,
    /// Policies whose scope differs in one part: its name.
    pub near: Vec<Near>,
}

/// A policy whose scope matches.
#[derive(Debug, Serialize)]
pub struct Explained {
    /// Its id.
    pub policy: String,
    /// `permit` or `forbid`.
    pub effect: &'static str,
    /// Whether it counts: all its conditions hold.
    pub holds: bool,
    /// Its conditions, taken apart at `&&`.
    pub conditions: Vec<Condition>,
}

/// One condition, as Cedar text.
#[derive(Debug, Serialize)]
pub struct Condition {
    /// `when` or `unless`.
    pub kind: String,
    /// It.
    pub text: String,
    /// Whether it is true; none where it cannot be evaluated.
    pub is_true: Option<bool>,
}

/// A policy that nearly applies.
#[derive(Debug, Serialize)]
pub struct Near {
    /// Its id.
    pub policy: String,
    /// The part of its scope that differs.
    pub differs: &'static str,
}

impl Policies {
    /// Says why a request is allowed or refused.
    ///
    /// # Errors
    /// [`Undecided`].
    pub fn explain(&self, request: &AccessRequest) -> Result<Explanation, Undecided> {
        let trial = Trial {
            request: self.vocabulary.request(request, Facts::ALL)?,
            entities: self.vocabulary.entities(request)?,
        };
        let mut applicable: Vec<Explained> =
            self.candidates(request).into_iter().map(|policy| trial.explain(policy)).collect();
        applicable.sort_by(|one, other| one.policy.cmp(&other.policy));
        let scope = self.vocabulary.scope(request);
        let near = self.set.policies().filter_map(|policy| {
            let differs = match Miss::of(policy, &scope) {
                Some(Miss::Principal) => "principal",
                Some(Miss::Action) => "action",
                Some(Miss::Resource) => "resource",
                None => return None,
            };
            Some(Near { policy: policy.id().to_string(), differs })
        });
        let mut near: Vec<Near> = near.collect();
        near.sort_by(|one, other| one.policy.cmp(&other.policy));
        near.truncate(NEAR);
        let state = Some(request.state).filter(|state| *state != MemberState::Active);
        Ok(Explanation { state, decision: self.admit(request)?, applicable, near })
    }
}

/// What conditions are tried on.
struct Trial {
    request: Request,
    entities: Entities,
}

impl Trial {
    fn explain(&self, policy: &Policy) -> Explained {
        let written = policy.to_json().unwrap_or_default();
        let mut conditions = Vec::new();
        for condition in written.get("conditions").and_then(Value::as_array).into_iter().flatten() {
            let kind = condition.get("kind").and_then(Value::as_str).unwrap_or("when");
            let body = condition.get("body").cloned().unwrap_or_default();
            let parts = if kind == "when" { conjuncts(body) } else { vec![body] };
            conditions.extend(parts.into_iter().filter_map(|part| self.condition(kind, part)));
        }
        Explained {
            policy: policy.id().to_string(),
            effect: match policy.effect() {
                Effect::Permit => "permit",
                Effect::Forbid => "forbid",
            },
            holds: conditions
                .iter()
                .all(|condition| condition.is_true == Some(condition.kind == "when")),
            conditions,
        }
    }

    /// Cedar evaluates it as the only condition of a policy that allows everything.
    fn condition(&self, kind: &str, body: Value) -> Option<Condition> {
        let alone = json!({
            "effect": "permit",
            "principal": { "op": "All" },
            "action": { "op": "All" },
            "resource": { "op": "All" },
            "conditions": [{ "kind": "when", "body": body }],
        });
        let policy = Policy::from_json(Some(PolicyId::new("condition")), alone).ok()?;
        let text = policy.to_string();
        let (_, text) = text.split_once("when")?;
        let text = text.trim().trim_end_matches(';').trim();
        let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'))?;
        let set = PolicySet::from_policies([policy]).ok()?;
        let response = Authorizer::new().is_authorized(&self.request, &set, &self.entities);
        let failed = response.diagnostics().errors().next().is_some();
        let is_true = (!failed).then(|| response.diagnostics().reason().next().is_some());
        Some(Condition { kind: kind.to_owned(), text: text.trim().to_owned(), is_true })
    }
}

/// What must all be true for an expression to be true.
fn conjuncts(expression: Value) -> Vec<Value> {
    match expression.get("&&") {
        Some(both) => {
            let side = |name: &str| both.get(name).cloned().map(conjuncts).unwrap_or_default();
            side("left").into_iter().chain(side("right")).collect()
        }
        None => vec![expression],
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Decision { allowed, policies } = &self.decision;
        match (self.state, allowed, policies.as_slice()) {
            (Some(state), ..) => writeln!(f, "refused: the member is {state}")?,
            (None, true, _) => writeln!(f, "allowed by {}", policies.join(", "))?,
            (None, false, []) => writeln!(f, "refused: no policy allows it")?,
            (None, false, _) => writeln!(f, "refused: forbidden by {}", policies.join(", "))?,
        }
        for Explained { policy, effect, holds, conditions } in &self.applicable {
            let counts = if *holds { "applies" } else { "does not apply" };
            writeln!(f, "  {effect} {policy}: {counts}")?;
            for Condition { kind, text, is_true } in conditions {
                let is = match is_true {
                    Some(true) => "true",
                    Some(false) => "FALSE",
                    None => "FAILS",
                };
                writeln!(f, "    {is:5} {kind} {text}")?;
            }
        }
        for Near { policy, differs } in &self.near {
            writeln!(f, "  near: {policy} (another {differs})")?;
        }
        Ok(())
    }
}
