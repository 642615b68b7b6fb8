//! `naru member …`: a client of the admin listener.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde_json::json;

use super::operator::Operator;
use super::{Failure, say};

/// See members, let them in, suspend and end them, and change their keys.
#[derive(Args)]
pub(super) struct Member {
    #[command(flatten)]
    operator: Operator,
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// List every member with its state.
    List,
    /// Show one member, with its keys.
    Show {
        /// The member.
        id: String,
    },
    /// Register a member that applies. It may call once it is activated.
    Apply(Apply),
    /// Let a member in that applied.
    Activate {
        /// The member.
        id: String,
    },
    /// Let a member call no more until it is resumed; at once, also what waits in the queue.
    Suspend {
        /// The member.
        id: String,
    },
    /// Let a suspended member call again.
    Resume {
        /// The member.
        id: String,
    },
    /// End a member, for good.
    End {
        /// The member.
        id: String,
    },
    /// Add and revoke keys and certificates.
    #[command(subcommand)]
    Key(Key),
}

#[derive(Args)]
struct Apply {
    /// Its id, in policies, consents and on ledgers.
    id: String,
    /// Its name for people.
    #[arg(long)]
    name: String,
    /// What kind of organization it is, e.g. GOV.
    #[arg(long)]
    class: Option<String>,
    /// What policies may ask of it, as name=value; may be given several times.
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = pair)]
    attributes: Vec<(String, String)>,
    /// A system of it; may be given several times.
    #[arg(long = "subsystem")]
    subsystems: Vec<String>,
    /// How the organization is reached: an office, no private person.
    #[arg(long)]
    contact: Option<String>,
}

#[derive(Subcommand)]
enum Key {
    /// Add a key or certificate; those there are stay, so that one can follow another.
    Add {
        /// The member.
        id: String,
        /// sha256: and the digest of an API key's text.
        #[arg(long, value_name = "HASH", required_unless_present = "certificate")]
        api_key: Option<String>,
        /// sha256: and the digest of a certificate's DER.
        #[arg(long, value_name = "HASH", conflicts_with = "api_key")]
        certificate: Option<String>,
        /// From when it holds; now when absent.
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Until when it holds, e.g. 2027-12-31T00:00:00+09:00.
        #[arg(long, value_name = "TIME")]
        until: String,
    },
    /// Revoke a key or certificate that was added so.
    Revoke {
        /// The member.
        id: String,
        /// sha256: and its digest.
        hash: String,
    },
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Member {
    pub(super) fn run(self) -> Result<(), Failure> {
        let answer = self.operator.send(|client, admin| {
            let of = |id: &str| format!("{admin}/members/{id}");
            match self.act {
                Act::List => client.get(format!("{admin}/members")),
                Act::Show { id } => client.get(of(&id)),
                Act::Apply(apply) => client.post(format!("{admin}/members")).json(&json!({
                    "id": apply.id,
                    "name": apply.name,
                    "class": apply.class,
                    "attributes": apply.attributes.into_iter().collect::<BTreeMap<_, _>>(),
                    "subsystems": apply.subsystems,
                    "contact": apply.contact,
                })),
                Act::Activate { id } => client.post(format!("{}/activate", of(&id))),
                Act::Suspend { id } => client.post(format!("{}/suspend", of(&id))),
                Act::Resume { id } => client.post(format!("{}/resume", of(&id))),
                Act::End { id } => client.post(format!("{}/end", of(&id))),
                Act::Key(Key::Add { id, api_key, certificate, from, until }) => {
                    let kind = if certificate.is_some() { "certificate" } else { "api-key" };
                    client.post(format!("{}/keys", of(&id))).json(&json!({
                        "kind": kind,
                        "hash": certificate.or(api_key),
                        "valid_from": from,
                        "valid_until": until,
                    }))
                }
                Act::Key(Key::Revoke { id, hash }) => {
                    client.delete(format!("{}/keys/{hash}", of(&id)))
                }
            }
        })?;
        say(serde_json::to_string_pretty(&answer)?)
    }
}
