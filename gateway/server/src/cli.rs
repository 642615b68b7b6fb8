//! The `naru` command.

mod act;
mod alarm;
mod consent;
mod erase;
mod exchange;
mod journal;
mod key;
mod letter;
mod mapping;
mod member;
mod mirror;
mod operator;
mod policy;
mod quota;
mod reloading;
mod submit;
mod verify;
mod world;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gateway_journal::MirrorError;

use crate::config::Problem;
use crate::plan::Plan;
use crate::reload;
use crate::telemetry::start_logging;

/// Naru: a gateway between legacy systems and ledgers.
///
/// It authenticates the caller, checks access, consent and quota, maps the message, routes it to a
/// ledger or another system, maps the answer back into the caller's own format, and leaves evidence
/// that anyone can verify.
#[derive(Parser)]
#[command(
    name = "naru",
    version,
    after_help = "Try it: `naru world` starts a practice world and \
shows the main job on sample input.\nA configuration to start from: sandbox/config/naru.toml"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway until SIGTERM or Ctrl-C; what is in flight is finished first. SIGHUP reloads.
    Serve {
        /// The configuration.
        #[arg(long, value_name = "FILE", default_value = "naru.toml", env = "NARU_CONFIG")]
        config: PathBuf,
    },
    /// Check a configuration and everything it names, and report every problem at once.
    Check {
        /// The configuration.
        #[arg(value_name = "FILE", default_value = "naru.toml")]
        config: PathBuf,
    },
    /// Let a running gateway read its configuration again, without dropping a request. A file with
    /// problems changes nothing, and all of them are reported.
    Reload(reloading::Reload),
    /// List the last answers that differed where queries are also asked elsewhere: which fields, and
    /// of which exchange.
    Mirror(mirror::Mirror),
    /// List the alarms about persons that a running gateway has raised.
    Alarm(alarm::Alarm),
    /// List what is spent of quotas, through a running gateway's admin listener.
    Quota(quota::Quota),
    /// Verify a receipt offline: that its entry is in the log, under a checkpoint the log signed.
    Verify(verify::Verify),
    /// Re-check a whole evidence log, or follow another gateway's as a mirror.
    #[command(subcommand)]
    Journal(journal::Journal),
    /// Work with mappings.
    #[command(subcommand)]
    Mapping(mapping::Mapping),
    /// Check and test access policies, explain decisions, and replay recorded traffic.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Grant, narrow, withdraw, import, show and list consents, their histories and receipts, through a
    /// running gateway's admin listener.
    Consent(consent::Consent),
    /// List, replay and drop asynchronous exchanges and callbacks, through a running gateway's admin
    /// listener.
    Letter(letter::Letter),
    /// List submits whose outcome is not known, and settle one as you have found out, through a running
    /// gateway's admin listener.
    Submit(submit::Submit),
    /// See members, let them in, suspend and end them, and change their keys, through a running gateway's
    /// admin listener.
    Member(member::Member),
    /// List, approve and reject acts that wait for a second operator, through a running gateway's admin
    /// listener.
    Act(act::Act),
    /// Destroy what is kept of a person, in every copy, through a running gateway's admin listener.
    Erase(erase::Erase),
    /// Place, list and lift legal holds, which stop erasures and sweeps, through a running gateway's
    /// admin listener.
    Hold(erase::Hold),
    /// List, show and export what passed, through a running gateway's admin listener.
    Exchange(exchange::Exchange),
    /// Make keys.
    #[command(subcommand)]
    Key(key::Key),
    /// Start the practice world: an EVM node with the welfare contract, test certificates, a
    /// gateway, and a tour of the main job.
    World(world::World),
}

/// A sentence for the person at the terminal, with what to do next.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs the command line. 0: it worked; 1: it did not; 2: the command line is wrong; 3: an evidence
/// log contradicts itself.
pub fn run() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve { config } => serve(config),
        Command::Check { config } => check(config),
        Command::Reload(reload) => reload.run(),
        Command::Mirror(mirror) => mirror.run(),
        Command::Alarm(alarm) => alarm.run(),
        Command::Quota(quota) => quota.run(),
        Command::Verify(verify) => verify.run(),
        Command::Journal(journal) => journal.run(),
        Command::Mapping(mapping) => mapping.run(),
        Command::Policy(policy) => policy.run(),
        Command::Consent(consent) => consent.run(),
        Command::Letter(letter) => letter.run(),
        Command::Submit(submit) => submit.run(),
        Command::Member(member) => member.run(),
        Command::Act(act) => act.run(),
        Command::Erase(erase) => erase.run(),
        Command::Hold(hold) => hold.run(),
        Command::Exchange(exchange) => exchange.run(),
        Command::Key(key) => key.run(),
        Command::World(world) => world.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing is left to be done when standard error is closed.
            let _ = writeln!(io::stderr(), "naru: {}", with_causes(&*failure));
            match failure.downcast_ref::<MirrorError>() {
                Some(error) if error.is_misbehavior() => ExitCode::from(3),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

/// A failure and what caused it, each said once.
fn with_causes(failure: &(dyn std::error::Error + 'static)) -> String {
    let mut said = failure.to_string();
    let mut cause = failure.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        cause = error.source();
    }
    said
}

/// A line for the person at the terminal beside what the command prints.
fn warn(line: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Prints a line for the person at the terminal.
fn say(line: impl std::fmt::Display) -> Result<(), Failure> {
    Ok(writeln!(io::stdout(), "{line}")?)
}

/// Runs a future on a runtime of its own.
fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future)
}

fn plan(config: &Path) -> Result<Plan, Failure> {
    reload::plan(config).map_err(|problems| {
        let count = problems.len();
        listed(&format!("{count} problem(s) in {}", config.display()), &problems)
    })
}

/// What is wrong, and each problem on a line.
fn listed(what: &str, problems: &[Problem]) -> Failure {
    let lines: Vec<_> = problems.iter().map(|problem| format!("  {problem}")).collect();
    format!("{what}:\n{}", lines.join("\n")).into()
}

/// What stands in a file, or comes from standard input for `-`.
fn read(file: &Path) -> Result<String, Failure> {
    if file.as_os_str() == "-" {
        return Ok(io::read_to_string(io::stdin())?);
    }
    let read = std::fs::read_to_string(file);
    read.map_err(|error| format!("{}: {error}", file.display()).into())
}

fn serve(config: PathBuf) -> Result<(), Failure> {
    let plan = plan(&config)?;
    start_logging(&plan.config.log_output)?;
    block_on(async { Ok(crate::serve::serve(plan, config).await?) })
}

fn check(config: PathBuf) -> Result<(), Failure> {
    let Plan { config: checked, deployable, .. } = plan(&config)?;
    say(format_args!(
        "{}: good ({} members, {} services, {} routes; digest {})",
        config.display(),
        deployable.members.ids().len(),
        deployable.catalog.services().count(),
        checked.routes.len(),
        deployable.fingerprint.configuration,
    ))
}
