//! `naru letter …`: a client of the admin listener.

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

use super::operator::Operator;
use super::{Failure, say};

/// Inspect, replay and discard what waits or was given up.
#[derive(Args)]
pub(super) struct Letter {
    #[command(flatten)]
    operator: Operator,
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// List letters: asynchronous exchanges and callbacks.
    List {
        /// Which ones.
        #[arg(long, value_enum, default_value = "dead")]
        state: State,
        /// The last id of the page before.
        #[arg(long)]
        after: Option<Uuid>,
    },
    /// Show what is known of one. Its content is personal and not shown.
    Show {
        /// Its id.
        id: Uuid,
    },
    /// Try a dead one again, as if it had never been tried.
    Replay {
        /// Its id.
        id: Uuid,
    },
    /// Remove one that waits or is dead.
    Drop {
        /// Its id.
        id: Uuid,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum State {
    Waiting,
    Done,
    Dead,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }
}

impl Letter {
    pub(super) fn run(self) -> Result<(), Failure> {
        let answer = self.operator.send(|client, admin| {
            let letters = format!("{admin}/letters");
            match self.act {
                Act::List { state, after } => {
                    let after = after.map(|after| ("after", after.to_string()));
                    let listed = client.get(letters).query(&[("state", state.name())]);
                    listed.query(after.as_slice())
                }
                Act::Show { id } => client.get(format!("{letters}/{id}")),
                Act::Replay { id } => client.post(format!("{letters}/{id}/replay")),
                Act::Drop { id } => client.delete(format!("{letters}/{id}")),
            }
        })?;
        say(serde_json::to_string_pretty(&answer)?)
    }
}
