//! What a set of policies must answer, as YAML files beside it: a list of requests, each with whether
//! it is allowed and by which policies.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway_core::caller::Means;
use gateway_core::member::MemberState;
use gateway_core::{AccessRequest, Assurance, Decision, Endpoint, MemberId, Operation, ServiceId};
use jiff::Timestamp;
use serde::Deserialize;

use super::{Policies, Undecided};
use crate::config::Problem;

/// One request and what must come of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    request: WrittenRequest,
    expect: Expected,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    allowed: bool,
    /// Those that decide; any when absent.
    policies: Option<Vec<String>>,
}

/// An access request as a person writes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenRequest {
    member: String,
    class: Option<String>,
    #[serde(default)]
    state: MemberState,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    subsystem: Option<String>,
    /// `sector/code`
    service: String,
    operation: Operation,
    endpoint: Option<Endpoint>,
    purpose: Option<String>,
    #[serde(default = "api_key")]
    means: Means,
    /// What the means is worth when absent.
    assurance: Option<Assurance>,
    /// A working day in the morning, in Korea, when absent.
    #[serde(default = "monday")]
    time: Timestamp,
    #[serde(default)]
    networks: Vec<Arc<str>>,
    #[serde(default)]
    exemptions: Vec<Arc<str>>,
}

fn api_key() -> Means {
    Means::ApiKey
}

/// 2026-03-02, half past nine in Korea.
fn monday() -> Timestamp {
    Timestamp::constant(1_772_411_400, 0)
}

impl WrittenRequest {
    /// Reads one from YAML, of which JSON is a part.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it and where.
    pub fn parse(text: &str) -> Result<AccessRequest, String> {
        let written: Self = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        written.request()
    }

    fn request(self) -> Result<AccessRequest, String> {
        let (sector, code) = self.service.split_once('/').ok_or("`service` must be sector/code")?;
        let assurance = self.assurance.unwrap_or(match self.means {
            Means::Certificate => Assurance::Substantial,
            Means::ApiKey | Means::Folder => Assurance::Low,
        });
        Ok(AccessRequest {
            member: MemberId(self.member.into()),
            class: self.class.map(Arc::from),
            state: self.state,
            attributes: Arc::new(self.attributes),
            subsystem: self.subsystem.map(Arc::from),
            service: ServiceId { sector: sector.into(), code: code.into() },
            operation: self.operation,
            endpoint: self.endpoint.map(Arc::new),
            purpose: self.purpose.map(Arc::from),
            means: self.means,
            assurance,
            time: self.time,
            networks: self.networks,
            exemptions: self.exemptions,
        })
    }
}

/// What came of one case.
#[derive(Debug)]
pub struct CaseResult {
    file: PathBuf,
    name: String,
    /// Why it failed.
    failure: Option<String>,
}

impl CaseResult {
    /// Whether the policies answered as they must.
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }
}

impl fmt::Display for CaseResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, name, failure } = self;
        let file = file.display();
        match failure {
            None => write!(f, "pass {file}: {name}"),
            Some(failure) => write!(f, "FAIL {file}: {name}\n     {failure}"),
        }
    }
}

/// Runs every `*.yaml` file of `folder` against `policies`.
///
/// # Errors
/// Every file that cannot be read.
pub fn run(policies: &Policies, folder: &Path) -> Result<Vec<CaseResult>, Vec<Problem>> {
    let problem = |path: &Path, error: &dyn fmt::Display| {
        vec![Problem::new(path.display().to_string(), error)]
    };
    let entries = std::fs::read_dir(folder).map_err(|error| problem(folder, &error))?;
    let files = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    let mut results = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|error| problem(&file, &error))?;
        let cases: Vec<Case> =
            serde_saphyr::from_str(&text).map_err(|error| problem(&file, &error))?;
        results.extend(cases.into_iter().map(|case| check(policies, &file, case)));
    }
    Ok(results)
}

fn check(policies: &Policies, file: &Path, case: Case) -> CaseResult {
    let Case { name, request, expect } = case;
    let failure = match request.request().map(|request| policies.admit(&request)) {
        Err(problem) => Some(problem),
        Ok(Err(error)) => Some(error.to_string()),
        Ok(Ok(decision)) => expect.differs(&decision),
    };
    CaseResult { file: file.to_owned(), name, failure }
}

impl Expected {
    fn differs(&self, found: &Decision) -> Option<String> {
        let same = self.policies.as_ref().is_none_or(|policies| {
            let mut policies = policies.clone();
            policies.sort();
            policies == found.policies
        });
        if self.allowed == found.allowed && same {
            return None;
        }
        let wanted = self.policies.as_ref().map_or(String::new(), |policies| by(policies));
        let (wants, is) = (answer(self.allowed), answer(found.allowed));
        Some(format!("is {is}{}, and must be {wants}{wanted}", by(&found.policies)))
    }
}

fn answer(allowed: bool) -> &'static str {
    if allowed { "allowed" } else { "refused" }
}

fn by(policies: &[String]) -> String {
    match policies {
        [] => " by none".to_owned(),
        some => format!(" by {}", some.join(", ")),
    }
}

impl Policies {
    /// As [`Policies::decide`], and refused when the member may not call at all.
    ///
    /// # Errors
    /// As [`Policies::decide`].
    pub fn admit(&self, request: &AccessRequest) -> Result<Decision, Undecided> {
        if request.state != MemberState::Active {
            return Ok(Decision::default());
        }
        self.decide(request)
    }
}
