//! `naru policy …`

mod traffic;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use uuid::Uuid;

use self::traffic::Traffic;
use super::{Failure, say};
use crate::policies::Policies;
use crate::policies::cases::{self, WrittenRequest};
use crate::policies::replay::Replay;

/// Work with access policies.
#[derive(Subcommand)]
pub(super) enum Policy {
    /// Check that policies parse and are valid against the schema.
    Check {
        /// The folder of the policies.
        #[arg(value_name = "DIR", default_value = "policies")]
        policies: PathBuf,
    },
    /// Run cases: requests, each with whether it must be allowed and by which policies.
    Test {
        /// The folder of the policies.
        #[arg(value_name = "DIR", default_value = "policies")]
        policies: PathBuf,
        /// The folder of the cases, *.yaml; `cases` in the folder of the policies when absent.
        #[arg(long, value_name = "DIR")]
        cases: Option<PathBuf>,
    },
    /// Say why a request is allowed or refused: which policies apply, and which condition fails.
    Explain(Explain),
    /// Decide recorded traffic again by other policies, and list what would change and for whom.
    Replay(ReplayTraffic),
}

#[derive(Args)]
#[command(after_help = "A request is written as in a case:\n\
    { member: mohw, service: welfare/history, operation: query, means: certificate }")]
pub(super) struct Explain {
    /// The folder of the policies.
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: PathBuf,
    #[command(flatten)]
    about: About,
    #[command(flatten)]
    traffic: Traffic,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What is to be explained.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct About {
    /// A file with a request, or - for standard input.
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// An exchange that was recorded.
    #[arg(long, value_name = "ID")]
    exchange: Option<Uuid>,
    /// A file with the receipt of one.
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct ReplayTraffic {
    /// The folder of the proposed policies.
    #[arg(long, value_name = "DIR")]
    policies: PathBuf,
    #[command(flatten)]
    traffic: Traffic,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Policy {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Check { policies } => {
                let count = load(&policies)?.count();
                say(format_args!("{}: good ({count} policies)", policies.display()))
            }
            Self::Test { policies, cases } => {
                let cases = cases.unwrap_or_else(|| policies.join("cases"));
                test(&load(&policies)?, &cases)
            }
            Self::Explain(explain) => explain.run(),
            Self::Replay(replay) => replay.run(),
        }
    }
}

fn load(folder: &Path) -> Result<Policies, Failure> {
    Policies::load(folder).map_err(|problems| super::listed("the policies do not load", &problems))
}

fn test(policies: &Policies, folder: &Path) -> Result<(), Failure> {
    let results = cases::run(policies, folder)
        .map_err(|problems| super::listed("the cases cannot be read", &problems))?;
    for result in &results {
        say(result)?;
    }
    let failed = results.iter().filter(|result| !result.passed()).count();
    say(format_args!("{} passed, {failed} failed", results.len() - failed))?;
    match (failed, results.len()) {
        (0, 1..) => Ok(()),
        (_, 0) => Err(format!("there is no case in {}", folder.display()).into()),
        _ => Err("some cases failed".into()),
    }
}

impl Explain {
    fn run(self) -> Result<(), Failure> {
        let policies = load(&self.policies)?;
        let request = match self.about {
            About { request: Some(file), .. } => WrittenRequest::parse(&super::read(&file)?)
                .map_err(|error| format!("{}: {error}", file.display()))?,
            About { receipt: Some(file), .. } => {
                let exchange = traffic::exchange_of(super::read(&file)?.trim())?;
                self.traffic.request_of(exchange)?
            }
            About { exchange, .. } => {
                self.traffic.request_of(exchange.ok_or("name an exchange with --exchange ID")?)?
            }
        };
        let explanation = policies.explain(&request)?;
        match self.json {
            true => say(serde_json::to_string_pretty(&explanation)?),
            false => say(explanation.to_string().trim_end()),
        }
    }
}

impl ReplayTraffic {
    fn run(self) -> Result<(), Failure> {
        let policies = load(&self.policies)?;
        let mut replay = Replay::default();
        self.traffic.each(|decided| Ok(replay.add(&policies, decided)?))?;
        match self.json {
            true => say(serde_json::to_string_pretty(&replay)?),
            false => say(replay),
        }
    }
}
