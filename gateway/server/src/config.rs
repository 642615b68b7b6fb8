//! The configuration as written: TOML, unknown keys refused, every problem reported at once.
//!
//! What it names (files, secrets, fronts, backends) is checked in [`crate::plan`]; `naru check` runs
//! both. What of it can change while the gateway runs is said in [`source`].

mod access;
mod admin;
mod alarm;
mod backend;
mod batch;
mod bodies;
mod consent;
pub mod layers;
mod listen;
mod log;
mod queue;
mod quota;
pub mod routes;
pub mod source;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::secret::SecretRef;

pub use access::{Exemption, Network};
pub use admin::{Admin, AdminKey};
pub use alarm::{Alarm, Level, Priority};
pub use backend::{Backend, BackendCommon, BackendKind, BackendKindName};
pub use batch::{BatchListener, Sftp};
pub use bodies::Bodies;
pub use consent::Consent;
pub use listen::{
    GrpcListener, HttpListener, Limits, Listen, PeopleListener, SwitchListener, SwitchTls,
    TelegramListener, Tls,
};
pub use log::{Log, LogFormat, LogOutput, LogTimestamps, LogWitness};
pub use queue::{Queue, Subscription};
pub use quota::{Per, Period, Quota};
pub use routes::Route;

/// One thing wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where: a key path such as `member[1].id`, or a file.
    pub path: String,
    /// What, and what to do about it.
    pub message: String,
}

impl Problem {
    /// A problem at a key path.
    pub fn new(path: impl Into<String>, message: impl fmt::Display) -> Self {
        Self { path: path.into(), message: message.to_string() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// A whole configuration file.
#[derive(Debug)]
pub struct Config {
    /// The folder of the file; relative paths start here.
    pub base: PathBuf,
    /// The file as it is written. No secret stands in it: they are named.
    pub table: toml::Table,
    /// `[gateway]`
    pub gateway: Gateway,
    /// `[secrets]`
    pub secrets: Secrets,
    /// `[log]`
    pub log: Log,
    /// `[[listen.*]]`
    pub listen: Listen,
    /// `[admin]`
    pub admin: Admin,
    /// `[fronts]`
    pub fronts: Fronts,
    /// `[[member]]`
    pub members: Vec<Member>,
    /// `[[network]]`
    pub networks: Vec<Network>,
    /// `[[exemption]]`
    pub exemptions: Vec<Exemption>,
    /// `[[quota]]`
    pub quotas: Vec<Quota>,
    /// `[[alarm]]`
    pub alarms: Vec<Alarm>,
    /// `[[priority]]`
    pub priorities: Vec<Priority>,
    /// `[[backend]]`
    pub backends: Vec<Backend>,
    /// `[[route]]`
    pub routes: Vec<Route>,
    /// `[bodies]`
    pub bodies: Option<Bodies>,
    /// `[queue]`
    pub queue: Option<Queue>,
    /// `[[subscription]]`
    pub subscriptions: Vec<Subscription>,
    /// `[consent]`
    pub consent: Consent,
    /// `[log_output]`
    pub log_output: LogOutput,
}

/// `[gateway]`
#[derive(Debug, Deserialize)]
pub struct Gateway {
    /// A name for logs.
    pub name: String,
    /// The folder of the SQLite store.
    pub state: PathBuf,
    /// The mapping catalog.
    pub catalog: PathBuf,
    /// The folder of the Cedar policies.
    pub policies: PathBuf,
    /// How long a shutdown waits for what is in flight.
    #[serde(default = "ten")]
    pub shutdown_seconds: u64,
    /// HTTP worker threads; as many as there are cores when absent.
    pub workers: Option<usize>,
    /// By which the days and months of quotas begin.
    #[serde(default = "seoul")]
    pub time_zone: String,
    /// How many days the outcome of a submit is kept for repeats of its idempotency key.
    #[serde(default = "seven")]
    pub idempotency_days: u32,
}

/// `[secrets]`
#[derive(Debug, Deserialize)]
pub struct Secrets {
    /// Per sector, 32 bytes in hex: the key of its pseudonyms.
    pub pseudonyms: BTreeMap<String, SecretRef>,
    /// 32 bytes in hex: the key of the journal's commitments.
    pub commitments: SecretRef,
}

/// `[fronts]`
#[derive(Debug, Default, Deserialize)]
pub struct Fronts {
    /// Mappings served under `POST /soap/{service}`.
    #[serde(default)]
    pub soap: Vec<String>,
    /// Mappings served under `/v1/{sector}/`.
    #[serde(default)]
    pub rest: Vec<String>,
    /// Mappings served under `/xml/{service}/`.
    #[serde(default)]
    pub xml: Vec<String>,
    /// Mappings served under `/r1/`, each its provider.
    #[serde(default)]
    pub xroad_rest: Vec<String>,
}

/// `[[member]]`
#[derive(Debug, Default, Deserialize)]
pub struct Member {
    /// Its identifier in policies, consents and records.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// What kind of organization it is, for policies, e.g. `GOV`.
    pub class: Option<String>,
    /// What else policies may ask of it.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Its systems. Where there are any, a message that names another one is refused.
    #[serde(default)]
    pub subsystems: Vec<String>,
    /// `sha256:` and the hex digest of each API key.
    #[serde(default)]
    pub api_keys: Vec<String>,
    /// `sha256:` and the hex digest of each certificate's DER.
    #[serde(default)]
    pub certificates: Vec<String>,
    /// It is an office that takes consents on paper; what its word for that is worth.
    pub paper_consent: Option<gateway_core::Assurance>,
    /// The versions of formats that it speaks, where a listener serves another version of the same.
    #[serde(default)]
    pub fronts: Vec<String>,
}

fn seoul() -> String {
    "Asia/Seoul".to_owned()
}
fn seven() -> u32 {
    7
}
fn ten() -> u64 {
    10
}

impl Config {
    /// Reads and parses a file.
    ///
    /// # Errors
    /// Every problem that can be seen without opening what it names.
    pub fn read(file: &Path) -> Result<Self, Vec<Problem>> {
        let at = || file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|error| {
            vec![Problem::new(
                at(),
                format!("cannot be read ({error}); name it with --config FILE"),
            )]
        })?;
        let base = file.parent().unwrap_or(Path::new("")).to_owned();
        Self::parse(&text, base)
    }

    /// Parses the text of a file whose relative paths start at `base`.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn parse(text: &str, base: PathBuf) -> Result<Self, Vec<Problem>> {
        let table = text
            .parse::<toml::Table>()
            .map_err(|error| vec![Problem::new("(syntax)", error.to_string().trim_end())])?;
        let mut sections = Sections { table: table.clone(), problems: Vec::new() };
        let gateway = sections.required("gateway");
        let secrets = sections.required("secrets");
        let log = sections.required("log");
        let admin = sections.required("admin");
        let listen = sections.optional("listen");
        let fronts = sections.optional("fronts");
        let log_output = sections.optional("log_output");
        let consent = sections.optional("consent");
        let queue = sections.at_most_one("queue");
        let bodies = sections.at_most_one("bodies");
        let subscriptions = sections.list("subscription");
        let members = sections.list("member");
        let networks = sections.list("network");
        let exemptions = sections.list("exemption");
        let quotas = sections.list("quota");
        let alarms = sections.list("alarm");
        let priorities = sections.list("priority");
        let backends = sections.backends();
        let routes = sections.list("route");
        sections.refuse_the_rest();
        match (gateway, secrets, log, admin, listen, fronts, log_output, queue, consent, bodies) {
            (
                Some(gateway),
                Some(secrets),
                Some(log),
                Some(admin),
                Some(listen),
                Some(fronts),
                Some(log_output),
                Some(queue),
                Some(consent),
                Some(bodies),
            ) if sections.problems.is_empty() => Ok(Self {
                base,
                table,
                gateway,
                secrets,
                log,
                listen,
                admin,
                fronts,
                members,
                networks,
                exemptions,
                quotas,
                alarms,
                priorities,
                backends,
                routes,
                bodies,
                queue,
                subscriptions,
                consent,
                log_output,
            }),
            _ => Err(sections.problems),
        }
    }

    /// A path of the configuration, from where the file is.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.base.join(path)
    }
}

