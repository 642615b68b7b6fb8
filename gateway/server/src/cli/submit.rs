//! `naru submit …`: a client of the admin listener.

use std::io::Read;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

use super::operator::Operator;
use super::{Failure, say};

/// See and settle submits whose outcome is not known.
#[derive(Args)]
pub(super) struct Submit {
    #[command(flatten)]
    operator: Operator,
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// List those that were sent and whose answer was lost.
    List,
    /// Say what became of one, as you have found out with the provider. It is on record with your name,
    /// and every later request under its key gets this outcome.
    Settle {
        /// Its exchange.
        exchange: Uuid,
        #[command(flatten)]
        found: Found,
    },
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Found {
    /// It was done. The fields of the reply are read as a JSON object from standard input, so that they
    /// stand in no shell history.
    #[arg(long)]
    done: bool,
    /// It was refused for good: the provider's own name for that.
    #[arg(long, value_name = "NAME")]
    refused: Option<String>,
    /// Nothing was done; it may be sent again.
    #[arg(long)]
    not_done: bool,
}

impl Found {
    fn said(self) -> Result<Value, Failure> {
        if let Some(name) = self.refused {
            return Ok(json!({ "refused": name }));
        }
        if self.not_done {
            return Ok(json!("not-done"));
        }
        let mut fields = String::new();
        std::io::stdin().read_to_string(&mut fields)?;
        let fields: Value = serde_json::from_str(&fields)
            .map_err(|error| format!("standard input is no JSON object: {error}"))?;
        Ok(json!({ "done": fields }))
    }
}

impl Submit {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (exchange, said) = match self.act {
            Act::List => (None, Value::Null),
            Act::Settle { exchange, found } => (Some(exchange), found.said()?),
        };
        let answer = self.operator.send(|client, admin| match exchange {
            None => client.get(format!("{admin}/submits")),
            Some(exchange) => client.post(format!("{admin}/submits/{exchange}")).json(&said),
        })?;
        say(serde_json::to_string_pretty(&answer)?)
    }
}
