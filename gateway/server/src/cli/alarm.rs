//! `naru alarm …`: a client of the admin listener.

use clap::{Args, Subcommand};

use super::operator::Operator;
use super::{Failure, say};

/// See who asks about very many persons, or whom very many ask about.
#[derive(Args)]
pub(super) struct Alarm {
    #[command(flatten)]
    operator: Operator,
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// List the last alarms, the newest first. Of persons only the first digits of their pseudonym are
    /// shown; each alarm's id names its entry in the evidence log.
    List,
}

impl Alarm {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Act::List = self.act;
        let answer = self.operator.send(|client, admin| client.get(format!("{admin}/alarms")))?;
        say(serde_json::to_string_pretty(&answer)?)
    }
}
