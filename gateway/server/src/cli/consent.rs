//! `naru consent …`: a client of the admin listener.

use std::io::Read;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

use super::operator::Operator;
use super::{Failure, say};

/// Grant, change, show and list consents.
#[derive(Args)]
pub(super) struct Consent {
    #[command(flatten)]
    operator: Operator,
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Record a consent that the person gave on paper. The resident number is read from standard
    /// input, so that it stands in no shell history and no process list.
    Grant(Box<Grant>),
    /// Record a consent that another system wrote: JSON with the names of the Account Aggregator
    /// framework (consentStart, fetchType, …) or a record after ISO/IEC TS 27560. The resident number
    /// is read from standard input.
    Import {
        /// The sector, e.g. welfare.
        #[arg(long)]
        sector: String,
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Where the signed paper is kept, e.g. a document number.
        #[arg(long)]
        evidence: Option<String>,
    },
    /// Narrow a consent to fewer items, an earlier end, or both.
    Narrow {
        /// Its id.
        id: Uuid,
        /// An item that remains; may be given several times. All remain when absent.
        #[arg(long = "item", required_unless_present = "until")]
        items: Vec<String>,
        /// The earlier end.
        #[arg(long)]
        until: Option<String>,
        /// Where the signed paper is kept.
        #[arg(long)]
        evidence: Option<String>,
    },
    /// Withdraw a consent; it takes effect for the next request, those waiting in the queue too.
    Withdraw {
        /// Its id.
        id: Uuid,
        /// Where the signed paper is kept.
        #[arg(long)]
        evidence: Option<String>,
    },
    /// List the consents of a recipient. Persons appear as pseudonyms.
    List {
        /// The member.
        #[arg(long)]
        recipient: String,
        /// The last id of the page before.
        #[arg(long)]
        after: Option<Uuid>,
    },
    /// Show the record of a consent (ISO/IEC TS 27560).
    Show {
        /// Its id.
        id: Uuid,
    },
    /// Show who changed a consent what when: each revision with its proof, its hash, which the next one
    /// names, and its receipt.
    History {
        /// Its id.
        id: Uuid,
    },
    /// List the exchanges that relied on a consent.
    Uses {
        /// Its id.
        id: Uuid,
    },
    /// Print the signed receipt that the person keeps, with the public key that checks it.
    Receipt {
        /// Its id.
        id: Uuid,
    },
}

#[derive(Args)]
struct Grant {
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
    /// From when it holds; from now when absent.
    #[arg(long)]
    from: Option<String>,
    /// Until when it holds, e.g. 2027-12-31T00:00:00+09:00.
    #[arg(long)]
    until: String,
    /// It may be used a single time.
    #[arg(long, conflicts_with = "uses")]
    once: bool,
    /// It may be used so many times …
    #[arg(long, requires = "per")]
    uses: Option<u32>,
    /// … in each hour, day, month or year.
    #[arg(long, requires = "uses", value_parser = ["hour", "day", "month", "year"])]
    per: Option<String>,
    /// Where the signed paper is kept, e.g. a document number.
    #[arg(long)]
    evidence: Option<String>,
}

impl Grant {
    fn body(self, resident: &str) -> Value {
        let limit = match (self.once, self.uses) {
            (true, _) => json!("once"),
            (false, Some(uses)) => json!({ "periodic": { "unit": self.per, "value": uses } }),
            (false, None) => Value::Null,
        };
        json!({
            "sector": self.sector,
            "resident": resident,
            "recipient": self.recipient,
            "purpose": self.purpose,
            "items": self.items,
            "valid_from": self.from,
            "valid_until": self.until,
            "limit": limit,
            "evidence": self.evidence,
        })
    }
}

impl Consent {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Self { operator, act } = self;
        let mut resident = String::new();
        if let Act::Grant(_) | Act::Import { .. } = act {
            std::io::stdin().read_to_string(&mut resident)?;
        }
        let resident = resident.trim();
        let events_only = matches!(act, Act::History { .. });
        let answer = match act {
            Act::Grant(grant) => operator.send(|client, admin| {
                client.post(format!("{admin}/consents")).json(&grant.body(resident))
            }),
            Act::Import { sector, file, evidence } => {
                let text = std::fs::read_to_string(&file)
                    .map_err(|error| format!("{}: {error}", file.display()))?;
                let consent: Value = serde_json::from_str(&text)
                    .map_err(|error| format!("{} is not JSON: {error}", file.display()))?;
                operator.send(|client, admin| {
                    client.post(format!("{admin}/consents/import")).json(&json!({
                        "sector": sector,
                        "resident": resident,
                        "evidence": evidence,
                        "consent": consent,
                    }))
                })
            }
            Act::Narrow { id, items, until, evidence } => operator.send(|client, admin| {
                let items = (!items.is_empty()).then_some(items);
                let narrowing = json!({ "items": items, "valid_until": until });
                client
                    .post(format!("{admin}/consents/{id}/narrow"))
                    .json(&json!({ "narrowing": narrowing, "evidence": evidence }))
            }),
            Act::Withdraw { id, evidence } => operator.send(|client, admin| {
                client
                    .post(format!("{admin}/consents/{id}/withdraw"))
                    .json(&json!({ "evidence": evidence }))
            }),
            Act::List { recipient, after } => operator.send(|client, admin| {
                let after = after.map(|after| ("after", after.to_string()));
                let named = std::iter::once(("recipient", recipient)).chain(after);
                client.get(format!("{admin}/consents")).query(&named.collect::<Vec<_>>())
            }),
            Act::Show { id } | Act::History { id } => {
                operator.send(|client, admin| client.get(format!("{admin}/consents/{id}")))
            }
            Act::Uses { id } => {
                operator.send(|client, admin| client.get(format!("{admin}/consents/{id}/uses")))
            }
            Act::Receipt { id } => {
                operator.send(|client, admin| client.get(format!("{admin}/consents/{id}/receipt")))
            }
        }?;
        let events = answer.get("events").filter(|_| events_only);
        say(serde_json::to_string_pretty(events.unwrap_or(&answer))?)
    }
}