/// Moves the named keys into a table of their own.
fn take(from: &mut toml::Table, keys: &[&str]) -> toml::Value {
    let taken = keys.iter().filter_map(|key| from.remove_entry(*key)).collect::<toml::Table>();
    taken.into()
}

/// The sections of a file that have not been read yet, and what was wrong with the others.
struct Sections {
    table: toml::Table,
    problems: Vec<Problem>,
}

impl Sections {
    fn required<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        match self.table.remove(name) {
            Some(value) => self.read(name, value),
            None => {
                self.problems.push(Problem::new(name, "this section is required"));
                None
            }
        }
    }

    fn optional<T: DeserializeOwned + Default>(&mut self, name: &str) -> Option<T> {
        match self.table.remove(name) {
            Some(value) => self.read(name, value),
            None => Some(T::default()),
        }
    }

    fn at_most_one<T: DeserializeOwned>(&mut self, name: &str) -> Option<Option<T>> {
        match self.table.remove(name) {
            Some(value) => self.read(name, value).map(Some),
            None => Some(None),
        }
    }

    fn list<T: DeserializeOwned>(&mut self, name: &str) -> Vec<T> {
        let elements = self.tables(name);
        elements.into_iter().filter_map(|(at, element)| self.read(&at, element)).collect()
    }

    fn tables(&mut self, name: &str) -> Vec<(String, toml::Value)> {
        match self.table.remove(name) {
            None => Vec::new(),
            Some(toml::Value::Array(elements)) => {
                let at = |index: usize| format!("{name}[{index}]");
                elements.into_iter().enumerate().map(|(index, one)| (at(index), one)).collect()
            }
            Some(_) => {
                self.problems.push(Problem::new(name, format!("write each one as [[{name}]]")));
                Vec::new()
            }
        }
    }

    fn backends(&mut self) -> Vec<Backend> {
        let elements = self.tables("backend");
        elements.into_iter().filter_map(|(at, element)| self.backend(&at, element)).collect()
    }

    fn read<T: DeserializeOwned>(&mut self, at: &str, value: toml::Value) -> Option<T> {
        let problems = &mut self.problems;
        let mut track = serde_path_to_error::Track::new();
        let located = serde_path_to_error::Deserializer::new(value, &mut track);
        let read = serde_ignored::deserialize(located, |key| {
            // An optional table stands in the path as `?`, which is no part of the key.
            let key = key.to_string().replace(".?", "");
            problems.push(Problem::new(format!("{at}.{key}"), "unknown key"));
        });
        match read {
            Ok(section) => Some(section),
            Err(error) => {
                let path = track.path().to_string();
                let path = if path == "." { at.to_owned() } else { format!("{at}.{path}") };
                problems.push(Problem::new(path, error.message()));
                None
            }
        }
    }

    fn refuse_the_rest(&mut self) {
        for (name, _) in std::mem::take(&mut self.table) {
            self.problems.push(Problem::new(name, "unknown section"));
        }
    }
}

#[cfg(test)]
mod tests;
