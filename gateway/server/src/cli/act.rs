//! `naru act …`: a client of the admin listener.

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::operator::Operator;
use super::{Failure, say};

/// See, approve and reject acts that wait for a second operator.
#[derive(Args)]
pub(super) struct Act {
    #[command(flatten)]
    operator: Operator,
    #[command(subcommand)]
    act: Decision,
}

#[derive(Subcommand)]
enum Decision {
    /// List the acts that wait.
    List {
        /// Also those that were decided.
        #[arg(long)]
        all: bool,
    },
    /// Approve an act that another operator proposed; it is done at once.
    Approve {
        /// The act.
        id: Uuid,
    },
    /// End an act that waits. Its proposer may, too.
    Reject {
        /// The act.
        id: Uuid,
    },
}

impl Act {
    pub(super) fn run(self) -> Result<(), Failure> {
        let answer = self.operator.send(|client, admin| match self.act {
            Decision::List { all } => client.get(format!("{admin}/acts")).query(&[("all", all)]),
            Decision::Approve { id } => client.post(format!("{admin}/acts/{id}/approve")),
            Decision::Reject { id } => client.post(format!("{admin}/acts/{id}/reject")),
        })?;
        say(serde_json::to_string_pretty(&answer)?)
    }
}
