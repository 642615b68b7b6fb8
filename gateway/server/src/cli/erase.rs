//! `naru erase …` and `naru hold …`: clients of the admin listener.

use std::io::Read;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

use super::operator::Operator;
use super::{Failure, say, warn};

/// Destroy what is kept of a person.
#[derive(Args)]
pub(super) struct Erase {
    #[command(flatten)]
    operator: Operator,
    #[command(subcommand)]
    act: EraseAct,
}

#[derive(Subcommand)]
enum EraseAct {
    /// Destroy the keys of all bodies kept of a person, in the archive and in every earlier copy of it.
    /// The resident number is read from standard input, so that it stands in no shell history. It
    /// cannot be undone. A legal hold stops it.
    Person,
}

impl Erase {
    pub(super) fn run(self) -> Result<(), Failure> {
        let EraseAct::Person = self.act;
        let body = json!({ "resident": resident()? });
        let send = self
            .operator
            .send(|client, admin| client.post(format!("{admin}/erasures")).json(&body));
        let answer = send?;
        if answer.get("backupsErased") == Some(&Value::Bool(false)) {
            warn(
                "THE ROOT KEY WAS NOT REPLACED, because it comes from the environment: whoever has it \
                 and an earlier backup of the archive can still open what was erased. Keep the root \
                 key in a file, or destroy those backups.",
            );
        }
        say(serde_json::to_string_pretty(&answer)?)
    }
}

/// Legal holds: what one covers is neither erased nor swept.
#[derive(Args)]
pub(super) struct Hold {
    #[command(flatten)]
    operator: Operator,
    #[command(subcommand)]
    act: HoldAct,
}

#[derive(Subcommand)]
enum HoldAct {
    /// Hold everything kept of a person, whose resident number is read from standard input, or of one
    /// exchange.
    Place {
        /// The reference of who ordered it, such as a court's file number.
        #[arg(long)]
        reason: String,
        /// Of a person, only what serves this purpose.
        #[arg(long, conflicts_with = "exchange")]
        purpose: Option<String>,
        /// One exchange.
        #[arg(long)]
        exchange: Option<Uuid>,
    },
    /// List the holds that stand. Whom they are about is not shown.
    List,
    /// End a hold.
    Lift {
        /// Its id.
        id: Uuid,
    },
}

impl Hold {
    pub(super) fn run(self) -> Result<(), Failure> {
        let resident = match &self.act {
            HoldAct::Place { exchange: None, .. } => Some(resident()?),
            _ => None,
        };
        let answer = self.operator.send(|client, admin| match &self.act {
            HoldAct::Place { reason, purpose, exchange } => {
                let order = json!({
                    "resident": resident, "purpose": purpose, "exchange": exchange,
                    "reason": reason,
                });
                client.post(format!("{admin}/holds")).json(&order)
            }
            HoldAct::List => client.get(format!("{admin}/holds")),
            HoldAct::Lift { id } => client.delete(format!("{admin}/holds/{id}")),
        })?;
        say(serde_json::to_string_pretty(&answer)?)
    }
}

fn resident() -> Result<String, Failure> {
    let mut resident = String::new();
    std::io::stdin().read_to_string(&mut resident)?;
    match resident.trim() {
        "" => Err("write the resident number to standard input".into()),
        number => Ok(number.to_owned()),
    }
}
