//! `naru consent …`: a client of the admin listener.

use std::io::Read;

use clap::{Args, Subcommand};
use serde_json::json;
use uuid::Uuid;

use super::operator::Operator;
use super::{Failure, say};

/// Record, withdraw and list consents.
#[derive(Args)]
pub(super) struct Consent {
    #[command(flatten)]
    operator: Operator,
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Record a consent. The resident number is read from standard input, so that it stands in no
    /// shell history and no process list.
    Grant {
        /// The sector, e.g. welfare.
        #[arg(long)]
        sector: String,
        /// The member who may receive the data.
        #[arg(long)]
        recipient: String,
        /// The registered purpose.
        #[arg(long)]
        purpose: String,
        /// An item the person agrees to; may be given several times.
        #[arg(long = "item", required = true)]
        items: Vec<String>,
        /// Until when it holds, e.g. 2027-12-31T00:00:00+09:00.
        #[arg(long)]
        until: String,
    },
    /// Withdraw a consent; it takes effect for the next request.
    Withdraw {
        /// Its id.
        id: Uuid,
    },
    /// List the consents of a recipient. Persons appear as pseudonyms.
    List {
        /// The member.
        #[arg(long)]
        recipient: String,
    },
}

impl Consent {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut resident = String::new();
        if let Act::Grant { .. } = self.act {
            std::io::stdin().read_to_string(&mut resident)?;
        }
        let answer = self.operator.send(|client, admin| match self.act {
            Act::Grant { sector, recipient, purpose, items, until } => {
                client.post(format!("{admin}/consents")).json(&json!({
                    "sector": sector,
                    "resident": resident.trim(),
                    "recipient": recipient,
                    "purpose": purpose,
                    "items": items,
                    "valid_until": until,
                }))
            }
            Act::Withdraw { id } => client.delete(format!("{admin}/consents/{id}")),
            Act::List { recipient } => {
                client.get(format!("{admin}/consents")).query(&[("recipient", recipient)])
            }
        })?;
        say(serde_json::to_string_pretty(&answer)?)
    }
}
