//! What the conditions of a policy read of a request's context.
//!
//! Only what somebody reads is said to Cedar, and what was decided is remembered by it.

use std::sync::Arc;

use cedar_policy::{ExpressionConstructionError, Policy, RestrictedExpression};
use gateway_core::caller::Means;
use gateway_core::{AccessRequest, Assurance, Endpoint};
use jiff::civil::DateTime;
use jiff::tz::{self, Offset};
use serde_json::Value;

/// One fact of the context, by its name in the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    Means,
    Assurance,
    Subsystem,
    Purpose,
    Endpoint,
    Time,
    Hour,
    Weekday,
    Networks,
    Exemptions,
}

impl Fact {
    const ALL: [Self; 10] = [
        Self::Means,
        Self::Assurance,
        Self::Subsystem,
        Self::Purpose,
        Self::Endpoint,
        Self::Time,
        Self::Hour,
        Self::Weekday,
        Self::Networks,
        Self::Exemptions,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Means => "means",
            Self::Assurance => "assurance",
            Self::Subsystem => "subsystem",
            Self::Purpose => "purpose",
            Self::Endpoint => "endpoint",
            Self::Time => "time",
            Self::Hour => "hour",
            Self::Weekday => "weekday",
            Self::Networks => "networks",
            Self::Exemptions => "exemptions",
        }
    }

    /// Its value; none where the request has none.
    fn value(self, request: &AccessRequest) -> Option<RestrictedExpression> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let set =
            |names: &[Arc<str>]| RestrictedExpression::new_set(names.iter().map(|name| text(name)));
        match self {
            Self::Means => Some(text(means(request.means))),
            Self::Assurance => Some(RestrictedExpression::new_long(level(request.assurance))),
            Self::Subsystem => request.subsystem.as_deref().map(text),
            Self::Purpose => request.purpose.as_deref().map(text),
            Self::Endpoint => endpoint(request.endpoint.as_deref()?).ok(),
            Self::Time => Some(RestrictedExpression::new_datetime(format!("{:.3}", request.time))),
            Self::Hour => Some(RestrictedExpression::new_long(korean(request).hour().into())),
            Self::Weekday => Some(RestrictedExpression::new_long(weekday(request).into())),
            Self::Networks => Some(set(&request.networks)),
            Self::Exemptions => Some(set(&request.exemptions)),
        }
    }
}

/// Some of the facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts(u16);

impl Facts {
    /// All of them.
    pub(super) const ALL: Self = Self((1 << Fact::ALL.len()) - 1);

    /// Those that the conditions of a policy read.
    pub(super) fn read_by(policy: &Policy) -> Self {
        let mut read = Self::default();
        match policy.to_json() {
            Ok(policy) => policy.get("conditions").into_iter().for_each(|body| read.walk(body)),
            Err(_) => read = Self::ALL,
        }
        read
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn has(self, fact: Fact) -> bool {
        self.0 & (1 << fact as u16) != 0
    }

    /// The context of a request, as far as these go.
    pub(super) fn of(
        self,
        request: &AccessRequest,
    ) -> impl Iterator<Item = (String, RestrictedExpression)> {
        let facts = Fact::ALL.into_iter().filter(move |fact| self.has(*fact));
        facts.filter_map(|fact| Some((fact.name().to_owned(), fact.value(request)?)))
    }

    /// Looks for the context in an expression of Cedar's JSON form. Where it is used otherwise than
    /// by the name of a fact, every fact is read.
    fn walk(&mut self, expression: &Value) {
        match expression {
            Value::Object(parts) => {
                for (operator, operands) in parts {
                    match (operator.as_str(), fact_of(operands)) {
                        ("." | "has", Some(fact)) => self.0 |= 1 << fact as u16,
                        ("Var", _) if operands == "context" => *self = Self::ALL,
                        _ => self.walk(operands),
                    }
                }
            }
            Value::Array(parts) => parts.iter().for_each(|part| self.walk(part)),
            _ => {}
        }
    }
}

/// The fact that `context.name` or `context has name` is about.
fn fact_of(operands: &Value) -> Option<Fact> {
    let variable = operands.get("left")?.get("Var")?;
    let name = operands.get("attr")?.as_str()?;
    let fact = Fact::ALL.into_iter().find(|fact| fact.name() == name);
    fact.filter(|_| variable == "context")
}

/// What decisions are remembered by: the value of every fact that is read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Seen {
    means: Option<Means>,
    assurance: Option<Assurance>,
    subsystem: Option<Arc<str>>,
    purpose: Option<Arc<str>>,
    endpoint: Option<Arc<Endpoint>>,
    hour: Option<i8>,
    weekday: Option<i8>,
    networks: Vec<Arc<str>>,
    exemptions: Vec<Arc<str>>,
}

impl Seen {
    /// Nothing where the instant itself is read: it does not come again.
    pub(super) fn of(request: &AccessRequest, facts: Facts) -> Option<Self> {
        if facts.has(Fact::Time) {
            return None;
        }
        let read = |fact| facts.has(fact).then_some(());
        let names = |fact, names: &[Arc<str>]| {
            if facts.has(fact) { names.to_vec() } else { Vec::new() }
        };
        Some(Self {
            means: read(Fact::Means).map(|()| request.means),
            assurance: read(Fact::Assurance).map(|()| request.assurance),
            subsystem: read(Fact::Subsystem).and_then(|()| request.subsystem.clone()),
            purpose: read(Fact::Purpose).and_then(|()| request.purpose.clone()),
            endpoint: read(Fact::Endpoint).and_then(|()| request.endpoint.clone()),
            hour: read(Fact::Hour).map(|()| korean(request).hour()),
            weekday: read(Fact::Weekday).map(|()| weekday(request)),
            networks: names(Fact::Networks, &request.networks),
            exemptions: names(Fact::Exemptions, &request.exemptions),
        })
    }
}

fn means(means: Means) -> &'static str {
    match means {
        Means::Certificate => "certificate",
        Means::ApiKey => "api-key",
        Means::Folder => "folder",
    }
}

fn level(assurance: Assurance) -> i64 {
    match assurance {
        Assurance::Low => 1,
        Assurance::Substantial => 2,
    }
}

fn endpoint(endpoint: &Endpoint) -> Result<RestrictedExpression, ExpressionConstructionError> {
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    RestrictedExpression::new_record([
        ("method".to_owned(), text(&endpoint.method)),
        ("path".to_owned(), text(&endpoint.path)),
    ])
}

/// Korea has one time zone and no summer time.
const KOREA: Offset = tz::offset(9);

fn korean(request: &AccessRequest) -> DateTime {
    KOREA.to_datetime(request.time)
}

fn weekday(request: &AccessRequest) -> i8 {
    korean(request).weekday().to_monday_one_offset()
}
