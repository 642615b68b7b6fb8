//! `naru quota …`: a client of the admin listener.

use clap::{Args, Subcommand};

use super::operator::Operator;
use super::{Failure, say};

/// See what is spent of quotas.
#[derive(Args)]
pub(super) struct Quota {
    #[command(flatten)]
    operator: Operator,
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// List the shares that are in use, those first that have least left. Of persons only the first
    /// digits of their pseudonym are shown.
    List,
}

impl Quota {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Act::List = self.act;
        let answer = self.operator.send(|client, admin| client.get(format!("{admin}/quotas")))?;
        say(serde_json::to_string_pretty(&answer)?)
    }
}
