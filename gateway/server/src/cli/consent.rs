//! `naru consent …`: a client of the admin listener.

use std::io::Read;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Failure, block_on, say};

/// Record, withdraw and list consents.
#[derive(Args)]
pub(super) struct Consent {
    /// The admin listener of a running gateway.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:18081", global = true)]
    admin: String,
    /// A file with the operator's key.
    #[arg(long, value_name = "FILE", env = "NARU_ADMIN_KEY_FILE", global = true)]
    key: Option<PathBuf>,
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
        let key = self.key.as_deref().ok_or("name the operator's key file with --key FILE")?;
        let key = std::fs::read_to_string(key)
            .map_err(|error| format!("the key {}: {error}", key.display()))?;
        let client = reqwest::Client::new();
        let consents = format!("{}/admin/consents", self.admin.trim_end_matches('/'));
        let request = match self.act {
            Act::Grant { sector, recipient, purpose, items, until } => {
                let mut resident = String::new();
                std::io::stdin().read_to_string(&mut resident)?;
                client.post(consents).json(&json!({
                    "sector": sector,
                    "resident": resident.trim(),
                    "recipient": recipient,
                    "purpose": purpose,
                    "items": items,
                    "valid_until": until,
                }))
            }
            Act::Withdraw { id } => client.delete(format!("{consents}/{id}")),
            Act::List { recipient } => client.get(consents).query(&[("recipient", recipient)]),
        };
        let answer = block_on(async move {
            let response = request.bearer_auth(key.trim()).send().await;
            let response = response.map_err(|error| {
                format!("the admin listener cannot be reached ({error}); name it with --admin URL")
            })?;
            let refused = !response.status().is_success();
            let answer: Value = response.json().await?;
            match refused {
                true => {
                    Err(answer.get("detail").and_then(Value::as_str).unwrap_or("refused").into())
                }
                false => Ok(answer),
            }
        })?;
        say(serde_json::to_string_pretty(&answer)?)
    }
}
